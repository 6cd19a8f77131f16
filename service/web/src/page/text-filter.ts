/** A form that hides the items of a long page that do not contain its words, while one types. */

import { formatMessage } from "./messages";

export class TextFilter {
  private readonly items = [...document.querySelectorAll<HTMLElement>("[data-filtered]")];
  private readonly texts = this.items.map((item) => item.textContent.toLowerCase());
  private readonly groups = [...document.querySelectorAll<HTMLElement>("[data-filtered-group]")];
  private readonly input: HTMLInputElement;
  private readonly status: HTMLElement;
  private readonly showAll: HTMLElement;
  private readonly everywhere: HTMLAnchorElement;
  /** What has no text to search, such as pictures; hidden while words are typed. */
  private readonly unfiltered = [...document.querySelectorAll<HTMLElement>("[data-unfiltered]")];

  constructor(box: HTMLElement) {
    this.input = box.querySelector("input")!;
    this.status = box.querySelector("[role=status]")!;
    this.showAll = box.querySelector<HTMLElement>(".show-all")!;
    this.everywhere = box.querySelector<HTMLAnchorElement>(".everywhere")!;
    this.input.addEventListener("input", () => this.apply());
    if (this.input.value) this.apply(); // a browser restores it when one comes back
  }

  private apply(): void {
    const words = this.input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    this.items.forEach((item, index) => {
      item.hidden = !words.every((word) => this.texts[index]!.includes(word));
      if (!item.hidden) count++;
    });
    for (const group of this.groups) {
      group.hidden = !group.querySelector("[data-filtered]:not([hidden])");
      if (group instanceof HTMLDetailsElement && words.length) group.open = true;
      const number = group.querySelector<HTMLElement>(":scope > summary [data-count]");
      if (number) number.textContent = this.countItems(group);
    }
    for (const part of this.unfiltered) part.hidden = words.length > 0;
    if (!this.items.length) return; // the page says so
    const typed = this.input.value.trim();
    const message = formatMessage(count ? "shown" : "none-shown", { count, all: this.items.length, words: typed });
    this.status.textContent = words.length ? message : "";
    this.showAll.hidden = !words.length;
    this.everywhere.hidden = count > 0;
    this.everywhere.href = `/search?${new URLSearchParams({ q: typed }).toString()}`;
  }

  private countItems(group: HTMLElement): string {
    const all = group.querySelectorAll("[data-filtered]").length;
    const count = group.querySelectorAll("[data-filtered]:not([hidden])").length;
    return count < all ? formatMessage("group-shown", { count, all }) : String(all);
  }
}

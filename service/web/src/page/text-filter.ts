/** A box that hides the items of a long page that do not contain its words. The page has the box hidden, for scripts only. */

import { formatMessage } from "./messages";

export class TextFilter {
  private readonly items = [...document.querySelectorAll<HTMLElement>("[data-filtered]")];
  private readonly texts = this.items.map((item) => item.textContent.toLowerCase());
  private readonly groups = [...document.querySelectorAll<HTMLElement>("[data-filtered-group]")];
  private readonly input: HTMLInputElement;
  private readonly status: HTMLElement;
  private readonly showAll: HTMLElement | null;

  constructor(box: HTMLElement) {
    this.input = box.querySelector("input")!;
    this.status = box.querySelector("[role=status]")!;
    this.showAll = box.querySelector<HTMLElement>(".show-all");
    box.hidden = false;
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
    }
    this.status.textContent = words.length && this.items.length ? formatMessage(count ? "shown" : "none-shown", { count, all: this.items.length }) : "";
    if (this.showAll) this.showAll.hidden = !words.length || !this.items.length; // else the page has one
  }
}

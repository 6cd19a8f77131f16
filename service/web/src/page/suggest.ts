/** A search field that suggests resources while one types: the editable combobox with list autocomplete of the ARIA
 * Authoring Practices. The focus stays in the field; Enter without a chosen suggestion searches as usual. */

import { h } from "./dom";
import { formatMessage } from "./messages";

const ADDRESS = "/search/suggestions";
const MIN_CHARACTERS = 2;
const TYPING_PAUSE_MS = 150; // typing faster than this sends no request

/** OpenSearch suggestions 1.1: the text, and for each suggestion its label, a description, and the URL of its page. */
type Suggestions = [string, string[], string[], string[]];

let listCount = 0;

export class SuggestionList {
  private readonly list: HTMLUListElement;
  private readonly status = h("span", { role: "status", class: "unseen" });
  private options: HTMLLIElement[] = [];
  private addresses: string[] = [];
  private active = -1; // the index of the chosen option; -1 for none
  private timer = 0;
  private abortController = new AbortController();

  constructor(private readonly input: HTMLInputElement) {
    this.list = h("ul", { id: `suggestions-${++listCount}`, role: "listbox", hidden: true, "aria-label": formatMessage("suggestions") });
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", this.list.id);
    input.setAttribute("aria-expanded", "false");
    input.autocomplete = "off";
    input.parentElement?.classList.add("suggesting");
    input.after(this.list, this.status);
    input.addEventListener("input", (event) => this.onInput(event as InputEvent));
    input.addEventListener("compositionend", () => this.schedule());
    input.addEventListener("keydown", (event) => this.onKey(event));
    input.addEventListener("blur", () => this.close());
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    this.list.addEventListener("click", (event) => this.onClick(event));
  }

  private onInput(event: InputEvent): void {
    if (!event.isComposing) this.schedule();
  }

  private schedule(): void {
    clearTimeout(this.timer);
    this.abortController.abort();
    if (this.input.value.trim().length < MIN_CHARACTERS) this.close();
    else this.timer = setTimeout(() => void this.load(), TYPING_PAUSE_MS);
  }

  /** Request the suggestions for the text, and show them; without an answer there are none. */
  private async load(): Promise<void> {
    const { signal } = (this.abortController = new AbortController());
    const query = new URLSearchParams({ q: this.input.value.trim(), _lang: document.documentElement.lang });
    try {
      const response = await fetch(`${ADDRESS}?${query}`, { signal });
      const suggestions = response.ok ? ((await response.json()) as Suggestions) : undefined;
      if (!signal.aborted) this.show(suggestions ?? ["", [], [], []]);
    } catch {
      if (!signal.aborted) this.close();
    }
  }

  private show([, labels, descriptions, addresses]: Suggestions): void {
    this.addresses = addresses;
    this.options = labels.map((label, index) =>
      h("li", { id: `${this.list.id}-${index}`, role: "option", "aria-selected": "false" },
        h("bdi", {}, label), " ", h("small", { dir: "auto" }, descriptions[index])),
    );
    this.list.replaceChildren(...this.options);
    this.choose(-1);
    this.setOpen(this.options.length > 0 && document.activeElement === this.input);
    const count = this.options.length;
    this.status.textContent = count ? formatMessage("suggestion-count", { count }) : formatMessage("no-suggestions");
  }

  private setOpen(isOpen: boolean): void {
    this.list.hidden = !isOpen;
    this.input.setAttribute("aria-expanded", String(isOpen));
  }

  private close(): void {
    clearTimeout(this.timer);
    this.abortController.abort();
    this.choose(-1);
    this.setOpen(false);
    this.status.textContent = "";
  }

  private choose(index: number): void {
    this.options[this.active]?.setAttribute("aria-selected", "false");
    this.active = index;
    const option = this.options[index];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.input.setAttribute("aria-activedescendant", option.id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  private onKey(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const isOpen = !this.list.hidden;
    const count = this.options.length;
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && count) {
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (event.altKey) this.choose(-1);
      // Below the last option is the field itself, from which the next step leads to the first.
      else this.choose(isOpen ? ((this.active + 1 + step + count + 1) % (count + 1)) - 1 : step > 0 ? 0 : count - 1);
      this.setOpen(!event.altKey || step > 0);
    } else if (event.key === "Escape" && isOpen) this.close();
    else if (event.key === "Enter" && isOpen && this.active >= 0) this.follow(this.active, event.ctrlKey || event.metaKey);
    else if (event.key === "Tab") return this.close();
    else return;
    event.preventDefault();
  }

  private onClick(event: MouseEvent): void {
    const index = this.options.findIndex((option) => option.contains(event.target as Node));
    if (index >= 0) this.follow(index, event.ctrlKey || event.metaKey);
  }

  /** Open the page of a suggestion, which is of this service. */
  private follow(index: number, inNewTab: boolean): void {
    const { pathname, search, hash } = new URL(this.addresses[index] ?? "", location.href);
    this.close();
    if (inNewTab) open(pathname + search + hash, "_blank", "noopener");
    else location.assign(pathname + search + hash);
  }
}

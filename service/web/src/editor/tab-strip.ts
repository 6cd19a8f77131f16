/** The tabs above the editor, and the list of saved queries. */

import { h } from "../page/dom";
import { formatMessage } from "../page/messages";
import { baseIri } from "../query/names";
import type { QueryTabs } from "../query/tabs";

/** The first query of a new tab: what the graph has, without the descriptions of its own files. */
const firstQuery = () => `PREFIX wgig: <${baseIri()}ontology#>

SELECT ?class (COUNT(?thing) AS ?count) WHERE {
  ?thing a ?class .
  FILTER(STRSTARTS(STR(?class), STR(wgig:)))
}
GROUP BY ?class
ORDER BY DESC(?count)
`;

/** What the tabs tell the page. */
export interface TabListener {
  beforeSwitch: () => void; // before another tab is active
  onSwitch: () => void; // when another tab is active
  onNew: () => void; // when that tab is a new one
  onStatus: (text: string) => void;
}

export class TabStrip {
  readonly savedSection = h("details", { class: "saved" });
  private readonly list = h("ul", {});
  private readonly actions = h("div", { class: "row" });

  constructor(container: HTMLElement, private readonly tabs: QueryTabs, private readonly listener: TabListener) {
    container.replaceChildren(h("nav", { "aria-label": formatMessage("tabs") }, this.list), this.actions);
    this.show();
  }

  /** Show the tabs as they are. */
  show(): void {
    this.list.replaceChildren(...this.tabs.tabs.map(({ id, name }) => {
      const isActive = id === this.tabs.active?.id;
      return h("li", {}, h("button", { type: "button", class: "plain", "aria-current": isActive ? "true" : undefined, click: () => this.switchTo(() => this.tabs.activate(id)) }, h("bdi", {}, name)));
    }));
    const button = (message: string, act: () => void, values = {}) => h("button", { type: "button", class: "plain", click: act }, formatMessage(message, values));
    const { lastClosed } = this.tabs;
    this.actions.replaceChildren(
      button("new-tab", () => this.addTab()),
      button("rename-tab", () => this.rename()),
      button("save-tab", () => this.change(() => this.tabs.save(), "saved")),
      button("close-tab", () => this.switchTo(() => this.tabs.close())),
      lastClosed ? button("reopen-tab", () => this.switchTo(() => this.tabs.reopen()), { name: lastClosed.name }) : "");
    this.showFault();
    this.showSaved();
    this.list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** Say why queries are not kept, if so. */
  showFault(): void {
    if (this.tabs.fault) this.listener.onStatus(formatMessage(this.tabs.fault));
  }

  private addTab(): void {
    this.switchTo(() => this.tabs.open(firstQuery(), this.newName(), true));
    this.listener.onNew();
  }

  /** Show a text in a tab, by default with a new name. */
  open(text: string, isEdited = false, name = this.newName()): void {
    this.tabs.open(text, name, isEdited);
    this.show();
  }

  /** The name of a new tab, which no tab has yet. */
  private newName(): string {
    const names = new Set(this.tabs.tabs.map(({ name }) => name));
    for (let number = this.tabs.tabs.length + 1; ; number++) {
      const name = formatMessage("tab-name", { number });
      if (!names.has(name)) return name;
    }
  }

  private switchTo(act: () => void): void {
    this.listener.beforeSwitch();
    act();
    if (!this.tabs.active) this.tabs.open(firstQuery(), this.newName());
    this.listener.onSwitch();
    this.show();
    this.list.querySelector<HTMLElement>("[aria-current]")?.focus();
  }

  private change(act: () => void, message: string): void {
    this.listener.beforeSwitch();
    act();
    this.listener.onStatus(formatMessage(message));
    this.show(); // with the reason, if it was not stored
  }

  /** Put a field for the name in place of the active tab; Enter and leaving it rename the tab, Escape does not. */
  private rename(): void {
    const tab = this.list.querySelector<HTMLElement>("[aria-current]");
    if (!tab) return;
    const field = h("input", { type: "text", maxlength: "80", "aria-label": formatMessage("tab-name-field"), blur: () => end(true), keydown: (event) => onKey(event as KeyboardEvent) });
    field.value = this.tabs.active?.name ?? "";
    let isOpen = true;
    const end = (isRenamed: boolean) => {
      if (!isOpen) return;
      isOpen = false;
      if (isRenamed) this.tabs.rename(field.value);
      this.show();
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault(); // Enter would run the query
      end(event.key === "Enter");
      this.list.querySelector<HTMLElement>("[aria-current]")?.focus();
    };
    tab.replaceWith(field);
    field.select();
  }

  private showSaved(): void {
    const { saved } = this.tabs;
    this.savedSection.hidden = !saved.length;
    const items = saved.map(({ id, name, text }) => h("li", {},
      h("button", { type: "button", class: "plain", click: () => this.switchTo(() => this.tabs.open(text, name, true)) }, h("bdi", {}, name)), " ",
      h("button", { type: "button", class: "plain", "aria-label": formatMessage("delete-saved", { name }), click: () => { this.tabs.removeSaved(id); this.show(); } }, formatMessage("delete"))));
    this.savedSection.replaceChildren(h("summary", {}, formatMessage("saved-queries", { count: saved.length })), h("p", {}, formatMessage("past-where")), h("ul", { class: "asked" }, ...items));
  }
}

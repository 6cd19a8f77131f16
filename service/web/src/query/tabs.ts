/** The queries in tabs, the closed and the saved ones, in the local storage of this browser. */

const STORAGE_KEY = "wgig-tabs";
const MAX_TABS = 20; // more are closed, the first one first
const MAX_KEPT_QUERIES = 50; // closed ones, and saved ones
const MAX_NAME_CHARACTERS = 80;
export const MAX_KEPT_CHARACTERS = 1_000_000; // of a query

export interface NamedQuery {
  id: string;
  name: string;
  text: string;
}

export interface QueryTab extends NamedQuery {
  isEdited: boolean; // by the user; a tab with a text that came with a page is reused for the next one
}

interface Tabs {
  tabs: QueryTab[];
  activeId: string;
  closed: NamedQuery[];
  saved: NamedQuery[];
}

/** Why a query is not kept: the name of a message of the page. */
export type StorageFault = "storage-off" | "storage-full" | "query-too-long";

/** The tabs of all windows of this browser. Each change reads the stored state again, as another window may have changed it. */
export class QueryTabs {
  private state: Tabs;
  private activeName = ""; // the last name of the active tab
  fault: StorageFault | undefined;

  constructor() {
    this.state = loadTabs();
  }

  get tabs(): readonly QueryTab[] {
    return this.state.tabs;
  }

  get active(): QueryTab | undefined {
    return this.state.tabs.find(({ id }) => id === this.state.activeId);
  }

  get lastClosed(): NamedQuery | undefined {
    return this.state.closed[0];
  }

  get saved(): readonly NamedQuery[] {
    return this.state.saved;
  }

  /** Show a text: in the tab that has it, else in the active tab if it was not edited, else in a new one. */
  open(text: string, name: string, isEdited = false): void {
    this.change((state) => {
      const active = state.tabs.find(({ id }) => id === state.activeId);
      const tab = [...(active ? [active] : []), ...state.tabs].find((other) => other.text.trim() === text.trim());
      if (tab) state.activeId = tab.id;
      else if (active && !active.isEdited && !isEdited) Object.assign(active, { text, name: shortenName(name) });
      else this.add(state, { id: makeId(), name, text, isEdited });
    });
  }

  activate(id: string): void {
    this.change((state) => void (state.activeId = id));
  }

  /** Store the text of the active tab; `isEdited` says whether the user has changed it. */
  update(text: string, isEdited: boolean): void {
    if (text.length > MAX_KEPT_CHARACTERS) {
      this.fault = "query-too-long";
      return;
    }
    this.change((state) => {
      const tab = state.tabs.find(({ id }) => id === state.activeId);
      if (tab) Object.assign(tab, { text, isEdited: tab.isEdited || isEdited });
      else this.add(state, { id: state.activeId || makeId(), name: this.activeName, text, isEdited }); // another window has closed it
    });
  }

  rename(name: string): void {
    this.change((state) => {
      const tab = state.tabs.find(({ id }) => id === state.activeId);
      if (tab && name.trim()) tab.name = shortenName(name);
    });
  }

  /** Close the active tab; the one before it becomes active. */
  close(): void {
    this.change((state) => {
      const index = state.tabs.findIndex(({ id }) => id === state.activeId);
      const [tab] = index < 0 ? [] : state.tabs.splice(index, 1);
      if (tab) this.addClosed(state, tab);
      state.activeId = state.tabs[Math.max(0, index - 1)]?.id ?? "";
    });
  }

  /** Open the tab that was closed last. */
  reopen(): void {
    this.change((state) => {
      const query = state.closed.shift();
      if (query) this.add(state, { ...query, isEdited: true });
    });
  }

  /** Keep the query of the active tab under its name, instead of an earlier one with this name; not if it is too long. */
  save(): void {
    if (this.fault === "query-too-long") return;
    this.change((state) => {
      const tab = state.tabs.find(({ id }) => id === state.activeId);
      if (!tab) return;
      const others = state.saved.filter(({ name }) => name !== tab.name);
      state.saved = [{ id: makeId(), name: tab.name, text: tab.text }, ...others].slice(0, MAX_KEPT_QUERIES);
    });
  }

  removeSaved(id: string): void {
    this.change((state) => void (state.saved = state.saved.filter((query) => query.id !== id)));
  }

  private add(state: Tabs, tab: QueryTab): void {
    state.tabs.push({ ...tab, name: shortenName(tab.name) });
    state.activeId = tab.id;
    while (state.tabs.length > MAX_TABS) this.addClosed(state, state.tabs.shift()!);
  }

  private addClosed(state: Tabs, { id, name, text }: QueryTab): void {
    if (text.trim()) state.closed = [{ id, name, text }, ...state.closed].slice(0, MAX_KEPT_QUERIES);
  }

  /** Change the state and store it. Without storage, the change lasts as long as the page. */
  private change(edit: (state: Tabs) => void): void {
    const stored = readStoredTabs();
    // Of another window only its lists are taken over; each window has its own active tab.
    if (stored && this.fault === undefined) this.state = { ...stored, activeId: this.state.activeId || stored.activeId };
    edit(this.state);
    this.activeName = this.active?.name ?? this.activeName;
    this.fault = storeTabs(this.state);
  }
}

function loadTabs(): Tabs {
  return readStoredTabs() ?? { tabs: [], activeId: "", closed: [], saved: [] };
}

/** The stored state without entries that are not queries; undefined if there is none, or it cannot be read. */
function readStoredTabs(): Tabs | undefined {
  try {
    const stored = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "null");
    if (!stored || typeof stored !== "object") return undefined;
    const queries = <T extends NamedQuery>(list: unknown): T[] => (Array.isArray(list) ? list.filter(isNamedQuery) : []) as T[];
    return { tabs: queries(stored.tabs), activeId: String(stored.activeId), closed: queries(stored.closed), saved: queries(stored.saved) };
  } catch {
    return undefined;
  }
}

function isNamedQuery(entry: unknown): entry is NamedQuery {
  const { id, name, text } = (entry ?? {}) as Partial<NamedQuery>;
  return typeof id === "string" && typeof name === "string" && typeof text === "string";
}

/** Store the state. If it does not fit, the closed tabs are given up. Returns why it cannot be stored. */
function storeTabs(state: Tabs): StorageFault | undefined {
  for (const closed of [state.closed, []]) {
    try {
      localStorage.setItem(STORAGE_KEY, JSON.stringify({ ...state, closed }));
      return undefined;
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "QuotaExceededError")) return "storage-off";
    }
  }
  return "storage-full";
}

const makeId = () => crypto.getRandomValues(new Uint32Array(2)).join("-");
const shortenName = (name: string) => name.trim().slice(0, MAX_NAME_CHARACTERS);

/**
 * The draft of a paper in the local storage of the browser, one for each address at which a form is opened. It is
 * offered when the form is opened again and on the start page, and removed when the paper was saved. The access token is
 * never kept.
 */

import { h } from "../page/dom";
import { LOCALE, formatMessage } from "../page/messages";

interface Draft {
  version: string; // of the form
  time: string; // ISO 8601
  fields: [name: string, value: string][];
}

const KEY_PREFIX = "wgig-draft ";
const SENT_KEY = "wgig-draft-sent"; // in the session storage: the key of the draft that was sent to be saved
const SAVE_ACTIONS = ["draft", "complete", "save"];
const UNKEPT_FIELDS = ["token", "do"];
const MAX_DRAFT_CHARACTERS = 1_000_000; // browsers keep about five million for all drafts
const KEEP_DELAY_MS = 500; // a draft is kept when nothing was entered for this time

export class FormDraft {
  private readonly key: string;
  private readonly status = document.getElementById("form-draft");
  private keepTimer = 0;
  private hasInput: boolean; // whether there is something of the author to keep
  private isKept = false; // whether the draft that was last to be kept is in the storage
  private isOffered = false; // a draft is offered that new input must not replace

  constructor(private readonly form: HTMLFormElement) {
    this.key = KEY_PREFIX + (form.dataset.address ?? "");
    if ("saved" in form.dataset) this.discardSent();
    else if (!("unsaved" in form.dataset)) this.offer();
    this.hasInput = "unsaved" in form.dataset;
    form.addEventListener("input", () => this.keepLater());
    form.addEventListener("submit", (event) => this.onSubmit(event));
    addEventListener("pagehide", () => this.ensureKept());
    if (this.hasInput) this.keep(); // a row was added, or a file checked
  }

  /** Whether what was entered is kept, for which this keeps it at once. */
  ensureKept(): boolean {
    if (this.keepTimer) this.keep();
    return this.isKept;
  }

  private keep(): void {
    clearTimeout(this.keepTimer);
    this.keepTimer = 0;
    if (this.isOffered) return this.report("draft-pending");
    const fields = [...new FormData(this.form)].filter(([name]) => !UNKEPT_FIELDS.includes(name)) as Draft["fields"];
    const time = new Date();
    const draft: Draft = { version: this.form.dataset.formVersion ?? "", time: time.toISOString(), fields };
    const text = JSON.stringify(draft);
    if (text.length > MAX_DRAFT_CHARACTERS) return this.report("draft-large");
    try {
      localStorage.setItem(this.key, text);
    } catch {
      return this.report("draft-failed"); // the storage is full or switched off
    }
    this.report("draft-kept", { time: time.toLocaleTimeString(LOCALE, { timeStyle: "short" }) });
  }

  private keepLater(): void {
    this.hasInput = true;
    clearTimeout(this.keepTimer);
    this.keepTimer = setTimeout(() => this.keep(), KEEP_DELAY_MS);
  }

  private report(name: string, values: Record<string, string> = {}): void {
    this.isKept = name === "draft-kept";
    if (!this.status) return;
    this.status.textContent = formatMessage(name, values);
    this.status.classList.toggle("notice", !this.isKept);
  }

  private onSubmit(event: SubmitEvent): void {
    if (event.defaultPrevented) return;
    const button = event.submitter as HTMLButtonElement | null;
    if (this.hasInput) this.keep();
    try {
      if (button?.name === "do" && SAVE_ACTIONS.includes(button.value)) sessionStorage.setItem(SENT_KEY, this.key);
    } catch {
      // Without storage there is no draft to remove later.
    }
  }

  /** Remove the draft of the paper that was just saved. */
  private discardSent(): void {
    try {
      localStorage.removeItem(sessionStorage.getItem(SENT_KEY) ?? this.key);
      localStorage.removeItem(this.key);
      sessionStorage.removeItem(SENT_KEY);
    } catch {
      // Without storage there is no draft.
    }
  }

  /** Offer to restore the draft, if there is one that differs from the form. */
  private offer(): void {
    const draft = readDraft(this.key);
    if (!draft || !this.differs(draft)) return;
    this.isOffered = true;
    const isOutdated = draft.version !== this.form.dataset.formVersion;
    const text = formatMessage(isOutdated ? "draft-outdated" : "draft-found", { time: formatTime(draft) });
    const box = h(
      "section",
      { class: "summary good draft", "aria-labelledby": "draft-title", tabindex: "-1" },
      h("h2", { id: "draft-title" }, formatMessage("draft-title")),
      h("p", {}, text),
      createButtons(this.key, draft, isOutdated, () => {
        this.isOffered = false;
        if (this.status?.textContent) this.keep();
        box.remove();
        this.form.querySelector<HTMLElement>("h2")?.focus();
      }),
    );
    this.form.before(box);
    box.focus();
  }

  private differs(draft: Draft): boolean {
    const kept = JSON.stringify(draft.fields.filter(([name]) => name !== "source"));
    const shown = [...new FormData(this.form)].filter(([name]) => name !== "source" && !UNKEPT_FIELDS.includes(name));
    return kept !== JSON.stringify(shown);
  }
}

/** List the kept drafts in a section of the start page, which is hidden if there are none. */
export function listDrafts(section: HTMLElement): void {
  for (const key of listDraftKeys()) {
    const draft = readDraft(key);
    if (!draft) continue;
    const isOutdated = draft.version !== section.dataset.formVersion;
    const title = draft.fields.find(([name]) => name === "title-1")?.[1].trim() || key.slice(KEY_PREFIX.length);
    const text = formatMessage(isOutdated ? "draft-listed-outdated" : "draft-listed", { title, time: formatTime(draft) });
    const item = h("li", {}, h("p", {}, text));
    item.append(createButtons(key, draft, isOutdated, () => {
      item.remove();
      section.hidden = !section.querySelector("li");
      document.querySelector<HTMLElement>("h1")?.focus();
    }));
    section.querySelector("ul")?.append(item);
    section.hidden = false;
  }
}

/** The keys of the drafts in the storage. */
function listDraftKeys(): string[] {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(KEY_PREFIX)).sort();
  } catch {
    return []; // the storage is switched off
  }
}

function readDraft(key: string): Draft | undefined {
  try {
    const draft = JSON.parse(localStorage.getItem(key) ?? "null") as Draft | null;
    if (draft && Array.isArray(draft.fields) && draft.fields.every(isField) && !Number.isNaN(Date.parse(draft.time))) return draft;
  } catch {
    // The storage is switched off, or something else wrote to it.
  }
  return undefined;
}

function isField(field: unknown): boolean {
  return Array.isArray(field) && field.length === 2 && field.every((part) => typeof part === "string");
}

function formatTime(draft: Draft): string {
  return new Date(draft.time).toLocaleString(LOCALE, { dateStyle: "long", timeStyle: "short" });
}

/** The buttons that restore a draft, unless it is of an earlier form, and that discard it. */
function createButtons(key: string, draft: Draft, isOutdated: boolean, onDiscard: () => void): HTMLElement {
  const discard = (): void => {
    try {
      localStorage.removeItem(key);
    } catch {
      // Without storage there is no draft.
    }
    onDiscard();
  };
  return h(
    "div",
    { class: "row" },
    !isOutdated && h("button", { type: "button", click: () => restoreDraft(draft) }, formatMessage("draft-restore")),
    h("button", { type: "button", class: "plain", click: discard }, formatMessage("draft-discard")),
  );
}

/** Show the form with the values of the draft: the service makes the rows that it needs. */
function restoreDraft(draft: Draft): void {
  const fields = draft.fields.map(([name, value]) => createHiddenField(name, value));
  const form = h("form", { method: "post", action: "/write", hidden: true }, ...fields, createHiddenField("do", "restore"));
  document.body.append(form);
  form.submit();
}

/** A field that is sent with its line breaks, which an input would lose. */
function createHiddenField(name: string, value: string): HTMLTextAreaElement {
  const field = h("textarea", { name });
  field.value = value;
  return field;
}

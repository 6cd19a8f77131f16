/** The form for writing a paper: checks it when a field has changed, shows messages at the fields, and keeps a draft. */

import { FormDraft, listDrafts } from "./form/draft";
import { linkSummary } from "./form/summary";
import { h } from "./page/dom";
import { formatMessage } from "./page/messages";

interface Message {
  field: string;
  severity: "Violation" | "Warning" | "Info";
  text: string;
  language: string;
  code: string; // of the violated rule; empty if no rule is violated
  blocks: boolean; // whether the paper does not conform because of it
  details: string[]; // further lines: values that were probably meant, and an example
}

interface Section {
  number: number;
  state: string; // such as "not checked"
  summary: string; // the state in words, with what is missing
}

interface CheckResult {
  met: number; // parts of the template that the paper has
  parts: number; // parts that the template requires
  prefilled: string[]; // fields whose value the form filled in
  unconfirmed: string[]; // required ones of these that the author does not want to keep; they count as parts
  sections: Section[];
  messages?: Message[]; // undefined in a problem document
  names: Record<string, string>; // of what the values of fields mean, such as a paragraph, by field
}

const CHECK_DELAY_MS = 400; // several fields that change within this time are checked together
const MECHANISM_NAME = /^(mechanism-\d+)-label-1$/;

class PaperForm {
  private readonly status = document.getElementById("form-count");
  private readonly changedFields = new Set<string>();
  private abortController = new AbortController();
  private checkTimer = 0;
  private unsaved: boolean;

  constructor(
    private readonly form: HTMLFormElement,
    draft: FormDraft,
  ) {
    form.addEventListener("change", (event) => this.onFieldChange(event.target as HTMLInputElement));
    this.unsaved = "unsaved" in form.dataset;
    form.addEventListener("input", (event) => {
      this.unsaved = true;
      const field = event.target as HTMLInputElement;
      this.markOutdated(field);
      this.showMechanismName(field);
    });
    form.addEventListener("submit", (event) => {
      if (event.defaultPrevented) return;
      this.abortController.abort();
      this.unsaved = false; // the input is then in the next page or the downloaded file
    });
    addEventListener("beforeunload", (event) => this.unsaved && !draft.ensureKept() && event.preventDefault());
    if (!("checked" in form.dataset)) void this.check(); // for the count of parts and the states of the sections
  }

  /** Schedule a check of the paper after a field has changed; the access token is only sent to save it. */
  private onFieldChange({ name }: HTMLInputElement): void {
    if (name === "token") return;
    this.changedFields.add(name.replace(/-language$/, "")); // title-language is the language of the field title
    clearTimeout(this.checkTimer);
    this.checkTimer = setTimeout(() => void this.check(), CHECK_DELAY_MS);
  }

  /** Show the name of a mechanism as it is typed, in the boxes for what an assessment judges. */
  private showMechanismName({ name, value }: HTMLInputElement): void {
    const mechanism = MECHANISM_NAME.exec(name)?.[1];
    if (!mechanism || !value.trim()) return;
    for (const box of this.form.querySelectorAll<HTMLInputElement>(`input[type=checkbox][value="${mechanism}"]`)) {
      box.labels?.[0]?.replaceChildren(h("bdi", {}, value.trim()));
    }
  }

  private async check(): Promise<void> {
    this.abortController.abort();
    const { signal } = (this.abortController = new AbortController());
    const parameters = new URLSearchParams(new FormData(this.form) as unknown as Record<string, string>);
    parameters.delete("token");
    parameters.set("do", "check");
    try {
      const headers = { Accept: "application/json" };
      const response = await fetch(this.form.action, { method: "POST", body: parameters, headers, signal });
      this.showResult((await response.json()) as CheckResult);
    } catch {
      if (!signal.aborted) this.showStatus(formatMessage("unchecked"));
    }
  }

  private showResult(result: CheckResult): void {
    if (!result.messages) return; // a problem document instead of a result
    for (const [place, fields] of this.listMessagePlaces()) {
      this.showFieldMessages(place, result.messages.filter(({ field }) => fields.has(field)));
    }
    for (const [name, meaning] of Object.entries(result.names)) document.getElementById(`${name}-means`)?.replaceChildren(meaning);
    for (const section of result.sections) this.showSection(section);
    for (const note of this.form.querySelectorAll<HTMLElement>("[data-prefilled]")) {
      note.hidden = !result.prefilled.includes(note.dataset.prefilled ?? "");
    }
    this.showStatus(formatMessage("checked", { met: result.met - result.unconfirmed.length, parts: result.parts }));
  }

  private showStatus(text: string): void {
    if (this.status && this.status.textContent !== text) this.status.textContent = text;
  }

  private showSection({ number, state, summary }: Section): void {
    const mark = this.form.querySelector(`[data-section="${number}"]`);
    const name = state.replaceAll(" ", "-");
    mark?.setAttribute("class", `state ${name}`);
    mark?.replaceChildren(h("span", { "aria-hidden": "true" }, formatMessage(`symbol-${name}`)), ` ${summary}`);
  }

  /** The places of messages, which are names of fields, and the fields whose messages are shown there. These are the changed
   * fields and all with messages, as a change may also correct an error elsewhere. */
  private listMessagePlaces(): Map<string, Set<string>> {
    const places = new Map<string, Set<string>>();
    for (const name of this.changedFields) {
      const group = name.replace(/-\d+$/, "");
      places.set(name, new Set([name])).set(group, new Set([group]));
    }
    for (const message of this.form.querySelectorAll<HTMLElement>("[data-field]")) {
      const place = message.parentElement?.id.replace(/-said$/, "");
      const field = message.dataset.field ?? "";
      if (place && place !== "token") places.set(place, (places.get(place) ?? new Set<string>()).add(field));
    }
    return places;
  }

  /** Show the messages of a field, instead of those shown before. Notes on a conflict stay, which a check does not repeat. */
  private showFieldMessages(place: string, messages: Message[]): void {
    const field = document.getElementById(place) ?? document.getElementById(`${place}-1`); // -1: the first of several boxes
    const target = field?.closest("fieldset.boxes") ?? field; // the group of boxes, or the field itself
    if (!target) return;
    const id = `${place}-said`;
    const shown = document.getElementById(id);
    const conflicts = shown?.querySelectorAll(".info:not(:has(.mark))") ?? [];
    const isBlocking = messages.some(({ blocks }) => blocks);
    const list = h("div", { id, "data-blocks": isBlocking }, ...messages.map(createMessage), ...conflicts);
    if (!list.firstChild) shown?.remove();
    else if (shown) shown.replaceWith(list);
    else insertMessages(target, list);
    const otherIds = splitIds(target).filter((otherId) => otherId !== id);
    setOrRemoveAttribute(target, "aria-describedby", [...(list.firstChild ? [id] : []), ...otherIds].join(" "));
    const isInvalid = splitIds(target).some((otherId) => document.getElementById(otherId)?.matches("[data-blocks]"));
    setOrRemoveAttribute(target, "aria-invalid", isInvalid ? "true" : "");
  }

  /** Mark the messages of a field as outdated while its value is changed, until the next check. */
  private markOutdated(field: HTMLInputElement): void {
    const target = field.closest("fieldset.boxes") ?? field;
    for (const id of splitIds(target)) if (id.endsWith("-said")) document.getElementById(id)?.classList.add("outdated");
    target.removeAttribute("aria-invalid");
  }
}

/** The ids of the elements that describe a field. */
function splitIds(target: Element): string[] {
  return (target.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean);
}

function insertMessages(target: Element, messageList: HTMLElement): void {
  if (target instanceof HTMLFieldSetElement) target.querySelector("legend")?.after(messageList);
  else target.before(messageList);
}

function setOrRemoveAttribute(element: Element, name: string, value: string): void {
  if (value) element.setAttribute(name, value);
  else element.removeAttribute(name);
}

function createMessage({ field, severity, text, language, code, details }: Message): HTMLElement {
  const rule = code && h("a", { href: `/shapes/${encodeURIComponent(code)}`, class: "mark" }, code);
  const severityLabel = h("span", { class: "unseen" }, formatMessage(severity.toLowerCase()));
  const lines = details.map((line) => h("span", { class: "detail", lang: language }, line));
  return h("p", { class: `said ${severity.toLowerCase()}`, "data-field": field }, severityLabel, " ", h("span", { lang: language }, text), " ", rule || undefined, ...lines);
}

/** Let the Enter key in a field check the paper without leaving the place, which would be far down in a long form. Without
 * scripts, it presses the first button. */
function keepPlaceOnEnter(form: HTMLFormElement): void {
  form.addEventListener("submit", (event) => {
    const field = document.activeElement;
    if (!(field instanceof HTMLInputElement) || field.form !== form) return; // a button was pressed
    event.preventDefault();
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

/** Add the choices of fields with a list when the first of these fields gets the focus. */
function loadChoicesOnFocus(form: HTMLFormElement): void {
  const link = document.getElementById("choices");
  if (!(link instanceof HTMLAnchorElement)) return;
  let isLoading = false;
  form.addEventListener("focusin", async ({ target }) => {
    if (isLoading || !(target instanceof HTMLInputElement) || !target.list) return;
    isLoading = true;
    try {
      const response = await fetch(link.href);
      if (!response.ok) throw new Error(response.statusText);
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      for (const table of page.querySelectorAll<HTMLTableElement>("table[id^=list-]")) {
        const rows = [...(table.tBodies[0]?.rows ?? [])];
        for (const list of document.querySelectorAll(`datalist[data-values="${table.id}"]`)) {
          list.append(...rows.map(({ cells }) => new Option(cells[1]?.textContent ?? "", cells[0]?.textContent ?? "")));
        }
      }
    } catch {
      isLoading = false; // until the next field gets the focus
    }
  });
}

/** Print what was entered as text that may continue on the next page, instead of a field. Without scripts, fields are printed. */
function printWholeTexts(form: HTMLFormElement): void {
  addEventListener("beforeprint", () => {
    for (const field of form.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>(".field > :is(textarea, input)")) {
      if (field.value.trim()) field.after(h("p", { class: "printed", dir: "auto" }, field.value));
    }
  });
  addEventListener("afterprint", () => form.querySelectorAll(".printed").forEach((text) => text.remove()));
}

const form = document.querySelector<HTMLFormElement>("form.paper");
if (form) {
  printWholeTexts(form);
  loadChoicesOnFocus(form);
  keepPlaceOnEnter(form); // before the listeners to which a submission matters
  new PaperForm(form, new FormDraft(form));
  linkSummary();
}
const drafts = document.getElementById("drafts");
if (drafts) listDrafts(drafts);

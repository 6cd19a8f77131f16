/** The form for writing a paper: checks it when a field has changed, shows messages at the fields, and keeps a draft. */

import { FormDraft } from "./form/draft";
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

  constructor(private readonly form: HTMLFormElement) {
    form.addEventListener("change", (event) => this.onFieldChange(event.target as HTMLInputElement));
    form.addEventListener("submit", () => this.abortController.abort());
    this.unsaved = "unsaved" in form.dataset;
    form.addEventListener("input", (event) => {
      this.unsaved = true;
      this.showMechanismName(event.target as HTMLInputElement);
    });
    form.addEventListener("submit", () => (this.unsaved = false)); // the input is then in the next page or the downloaded file
    addEventListener("beforeunload", (event) => this.unsaved && event.preventDefault());
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
    for (const name of this.changedFields) this.showFieldMessages(name, result.messages.filter(({ field }) => field === name));
    for (const [name, meaning] of Object.entries(result.names)) document.getElementById(`${name}-means`)?.replaceChildren(meaning);
    for (const section of result.sections) this.showSection(section);
    this.showStatus(formatMessage("checked", { met: result.met, parts: result.parts }));
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

  /** Show the messages of a field, instead of those shown before. */
  private showFieldMessages(name: string, messages: Message[]): void {
    const field = document.getElementById(name) ?? document.getElementById(`${name}-1`); // -1: the first of several boxes
    const target = field?.closest("fieldset.boxes") ?? field; // the group of boxes, or the field itself
    if (!target) return;
    const id = `${name}-said`;
    document.getElementById(id)?.remove();
    if (messages.length) insertMessages(target, h("div", { id }, ...messages.map(createMessage)));
    const otherIds = (target.getAttribute("aria-describedby") ?? "").split(" ").filter((otherId) => otherId && otherId !== id);
    setOrRemoveAttribute(target, "aria-describedby", [...otherIds, ...(messages.length ? [id] : [])].join(" "));
    setOrRemoveAttribute(target, "aria-invalid", messages.some(({ blocks }) => blocks) ? "true" : "");
  }
}

function insertMessages(target: Element, messageList: HTMLElement): void {
  if (target instanceof HTMLFieldSetElement) target.querySelector("legend")?.after(messageList);
  else target.before(messageList);
}

function setOrRemoveAttribute(element: Element, name: string, value: string): void {
  if (value) element.setAttribute(name, value);
  else element.removeAttribute(name);
}

function createMessage({ severity, text, language, code, details }: Message): HTMLElement {
  const rule = code && h("a", { href: `/shapes/${encodeURIComponent(code)}`, class: "mark" }, code);
  const severityLabel = h("span", { class: "unseen" }, formatMessage(severity.toLowerCase()));
  const lines = details.map((line) => h("span", { class: "detail", lang: language }, line));
  return h("p", { class: `said ${severity.toLowerCase()}` }, severityLabel, " ", h("span", { lang: language }, text), " ", rule || undefined, ...lines);
}

const form = document.querySelector<HTMLFormElement>("form.paper");
if (form) {
  new PaperForm(form);
  new FormDraft(form);
  linkSummary();
}

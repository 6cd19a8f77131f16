/** The form in which a paper is written: what is wrong in a field is said when its writer goes on to the next. */

import { h } from "./page/dom";
import { say } from "./page/words";

interface Message {
  field: string;
  severity: "Violation" | "Warning" | "Info";
  text: string;
  language: string;
  code: string;
  blocks: boolean;
}

interface Told {
  met: number;
  parts: number;
  messages?: Message[];
}

const PAUSE = 400; // milliseconds, in which the next field may be left as well

class Form {
  private readonly status = h("p", { role: "status", class: "hint" });
  private readonly left = new Set<string>();
  private asked = new AbortController();
  private soon = 0;
  private unsaved: boolean;

  constructor(private readonly form: HTMLFormElement) {
    form.querySelector("nav")?.append(this.status);
    form.addEventListener("change", (event) => this.changed(event.target as HTMLInputElement));
    form.addEventListener("submit", () => this.asked.abort());
    this.unsaved = "unsaved" in form.dataset;
    form.addEventListener("input", () => (this.unsaved = true));
    form.addEventListener("submit", () => (this.unsaved = false)); // the next page has it, or a file
    addEventListener("beforeunload", (event) => this.unsaved && event.preventDefault());
  }

  /** A field was left with another value than before. The token is for a write alone. */
  private changed({ name }: HTMLInputElement): void {
    if (name === "token") return;
    this.left.add(name.replace(/-language$/, ""));
    clearTimeout(this.soon);
    this.soon = setTimeout(() => void this.check(), PAUSE);
  }

  private async check(): Promise<void> {
    this.asked.abort();
    const { signal } = (this.asked = new AbortController());
    const sent = new URLSearchParams(new FormData(this.form) as unknown as Record<string, string>);
    sent.delete("token");
    sent.set("do", "check");
    try {
      const headers = { Accept: "application/json" };
      const answer = await fetch(this.form.action, { method: "POST", body: sent, headers, signal });
      this.tell((await answer.json()) as Told);
    } catch {
      if (!signal.aborted) this.status.textContent = say("unchecked");
    }
  }

  private tell(told: Told): void {
    if (!told.messages) return; // there is no paper to check yet
    for (const name of this.left) this.say(name, told.messages.filter(({ field }) => field === name));
    this.status.textContent = say("checked", { met: told.met, parts: told.parts });
  }

  /** Say what is wrong in a field, in the place of what was said before. */
  private say(name: string, messages: Message[]): void {
    const field = document.getElementById(name) ?? document.getElementById(`${name}-1`);
    const box = field?.closest("fieldset.boxes") ?? field;
    if (!box) return;
    const id = `${name}-said`;
    document.getElementById(id)?.remove();
    if (messages.length) place(box, h("div", { id }, ...messages.map(paragraph)));
    const others = (box.getAttribute("aria-describedby") ?? "").split(" ").filter((one) => one && one !== id);
    mark(box, "aria-describedby", [...others, ...(messages.length ? [id] : [])].join(" "));
    mark(box, "aria-invalid", messages.some(({ blocks }) => blocks) ? "true" : "");
  }
}

function place(box: Element, said: HTMLElement): void {
  if (box instanceof HTMLFieldSetElement) box.querySelector("legend")?.after(said);
  else box.before(said);
}

function mark(element: Element, name: string, value: string): void {
  if (value) element.setAttribute(name, value);
  else element.removeAttribute(name);
}

function paragraph({ severity, text, language, code }: Message): HTMLElement {
  const rule = code && h("a", { href: `/shapes/${encodeURIComponent(code)}`, class: "mark" }, code);
  const kind = h("span", { class: "unseen" }, say(severity.toLowerCase()));
  return h("p", { class: `said ${severity.toLowerCase()}` }, kind, " ", h("span", { lang: language }, text), " ", rule || undefined);
}

const form = document.querySelector<HTMLFormElement>("form.paper");
if (form) new Form(form);

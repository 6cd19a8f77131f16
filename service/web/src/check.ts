/** The page of a checked paper: its text becomes an editor beside the report, whose links and suggestions lead to it. */

import { type Anchor, type Mark, PaperEditor, type Place } from "./editor/paper-editor";
import { downloadBlob } from "./page/download";
import { h } from "./page/dom";
import { formatMessage } from "./page/messages";

const MAX_SHOWN_MESSAGES = 2; // of one line
const SEVERITIES: Record<string, Mark["severity"]> = { Violation: "error", Warning: "warning", Info: "info" };

/** An element of the report that is about a place in the text. */
interface Finding {
  element: HTMLElement;
  mark: Mark;
  anchor: Anchor;
}

class CheckPage {
  private readonly editor: PaperEditor;
  private readonly findings: Finding[];
  private readonly status = h("div", { role: "status", class: "problems" });
  private shownLine = 0;

  constructor(private readonly form: HTMLFormElement, private readonly field: HTMLTextAreaElement) {
    this.placeText();
    const marks = [...document.querySelectorAll<HTMLElement>("[data-severity]")].map((element) => ({ element, mark: readMark(element) }));
    this.editor = new PaperEditor(field, field.parentElement!.querySelector(".keys"), marks.map(({ mark }) => mark), (line) => this.showLine(line));
    this.findings = marks.map((marked) => ({ ...marked, anchor: this.editor.anchorAt(marked.mark) }));
    field.after(this.status);
    field.parentElement!.append(" ", h("button", { type: "button", class: "plain", click: () => this.downloadText() }, formatMessage("download")));
    this.askBeforeLeaving();
    const errors = this.findings.filter(({ mark }) => mark.severity === "error").sort((a, b) => a.anchor.offset - b.anchor.offset);
    if (errors[0]) this.editor.show(errors[0].anchor);
    for (const element of document.querySelectorAll<HTMLElement>("[data-new]")) this.offerCorrection(element);
    document.querySelector("main")!.addEventListener("click", (event) => this.onClick(event));
  }

  /** Put the text, with what belongs to its check, in the place of its numbered lines beside the report. */
  private placeText(): void {
    document.querySelector(".listing")?.remove();
    const listing = document.querySelector(".beside > .source");
    if (!listing) return; // below an error, the text stays in the form
    const text = this.field.parentElement!;
    for (const control of text.querySelectorAll("textarea, input, select, button")) control.setAttribute("form", this.form.id);
    listing.replaceWith(text);
    document.getElementById("form")?.remove(); // the heading
  }

  /** Let the browser ask before an edited text is lost, which another check keeps in the next page. */
  private askBeforeLeaving(): void {
    const edited = this.hiddenField("edited");
    let isSubmitting = false;
    this.field.addEventListener("input", () => (edited.value = "yes"));
    this.form.addEventListener("submit", () => (isSubmitting = true));
    addEventListener("beforeunload", (event) => {
      if (edited.value && !isSubmitting) event.preventDefault();
      isSubmitting = false; // the response may be a download, after which this page stays
    });
  }

  private downloadText(): void {
    downloadBlob(new Blob([this.field.value]), this.hiddenField("name").value || `paper.${this.field.dataset.format ?? "txt"}`);
    this.hiddenField("edited").value = "";
  }

  private hiddenField(name: string): HTMLInputElement {
    return this.form.elements.namedItem(name) as HTMLInputElement;
  }

  private checkButton(): HTMLButtonElement {
    return h("button", { form: this.form.id }, formatMessage("check-again"));
  }

  /** Follow a link to a line or to the text into the editor. */
  private onClick(event: Event): void {
    const link = (event.target as Element).closest<HTMLAnchorElement>("a[href^='#']");
    const line = /^#file-1-line-(\d+)$/.exec(link?.hash ?? "")?.[1];
    if (!link || (!line && link.hash !== "#paper")) return;
    event.preventDefault();
    const finding = this.findings.find(({ element }) => element.contains(link));
    if (finding && line) this.editor.goTo(finding.anchor, finding.element.id === "problem"); // where a text cannot be read, something is missing
    else if (line) this.editor.goToLine(Number(line));
    else this.editor.focus();
  }

  /** Show the messages about a line below the editor, each with a link back to the report. */
  private showLine(line: number): void {
    if (line === this.shownLine) return;
    this.shownLine = line;
    const findings = this.findings.filter(({ anchor }) => this.editor.lineOf(anchor) === line);
    const messages = findings.slice(0, MAX_SHOWN_MESSAGES).map(({ element, mark }) =>
      h("p", {}, h("bdi", { lang: mark.lang }, mark.message), " ", h("a", { href: `#${element.id}` }, formatMessage("to-report"))));
    const more = findings.length - messages.length;
    this.status.replaceChildren(...messages, more > 0 ? h("p", {}, formatMessage("more-in-line", { count: more })) : "");
  }

  /** Make a suggestion a button that changes the text, and then offers to check it again. */
  private offerCorrection(element: HTMLElement): void {
    const { old = "", new: replacement = "" } = element.dataset;
    const anchor = this.editor.anchorAt(readPlace(element));
    const correct = () => {
      if (this.editor.hasName(anchor, old)) this.editor.replace(anchor, old, replacement);
      else if (!this.editor.hasName(anchor, replacement)) return this.report(element, formatMessage("line-changed"), this.editor.lineOf(anchor));
      this.report(element, formatMessage("line-now", { line: this.editor.lineOf(anchor) }), undefined, replacement);
    };
    element.replaceChildren(h("button", { type: "button", class: "plain", click: correct }, element.textContent.trim()));
    element.hidden = false;
  }

  /** Say what became of a suggestion, in its place and to screen readers, and offer to go on. */
  private report(element: HTMLElement, sentence: string, line?: number, text = ""): void {
    const next = line ? h("button", { type: "button", class: "plain", click: () => this.editor.goToLine(line) }, formatMessage("in-line", { line })) : this.checkButton();
    element.replaceChildren(`${sentence} `, h("bdi", {}, text), " ", next);
    this.status.replaceChildren(h("p", {}, `${sentence} `, h("bdi", {}, text)));
    next.focus();
  }
}

function readMark(element: HTMLElement): Mark {
  const message = element.querySelector<HTMLElement>(".message");
  return {
    ...readPlace(element),
    severity: SEVERITIES[element.dataset.severity ?? ""] ?? "error",
    message: message?.textContent.trim() ?? "",
    lang: message?.closest<HTMLElement>("[lang]")?.lang ?? "",
  };
}

function readPlace({ dataset }: HTMLElement): Place {
  return { line: Number(dataset.line), column: Number(dataset.column) };
}

const form = document.querySelector<HTMLFormElement>("form.check");
const field = form?.querySelector<HTMLTextAreaElement>("#paper");
if (form && field) new CheckPage(form, field);

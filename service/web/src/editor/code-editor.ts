/** The text area of a query as a code editor, which shows errors at their positions. */

import { autocompletion, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, codeFolding, foldEffect, foldKeymap, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap } from "@codemirror/lint";
import { EditorState, Prec, Transaction } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { sparql } from "codemirror-lang-sparql";
import { formatMessage } from "../page/messages";
import type { QueryProblem, TextEdit } from "../query/check";
import type { Remark } from "../query/request";
import { complete, findMissingDeclaration } from "./completion";
import { contextAt } from "./cursor-context";
import { formatQuery } from "./format";
import { termTooltips } from "./hover";
import { applyEdit, describeEdit, findOffset, type ProblemFinder, ProblemMarker } from "./linting";
import { theme } from "./theme";

const COLORS = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.function(tags.variableName)], color: "var(--code-word)" },
  { tag: tags.variableName, color: "var(--code-variable)" },
  { tag: [tags.string, tags.number, tags.bool, tags.literal], color: "var(--code-value)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--quiet)", fontStyle: "italic" },
  { tag: [tags.namespace, tags.url, tags.typeName, tags.propertyName], color: "var(--code-name)" },
]);

// The phrases of CodeMirror, with the names of their translations, which the page contains.
const PHRASES = {
  Completions: "completions",
  Diagnostics: "diagnostics",
  "No diagnostics": "no-diagnostics",
  close: "close",
  "Control character": "control-character",
  "Selection deleted": "selection-deleted",
  "folded code": "folded-code",
  unfold: "unfold",
  "Folded lines": "folded-lines",
  "Unfolded lines": "unfolded-lines",
  to: "line-range",
};

/** What the editor tells the page. */
export interface EditorListener {
  onRun: () => void;
  onChange: (isEdited: boolean) => void; // whether the user has changed the text
  findProblems: ProblemFinder;
  onProblems: (problems: QueryProblem[]) => void;
}

/**
 * A code editor in place of a text area.
 *
 * It is in a shadow tree: there CodeMirror adds its styles as objects, which the Content-Security-Policy of the
 * page allows, as opposed to style elements.
 */
export class CodeEditor {
  private readonly view: EditorView;
  private readonly marker: ProblemMarker;
  private readonly host = document.createElement("div");

  constructor(private readonly field: HTMLTextAreaElement, private readonly listener: EditorListener) {
    this.marker = new ProblemMarker(listener.findProblems, listener.onProblems);
    this.host.className = "code";
    if (field.offsetHeight) this.host.style.blockSize = `${field.offsetHeight}px`; // until the text changes, so that the page does not move
    field.before(this.host);
    const root = this.host.attachShadow({ mode: "open" });
    this.view = new EditorView({ parent: root, root, state: this.createState(field.value) });
    this.foldComments();
    field.hidden = true;
    field.required = false; // a browser cannot focus a hidden field to report it
    for (const label of field.labels ?? []) label.addEventListener("click", () => this.view.focus());
  }

  private createState(doc: string): EditorState {
    const runKey = { key: "Mod-Enter", run: () => (this.listener.onRun(), true) };
    const content = {
      "aria-label": this.field.labels?.[0]?.textContent.trim() ?? "",
      "aria-description": this.field.form?.querySelector(".keys")?.textContent ?? "",
      spellcheck: "false",
      tabindex: "0", // shows accessibility checkers that the text can be scrolled by keyboard
      autocapitalize: "off",
    };
    return EditorState.create({
      doc,
      extensions: [
        EditorState.phrases.of(Object.fromEntries(Object.entries(PHRASES).map(([phrase, name]) => [phrase, formatMessage(name)]))),
        Prec.highest(keymap.of([runKey, { key: "Shift-Alt-f", run: () => (this.format(), true) }])),
        lineNumbers(),
        lintGutter(),
        this.marker.extension,
        codeFolding(),
        termTooltips,
        history(),
        bracketMatching(),
        sparql(),
        syntaxHighlighting(COLORS),
        autocompletion({ override: [complete], icons: false, maxRenderedOptions: 10 }),
        keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap, ...foldKeymap, ...lintKeymap]),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of(content),
        EditorView.inputHandler.of(insertDeclaration),
        EditorView.domEventHandlers({ beforeinput: replaceSelection }),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          const isEdited = update.transactions.some((transaction) => transaction.annotation(Transaction.userEvent) !== undefined);
          if (isEdited) this.host.style.blockSize = "";
          this.field.value = update.state.doc.toString();
          this.listener.onChange(isEdited);
        }),
        theme,
      ],
    });
  }

  /** The current text of the query. */
  get text(): string {
    return this.view.state.doc.toString();
  }

  set text(text: string) {
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text } });
    this.foldComments();
  }

  /** Show the text of another query, without the history of this one. */
  replaceQuery(text: string): void {
    if (text === this.text) return;
    this.host.style.blockSize = "";
    this.view.setState(this.createState(text));
    this.field.value = text;
    this.foldComments();
  }

  /** Format the text, and keep the cursor in front of the same character. */
  format(): void {
    const { doc, selection } = this.view.state;
    const text = formatQuery(doc.toString());
    if (text === doc.toString()) return;
    let visibleCount = doc.sliceString(0, selection.main.head).replace(/\s/g, "").length;
    let anchor = 0;
    while (anchor < text.length && (visibleCount > 0 || /\s/.test(text[anchor]!))) visibleCount -= Number(!/\s/.test(text[anchor++]!));
    this.view.dispatch({ changes: { from: 0, to: doc.length, insert: text }, selection: { anchor }, scrollIntoView: true, userEvent: "input.format" });
    this.foldComments();
    this.view.focus();
  }

  /** Mark the errors and warnings of a run. */
  showRunProblems(errors: Remark[], warnings: Remark[]): void {
    this.marker.showRun(this.view, [
      ...errors.map((remark): QueryProblem => ({ ...remark, severity: "error" })),
      ...warnings.map((remark): QueryProblem => ({ ...remark, severity: "warning" })),
    ]);
  }

  /** What an edit of the current text does, and a function that does it. */
  prepareEdit(edit: TextEdit): { name: string; apply: () => void } {
    const { doc } = this.view.state;
    return { name: describeEdit(edit, doc), apply: () => applyEdit(this.view, edit, doc) };
  }

  /** Move the cursor to the position of a remark. */
  goTo(remark: Remark): void {
    const from = findOffset(this.view.state.doc, remark);
    this.view.dispatch({ selection: { anchor: from }, scrollIntoView: true });
    this.field.closest("details")?.setAttribute("open", "");
    this.view.focus();
  }

  /** Fold the comments at the beginning of the text to their first line, if there are several. */
  private foldComments(): void {
    const { doc } = this.view.state;
    let lastLine = 0;
    while (lastLine < doc.lines && doc.line(lastLine + 1).text.startsWith("#")) lastLine++;
    if (lastLine > 1) this.view.dispatch({ effects: foldEffect.of({ from: doc.line(1).to, to: doc.line(lastLine).to }) });
  }
}

/** Replace the selection by typed text; browsers would keep its color as an inline style, which the Content-Security-Policy refuses. */
function replaceSelection(event: InputEvent, view: EditorView): boolean {
  if (event.inputType !== "insertText" || !event.data || event.isComposing || view.state.selection.main.empty) return false;
  view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type" });
  return true;
}

/** When a colon is typed after a known prefix that is not declared, insert its declaration. */
function insertDeclaration(view: EditorView, from: number, to: number, typedText: string): boolean {
  if (typedText !== ":") return false;
  const text = view.state.doc.toString();
  // The word before the cursor, unless it is part of a longer term.
  const prefix = /(?:^|[\s(){}[\],;.|/^!<>=&+*-])([\p{L}_][\p{L}\p{N}_-]*)$/u.exec(text.slice(0, from))?.[1] ?? "";
  const { position } = contextAt(text, from - prefix.length);
  const needsDeclaration = prefix && position !== "prefix" && position !== "no-completion";
  const missingDeclaration = needsDeclaration ? findMissingDeclaration(text, prefix) : undefined;
  if (!missingDeclaration || missingDeclaration.from > from - prefix.length) return false; // it must come before the prefix
  view.dispatch({
    changes: [missingDeclaration, { from, to, insert: typedText }],
    selection: { anchor: from + 1 + missingDeclaration.insert.length },
    userEvent: "input.type",
  });
  return true;
}

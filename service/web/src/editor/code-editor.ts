/** The text area of a query as a code editor, which shows errors at their positions. */

import { autocompletion, completionKeymap } from "@codemirror/autocomplete";
import { codeFolding, foldEffect, foldKeymap } from "@codemirror/language";
import { EditorState, Prec, Transaction } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { sparql } from "codemirror-lang-sparql";
import type { QueryProblem, TextEdit } from "../query/check";
import type { Remark } from "../query/request";
import { complete, findMissingDeclaration } from "./completion";
import { contextAt } from "./cursor-context";
import { commonExtensions, embedEditor, translatePhrases } from "./embedding";
import { formatQuery } from "./format";
import { termTooltips } from "./hover";
import { applyEdit, describeEdit, findOffset, type ProblemFinder, ProblemMarker } from "./linting";

// The phrases of CodeMirror that other editors do not need, with the names of their translations.
const PHRASES = {
  Completions: "completions",
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

/** A code editor in place of the text area of a query. */
export class CodeEditor {
  private readonly view: EditorView;
  private readonly marker: ProblemMarker;
  private readonly host: HTMLElement;

  constructor(private readonly field: HTMLTextAreaElement, private readonly listener: EditorListener) {
    this.marker = new ProblemMarker(listener.findProblems, listener.onProblems);
    const blockSize = field.offsetHeight;
    ({ view: this.view, host: this.host } = embedEditor(field, this.createState(field.value)));
    if (blockSize) this.host.style.blockSize = `${blockSize}px`; // until the text changes, so that the page does not move
    this.foldComments();
  }

  private createState(doc: string): EditorState {
    const runKey = { key: "Mod-Enter", run: () => (this.listener.onRun(), true) };
    return EditorState.create({
      doc,
      extensions: [
        translatePhrases(PHRASES),
        Prec.highest(keymap.of([runKey, { key: "Shift-Alt-f", run: () => (this.format(), true) }])),
        keymap.of([...completionKeymap, ...foldKeymap]),
        commonExtensions(this.field, this.field.form?.querySelector(".keys")),
        this.marker.extension,
        codeFolding(),
        termTooltips,
        sparql(),
        autocompletion({ override: [complete], icons: false, maxRenderedOptions: 10 }),
        EditorView.inputHandler.of(insertDeclaration),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          const isEdited = update.transactions.some((transaction) => transaction.annotation(Transaction.userEvent) !== undefined);
          if (isEdited) this.host.style.blockSize = "";
          this.field.value = update.state.doc.toString();
          this.listener.onChange(isEdited);
        }),
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

  /** Select the whole text, and move the focus to it. */
  selectAll(): void {
    this.view.dispatch({ selection: { anchor: 0, head: this.view.state.doc.length } });
    this.view.focus();
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

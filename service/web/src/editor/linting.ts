/** Problems in the query, marked while it is typed, each with a fix to click if the service knows one. */

import { type Action, type Diagnostic, linter, setDiagnostics } from "@codemirror/lint";
import { type Extension, type Text } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";
import { h } from "../page/dom";
import { formatMessage } from "../page/messages";
import type { QueryProblem, TextEdit } from "../query/check";

const CHECK_DELAY_MS = 500; // after the last change
const MAX_SHOWN_EDIT_CHARACTERS = 40;

/** Finds the problems in the current text. */
export type ProblemFinder = (signal: AbortSignal) => Promise<QueryProblem[]>;

/** Marks the problems that the service finds in a text, and those that its last run had, until the text changes. */
export class ProblemMarker {
  private foundProblems: QueryProblem[] = []; // in the text that was checked last
  private runProblems: { doc: Text; problems: QueryProblem[] } | undefined;
  private abortController = new AbortController();

  constructor(private readonly findProblems: ProblemFinder, private readonly onProblems: (problems: QueryProblem[]) => void) {}

  /** The extension for CodeMirror. */
  get extension(): Extension {
    return linter((view) => this.check(view), { delay: CHECK_DELAY_MS });
  }

  /** Show the problems of a run, instead of those of an earlier one. */
  showRun(view: EditorView, problems: QueryProblem[]): void {
    this.runProblems = { doc: view.state.doc, problems };
    view.dispatch(setDiagnostics(view.state, this.createDiagnostics(view)));
  }

  private async check(view: EditorView): Promise<Diagnostic[]> {
    this.abortController.abort(); // CodeMirror ignores the result of an earlier check
    this.abortController = new AbortController();
    this.foundProblems = await this.findProblems(this.abortController.signal);
    this.onProblems(this.foundProblems);
    return this.createDiagnostics(view);
  }

  private createDiagnostics(view: EditorView): Diagnostic[] {
    const runProblems = this.runProblems?.doc.eq(view.state.doc) ? this.runProblems.problems : [];
    const diagnostics = new Map<number, Diagnostic>(); // a run repeats problems that the check has found
    for (const problem of [...this.foundProblems, ...runProblems]) {
      const diagnostic = createDiagnostic(view.state.doc, problem);
      if (diagnostic && !diagnostics.has(diagnostic.from)) diagnostics.set(diagnostic.from, diagnostic);
    }
    return [...diagnostics.values()];
  }
}

function createDiagnostic(doc: Text, problem: QueryProblem): Diagnostic | undefined {
  if (!problem.line) return undefined;
  const from = findOffset(doc, problem);
  const line = doc.lineAt(from);
  // The variable, name or number at the position, or else one character.
  const length = /^(?:[?$]?[\p{L}\p{N}_:.-]+|\S|)/u.exec(line.text.slice(from - line.from))?.[0].length ?? 0;
  const renderMessage = () => h("bdi", { lang: problem.lang }, problem.sentence);
  const { edit } = problem;
  const actions: Action[] = edit ? [{ name: describeEdit(edit, doc), apply: (view) => applyEdit(view, edit, doc) }] : [];
  return { from, to: from + length, severity: problem.severity, message: problem.sentence, renderMessage, actions };
}

/** What an edit does, for the button that does it. */
export function describeEdit(edit: TextEdit, doc: Text): string {
  const [from, to] = editRange(edit, doc);
  const text = shorten(edit.text.trim());
  if (!text) return formatMessage("fix-remove", { text: shorten(doc.sliceString(from, to)) });
  return formatMessage(from === to ? "fix-insert" : "fix-replace", { text });
}

function shorten(text: string): string {
  return text.length > MAX_SHOWN_EDIT_CHARACTERS ? `${text.slice(0, MAX_SHOWN_EDIT_CHARACTERS - 1)}…` : text;
}

/** Change the text as an edit says, unless it is no longer the text for which the edit was made. */
export function applyEdit(view: EditorView, edit: TextEdit, doc: Text): void {
  if (!view.state.doc.eq(doc)) return;
  const [from, to] = editRange(edit, doc);
  view.dispatch({ changes: { from, to, insert: edit.text }, selection: { anchor: from + edit.text.length }, scrollIntoView: true, userEvent: "input.fix" });
  view.focus();
}

/** The range of an edit in UTF-16 code units, which the editor counts. */
function editRange({ start, end }: TextEdit, doc: Text): [number, number] {
  const characters = [...doc.toString()];
  const toOffset = (count: number) => characters.slice(0, count).join("").length;
  return [toOffset(start), toOffset(end)];
}

/** The offset of a line and column. The service counts characters, the editor counts UTF-16 code units. */
export function findOffset(doc: Text, { line, column }: { line: number; column: number }): number {
  const docLine = doc.line(Math.min(Math.max(line, 1), doc.lines));
  return docLine.from + [...docLine.text].slice(0, Math.max(0, column - 1)).join("").length;
}

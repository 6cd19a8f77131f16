/** The text area of a paper as an editor, with marks at the places that the findings of a report lead to. */

import { type Diagnostic, forEachDiagnostic, setDiagnostics } from "@codemirror/lint";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { h } from "../page/dom";
import { commonExtensions, embedEditor } from "./embedding";
import { findOffset } from "./linting";
import { turtle } from "./turtle";

const TURTLE_FORMATS = ["ttl", "trig", "nt", "nq"]; // by file extension
const MARKED_PATTERN = /^(?:<[^<>\s]*>?|"[^"]*"?|[\p{L}\p{N}_:./\\-]+|\S|)/u; // an IRI, a string, a name, or one character

/** A place in the text, in lines and columns from 1; columns are code points. */
export interface Place {
  line: number;
  column: number;
}

/** A message about a place in the text. */
export interface Mark extends Place {
  severity: Diagnostic["severity"];
  message: string;
  lang: string;
}

/** A place that stays at its text while that is edited, in UTF-16 code units. */
export interface Anchor {
  offset: number;
}

export class PaperEditor {
  private readonly view: EditorView;
  private readonly anchors: Anchor[] = [];

  /** `onLine` is called with the number of the line in which the cursor is, when it changes and when the text does. */
  constructor(field: HTMLTextAreaElement, keys: Element | null, marks: Mark[], onLine: (line: number) => void) {
    const extensions: Extension[] = [
      commonExtensions(field, keys),
      EditorView.perLineTextDirection.of(true),
      TURTLE_FORMATS.includes(field.dataset.format ?? "") ? turtle : [],
      EditorView.updateListener.of((update) => {
        if (update.docChanged) {
          field.value = update.state.doc.toString();
          for (const anchor of this.anchors) anchor.offset = update.changes.mapPos(anchor.offset, 1);
          field.dispatchEvent(new Event("input"));
        }
        if (update.docChanged || update.selectionSet || update.focusChanged) onLine(this.currentLine);
      }),
    ];
    this.view = embedEditor(field, EditorState.create({ doc: field.value, extensions })).view;
    this.view.dispatch(setDiagnostics(this.view.state, marks.map((mark) => this.createDiagnostic(mark))));
  }

  /** The number of the line in which the cursor is. */
  get currentLine(): number {
    const { doc, selection } = this.view.state;
    return doc.lineAt(selection.main.head).number;
  }

  /** An anchor at a place of the text as it is now. */
  anchorAt(place: Place): Anchor {
    const anchor = { offset: findOffset(this.view.state.doc, place) };
    this.anchors.push(anchor);
    return anchor;
  }

  /** The number of the line of an anchor. */
  lineOf(anchor: Anchor): number {
    return this.view.state.doc.lineAt(anchor.offset).number;
  }

  focus(): void {
    this.view.focus();
  }

  /** Move the focus to an anchor, and select the marked text there, unless something is missing there. */
  goTo({ offset }: Anchor, isMissing = false): void {
    this.select(offset, isMissing ? offset : offset + this.markedLength(offset));
  }

  /** Move the focus to the beginning of a line. */
  goToLine(number: number): void {
    const { from } = this.view.state.doc.line(Math.min(Math.max(number, 1), this.view.state.doc.lines));
    this.select(from, from);
  }

  private select(from: number, to: number): void {
    this.view.dispatch({ selection: { anchor: from, head: to }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
    this.view.focus();
  }

  /** Whether this name, and no longer one, is at an anchor; an empty name is everywhere. */
  hasName(anchor: Anchor, name: string): boolean {
    if (!name) return true;
    const end = anchor.offset + name.length;
    return this.view.state.sliceDoc(anchor.offset, end) === name && !/[\p{L}\p{N}_-]/u.test(this.view.state.sliceDoc(end, end + 1));
  }

  /** Replace the text at an anchor, remove its marks, and show and select the new text, without moving the page or the focus. */
  replace(anchor: Anchor, oldText: string, newText: string): void {
    const from = anchor.offset;
    this.view.dispatch({
      changes: { from, to: from + oldText.length, insert: newText },
      selection: { anchor: from, head: from + newText.length },
      userEvent: "input.fix",
    });
    const otherMarks: Diagnostic[] = [];
    forEachDiagnostic(this.view.state, (diagnostic, start, end) => start !== from && start !== anchor.offset && otherMarks.push({ ...diagnostic, from: start, to: end }));
    this.view.dispatch(setDiagnostics(this.view.state, otherMarks));
    this.show(anchor);
  }

  /** Scroll the text to an anchor, without moving the page. */
  show(anchor: Anchor): void {
    const { scrollDOM } = this.view;
    scrollDOM.scrollTop = this.view.lineBlockAt(anchor.offset).top - scrollDOM.clientHeight / 2;
  }

  /** The length of the text that a mark at an offset covers. */
  private markedLength(offset: number): number {
    const line = this.view.state.doc.lineAt(offset);
    return MARKED_PATTERN.exec(line.text.slice(offset - line.from))?.[0].length ?? 0;
  }

  private createDiagnostic(mark: Mark): Diagnostic {
    const from = findOffset(this.view.state.doc, mark);
    const renderMessage = () => h("bdi", { lang: mark.lang }, mark.message);
    return { from, to: from + this.markedLength(from), severity: mark.severity, message: mark.message, renderMessage };
  }
}

/** The text area of a query as a code editor, which shows errors at their positions. */

import { autocompletion, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { sparql } from "codemirror-lang-sparql";
import { h } from "../page/dom";
import { formatMessage } from "../page/messages";
import type { Remark } from "../query/request";
import { complete, findMissingDeclaration } from "./completion";
import { contextAt } from "./cursor-context";
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
};

/**
 * A code editor in place of a text area.
 *
 * It is in a shadow tree: there CodeMirror adds its styles as objects, which the Content-Security-Policy of the
 * page allows, as opposed to style elements.
 */
export class CodeEditor {
  private readonly view: EditorView;

  constructor(private readonly field: HTMLTextAreaElement, run: () => void, private readonly onChange: () => void) {
    const host = document.createElement("div");
    host.className = "code";
    if (field.offsetHeight) host.style.blockSize = `${field.offsetHeight}px`; // keeps the size, so that the page does not move
    field.before(host);
    const root = host.attachShadow({ mode: "open" });
    this.view = new EditorView({ parent: root, root, state: this.createState(field.value, run) });
    field.hidden = true;
    field.required = false; // a browser cannot focus a hidden field to report it
    for (const label of field.labels ?? []) label.addEventListener("click", () => this.view.focus());
  }

  private createState(doc: string, run: () => void): EditorState {
    const runKey = { key: "Mod-Enter", run: () => (run(), true) };
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
        Prec.highest(keymap.of([runKey])),
        lineNumbers(),
        lintGutter(),
        history(),
        bracketMatching(),
        sparql(),
        syntaxHighlighting(COLORS),
        autocompletion({ override: [complete], icons: false, maxRenderedOptions: 10 }),
        keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap, ...lintKeymap]),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of(content),
        EditorView.inputHandler.of(insertDeclaration),
        EditorView.domEventHandlers({ beforeinput: replaceSelection }),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          this.field.value = update.state.doc.toString();
          this.onChange();
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
  }

  /** Show errors and warnings, instead of those shown before. */
  showDiagnostics(errors: Remark[], warnings: Remark[]): void {
    const diagnostics = [
      ...errors.map((remark) => this.createDiagnostic(remark, "error")),
      ...warnings.map((remark) => this.createDiagnostic(remark, "warning")),
    ];
    this.view.dispatch(setDiagnostics(this.view.state, diagnostics.filter((diagnostic) => diagnostic !== undefined)));
  }

  /** Move the cursor to the position of a remark. */
  goTo(remark: Remark): void {
    const from = this.offset(remark);
    this.view.dispatch({ selection: { anchor: from }, scrollIntoView: true });
    this.field.closest("details")?.setAttribute("open", "");
    this.view.focus();
  }

  private createDiagnostic(remark: Remark, severity: "error" | "warning"): Diagnostic | undefined {
    if (!remark.line) return undefined;
    const from = this.offset(remark);
    const textAfter = this.view.state.doc.lineAt(from).text.slice(from - this.view.state.doc.lineAt(from).from);
    // The variable, name or number at the position, or else one character.
    const length = /^(?:[?$]?[\p{L}\p{N}_:.-]+|\S|)/u.exec(textAfter)?.[0].length ?? 0;
    const renderMessage = () => h("bdi", { lang: remark.lang }, remark.sentence);
    return { from, to: from + length, severity, message: remark.sentence, renderMessage };
  }

  /** The offset of a line and column. The service counts characters, the editor counts UTF-16 code units. */
  private offset({ line, column }: Remark): number {
    const { doc } = this.view.state;
    const docLine = doc.line(Math.min(Math.max(line, 1), doc.lines));
    const precedingText = [...docLine.text].slice(0, Math.max(0, column - 1)).join("");
    return docLine.from + precedingText.length;
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

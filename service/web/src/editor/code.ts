/** The field of a query as an editor of code, which says what is wrong where it is. */

import { autocompletion, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { sparql } from "codemirror-lang-sparql";
import { h } from "../page/dom";
import { say } from "../page/words";
import type { Remark } from "../query/ask";
import { complete, missing } from "./completion";
import { placeAt } from "./place";
import { theme } from "./theme";

const COLORS = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.function(tags.variableName)], color: "var(--code-word)" },
  { tag: tags.variableName, color: "var(--code-variable)" },
  { tag: [tags.string, tags.number, tags.bool, tags.literal], color: "var(--code-value)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--quiet)", fontStyle: "italic" },
  { tag: [tags.namespace, tags.url, tags.typeName, tags.propertyName], color: "var(--code-name)" },
]);

// What CodeMirror says, by the names of that in the page.
const PHRASES = {
  Completions: "completions",
  Diagnostics: "diagnostics",
  "No diagnostics": "no-diagnostics",
  close: "close",
  "Control character": "control-character",
  "Selection deleted": "selection-deleted",
};

/**
 * Takes over a text area.
 *
 * It stands in a shadow tree: there its styles are objects, which the policy of the page lets in without
 * letting in any other style.
 */
export class Code {
  private readonly view: EditorView;

  constructor(private readonly field: HTMLTextAreaElement, run: () => void, private readonly changed: () => void) {
    const host = document.createElement("div");
    host.className = "code";
    if (field.offsetHeight) host.style.blockSize = `${field.offsetHeight}px`; // so that nothing moves
    field.before(host);
    const root = host.attachShadow({ mode: "open" });
    this.view = new EditorView({ parent: root, root, state: this.state(field.value, run) });
    field.hidden = true;
    field.required = false; // nobody could be led to a hidden field
    for (const label of field.labels ?? []) label.addEventListener("click", () => this.view.focus());
  }

  private state(doc: string, run: () => void): EditorState {
    const runs = { key: "Mod-Enter", run: () => (run(), true) };
    const content = {
      "aria-label": this.field.labels?.[0]?.textContent.trim() ?? "",
      "aria-description": this.field.form?.querySelector(".keys")?.textContent ?? "",
      spellcheck: "false",
      tabindex: "0", // which tells those who check that its long text can be scrolled by keys
      autocapitalize: "off",
    };
    return EditorState.create({
      doc,
      extensions: [
        EditorState.phrases.of(Object.fromEntries(Object.entries(PHRASES).map(([phrase, name]) => [phrase, say(name)]))),
        Prec.highest(keymap.of([runs])),
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
        EditorView.inputHandler.of(declare),
        EditorView.domEventHandlers({ beforeinput: replace }),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          this.field.value = update.state.doc.toString();
          this.changed();
        }),
        theme,
      ],
    });
  }

  /** The query as it stands. */
  get text(): string {
    return this.view.state.doc.toString();
  }

  set text(text: string) {
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text } });
  }

  /** Mark what is wrong, and what is doubtful, in place of what was marked before. */
  mark(errors: Remark[], warnings: Remark[]): void {
    const all = [
      ...errors.map((one) => this.diagnostic(one, "error")),
      ...warnings.map((one) => this.diagnostic(one, "warning")),
    ];
    this.view.dispatch(setDiagnostics(this.view.state, all.filter((one) => one !== undefined)));
  }

  /** Go to the place of a remark. */
  goTo(remark: Remark): void {
    const from = this.offset(remark);
    this.view.dispatch({ selection: { anchor: from }, scrollIntoView: true });
    this.field.closest("details")?.setAttribute("open", "");
    this.view.focus();
  }

  private diagnostic(remark: Remark, severity: "error" | "warning"): Diagnostic | undefined {
    if (!remark.line) return undefined;
    const from = this.offset(remark);
    const rest = this.view.state.doc.lineAt(from).text.slice(from - this.view.state.doc.lineAt(from).from);
    const length = /^(?:[?$]?[\p{L}\p{N}_:.-]+|\S|)/u.exec(rest)?.[0].length ?? 0;
    const renderMessage = () => h("bdi", { lang: remark.lang }, remark.sentence);
    return { from, to: from + length, severity, message: remark.sentence, renderMessage };
  }

  /** The offset of a place; the service counts characters, the editor units of UTF-16. */
  private offset({ line, column }: Remark): number {
    const { doc } = this.view.state;
    const found = doc.line(Math.min(Math.max(line, 1), doc.lines));
    const before = [...found.text].slice(0, Math.max(0, column - 1)).join("");
    return found.from + before.length;
  }
}

/** Type over what is selected: browsers would keep its colors as a style, which the policy of the page refuses. */
function replace(event: InputEvent, view: EditorView): boolean {
  if (event.inputType !== "insertText" || !event.data || event.isComposing || view.state.selection.main.empty) return false;
  view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type" });
  return true;
}

/** Behind a prefix that is known and not declared, a colon declares it. */
function declare(view: EditorView, from: number, to: number, sign: string): boolean {
  if (sign !== ":") return false;
  const text = view.state.doc.toString();
  const prefix = /(?:^|[\s(){}[\],;.|/^!<>=&+*-])([\p{L}_][\p{L}\p{N}_-]*)$/u.exec(text.slice(0, from))?.[1] ?? "";
  const { part } = placeAt(text, from - prefix.length);
  const lacking = prefix && part !== "prefix" && part !== "none" ? missing(text, prefix) : undefined;
  if (!lacking || lacking.from > from - prefix.length) return false;
  view.dispatch({
    changes: [lacking, { from, to, insert: sign }],
    selection: { anchor: from + 1 + lacking.insert.length },
    userEvent: "input.type",
  });
  return true;
}

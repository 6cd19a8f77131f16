/** What all code editors have in common: they take the place of a text area, in the colors of the page. */

import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap } from "@codemirror/lint";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { formatMessage } from "../page/messages";
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
  Diagnostics: "diagnostics",
  "No diagnostics": "no-diagnostics",
  close: "close",
  "Control character": "control-character",
  "Selection deleted": "selection-deleted",
};

/**
 * Put an editor in the place of a text area, which is hidden.
 *
 * It is in a shadow tree: there CodeMirror adds its styles as objects, which the Content-Security-Policy of the
 * page allows, as opposed to style elements.
 */
export function embedEditor(field: HTMLTextAreaElement, state: EditorState): { view: EditorView; host: HTMLElement } {
  const host = document.createElement("div");
  host.className = "code";
  field.before(host);
  const root = host.attachShadow({ mode: "open" });
  const view = new EditorView({ parent: root, root, state });
  field.hidden = true;
  field.required = false; // a browser cannot focus a hidden field to report it
  for (const label of field.labels ?? []) label.addEventListener("click", () => view.focus());
  return { view, host };
}

/** The extensions of all editors; `keys` is the hint that names the keys of the editor. */
export function commonExtensions(field: HTMLTextAreaElement, keys: Element | null | undefined): Extension[] {
  const content = {
    "aria-label": field.labels?.[0]?.textContent.trim() ?? "",
    "aria-description": keys?.textContent.trim() ?? "",
    spellcheck: "false",
    tabindex: "0", // shows accessibility checkers that the text can be scrolled by keyboard
    autocapitalize: "off",
  };
  return [
    translatePhrases(PHRASES),
    lineNumbers(),
    lintGutter(),
    history(),
    bracketMatching(),
    syntaxHighlighting(COLORS),
    keymap.of([...defaultKeymap, ...historyKeymap, ...lintKeymap]),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of(content),
    EditorView.domEventHandlers({ beforeinput: replaceSelection }),
    theme,
  ];
}

/** An extension with the translations of phrases of CodeMirror; `names` are the names of the messages by phrase. */
export function translatePhrases(names: Record<string, string>): Extension {
  return EditorState.phrases.of(Object.fromEntries(Object.entries(names).map(([phrase, name]) => [phrase, formatMessage(name)])));
}

/** Replace the selection by typed text; browsers would keep its color as an inline style, which the Content-Security-Policy refuses. */
function replaceSelection(event: InputEvent, view: EditorView): boolean {
  if (event.inputType !== "insertText" || !event.data || event.isComposing || view.state.selection.main.empty) return false;
  view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type" });
  return true;
}

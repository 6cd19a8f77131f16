/** The editor in the colors of the page, light or dark. */

import { EditorView } from "@codemirror/view";

const TOOLTIP = {
  border: "1px solid var(--quiet)",
  borderRadius: "4px",
  backgroundColor: "var(--ground)",
  color: "var(--text)",
};

export const theme = EditorView.theme({
  "&": {
    border: "1px solid var(--quiet)",
    borderRadius: "4px",
    backgroundColor: "var(--raised)",
    color: "var(--text)",
    fontSize: "0.95em",
    flex: "1 1 auto",
    minHeight: "0",
  },
  "&.cm-focused": { outline: "3px solid var(--link)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: 'ui-monospace, "DejaVu Sans Mono", monospace', lineHeight: "1.5", minHeight: "10em", maxHeight: "var(--code-height, 31em)" }, // 6 to 20 lines, or more where the page has room
  ".cm-content": { caretColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--raised)", color: "var(--quiet)", borderInlineEnd: "1px solid var(--line)" },
  "& .cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--line)" },
  "& .cm-nonmatchingBracket, &.cm-focused .cm-nonmatchingBracket": { backgroundColor: "transparent", color: "var(--notice)" },
  ".cm-tooltip": TOOLTIP,
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "inherit", maxWidth: "min(40rem, 90vw)", maxHeight: "none" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "0.25rem 0.5rem", minHeight: "1.5rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--link)", color: "var(--ground)" },
  ".cm-completionDetail": { fontStyle: "normal", color: "var(--quiet)" },
  "li[aria-selected] .cm-completionDetail": { color: "var(--ground)" },
  ".cm-completionInfo": { maxWidth: "24rem", padding: "0.4rem 0.6rem" },
  ".definition, .hover p": { margin: "0" },
  ".hover": { maxWidth: "30rem", padding: "0.4rem 0.6rem" },
  ".cm-foldPlaceholder": { backgroundColor: "transparent", border: "1px solid var(--quiet)", color: "var(--quiet)", padding: "0 0.4em" },
  ".cm-diagnosticAction": { font: "inherit", color: "var(--link)", backgroundColor: "transparent", border: "1px solid var(--link)", borderRadius: "4px", padding: "0.1rem 0.5rem", cursor: "pointer" },
  ".cm-diagnostic": { padding: "0.4rem 0.6rem" },
  ".cm-lintRange": { backgroundImage: "none", textDecoration: "underline wavy 2px var(--notice)", textUnderlineOffset: "3px" },
  ".cm-lintPoint::after": { borderBottomColor: "var(--notice)" },
});

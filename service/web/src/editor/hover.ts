/** What a class, property or thing in the query is, shown when the mouse rests on it. */

import { hoverTooltip, type EditorView, type Tooltip } from "@codemirror/view";
import { formatMessage } from "../page/messages";
import { h } from "../page/dom";
import { fetchLabels } from "../query/labels";
import { shortenIri } from "../query/names";
import { expandName, tokenize } from "./tokens";
import { getVocabulary, type VocabularyEntry } from "./vocabulary";

/** The extension for CodeMirror. */
export const termTooltips = hoverTooltip(async (view: EditorView, position: number): Promise<Tooltip | null> => {
  const text = view.state.doc.toString();
  const token = [...tokenize(text)].find(({ kind, start, text: { length } }) => (kind === "name" || kind === "iri") && start <= position && position <= start + length);
  const entry = token && (await findEntry(expandName(token.text, text)));
  if (!token || !entry) return null;
  return { pos: token.start, end: token.start + token.text.length, above: true, create: () => ({ dom: describeEntry(entry) }) };
});

/** The class or property with an IRI, or the thing. */
async function findEntry(iri: string): Promise<VocabularyEntry | undefined> {
  const { classes, properties } = await getVocabulary();
  const entry = [...classes, ...properties].find((other) => other.iri === iri);
  if (entry) return entry;
  const label = (await fetchLabels([iri])).get(iri);
  return label && { iri, label: label.text, description: label.description, count: 0 };
}

function describeEntry({ iri, label, description, count }: VocabularyEntry): HTMLElement {
  return h("div", { class: "hover" },
    h("p", {}, h("strong", {}, label || (shortenIri(iri) ?? iri)), count > 0 && ` · ${formatMessage("times", { count })}`),
    description !== "" && h("p", { lang: "en" }, description));
}

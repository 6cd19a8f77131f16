/** Completions at the cursor, from the vocabulary of the graph and from SPARQL. */

import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import type { EditorView } from "@codemirror/view";
import { knownNamespaces, shortenIri } from "../query/names";
import { formatMessage } from "../page/messages";
import { classesBySubject, contextAt, type CursorContext, isTypeProperty } from "./cursor-context";
import { buildDeclarations, declaredNamespaces, tokenize } from "./tokens";
import { getVocabulary, type VocabularyEntry } from "./vocabulary";

const KEYWORDS =
  "SELECT CONSTRUCT DESCRIBE ASK WHERE FROM NAMED PREFIX BASE DISTINCT REDUCED OPTIONAL UNION MINUS GRAPH SERVICE FILTER BIND VALUES EXISTS NOT IN AS ORDER GROUP BY HAVING ASC DESC LIMIT OFFSET UNDEF".split(" ");
const FUNCTIONS =
  "COUNT SUM MIN MAX AVG SAMPLE GROUP_CONCAT STR LANG LANGMATCHES DATATYPE BOUND IRI BNODE RAND ABS CEIL FLOOR ROUND CONCAT STRLEN UCASE LCASE ENCODE_FOR_URI CONTAINS STRSTARTS STRENDS STRBEFORE STRAFTER YEAR MONTH DAY NOW COALESCE IF STRLANG STRDT SAMETERM ISIRI ISBLANK ISLITERAL ISNUMERIC REGEX SUBSTR REPLACE".split(" ");

/** The completions at the cursor, for CodeMirror. */
export async function complete(context: CompletionContext): Promise<CompletionResult | null> {
  // The beginning of a variable, keyword or prefixed name before the cursor.
  const word = context.matchBefore(/[?$]?[\p{L}\p{N}_-]*(?::[\p{L}\p{N}_.-]*)?/u);
  const from = word?.from ?? context.pos;
  if (from === context.pos && !context.explicit) return null;
  const text = context.state.doc.toString();
  const cursor = contextAt(text, from);
  if (cursor.position === "no-completion" && !context.explicit) return null;
  const options = await listCompletions(cursor, text, from);
  // While the typed text matches `validFor`, CodeMirror filters these options without a new call.
  return options.length ? { from, options, validFor: /^[?$]?[\p{L}\p{N}_-]*(?::[\p{L}\p{N}_.-]*)?$/u } : null;
}

async function listCompletions(cursor: CursorContext, text: string, from: number): Promise<Completion[]> {
  if (cursor.position === "prefix") return Object.entries(knownNamespaces()).map(([prefix, iri]) => completePrefix(prefix, iri));
  const variables = otherVariables(text, from).map((label) => ({ label, type: "variable" }));
  const vocabulary = await getVocabulary();
  if (cursor.position === "property") {
    const iris = [...(classesBySubject(text).get(cursor.subject) ?? [])].map((name) => expandName(name, text));
    const classProperties = iris.flatMap((iri) => vocabulary.propertiesByClass.get(iri) ?? []);
    const rdfType = { label: "a", detail: formatMessage("is-a"), type: "keyword", boost: 50 }; // first: other boosts are at most 40
    return [rdfType, ...(classProperties.length ? classProperties : vocabulary.properties).map((entry) => completeEntry(entry, "property", text)), ...variables];
  }
  if (cursor.position === "object" && isTypeProperty(cursor.property)) {
    return [...vocabulary.classes.map((entry) => completeEntry(entry, "class", text)), ...variables];
  }
  return [...variables, ...KEYWORDS.map((label) => ({ label, type: "keyword" })),
    ...FUNCTIONS.map((label) => ({ label, type: "function", apply: `${label}(` }))];
}

/** The completion of a class or property by its prefixed name or IRI; choosing it declares its prefix. */
function completeEntry(entry: VocabularyEntry, type: string, text: string): Completion {
  const label = shortenIri(entry.iri) ?? `<${entry.iri}>`;
  const detail = [entry.label, entry.count ? formatMessage("times", { count: entry.count }) : ""].filter(Boolean).join(" · ");
  const boost = Math.min(40, Math.log2(entry.count + 1) * 2);
  return { label, detail, type, boost, apply: (view, _, from, to) => applyCompletion(view, label, from, to, text) };
}

/** Replace the text from `from` to `to` by a completion, and declare its prefix if necessary. */
function applyCompletion(view: EditorView, label: string, from: number, to: number, text: string): void {
  const prefix = label.startsWith("<") ? "" : label.split(":")[0]!;
  const missingDeclaration = findMissingDeclaration(text, prefix);
  view.dispatch({
    changes: [...(missingDeclaration ? [missingDeclaration] : []), { from, to, insert: label }],
    selection: { anchor: from + label.length + (missingDeclaration?.insert.length ?? 0) },
    userEvent: "input.complete",
  });
}

/** The missing declaration of a known prefix; undefined if the query declares it, or the prefix is unknown. */
export function findMissingDeclaration(text: string, prefix: string): { from: number; insert: string } | undefined {
  const iri = knownNamespaces()[prefix];
  return iri === undefined || declaredNamespaces(text).has(prefix) ? undefined : buildDeclarations(text, { [prefix]: iri });
}

function completePrefix(prefix: string, iri: string): Completion {
  return { label: `${prefix}:`, detail: iri, type: "namespace", apply: `${prefix}: <${iri}>` };
}

/** The variables of a query, except for the one that is being typed at `from`. */
function otherVariables(text: string, from: number): string[] {
  const variableTokens = [...tokenize(text)].filter((token) => token.kind === "variable" && token.start !== from);
  return [...new Set(variableTokens.map((token) => token.text))];
}

/** The IRI of an IRI reference or prefixed name in a query. */
function expandName(name: string, text: string): string {
  if (name.startsWith("<")) return name.slice(1, -1);
  const colon = name.indexOf(":");
  return (declaredNamespaces(text).get(name.slice(0, colon)) ?? knownNamespaces()[name.slice(0, colon)] ?? "") + name.slice(colon + 1);
}

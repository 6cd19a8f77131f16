/** Completions at the cursor: from SPARQL, from the vocabulary of the graph, and of its things by name. */

import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import type { EditorView } from "@codemirror/view";
import { knownNamespaces, shortenIri } from "../query/names";
import { h } from "../page/dom";
import { formatMessage } from "../page/messages";
import { contextAt, type CursorContext, isTypeProperty, listTriples } from "./cursor-context";
import { buildDeclarations, declaredNamespaces, expandName, tokenize } from "./tokens";
import { findThings, getPropertiesOfValues, getValues, getVocabulary, type Vocabulary, type VocabularyEntry } from "./vocabulary";

const KEYWORDS =
  "SELECT CONSTRUCT DESCRIBE ASK WHERE FROM NAMED PREFIX BASE DISTINCT REDUCED OPTIONAL UNION MINUS GRAPH SERVICE FILTER BIND VALUES EXISTS NOT IN AS ORDER GROUP BY HAVING ASC DESC LIMIT OFFSET UNDEF".split(" ");
const FUNCTIONS =
  "COUNT SUM MIN MAX AVG SAMPLE GROUP_CONCAT STR LANG LANGMATCHES DATATYPE BOUND IRI BNODE RAND ABS CEIL FLOOR ROUND CONCAT STRLEN UCASE LCASE ENCODE_FOR_URI CONTAINS STRSTARTS STRENDS STRBEFORE STRAFTER YEAR MONTH DAY NOW COALESCE IF STRLANG STRDT SAMETERM ISIRI ISBLANK ISLITERAL ISNUMERIC REGEX SUBSTR REPLACE".split(" ");
const RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"; // completed as `a`
// What can be completed: an open IRI, or a variable, keyword or prefixed name.
const WORD_PATTERN = /<[^<>"{}|^`\\\s]*|[?$]?[\p{L}\p{N}_-]*(?::[\p{L}\p{N}_.-]*)?/u;
const MAX_COMPLETIONS = 200;

/** A completion with the words by which it is found. */
interface Candidate extends Completion {
  words?: string; // in addition to its label
  uses?: number; // how often the graph has it
}

/** The completions at the cursor, for CodeMirror: those of earlier groups first, in each group the best match first. */
export async function complete(context: CompletionContext): Promise<CompletionResult | null> {
  const word = context.matchBefore(WORD_PATTERN);
  const from = word?.from ?? context.pos;
  const typedText = word?.text ?? "";
  if ((typedText === "" || typedText === "<") && !context.explicit) return null;
  const text = context.state.doc.toString();
  const cursor = contextAt(text, from);
  if (cursor.position === "no-completion" && !context.explicit && !typedText.startsWith("<")) return null;
  const groups = typedText.startsWith("<") && cursor.position !== "prefix"
    ? [await listThings(typedText.slice(1), text)]
    : await listCandidates(cursor, text, from, typedText);
  const searchedText = typedText.replace(/^[<?$]/, "").toLowerCase();
  const options = groups.flatMap((group) => rankCandidates(group, typedText, searchedText)).slice(0, MAX_COMPLETIONS);
  if (!options.length || context.aborted) return null;
  const getMatch = ({ label, displayLabel }: Completion) => {
    const start = (displayLabel ?? label).toLowerCase().indexOf(searchedText);
    return start < 0 || !searchedText ? [] : [start, start + searchedText.length];
  };
  return { from, options, filter: false, getMatch };
}

/** The candidates at the cursor, in groups. */
async function listCandidates(cursor: CursorContext, text: string, from: number, typedText: string): Promise<Candidate[][]> {
  const { position, subject, property } = cursor;
  if (position === "prefix") return [Object.entries(knownNamespaces()).map(([prefix, iri]) => completePrefix(prefix, iri))];
  const variables = otherVariables(text, from).map((label) => ({ label, type: "variable" }));
  const otherTerms = variables.filter(({ label }) => label !== subject); // a thing is hardly ever its own value or class
  if (position === "property") {
    const properties = await listProperties(subject, text);
    const rdfType: Candidate = { label: "a", detail: formatMessage("is-a"), type: "keyword" };
    return [[rdfType], properties.filter(({ iri }) => iri !== RDF_TYPE).map((entry) => completeTerm(entry, "property", text)), variables];
  }
  if (position === "object" && isTypeProperty(property)) {
    return [(await getVocabulary()).classes.map((entry) => completeTerm(entry, "class", text)), otherTerms];
  }
  if (position === "object") {
    const values = await getValues(expandName(property, text));
    const things = await listThings(typedText, text, values);
    return [values.map((entry) => completeThing(entry, text)), otherTerms, things];
  }
  const words: Candidate[] = [...KEYWORDS.map((label) => ({ label, type: "keyword" })),
    ...FUNCTIONS.map((label) => ({ label, type: "function", apply: `${label}(` }))];
  return [variables, words, position === "subject" ? await listThings(typedText, text) : []];
}

/**
 * The properties that a subject can have, by what the query says about it: those of its classes; else those of the values of
 * the property that leads to it; else those of the classes that have its other properties; else all.
 */
async function listProperties(subject: string, text: string): Promise<VocabularyEntry[]> {
  const triples = listTriples(text);
  const vocabulary = await getVocabulary();
  const expand = (name: string) => expandName(name, text);
  const ownTriples = triples.filter((triple) => triple.subject === subject);
  const classes = ownTriples.filter(({ property }) => isTypeProperty(property)).map(({ object }) => expand(object));
  const propertiesOfClasses = unite(classes.map((iri) => vocabulary.propertiesByClass.get(iri) ?? []));
  if (propertiesOfClasses.length) return propertiesOfClasses;
  const incoming = triples.filter(({ object, property }) => object === subject && isName(property));
  const propertiesOfValues = unite(await Promise.all(incoming.map(({ property }) => getPropertiesOfValues(expand(property)))));
  if (propertiesOfValues.length) return propertiesOfValues;
  const ownProperties = ownTriples.filter(({ property }) => isName(property) && !isTypeProperty(property)).map(({ property }) => expand(property));
  const likelyProperties = ownProperties.length ? unite(propertiesOfClassesWith(ownProperties, vocabulary)) : [];
  return likelyProperties.length ? likelyProperties : vocabulary.properties;
}

const isName = (term: string) => term.startsWith("<") || /^[^?$"'_].*:|^:/.test(term);

function propertiesOfClassesWith(properties: string[], { propertiesByClass }: Vocabulary): VocabularyEntry[][] {
  return [...propertiesByClass.values()].filter((entries) => properties.every((iri) => entries.some((entry) => entry.iri === iri)));
}

/** The entries of several lists, each once, with the sum of their counts. */
function unite(lists: VocabularyEntry[][]): VocabularyEntry[] {
  const entries = new Map<string, VocabularyEntry>();
  for (const entry of lists.flat()) entries.set(entry.iri, { ...entry, count: entry.count + (entries.get(entry.iri)?.count ?? 0) });
  return [...entries.values()];
}

/** The things whose names contain the typed text, without those in `values`. */
async function listThings(typedText: string, text: string, values: VocabularyEntry[] = []): Promise<Candidate[]> {
  if (/[?$:/]/.test(typedText)) return [];
  const knownIris = new Set(values.map(({ iri }) => iri));
  // The search has matched them, also by other names.
  return (await findThings(typedText)).filter(({ iri }) => !knownIris.has(iri)).map((entry) => ({ ...completeThing(entry, text), words: typedText }));
}

/** The candidates that match the typed text, the best match first, of equal ones the most frequent. */
function rankCandidates(candidates: Candidate[], typedText: string, searchedText: string): Candidate[] {
  return candidates
    .filter(({ type }) => !/^[?$]/.test(typedText) || type === "variable")
    .map((candidate) => ({ candidate, score: scoreMatch(candidate, searchedText) }))
    .filter(({ score }) => score > 0)
    .sort((left, right) => right.score - left.score || (right.candidate.uses ?? 0) - (left.candidate.uses ?? 0))
    .map(({ candidate }) => candidate);
}

/** How well a candidate matches: 0 if it does not. The name counts more than the label, and that more than the definition. */
function scoreMatch({ label, displayLabel, detail = "", words = "" }: Candidate, searchedText: string): number {
  if (!searchedText) return 1;
  const name = label.replace(/^[?$<]/, "").toLowerCase();
  const localName = name.slice(name.search(/[^:/#]*$/));
  const shown = `${displayLabel ?? ""} ${detail}`.toLowerCase();
  if (name.startsWith(searchedText) || localName.startsWith(searchedText)) return 6;
  if (beginsWord(shown, searchedText)) return 5;
  if (name.includes(searchedText)) return 4;
  if (beginsWord(words.toLowerCase(), searchedText)) return 3;
  if (shown.includes(searchedText)) return 2;
  return isSubsequence(searchedText, localName) ? 1 : 0;
}

function beginsWord(text: string, searchedText: string): boolean {
  const start = text.indexOf(searchedText);
  return start === 0 || (start > 0 && text.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(searchedText)));
}

/** Whether the letters of a text occur in a name in this order, the first one at its beginning. */
function isSubsequence(searchedText: string, name: string): boolean {
  let index = 0;
  for (const letter of name) if (letter === searchedText[index]) index++;
  return index === searchedText.length && name[0] === searchedText[0];
}

/** The completion of a class or property by its prefixed name or IRI; choosing it declares its prefix. */
function completeTerm(entry: VocabularyEntry, type: string, text: string): Candidate {
  const label = shortenIri(entry.iri) ?? `<${entry.iri}>`;
  const detail = [entry.label, entry.count ? formatMessage("times", { count: entry.count }) : ""].filter(Boolean).join(" · ");
  return { ...completeName(label, text), detail, type, info: describe(entry), words: entry.description, uses: entry.count };
}

/** The completion of a thing, shown by its label. */
function completeThing(entry: VocabularyEntry, text: string): Candidate {
  const name = shortenIri(entry.iri) ?? `<${entry.iri}>`;
  const detail = entry.label ? name : undefined;
  return { ...completeName(name, text), displayLabel: entry.label || name, detail, type: "thing", info: describe(entry), uses: entry.count };
}

const completeName = (name: string, text: string): Candidate =>
  ({ label: name, apply: (view, _, from, to) => applyCompletion(view, name, from, to, text) });

const describe = ({ description }: VocabularyEntry) => (description ? () => h("p", { lang: "en", class: "definition" }, description) : undefined);

/** Replace the text from `from` to `to` by a completion, and declare its prefix if necessary. */
function applyCompletion(view: EditorView, name: string, from: number, to: number, text: string): void {
  const prefix = name.startsWith("<") ? "" : name.split(":")[0]!;
  const missingDeclaration = findMissingDeclaration(text, prefix);
  const closing = view.state.sliceDoc(from, from + 1) === "<" && view.state.sliceDoc(to, to + 1) === ">" ? 1 : 0;
  view.dispatch({
    changes: [...(missingDeclaration ? [missingDeclaration] : []), { from, to: to + closing, insert: name }],
    selection: { anchor: from + name.length + (missingDeclaration?.insert.length ?? 0) },
    userEvent: "input.complete",
  });
}

/** The missing declaration of a known prefix; undefined if the query declares it, or the prefix is unknown. */
export function findMissingDeclaration(text: string, prefix: string): { from: number; insert: string } | undefined {
  const iri = knownNamespaces()[prefix];
  return iri === undefined || declaredNamespaces(text).has(prefix) ? undefined : buildDeclarations(text, { [prefix]: iri });
}

function completePrefix(prefix: string, iri: string): Candidate {
  return { label: `${prefix}:`, detail: iri, type: "namespace", apply: `${prefix}: <${iri}>` };
}

/** The variables of a query, except for the one that is being typed at `from`. */
function otherVariables(text: string, from: number): string[] {
  const variableTokens = [...tokenize(text)].filter((token) => token.kind === "variable" && token.start !== from);
  return [...new Set(variableTokens.map((token) => token.text))];
}

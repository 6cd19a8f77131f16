/** Query results, parsed from SPARQL JSON results or N-Triples. */

import { formatMessage } from "../page/messages";

/**
 * A term as in the SPARQL 1.1 Query Results JSON Format, section 3.2.2, with the triple terms of SPARQL 1.2.
 * A resource, and a literal that is a list of IRIs, may have labels from another column.
 */
export type Term =
  | { type: "uri" | "bnode"; value: string; label?: { text: string; language?: string } }
  | { type: "literal"; value: string; "xml:lang"?: string; datatype?: string; labels?: string[] }
  | { type: "triple"; value: { subject: Term; predicate: Term; object: Term } };

export type Row = (Term | undefined)[];

/** A result: a table, the triples of a graph as a table of three columns, or a boolean. */
export interface QueryResult {
  form: "table" | "graph" | "boolean";
  names: string[]; // of the columns
  rows: Row[];
  isTrue: boolean; // the value of a boolean result, else false
  text: string; // as received
}

const XSD = "http://www.w3.org/2001/XMLSchema#";
// The start of a triple term, an IRI, a blank node, or a literal with language or datatype.
const TERM = /\s*(?:<<\(|<([^>]*)>|_:([^\s<"]+)|"((?:[^"\\]|\\.)*)"(?:@([\w-]+)|\^\^<([^>]*)>)?)/y;
const TRIPLE_TERM_END = /\s*\)>>/y;
const ESCAPED_CHARACTERS: Record<string, string> = { t: "\t", b: "\b", n: "\n", r: "\r", f: "\f" };

/** The result in a body of this media type: SPARQL JSON results, or N-Triples. Throws if it is malformed. */
export function readQueryResult(text: string, mediaType: string): QueryResult {
  if (!mediaType.includes("json")) {
    const names = [formatMessage("subject"), formatMessage("predicate"), formatMessage("object")];
    return { form: "graph", names, rows: parseTriples(text), isTrue: false, text };
  }
  const document = JSON.parse(text);
  if (typeof document.boolean === "boolean") {
    return { form: "boolean", names: [], rows: [], isTrue: document.boolean, text };
  }
  const names: string[] = document.head.vars;
  const rows = document.results.bindings.map((binding: Record<string, Term>) => names.map((name) => binding[name]));
  return { form: "table", names, rows, isTrue: false, text };
}

/** The result with the columns of SELECT * in the order of the query; the service sorts them by their names. */
export function orderColumns(result: QueryResult, query: string): QueryResult {
  const code = query.replace(/<[^<>\s]*>|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|#.*/g, " "); // without IRIs, texts and comments
  const [, pattern] = /^.*?\bSELECT\s+(?:DISTINCT\s+|REDUCED\s+)?\*(.*)$/is.exec(code) ?? [];
  const firstSelect = /\bSELECT\b[^{]*/i.exec(code)?.[0] ?? "";
  if (result.form !== "table" || pattern === undefined || !firstSelect.includes("*")) return result;
  const named = [...new Set([...pattern.matchAll(/[?$]([\p{L}\p{N}_]+)/gu)].map((match) => match[1]!))];
  const columns = [...result.names.keys()].sort((left, right) => named.indexOf(result.names[left]!) - named.indexOf(result.names[right]!));
  return { ...result, names: columns.map((column) => result.names[column]!), rows: result.rows.map((row) => columns.map((column) => row[column])) };
}

function parseTriples(text: string): Row[] {
  return text
    .split("\n")
    .filter((line) => line.trim())
    .map((line) => {
      TERM.lastIndex = 0;
      return [parseTerm(line), parseTerm(line), parseTerm(line)];
    });
}

/** The next term of a line, from `TERM.lastIndex` on. Throws if there is none. */
function parseTerm(line: string): Term {
  const match = TERM.exec(line);
  if (!match) throw new Error(`This line is not a triple: ${line}`);
  const [, iri, blank, value, language, datatype] = match;
  if (iri !== undefined) return { type: "uri", value: unescapeText(iri) };
  if (blank !== undefined) return { type: "bnode", value: blank };
  if (value !== undefined) return { type: "literal", value: unescapeText(value), "xml:lang": language, datatype };
  const triple = { subject: parseTerm(line), predicate: parseTerm(line), object: parseTerm(line) };
  TRIPLE_TERM_END.lastIndex = TERM.lastIndex;
  TRIPLE_TERM_END.exec(line);
  TERM.lastIndex = TRIPLE_TERM_END.lastIndex;
  return { type: "triple", value: triple };
}

function unescapeText(text: string): string {
  return text.replace(/\\(?:u([\dA-F]{4})|U([\dA-F]{8})|(.))/gi, (_, short, long, escapedCharacter) =>
    escapedCharacter ? (ESCAPED_CHARACTERS[escapedCharacter] ?? escapedCharacter) : String.fromCodePoint(Number.parseInt(short ?? long, 16)),
  );
}

/** The text of a term, without quotation marks or angle brackets. */
export function termText(term: Term | undefined): string {
  if (!term) return "";
  if (term.type !== "triple") return term.value;
  const { subject, predicate, object } = term.value;
  return `<< ${[subject, predicate, object].map(termText).join(" ")} >>`;
}

const IRI_LIST = /^https?:\/\/[^\s<>"]+(?:(?: \| |, |; |\s)https?:\/\/[^\s<>"]+)*$/;

/** The IRI of a resource, or those in a text that consists of IRIs, as GROUP_CONCAT makes it; else none. */
export function splitIris(term: Term): string[] {
  if (term.type === "uri") return [term.value];
  return term.type === "literal" && !term["xml:lang"] && IRI_LIST.test(term.value) ? term.value.split(/[|,;]?\s+(?:\|\s+)?/) : [];
}

/** The value of a numeric literal; undefined for other terms. */
export function numericValue(term: Term | undefined): number | undefined {
  if (term?.type !== "literal" || !term.datatype?.startsWith(XSD)) return undefined;
  if (!/^(?:integer|decimal|double|float|(?:unsigned)?(?:[lL]ong|[iI]nt|[sS]hort|[bB]yte)|non\w+Integer|positiveInteger|negativeInteger)$/.test(
    term.datatype.slice(XSD.length),
  )) return undefined;
  const value = Number(term.value);
  return Number.isFinite(value) ? value : undefined;
}

/** The first day of a literal with a date, month or year, in milliseconds since 1970; undefined for other terms. */
export function timeValue(term: Term | undefined): number | undefined {
  if (term?.type !== "literal" || numericValue(term) !== undefined) return undefined;
  const match = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:T.*|Z|[+-]\d\d:\d\d)?$/.exec(term.value);
  return match ? Date.UTC(Number(match[1]), Number(match[2] ?? 1) - 1, Number(match[3] ?? 1)) : undefined;
}

/** The indexes of the columns whose values all meet the condition; columns without values are excluded. */
export function columnsWhere(result: QueryResult, condition: (term: Term) => boolean): number[] {
  return [...result.names.keys()].filter((column) => {
    const values = result.rows.map((row) => row[column]).filter((term) => term !== undefined);
    return values.length > 0 && values.every(condition);
  });
}

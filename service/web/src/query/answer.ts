/** What a query found, read from the formats of the SPARQL Protocol. */

import { say } from "../page/words";

/** A term as in the SPARQL 1.1 Query Results JSON Format, section 3.2.2, with the triples of SPARQL 1.2. */
export type Term =
  | { type: "uri" | "bnode"; value: string }
  | { type: "literal"; value: string; "xml:lang"?: string; datatype?: string }
  | { type: "triple"; value: { subject: Term; predicate: Term; object: Term } };

export type Row = (Term | undefined)[];

/** A table, the triples of a graph as a table of three columns, or a yes or no. */
export interface Answer {
  form: "table" | "graph" | "boolean";
  names: string[];
  rows: Row[];
  yes: boolean;
  text: string;
}

const XSD = "http://www.w3.org/2001/XMLSchema#";
const TERM = /\s*(?:<<\(|<([^>]*)>|_:([^\s<"]+)|"((?:[^"\\]|\\.)*)"(?:@([\w-]+)|\^\^<([^>]*)>)?)/y;
const END = /\s*\)>>/y;
const ESCAPES: Record<string, string> = { t: "\t", b: "\b", n: "\n", r: "\r", f: "\f" };

/** Reads JSON results, or N-Triples. */
export function read(text: string, mediaType: string): Answer {
  if (!mediaType.includes("json")) {
    const names = [say("subject"), say("predicate"), say("object")];
    return { form: "graph", names, rows: triples(text), yes: false, text };
  }
  const found = JSON.parse(text);
  if (typeof found.boolean === "boolean") {
    return { form: "boolean", names: [], rows: [], yes: found.boolean, text };
  }
  const names: string[] = found.head.vars;
  const rows = found.results.bindings.map((one: Record<string, Term>) => names.map((name) => one[name]));
  return { form: "table", names, rows, yes: false, text };
}

function triples(text: string): Row[] {
  return text
    .split("\n")
    .filter((line) => line.trim())
    .map((line) => {
      TERM.lastIndex = 0;
      return [term(line), term(line), term(line)];
    });
}

/** The next term of a line. Throws where there is none. */
function term(line: string): Term {
  const match = TERM.exec(line);
  if (!match) throw new Error(`This is no triple: ${line}`);
  const [, iri, blank, value, language, datatype] = match;
  if (iri !== undefined) return { type: "uri", value: unescaped(iri) };
  if (blank !== undefined) return { type: "bnode", value: blank };
  if (value !== undefined) return { type: "literal", value: unescaped(value), "xml:lang": language, datatype };
  const triple = { subject: term(line), predicate: term(line), object: term(line) };
  END.lastIndex = TERM.lastIndex;
  END.exec(line);
  TERM.lastIndex = END.lastIndex;
  return { type: "triple", value: triple };
}

function unescaped(text: string): string {
  return text.replace(/\\(?:u([\dA-F]{4})|U([\dA-F]{8})|(.))/gi, (_, short, long, sign) =>
    sign ? (ESCAPES[sign] ?? sign) : String.fromCodePoint(Number.parseInt(short ?? long, 16)),
  );
}

/** The text of a term without marks. */
export function plain(term: Term | undefined): string {
  if (!term) return "";
  if (term.type !== "triple") return term.value;
  const { subject, predicate, object } = term.value;
  return `<< ${[subject, predicate, object].map(plain).join(" ")} >>`;
}

/** The number of a literal that is one, else undefined. */
export function number(term: Term | undefined): number | undefined {
  if (term?.type !== "literal" || !term.datatype?.startsWith(XSD)) return undefined;
  if (!/^(?:integer|decimal|double|float|(?:unsigned)?(?:[lL]ong|[iI]nt|[sS]hort|[bB]yte)|non\w+Integer|positiveInteger|negativeInteger)$/.test(
    term.datatype.slice(XSD.length),
  )) return undefined;
  const value = Number(term.value);
  return Number.isFinite(value) ? value : undefined;
}

/** The time of a literal that begins as a date, in milliseconds since 1970, else undefined. */
export function time(term: Term | undefined): number | undefined {
  if (term?.type !== "literal" || number(term) !== undefined) return undefined;
  const match = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:T.*|Z|[+-]\d\d:\d\d)?$/.exec(term.value);
  return match ? Date.UTC(Number(match[1]), Number(match[2] ?? 1) - 1, Number(match[3] ?? 1)) : undefined;
}

/** The numbers of the columns in which every value there is fits, and at least one is there. */
export function columns(answer: Answer, fits: (term: Term) => boolean): number[] {
  return [...answer.names.keys()].filter((at) => {
    const values = answer.rows.map((row) => row[at]).filter((one) => one !== undefined);
    return values.length > 0 && values.every(fits);
  });
}

/** What could be meant at the cursor: from the graph's own vocabulary, and from the language. */

import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import type { EditorView } from "@codemirror/view";
import { namespaces, short } from "../query/names";
import { say } from "../page/words";
import { classes, isType, type Place, placeAt } from "./place";
import { declaration, declared, tokens } from "./tokens";
import { type Entry, vocabulary } from "./vocabulary";

const KEYWORDS =
  "SELECT CONSTRUCT DESCRIBE ASK WHERE FROM NAMED PREFIX BASE DISTINCT REDUCED OPTIONAL UNION MINUS GRAPH SERVICE FILTER BIND VALUES EXISTS NOT IN AS ORDER GROUP BY HAVING ASC DESC LIMIT OFFSET UNDEF".split(" ");
const FUNCTIONS =
  "COUNT SUM MIN MAX AVG SAMPLE GROUP_CONCAT STR LANG LANGMATCHES DATATYPE BOUND IRI BNODE RAND ABS CEIL FLOOR ROUND CONCAT STRLEN UCASE LCASE ENCODE_FOR_URI CONTAINS STRSTARTS STRENDS STRBEFORE STRAFTER YEAR MONTH DAY NOW COALESCE IF STRLANG STRDT SAMETERM ISIRI ISBLANK ISLITERAL ISNUMERIC REGEX SUBSTR REPLACE".split(" ");

/** The completions at the cursor, for CodeMirror. */
export async function complete(context: CompletionContext): Promise<CompletionResult | null> {
  const word = context.matchBefore(/[?$]?[\p{L}\p{N}_-]*(?::[\p{L}\p{N}_.-]*)?/u);
  const from = word?.from ?? context.pos;
  if (from === context.pos && !context.explicit) return null;
  const text = context.state.doc.toString();
  const place = placeAt(text, from);
  if (place.part === "none" && !context.explicit) return null;
  const options = await optionsFor(place, text, from);
  return options.length ? { from, options, validFor: /^[?$]?[\p{L}\p{N}_-]*(?::[\p{L}\p{N}_.-]*)?$/u } : null;
}

async function optionsFor(place: Place, text: string, from: number): Promise<Completion[]> {
  if (place.part === "prefix") return Object.entries(namespaces()).map(([prefix, iri]) => declaring(prefix, iri));
  const names = variables(text, from).map((label) => ({ label, type: "variable" }));
  const known = await vocabulary();
  if (place.part === "property") {
    const iris = [...(classes(text).get(place.subject) ?? [])].map((name) => expanded(name, text));
    const own = iris.flatMap((iri) => known.of.get(iri) ?? []);
    const type = { label: "a", detail: say("is-a"), type: "keyword", boost: 50 };
    return [type, ...(own.length ? own : known.properties).map((one) => entry(one, "property", text)), ...names];
  }
  if (place.part === "object" && isType(place.property)) {
    return [...known.classes.map((one) => entry(one, "class", text)), ...names];
  }
  return [...names, ...KEYWORDS.map((label) => ({ label, type: "keyword" })),
    ...FUNCTIONS.map((label) => ({ label, type: "function", apply: `${label}(` }))];
}

/** A class or property by its name in short, or by its IRI; what it takes is declared when it is chosen. */
function entry(one: Entry, type: string, text: string): Completion {
  const label = short(one.iri) ?? `<${one.iri}>`;
  const detail = [one.label, one.count ? say("times", { count: one.count }) : ""].filter(Boolean).join(" · ");
  const boost = Math.min(40, Math.log2(one.count + 1) * 2);
  return { label, detail, type, boost, apply: (view, _, from, to) => put(view, label, from, to, text) };
}

function put(view: EditorView, label: string, from: number, to: number, text: string): void {
  const prefix = label.startsWith("<") ? "" : label.split(":")[0]!;
  const lacking = missing(text, prefix);
  view.dispatch({
    changes: [...(lacking ? [lacking] : []), { from, to, insert: label }],
    selection: { anchor: from + label.length + (lacking?.insert.length ?? 0) },
    userEvent: "input.complete",
  });
}

/** The declaration that a text lacks for a prefix that is known. */
export function missing(text: string, prefix: string): { from: number; insert: string } | undefined {
  const iri = namespaces()[prefix];
  return iri === undefined || declared(text).has(prefix) ? undefined : declaration(text, { [prefix]: iri });
}

function declaring(prefix: string, iri: string): Completion {
  return { label: `${prefix}:`, detail: iri, type: "namespace", apply: `${prefix}: <${iri}>` };
}

function variables(text: string, from: number): string[] {
  const all = [...tokens(text)].filter((one) => one.kind === "variable" && one.start !== from);
  return [...new Set(all.map((one) => one.text))];
}

/** The IRI of a name as it stands in a text. */
function expanded(name: string, text: string): string {
  if (name.startsWith("<")) return name.slice(1, -1);
  const at = name.indexOf(":");
  return (declared(text).get(name.slice(0, at)) ?? namespaces()[name.slice(0, at)] ?? "") + name.slice(at + 1);
}

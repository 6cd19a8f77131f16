/** The tokens of a SPARQL query, which may be incomplete, for completion. */

import { knownNamespaces } from "../query/names";

export interface Token {
  kind: "comment" | "iri" | "string" | "variable" | "name" | "word" | "mark"; // a name has a colon, a word has none; a mark is punctuation
  text: string;
  start: number;
}

const TOKEN_PATTERN =
  /(?<comment>#[^\n]*)|(?<iri><[^<>"{}|^`\\\s]*>)|(?<string>"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?)|(?<variable>[?$][\p{L}\p{N}_]+)|(?<name>(?:[\p{L}_][\p{L}\p{N}_.-]*)?:(?:[\p{L}\p{N}_%:-](?:[\p{L}\p{N}_%:.-]*[\p{L}\p{N}_%:-])?)?)|(?<word>[\p{L}\p{N}_]+)|(?<mark>\^\^|[^\s])/gu;

/** The tokens of a text. */
export function* tokenize(text: string): Generator<Token> {
  for (const match of text.matchAll(TOKEN_PATTERN)) {
    const [kind] = Object.entries(match.groups!).find(([, group]) => group !== undefined)!;
    yield { kind: kind as Token["kind"], text: match[0], start: match.index };
  }
}

/** The namespaces that a query declares, by prefix. */
export function declaredNamespaces(text: string): Map<string, string> {
  const namespaces = new Map<string, string>();
  const significantTokens = [...tokenize(text)].filter((token) => token.kind !== "comment");
  significantTokens.forEach((token, index) => {
    const [name, iri] = [significantTokens[index + 1], significantTokens[index + 2]];
    if (/^prefix$/i.test(token.text) && name?.kind === "name" && iri?.kind === "iri") {
      namespaces.set(name.text.slice(0, -1), iri.text.slice(1, -1));
    }
  });
  return namespaces;
}

/** The PREFIX lines for these namespaces, and the offset at which to insert them: after the comments at the top. */
export function buildDeclarations(text: string, namespaces: Record<string, string>): { from: number; insert: string } {
  const from = [...tokenize(text)].find((token) => token.kind !== "comment")?.start ?? text.length;
  const insert = Object.entries(namespaces).map(([prefix, iri]) => `PREFIX ${prefix}: <${iri}>\n`).join("");
  return { from, insert };
}

/** The IRI of an IRI reference or prefixed name in a query. */
export function expandName(name: string, text: string): string {
  if (name.startsWith("<")) return name.slice(1, -1);
  const colon = name.indexOf(":");
  return (declaredNamespaces(text).get(name.slice(0, colon)) ?? knownNamespaces()[name.slice(0, colon)] ?? "") + name.slice(colon + 1);
}

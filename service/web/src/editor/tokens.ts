/** SPARQL in tokens, as far as completion needs them: of unfinished text, too. */

export interface Token {
  kind: "comment" | "iri" | "string" | "variable" | "name" | "word" | "mark";
  text: string;
  start: number;
}

const TOKEN =
  /(?<comment>#[^\n]*)|(?<iri><[^<>"{}|^`\\\s]*>)|(?<string>"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?)|(?<variable>[?$][\p{L}\p{N}_]+)|(?<name>(?:[\p{L}_][\p{L}\p{N}_.-]*)?:(?:[\p{L}\p{N}_%:-](?:[\p{L}\p{N}_%:.-]*[\p{L}\p{N}_%:-])?)?)|(?<word>[\p{L}\p{N}_]+)|(?<mark>\^\^|[^\s])/gu;

/** The tokens of a text. */
export function* tokens(text: string): Generator<Token> {
  for (const match of text.matchAll(TOKEN)) {
    const [kind] = Object.entries(match.groups!).find(([, found]) => found !== undefined)!;
    yield { kind: kind as Token["kind"], text: match[0], start: match.index };
  }
}

/** The namespaces that a text declares, by prefix. */
export function declared(text: string): Map<string, string> {
  const found = new Map<string, string>();
  const all = [...tokens(text)].filter((one) => one.kind !== "comment");
  all.forEach((one, at) => {
    const [name, iri] = [all[at + 1], all[at + 2]];
    if (/^prefix$/i.test(one.text) && name?.kind === "name" && iri?.kind === "iri") {
      found.set(name.text.slice(0, -1), iri.text.slice(1, -1));
    }
  });
  return found;
}

/** The lines that are put in for prefixes, and where: behind the comments at the top. */
export function declaration(text: string, prefixes: Record<string, string>): { from: number; insert: string } {
  const from = [...tokens(text)].find((one) => one.kind !== "comment")?.start ?? text.length;
  const insert = Object.entries(prefixes).map(([prefix, iri]) => `PREFIX ${prefix}: <${iri}>\n`).join("");
  return { from, insert };
}

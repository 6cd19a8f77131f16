/** How a term is shown: linked where it may be, in its own language and direction. */

import { plain, type Term } from "../query/answer";
import { h, svg } from "../page/dom";
import { baseIri, href, short } from "../query/names";

/** The element or text of a term. */
export function shown(term: Term | undefined): Node {
  if (!term) return document.createTextNode("");
  if (term.type === "uri") return link(term.value);
  if (term.type !== "literal") return h("code", {}, plain(term));
  const language = term["xml:lang"];
  const text = h("span", { dir: "auto", lang: language }, term.value);
  if (!language || language === "en" || language === document.documentElement.lang) return text;
  return h("span", {}, text, " ", h("span", { class: "mark" }, language));
}

/** What a term is called in a picture. */
export function called(term: Term | undefined): string {
  return term?.type === "uri" ? (short(term.value) ?? term.value) : plain(term);
}

function link(iri: string): Node {
  const target = href(iri);
  if (target === undefined) return h("code", {}, iri);
  const rel = iri.startsWith(baseIri()) ? undefined : "nofollow noopener external";
  return h("a", { href: target, rel }, short(iri) ?? iri);
}

/** A link in a picture around what is shown of the IRI, or that alone where it leads nowhere. */
export function linked(term: Term, ...children: Node[]): SVGElement {
  const target = term.type === "uri" ? href(term.value) : undefined;
  return target === undefined ? svg("g", {}, ...children) : svg("a", { href: target }, ...children);
}

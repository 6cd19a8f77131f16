/** RDF terms as HTML elements: IRIs with links, literals with language and direction; and links in SVG. */

import { termText, type Term } from "../query/result";
import { h, svg } from "../page/dom";
import { baseIri, linkTarget, shortenIri } from "../query/names";

/** The element or text of a term. */
export function renderTerm(term: Term | undefined): Node {
  if (!term) return document.createTextNode("");
  if (term.type === "uri") return renderLink(term.value);
  if (term.type !== "literal") return h("code", {}, termText(term));
  const language = term["xml:lang"];
  const text = h("span", { dir: "auto", lang: language }, term.value);
  // The language of the page and English, the main language of the graph, are not named.
  if (!language || language === "en" || language === document.documentElement.lang) return text;
  return h("span", {}, text, " ", h("span", { class: "mark" }, language));
}

/** The name of a term in a diagram: a prefixed name, an IRI, or the text of a literal. */
export function termName(term: Term | undefined): string {
  return term?.type === "uri" ? (shortenIri(term.value) ?? term.value) : termText(term);
}

function renderLink(iri: string): Node {
  const target = linkTarget(iri);
  if (target === undefined) return h("code", {}, iri);
  const rel = iri.startsWith(baseIri()) ? undefined : "nofollow noopener external";
  return h("a", { href: target, rel }, shortenIri(iri) ?? iri);
}

/** A link to a term by its name, or the name if the term cannot be linked. */
export function renderNamedTerm(term: Term, name: string): Node {
  const target = term.type === "uri" ? linkTarget(term.value) : undefined;
  if (target === undefined) return h("bdi", {}, name);
  return h("a", { href: target, rel: target.startsWith("/") ? undefined : "nofollow noopener external" }, name);
}

/** SVG children inside a link to the term, or in a group if the term cannot be linked. */
export function linkSvg(term: Term, ...children: Node[]): SVGElement {
  const target = term.type === "uri" ? linkTarget(term.value) : undefined;
  return target === undefined ? svg("g", {}, ...children) : svg("a", { href: target }, ...children);
}

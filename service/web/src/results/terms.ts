/** RDF terms as HTML elements: IRIs with links, literals with language and direction; and links in SVG. */

import { splitIris, termText, type Term } from "../query/result";
import { h, svg } from "../page/dom";
import { knownLabel } from "../query/labels";
import { baseIri, linkTarget, shortenIri } from "../query/names";

/** The element or text of a term. A resource with a label has its name and its address, of which one is shown. */
export function renderTerm(term: Term | undefined): Node {
  if (!term) return document.createTextNode("");
  if (term.type === "uri") return renderLink(term.value, term.label ?? knownLabel(term.value));
  const iris = splitIris(term);
  if (term.type !== "literal") return h("code", {}, termText(term));
  if (iris.length) return renderList(iris, term.labels);
  const language = term["xml:lang"];
  const text = h("span", { dir: "auto", lang: language }, term.value);
  // The language of the page and English, the main language of the graph, are not named.
  if (!language || language === "en" || language === document.documentElement.lang) return text;
  return h("span", {}, text, " ", h("span", { class: "mark" }, language));
}

function renderList(iris: string[], labels: string[] | undefined): Node {
  const links = iris.map((iri, index) => renderLink(iri, labels ? { text: labels[index]! } : knownLabel(iri)));
  return links.length === 1 ? links[0]! : h("ul", {}, ...links.map((link) => h("li", {}, link)));
}

/** The name of a term in a diagram: its label, a prefixed name, an IRI, or the text of a literal. */
export function termName(term: Term | undefined): string {
  if (term?.type !== "uri") return termText(term);
  return (term.label ?? knownLabel(term.value))?.text || (shortenIri(term.value) ?? term.value);
}

function renderLink(iri: string, label: { text: string; language?: string } | undefined): Node {
  const target = linkTarget(iri);
  if (target === undefined) return h("code", {}, iri);
  const rel = iri.startsWith(baseIri()) ? undefined : "nofollow noopener external";
  const address = shortenIri(iri) ?? iri;
  if (!label?.text) return h("a", { href: target, rel }, address);
  const language = label.language && label.language !== document.documentElement.lang ? label.language : undefined;
  const name = h("span", { class: "name", lang: language, dir: language && "auto" }, label.text);
  return h("a", { href: target, rel }, name, h("span", { class: "address", dir: "ltr", hidden: true }, address));
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

/** What can be done with an answer: take it away in another format, or ask it by a command. */

import type { Answer } from "../query/answer";
import { command, LANGUAGES } from "../query/commands";
import { h } from "../page/dom";
import { say } from "../page/words";

export const LONGEST = 30_000; // characters of an address that the service reads
const TABLES = {
  JSON: ["application/sparql-results+json", "json"],
  CSV: ["text/csv", "csv"],
  TSV: ["text/tab-separated-values", "tsv"],
  XML: ["application/sparql-results+xml", "xml"],
};
const GRAPHS = {
  Turtle: ["text/turtle", "ttl"],
  "JSON-LD": ["application/ld+json", "jsonld"],
  "N-Triples": ["application/n-triples", "nt"],
  "RDF/XML": ["application/rdf+xml", "rdf"],
};

/** The address of an answer; `mediaType` asks for a format. */
export function address(parameters: URLSearchParams, mediaType?: string): string {
  const all = new URLSearchParams(parameters);
  if (mediaType) all.set("_mediatype", mediaType);
  return `/sparql?${all}`;
}

/** The element that offers the other formats and the commands. */
export function offers(answer: Answer, parameters: URLSearchParams): HTMLElement {
  const isGraph = answer.form === "graph";
  return h("div", { class: "offers" },
    h("h3", {}, say("download")),
    downloads(isGraph ? GRAPHS : TABLES, parameters),
    h("h3", {}, say("command")),
    commands(parameters.get("query") ?? "", isGraph ? "graph" : "table"),
  );
}

function downloads(formats: Record<string, string[]>, parameters: URLSearchParams): HTMLElement {
  const links = Object.entries(formats).map(([name, [mediaType, suffix]]) =>
    h("li", {}, h("a", { href: address(parameters, mediaType), download: `answer.${suffix}`, rel: "nofollow" }, name)));
  if (address(parameters).length > LONGEST) return h("p", {}, say("too-long"));
  const here = h("a", { href: address(parameters), rel: "nofollow" }, say("permalink"));
  const cite = h("a", { href: `/cite?${parameters}`, rel: "nofollow" }, say("cite"));
  const isAlone = [...parameters.keys()].join() === "query"; // what can be cited
  return h("ul", { class: "row" }, ...links, h("li", {}, here), isAlone && h("li", {}, cite));
}

function commands(query: string, form: "table" | "graph"): HTMLElement {
  const place = h("div");
  const told = h("span", { role: "status" });
  const buttons = Object.keys(LANGUAGES).map((language) =>
    h("button", { type: "button", class: "plain", click: () => copy(language) }, say("copy", { language })));

  async function copy(language: string): Promise<void> {
    const text = command(language, query, form);
    const shown = h("pre", { dir: "ltr", tabindex: "0", role: "region", "aria-label": language }, h("code", {}, text));
    place.replaceChildren(shown);
    try {
      await navigator.clipboard.writeText(text);
      told.textContent = say("copied");
    } catch {
      told.textContent = say("not-copied");
    }
  }

  return h("div", {}, h("div", { class: "row" }, ...buttons, told), place);
}

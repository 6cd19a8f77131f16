/** Links to the result of a query in other formats, and commands that run the query. */

import type { QueryResult } from "../query/result";
import { COMMAND_TEMPLATES, formatCommand } from "../query/commands";
import { h } from "../page/dom";
import { formatMessage } from "../page/messages";

export const MAX_ADDRESS_CHARACTERS = 30_000; // the service refuses longer addresses
// Media type and file suffix by name of the format.
const TABLE_FORMATS = {
  JSON: ["application/sparql-results+json", "json"],
  CSV: ["text/csv", "csv"],
  TSV: ["text/tab-separated-values", "tsv"],
  XML: ["application/sparql-results+xml", "xml"],
};
const GRAPH_FORMATS = {
  Turtle: ["text/turtle", "ttl"],
  "JSON-LD": ["application/ld+json", "jsonld"],
  "N-Triples": ["application/n-triples", "nt"],
  "RDF/XML": ["application/rdf+xml", "rdf"],
};

/** The address of the result of a query, in the format `mediaType` if given. */
export function queryAddress(parameters: URLSearchParams, mediaType?: string): string {
  const pairs = new URLSearchParams(parameters);
  if (mediaType) pairs.set("_mediatype", mediaType);
  return `/sparql?${pairs}`;
}

/** The section with download links and commands. */
export function exportSection(result: QueryResult, parameters: URLSearchParams): HTMLElement {
  const isGraph = result.form === "graph";
  return h("div", { class: "offers" },
    h("h3", {}, formatMessage("download")),
    createDownloadLinks(isGraph ? GRAPH_FORMATS : TABLE_FORMATS, parameters),
    h("h3", {}, formatMessage("command")),
    createCommandButtons(parameters.get("query") ?? "", isGraph ? "graph" : "table"),
  );
}

function createDownloadLinks(formats: Record<string, string[]>, parameters: URLSearchParams): HTMLElement {
  const links = Object.entries(formats).map(([name, [mediaType, suffix]]) =>
    h("li", {}, h("a", { href: queryAddress(parameters, mediaType), download: `answer.${suffix}`, rel: "nofollow" }, name)));
  if (queryAddress(parameters).length > MAX_ADDRESS_CHARACTERS) return h("p", {}, formatMessage("too-long"));
  const permalink = h("a", { href: queryAddress(parameters), rel: "nofollow" }, formatMessage("permalink"));
  const citeLink = h("a", { href: `/cite?${parameters}`, rel: "nofollow" }, formatMessage("cite"));
  const isCitable = [...parameters.keys()].join() === "query"; // /cite accepts no other parameter
  return h("ul", { class: "row" }, ...links, h("li", {}, permalink), isCitable && h("li", {}, citeLink));
}

function createCommandButtons(query: string, form: "table" | "graph"): HTMLElement {
  const container = h("div");
  const status = h("span", { role: "status" });
  const buttons = Object.keys(COMMAND_TEMPLATES).map((language) =>
    h("button", { type: "button", class: "plain", click: () => copy(language) }, formatMessage("copy", { language })));

  async function copy(language: string): Promise<void> {
    const text = formatCommand(language, query, form);
    const block = h("pre", { dir: "ltr", tabindex: "0", role: "region", "aria-label": language }, h("code", {}, text));
    container.replaceChildren(block);
    try {
      await navigator.clipboard.writeText(text);
      status.textContent = formatMessage("copied");
    } catch {
      status.textContent = formatMessage("not-copied");
    }
  }

  return h("div", {}, h("div", { class: "row" }, ...buttons, status), container);
}

/** Links to the result of a query in other formats, and commands that run the query. */

import type { QueryResult } from "../query/result";
import { COMMAND_TEMPLATES, formatCommand } from "../query/commands";
import { downloadBlob } from "../page/download";
import { h } from "../page/dom";
import { formatMessage } from "../page/messages";
import { compressText, formatFragment } from "../query/shared-query";
import { DEFAULT_VIEW } from "./views";

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

/** The view as addresses name it: nothing for the table. */
export const viewInAddress = (view: string) => (view === DEFAULT_VIEW ? undefined : view);

/** Let the links to the result lead to this view of it. */
export function showViewInLinks(section: HTMLElement, view: string): void {
  for (const link of section.querySelectorAll<HTMLAnchorElement>("a.to-view")) link.hash = formatFragment(viewInAddress(view));
  for (const field of section.querySelectorAll<HTMLInputElement>("input.to-view")) {
    const { hash } = new URL(field.value);
    field.value = field.value.replace(hash, formatFragment(viewInAddress(view), new URLSearchParams(hash.slice(1)).get("q")!));
  }
}

/** The section with download links and commands. */
export function exportSection(result: QueryResult, parameters: URLSearchParams, view: string): HTMLElement {
  const isGraph = result.form === "graph";
  return h("div", { class: "offers" },
    h("h3", {}, formatMessage("use")),
    ...createLinks(isGraph ? GRAPH_FORMATS : TABLE_FORMATS, parameters, view),
    h("h3", {}, formatMessage("command")),
    createCommandButtons(parameters.get("query") ?? "", isGraph ? "graph" : "table"),
  );
}

function createLinks(formats: Record<string, string[]>, parameters: URLSearchParams, view: string): HTMLElement[] {
  const isTooLong = queryAddress(parameters).length > MAX_ADDRESS_CHARACTERS;
  const createDownload = isTooLong ? createDownloadButton : createDownloadLink;
  const links = Object.entries(formats).map(([name, [mediaType, suffix]]) =>
    createDownload(parameters, mediaType!, `answer.${suffix}`, formatMessage("download", { format: name })));
  if (formats === TABLE_FORMATS) {
    const namedCsv = new URLSearchParams([...parameters, ["names", ""]]);
    links.push(createDownload(namedCsv, "text/csv", "answer-with-names.csv", formatMessage("named-csv")));
  }
  const isQueryAlone = [...parameters.keys()].join() === "query"; // /cite and the short link have no other parameter
  const shortLink = isQueryAlone ? [createShortLink(parameters.get("query") ?? "", view)] : [];
  if (isTooLong) return [downloadList(links), ...shortLink];
  const permalink = h("a", { href: queryAddress(parameters) + formatFragment(viewInAddress(view)), rel: "nofollow", class: "to-view" }, formatMessage("permalink"));
  const citeLink = h("a", { href: `/cite?${parameters}`, rel: "nofollow" }, formatMessage("cite"));
  return [downloadList([...links, permalink, ...(isQueryAlone ? [citeLink] : [])]), ...shortLink];
}

function downloadList(downloads: HTMLElement[]): HTMLElement {
  return h("ul", { class: "row" }, ...downloads.map((download) => h("li", {}, download)));
}

function createDownloadLink(parameters: URLSearchParams, mediaType: string, fileName: string, text: string): HTMLElement {
  return h("a", { href: queryAddress(parameters, mediaType), download: fileName, rel: "nofollow" }, text);
}

/** A button that downloads the result of a query that is too long for an address. */
function createDownloadButton(parameters: URLSearchParams, mediaType: string, fileName: string, text: string): HTMLElement {
  const status = h("span", { role: "status" });
  const download = async () => {
    try {
      const response = await fetch("/sparql", { method: "POST", body: new URLSearchParams(parameters), headers: { Accept: mediaType } });
      if (!response.ok) throw new Error(response.statusText);
      downloadBlob(await response.blob(), fileName);
      status.textContent = "";
    } catch {
      status.textContent = ` ${formatMessage("unanswered")}`;
    }
  };
  return h("span", {}, h("button", { type: "button", class: "plain", click: () => void download() }, text), status);
}

/** A link whose fragment has the compressed query, in a field, with a button that copies it. */
function createShortLink(query: string, view: string): HTMLElement {
  const field = h("input", { type: "text", readonly: true, dir: "ltr", class: "to-view", focus: () => field.select() });
  const status = h("span", { role: "status" });
  void compressText(query).then((compressedQuery) => (field.value = `${location.origin}/sparql${formatFragment(viewInAddress(view), compressedQuery)}`));
  const copy = async () => {
    field.select(); // for the keyboard, if the page has no access to the clipboard
    status.textContent = formatMessage((await copyText(field.value)) ? "copied" : "not-copied");
  };
  const button = h("button", { type: "button", class: "plain", click: () => void copy() }, formatMessage("copy-link"));
  return h("div", { class: "short-link" }, h("label", {}, `${formatMessage("short-link")} `, field), button, status);
}

/** Copy a text; false if the browser does not allow it. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
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
    status.textContent = formatMessage((await copyText(text)) ? "copied" : "not-copied");
  }

  return h("div", {}, h("div", { class: "row" }, ...buttons, status), container);
}

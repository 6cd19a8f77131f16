/** Namespaces by prefix, from the page; prefixed names and link targets of IRIs. */

let namespacesByPrefix: Record<string, string> = {};
let base = "";

/** Read the namespaces and the base IRI from the data attributes of the form. */
export function readNamespaces(form: HTMLElement): void {
  namespacesByPrefix = JSON.parse(form.dataset.namespaces ?? "{}");
  base = form.dataset.base ?? "";
}

/** The namespaces that the page contains, by prefix. */
export function knownNamespaces(): Record<string, string> {
  return namespacesByPrefix;
}

/** The base IRI of the graph. */
export function baseIri(): string {
  return base;
}

/** `prefix:local` for an IRI in a known namespace, else undefined. */
export function shortenIri(iri: string): string | undefined {
  const localStart = Math.max(iri.lastIndexOf("#"), iri.lastIndexOf("/")) + 1;
  if (!/^[\p{L}\p{N}_](?:[\p{L}\p{N}_.-]*[\p{L}\p{N}_-])?$/u.test(iri.slice(localStart))) return undefined;
  const entry = Object.entries(namespacesByPrefix).find(([, namespace]) => namespace === iri.slice(0, localStart));
  return entry && `${entry[0]}:${iri.slice(localStart)}`;
}

/** The target of a link to an IRI: a path of this service or a web address; undefined if it cannot be linked. */
export function linkTarget(iri: string): string | undefined {
  if (iri.startsWith(`${base}id/`)) return `/doc/${encodePath(iri.slice(`${base}id/`.length))}`;
  if (iri.startsWith(base)) return `/${encodePath(iri.slice(base.length), "#")}`;
  return /^https?:\/\//i.test(iri) ? iri : undefined;
}

/** The path with all characters percent-encoded that are not allowed in a path, except `extraCharacters`. */
function encodePath(path: string, extraCharacters = ""): string {
  const encodedPattern = new RegExp(`[^\\w./:@!$&'()*+,;=~%${extraCharacters}-]`, "gu");
  return path.replace(encodedPattern, (character) => encodeURIComponent(character));
}

/** Namespaces by prefix, as the page gives them; IRIs in short, and where they lead. */

let known: Record<string, string> = {};
let base = "";

/** Take what the form says. */
export function learn(form: HTMLElement): void {
  known = JSON.parse(form.dataset.namespaces ?? "{}");
  base = form.dataset.base ?? "";
}

/** All namespaces by prefix. */
export function namespaces(): Record<string, string> {
  return known;
}

/** The base IRI of the graph. */
export function baseIri(): string {
  return base;
}

/** `prefix:local` for an IRI in a known namespace, else undefined. */
export function short(iri: string): string | undefined {
  const cut = Math.max(iri.lastIndexOf("#"), iri.lastIndexOf("/")) + 1;
  if (!/^[\p{L}\p{N}_](?:[\p{L}\p{N}_.-]*[\p{L}\p{N}_-])?$/u.test(iri.slice(cut))) return undefined;
  const found = Object.entries(known).find(([, namespace]) => namespace === iri.slice(0, cut));
  return found && `${found[0]}:${iri.slice(cut)}`;
}

/** Where a link to the IRI leads: a path of this service, a web address, or undefined: no link. */
export function href(iri: string): string | undefined {
  if (iri.startsWith(`${base}id/`)) return `/doc/${escaped(iri.slice(base.length + 3))}`;
  if (iri.startsWith(base)) return `/${escaped(iri.slice(base.length), "#")}`;
  return /^https?:\/\//i.test(iri) ? iri : undefined;
}

function escaped(path: string, also = ""): string {
  const kept = new RegExp(`[^\\w./:@!$&'()*+,;=~%${also}-]`, "gu");
  return path.replace(kept, (sign) => encodeURIComponent(sign));
}

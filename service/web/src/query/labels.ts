/** The labels of resources, in the language of the page if they have one, and what they are. */

import { QueryRequest } from "./request";
import { type Term, termText } from "./result";

export interface ResourceLabel {
  text: string;
  language: string | undefined; // if it is not the language of the page
  description: string; // in English, or empty
}

const MAX_RESOURCES = 500; // of one query
const LABEL_PROPERTIES = [
  "http://www.w3.org/2004/02/skos/core#prefLabel",
  "http://www.w3.org/2000/01/rdf-schema#label",
  "http://xmlns.com/foaf/0.1/name",
  "http://purl.org/dc/terms/title",
  "https://schema.org/name",
];
const DESCRIPTION_PROPERTIES = ["http://www.w3.org/2004/02/skos/core#definition", "http://purl.org/dc/terms/description"];
const pageLanguage = () => document.documentElement.lang;

const labelsQuery = (iris: string[]) => `SELECT ?resource ?property ?text WHERE {
  VALUES ?resource { ${iris.map((iri) => `<${iri}>`).join(" ")} }
  VALUES ?property { ${[...LABEL_PROPERTIES, ...DESCRIPTION_PROPERTIES].map((iri) => `<${iri}>`).join(" ")} }
  ?resource ?property ?text
}`;

const knownLabels = new Map<string, ResourceLabel | undefined>();

/** The labels of the resources that have one, by IRI. The service is asked once for each; without an answer there are none. */
export async function fetchLabels(iris: Iterable<string>): Promise<Map<string, ResourceLabel>> {
  const allIris = [...new Set(iris)].filter((iri) => /^[^\s<>"{}|\\^`]+$/.test(iri));
  const newIris = allIris.filter((iri) => !knownLabels.has(iri));
  for (let start = 0; start < newIris.length; start += MAX_RESOURCES) await fetchSome(newIris.slice(start, start + MAX_RESOURCES));
  return new Map(allIris.flatMap((iri) => (knownLabels.get(iri) ? [[iri, knownLabels.get(iri)!]] : [])));
}

/** The label of a resource, if it was fetched and has one. */
export function knownLabel(iri: string): ResourceLabel | undefined {
  return knownLabels.get(iri);
}

async function fetchSome(iris: string[]): Promise<void> {
  try {
    const { result } = await new QueryRequest().send(new URLSearchParams({ query: labelsQuery(iris) }));
    for (const iri of iris) knownLabels.set(iri, undefined);
    const best = new Map<string, number>(); // the rank of the label so far
    for (const [resource, property, text] of result.rows) {
      const iri = termText(resource);
      const label = { text: "", language: undefined, description: "", ...knownLabels.get(iri) };
      const rank = rankLabel(termText(property), languageOf(text));
      if (rank === undefined) label.description ||= languageOf(text) === "en" ? termText(text) : "";
      else if (rank < (best.get(iri) ?? Infinity)) {
        best.set(iri, rank);
        Object.assign(label, { text: termText(text), language: languageOf(text) === pageLanguage() ? undefined : languageOf(text) });
      }
      knownLabels.set(iri, label);
    }
  } catch {
    // Without labels, resources are shown by their addresses.
  }
}

const languageOf = (term: Term | undefined) => (term?.type === "literal" ? term["xml:lang"] : undefined) ?? "";

/** The rank of a label, the best one first: by language, then by property; undefined for a description. */
function rankLabel(property: string, language: string): number | undefined {
  const propertyRank = LABEL_PROPERTIES.indexOf(property);
  if (propertyRank < 0) return undefined;
  const languages = [pageLanguage(), "en", "", language]; // any other language is the last choice
  return languages.indexOf(language) * LABEL_PROPERTIES.length + propertyRank;
}

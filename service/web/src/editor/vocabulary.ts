/** The vocabulary of the graph: its classes with their properties, and how often they are used (VoID). */

import { numericValue, termText } from "../query/result";
import { QueryRequest } from "../query/request";
import { baseIri } from "../query/names";

/** A class or property with its label in the language of the page, and how many instances or statements it has. */
export interface VocabularyEntry {
  iri: string;
  label: string;
  count: number;
}

export interface Vocabulary {
  classes: VocabularyEntry[];
  properties: VocabularyEntry[];
  propertiesByClass: Map<string, VocabularyEntry[]>; // by the IRI of the class
}

// Class partitions without property partitions are not selected.
const vocabularyQuery = (base: string, language: string) => `PREFIX void: <http://rdfs.org/ns/void#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?class ?instances ?classLabel ?property ?statements ?propertyLabel WHERE {
  GRAPH <${base}graph/void> {
    ?classPartition void:class ?class ; void:propertyPartition ?propertyPartition .
    ?propertyPartition void:property ?property ; void:triples ?statements .
    OPTIONAL { ?classPartition void:entities ?instances }
  }
  OPTIONAL { GRAPH <${base}graph/ontology> { ?class rdfs:label ?classLabel } FILTER(LANG(?classLabel) = "${language}") }
  OPTIONAL { GRAPH <${base}graph/ontology> { ?property rdfs:label ?propertyLabel } FILTER(LANG(?propertyLabel) = "${language}") }
}`;

let vocabularyPromise: Promise<Vocabulary> | undefined;

/** The vocabulary, fetched once; empty if the graph has no VoID description. */
export function getVocabulary(): Promise<Vocabulary> {
  vocabularyPromise ??= fetchVocabulary().catch(() => ({ classes: [], properties: [], propertiesByClass: new Map() }));
  return vocabularyPromise;
}

async function fetchVocabulary(): Promise<Vocabulary> {
  const query = vocabularyQuery(baseIri(), document.documentElement.lang);
  const { result } = await new QueryRequest().send(new URLSearchParams({ query }));
  const classes = new Map<string, VocabularyEntry>();
  const properties = new Map<string, VocabularyEntry>();
  const propertiesByClass = new Map<string, VocabularyEntry[]>();
  for (const [classTerm, instances, classLabel, property, statements, propertyLabel] of result.rows) {
    const count = numericValue(statements) ?? 0; // of the property with this class
    const entry = { iri: termText(property), label: termText(propertyLabel), count };
    classes.set(termText(classTerm), { iri: termText(classTerm), label: termText(classLabel), count: numericValue(instances) ?? 0 });
    propertiesByClass.set(termText(classTerm), [...(propertiesByClass.get(termText(classTerm)) ?? []), entry]);
    properties.set(entry.iri, { ...entry, count: count + (properties.get(entry.iri)?.count ?? 0) });
  }
  return { classes: [...classes.values()], properties: [...properties.values()], propertiesByClass };
}

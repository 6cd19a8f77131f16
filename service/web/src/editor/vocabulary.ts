/** What the graph offers for completion: its classes and properties (VoID), the values of a property, things by name. */

import { numericValue, termText, type QueryResult } from "../query/result";
import { QueryRequest } from "../query/request";
import { baseIri } from "../query/names";

/** A class, property or thing with its label in the language of the page, and how often the graph has it. */
export interface VocabularyEntry {
  iri: string;
  label: string;
  count: number;
  description: string; // its definition, or empty
}

export interface Vocabulary {
  classes: VocabularyEntry[];
  properties: VocabularyEntry[];
  propertiesByClass: Map<string, VocabularyEntry[]>; // by the IRI of the class
}

const MAX_VALUES = 500; // of a property that are looked at
const MIN_SEARCHED_CHARACTERS = 2;

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

const definitionsQuery = (base: string) => `PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?term ?definition WHERE {
  GRAPH <${base}graph/ontology> { ?term skos:definition ?definition }
  FILTER(LANG(?definition) = "en")
}`;

// The most frequent values, with a label in the language of the page, in English or in none.
const valuesQuery = (property: string, language: string) => `PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?value (SAMPLE(?count) AS ?uses) (MIN(?own) AS ?ownLabel) (MIN(?english) AS ?englishLabel) WHERE {
  {
    SELECT ?value (COUNT(*) AS ?count) WHERE { ?subject <${property}> ?value FILTER(isIRI(?value)) }
    GROUP BY ?value ORDER BY DESC(?count) LIMIT ${MAX_VALUES}
  }
  OPTIONAL { ?value skos:prefLabel|rdfs:label ?own FILTER(LANG(?own) = "${language}") }
  OPTIONAL { ?value skos:prefLabel|rdfs:label ?english FILTER(LANG(?english) IN ("en", "")) }
} GROUP BY ?value`;

const valuePropertiesQuery = (property: string) => `SELECT ?property (COUNT(*) AS ?count) WHERE {
  { SELECT DISTINCT ?value WHERE { ?subject <${property}> ?value FILTER(isIRI(?value)) } LIMIT ${MAX_VALUES} }
  ?value ?property ?object
} GROUP BY ?property`;

/** The function, which is called once for each argument; a rejected promise is replaced by `fallback`. */
function fetchOnce<T>(fetchValue: (argument: string) => Promise<T>, fallback: T): (argument?: string) => Promise<T> {
  const promises = new Map<string, Promise<T>>();
  return (argument = "") => {
    if (!promises.has(argument)) promises.set(argument, fetchValue(argument).catch(() => fallback));
    return promises.get(argument)!;
  };
}

const select = async (query: string): Promise<QueryResult> => (await new QueryRequest().send(new URLSearchParams({ query }))).result;

/** The vocabulary; empty if the graph has no VoID description. */
export const getVocabulary = fetchOnce<Vocabulary>(fetchVocabulary, { classes: [], properties: [], propertiesByClass: new Map() });

/** The definitions of the terms of the ontology, in English, by IRI. */
export const getDefinitions = fetchOnce(async () => {
  const { rows } = await select(definitionsQuery(baseIri()));
  return new Map(rows.map(([term, definition]) => [termText(term), termText(definition)]));
}, new Map<string, string>());

/** The things that are values of the property with this IRI, the most frequent first. */
export const getValues = fetchOnce<VocabularyEntry[]>(async (property) => {
  const { rows } = await select(valuesQuery(property, document.documentElement.lang));
  return rows.map(([value, uses, ownLabel, englishLabel]): VocabularyEntry => (
    { iri: termText(value), label: termText(ownLabel ?? englishLabel), count: numericValue(uses) ?? 0, description: "" }));
}, []);

/** The properties that values of the property with this IRI have. */
export const getPropertiesOfValues = fetchOnce<VocabularyEntry[]>(async (property) => {
  const [{ rows }, vocabulary] = await Promise.all([select(valuePropertiesQuery(property)), getVocabulary()]);
  const entries = new Map(vocabulary.properties.map((entry) => [entry.iri, entry]));
  return rows.map(([value, count]): VocabularyEntry => (
    { label: "", description: "", ...entries.get(termText(value)), iri: termText(value), count: numericValue(count) ?? 0 }));
}, []);

/** The things whose names begin with or contain a text, the best first. */
export const findThings = fetchOnce<VocabularyEntry[]>(async (text) => {
  if (text.length < MIN_SEARCHED_CHARACTERS) return [];
  const response = await fetch(`/reconcile/suggest/entity?${new URLSearchParams({ prefix: text })}`);
  const { result } = await response.json();
  return result.map(({ id, name, description, notable }: Suggestion): VocabularyEntry => (
    { iri: `${baseIri()}id/${id}`, label: [name, notable?.[0]?.name].filter(Boolean).join(" · "), count: 0, description: description ?? "" }));
}, []);

/** A suggestion of the reconciliation service. */
interface Suggestion {
  id: string;
  name: string;
  description?: string;
  notable?: { name: string }[];
}

async function fetchVocabulary(): Promise<Vocabulary> {
  const [{ rows }, definitions] = await Promise.all([select(vocabularyQuery(baseIri(), document.documentElement.lang)), getDefinitions()]);
  const classes = new Map<string, VocabularyEntry>();
  const properties = new Map<string, VocabularyEntry>();
  const propertiesByClass = new Map<string, VocabularyEntry[]>();
  for (const [classTerm, instances, classLabel, property, statements, propertyLabel] of rows) {
    const [classIri, propertyIri] = [termText(classTerm), termText(property)];
    const count = numericValue(statements) ?? 0; // of the property with this class
    const entry = { iri: propertyIri, label: termText(propertyLabel), count, description: definitions.get(propertyIri) ?? "" };
    classes.set(classIri, { iri: classIri, label: termText(classLabel), count: numericValue(instances) ?? 0, description: definitions.get(classIri) ?? "" });
    propertiesByClass.set(classIri, [...(propertiesByClass.get(classIri) ?? []), entry]);
    properties.set(propertyIri, { ...entry, count: count + (properties.get(propertyIri)?.count ?? 0) });
  }
  return { classes: [...classes.values()], properties: [...properties.values()], propertiesByClass };
}

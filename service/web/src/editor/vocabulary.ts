/** What the graph says of itself: which classes have which properties, and how often (VoID). */

import { number, plain } from "../query/answer";
import { Question } from "../query/ask";
import { baseIri } from "../query/names";

/** A class or property with its label in the language of the page, and how many things or statements it has. */
export interface Entry {
  iri: string;
  label: string;
  count: number;
}

export interface Vocabulary {
  classes: Entry[];
  properties: Entry[];
  of: Map<string, Entry[]>; // properties by class
}

// Partitions of a class by the classes of its objects have no properties, and so are left out.
const QUERY = (base: string, language: string) => `PREFIX void: <http://rdfs.org/ns/void#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?class ?things ?classLabel ?property ?times ?propertyLabel WHERE {
  GRAPH <${base}graph/void> {
    ?part void:class ?class ; void:propertyPartition ?inner .
    ?inner void:property ?property ; void:triples ?times .
    OPTIONAL { ?part void:entities ?things }
  }
  OPTIONAL { GRAPH <${base}graph/ontology> { ?class rdfs:label ?classLabel } FILTER(LANG(?classLabel) = "${language}") }
  OPTIONAL { GRAPH <${base}graph/ontology> { ?property rdfs:label ?propertyLabel } FILTER(LANG(?propertyLabel) = "${language}") }
}`;

let loading: Promise<Vocabulary> | undefined;

/** The vocabulary, asked for once; an empty one where the graph does not describe itself. */
export function vocabulary(): Promise<Vocabulary> {
  loading ??= load().catch(() => ({ classes: [], properties: [], of: new Map() }));
  return loading;
}

async function load(): Promise<Vocabulary> {
  const query = QUERY(baseIri(), document.documentElement.lang);
  const { answer } = await new Question().ask(new URLSearchParams({ query }));
  const classes = new Map<string, Entry>();
  const properties = new Map<string, Entry>();
  const of = new Map<string, Entry[]>();
  for (const [class_, things, classLabel, property, times, propertyLabel] of answer.rows) {
    const count = number(times) ?? 0;
    const entry = { iri: plain(property), label: plain(propertyLabel), count };
    classes.set(plain(class_), { iri: plain(class_), label: plain(classLabel), count: number(things) ?? 0 });
    of.set(plain(class_), [...(of.get(plain(class_)) ?? []), entry]);
    properties.set(entry.iri, { ...entry, count: count + (properties.get(entry.iri)?.count ?? 0) });
  }
  return { classes: [...classes.values()], properties: [...properties.values()], of };
}

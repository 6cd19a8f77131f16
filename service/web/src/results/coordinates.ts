/** The places of a result: coordinates that it has itself, or that the graph has for its resources. */

import { type QueryResult, numericValue, type Row, type Term, termText } from "../query/result";
import { QueryRequest } from "../query/request";

export interface Place {
  term: Term | undefined; // undefined if the result has only coordinates
  row: Row;
  longitude: number;
  latitude: number;
}

const MAX_RESOURCES = 500; // of one result, for which the graph is asked
const WKT_POINT = /^\s*(?:<[^>]*>\s*)?POINT\s*Z?\s*\(\s*(-?[\d.]+)\s+(-?[\d.]+)/i;
const LATITUDE_NAME = /^(.*?)_?(?:lat|latitude)$/i;
const LONGITUDE_NAME = /^(.*?)_?(?:lon|lng|long|longitude)$/i;

const coordinatesQuery = (iris: string[]) => `PREFIX geo: <http://www.w3.org/2003/01/geo/wgs84_pos#>
PREFIX geosparql: <http://www.opengis.net/ont/geosparql#>
PREFIX schema: <https://schema.org/>
SELECT ?resource ?latitude ?longitude ?point WHERE {
  VALUES ?resource { ${iris.map((iri) => `<${iri}>`).join(" ")} }
  { ?resource geo:lat|schema:latitude|schema:geo/schema:latitude ?latitude ; geo:long|schema:longitude|schema:geo/schema:longitude ?longitude }
  UNION
  { ?resource geosparql:asWKT|geosparql:hasGeometry/geosparql:asWKT ?point }
}`;

const foundPlaces = new WeakMap<QueryResult, Promise<Place[]>>();

/** The places of a result, each resource and row once. The service is asked once for each result. */
export function findPlaces(result: QueryResult): Promise<Place[]> {
  const placesInResult = result.rows.flatMap((row) => readRowPlaces(result, row));
  const places = foundPlaces.get(result) ?? (placesInResult.length ? Promise.resolve(placesInResult) : findPlacesOfResources(result));
  foundPlaces.set(result, places);
  return places;
}

/** The places whose coordinates are in a row: WKT points, and pairs of columns such as `lat` and `long`. */
function readRowPlaces(result: QueryResult, row: Row): Place[] {
  const term = row.find((value) => value?.type === "uri");
  const points = row.flatMap((value) => (value?.type === "literal" ? parsePoint(value.value) : []));
  const pairs = result.names.flatMap((name, column) => {
    const stem = LATITUDE_NAME.exec(name)?.[1];
    const longitudeColumn = stem === undefined ? -1 : result.names.findIndex((other) => LONGITUDE_NAME.exec(other)?.[1] === stem);
    return makePoint(numericOf(row[longitudeColumn]), numericOf(row[column]), longitudeColumn >= 0);
  });
  return [...points, ...pairs].map((point) => ({ term, row, ...point }));
}

/** The places of the resources of a result, with coordinates from the graph. */
async function findPlacesOfResources(result: QueryResult): Promise<Place[]> {
  const rowsByIri = new Map<string, { term: Term; row: Row }>();
  for (const row of result.rows) {
    for (const term of row) if (term?.type === "uri" && !rowsByIri.has(term.value) && /^[^\s<>"{}|\\^`]+$/.test(term.value)) rowsByIri.set(term.value, { term, row });
  }
  const iris = [...rowsByIri.keys()].slice(0, MAX_RESOURCES);
  if (!iris.length) return [];
  const { result: coordinates } = await new QueryRequest().send(new URLSearchParams({ query: coordinatesQuery(iris) }));
  const places = new Map<string, Place>(); // a resource with several coordinates is shown once
  for (const [resource, latitude, longitude, point] of coordinates.rows) {
    const entry = rowsByIri.get(termText(resource));
    const [position] = point ? parsePoint(termText(point)) : makePoint(numericOf(longitude), numericOf(latitude));
    if (entry && position) places.set(termText(resource), { ...entry, ...position });
  }
  return [...places.values()];
}

/** Whether a text is a point in WKT. */
export const isPoint = (text: string) => WKT_POINT.test(text);

type Position = Pick<Place, "longitude" | "latitude">;

function parsePoint(text: string): Position[] {
  const match = WKT_POINT.exec(text);
  return match ? makePoint(Number(match[1]), Number(match[2])) : [];
}

/** The position, or nothing if it is not on the globe. */
function makePoint(longitude: number, latitude: number, isPair = true): Position[] {
  return isPair && Math.abs(longitude) <= 180 && Math.abs(latitude) <= 90 ? [{ longitude, latitude }] : [];
}

/** The number that a literal of any datatype states; NaN for other terms. */
function numericOf(term: Term | undefined): number {
  return numericValue(term) ?? (term?.type === "literal" && term.value.trim() ? Number(term.value) : Number.NaN);
}

/** A result as a map of its places. The picture is loaded when it is shown. */

import type { QueryResult } from "../query/result";
import { numericValue, termText } from "../query/result";
import { fetchLabels } from "../query/labels";
import { h } from "../page/dom";
import { formatMessage } from "../page/messages";
import { findPlaces, isPoint, type Place } from "./coordinates";
import { termName } from "./terms";

/** Whether a result has places. */
export async function hasMap(result: QueryResult): Promise<boolean> {
  return (await findPlaces(result)).length > 0;
}

/** The map, with a list of its places; a message if the result has none. */
export async function createMap(result: QueryResult): Promise<HTMLElement> {
  const places = await findPlaces(result);
  if (!places.length) return h("p", {}, formatMessage("no-places"));
  const iris = places.flatMap(({ term }) => (term?.type === "uri" ? [term.value] : []));
  const [labels, { drawMap }] = await Promise.all([fetchLabels(iris), import("./map-picture")]);
  const namePlace = (place: Place) => labels.get(termText(place.term))?.text || (place.term ? termName(place.term) : describeRow(place));
  return drawMap(places.map((place) => ({ ...place, name: namePlace(place) })), result.rows.length);
}

/** The first text of the row of a place that is no coordinate; without one, the coordinates. */
function describeRow({ row, latitude, longitude }: Place): string {
  const text = row.find((term) => term?.type === "literal" && numericValue(term) === undefined && !isPoint(term.value));
  return text ? termText(text) : `${latitude}, ${longitude}`;
}

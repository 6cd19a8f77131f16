/** The picture of a map: outlines of countries (Natural Earth) with the places as links, and the list of places beside it. */

import { geoEqualEarth, geoGraticule10, geoPath } from "d3-geo";
import { zoomIdentity, type ZoomTransform } from "d3-zoom";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import world from "world-atlas/countries-110m.json";
import { h, svg } from "../page/dom";
import { formatMessage } from "../page/messages";
import type { Place } from "./coordinates";
import { linkSvg, renderNamedTerm } from "./terms";
import { makeZoomable } from "./zoom";

const MAX_WIDTH = 960;
const ASPECT_RATIO = 0.487; // of the projection
const POINT_RADIUS = 6;
const MAX_PLACES = 500;
const MAX_NAME_CHARACTERS = 40;
const CHARACTER_WIDTH = 8;

type NamedPlace = Place & { name: string };

const topology = world as unknown as Topology<{ countries: GeometryCollection; land: GeometryCollection }>;

/** The map of these places, with its buttons and the list. */
export function drawMap(allPlaces: NamedPlace[], rowCount: number): HTMLElement {
  const places = allPlaces.slice(0, MAX_PLACES);
  const width = Math.min(MAX_WIDTH, innerWidth - 32); // one unit is about a pixel, so that names have the size of the text
  const height = Math.round(width * ASPECT_RATIO);
  const projection = geoEqualEarth().fitSize([width, height], { type: "Sphere" });
  const path = geoPath(projection);
  const outlines = svg("g", {},
    svg("path", { class: "sea", d: path({ type: "Sphere" }) ?? "" }),
    svg("path", { class: "grid", d: path(geoGraticule10()) ?? "" }),
    svg("path", { class: "land", d: path(feature(topology, topology.objects.land)) ?? "" }),
    svg("path", { class: "border", d: path(mesh(topology, topology.objects.countries, (left, right) => left !== right)) ?? "" }));
  const points = places.map((place) => drawPoint(place, projection([place.longitude, place.latitude])!, width));
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "map", role: "group", "aria-label": formatMessage("map-of") }, outlines, svg("g", {}, ...points.map(({ element }) => element)));
  const draw = (transform: ZoomTransform) => {
    outlines.setAttribute("transform", transform.toString());
    outlines.setAttribute("stroke-width", (0.7 / transform.k).toFixed(3));
    for (const { element, position } of points) element.setAttribute("transform", `translate(${transform.apply(position).map((value) => value.toFixed(1)).join()})`);
  };
  const controls = makeZoomable(picture, { width, height, onZoom: draw });
  draw(zoomIdentity);
  const items = places.map((place, index) => {
    const light = (isLit: boolean) => points[index]!.element.classList.toggle("lit", isLit);
    return h("li", { focusin: () => light(true), focusout: () => light(false), mouseenter: () => light(true), mouseleave: () => light(false) }, renderPlace(place));
  });
  const caption = formatMessage("map", { places: places.length, rows: rowCount });
  const list = h("details", { open: true }, h("summary", {}, formatMessage("places", { count: places.length })), h("ul", {}, ...items));
  return h("figure", { class: "figure" }, h("figcaption", {}, caption), controls, h("div", { class: "mapped" }, picture, list));
}

function renderPlace({ term, name }: NamedPlace): Node {
  return term ? renderNamedTerm(term, name) : h("bdi", {}, name);
}

function drawPoint(place: NamedPlace, position: [number, number], width: number): { element: SVGElement; position: [number, number] } {
  const name = place.name.length > MAX_NAME_CHARACTERS ? `${place.name.slice(0, MAX_NAME_CHARACTERS - 1)}…` : place.name;
  const halfWidth = (name.length * CHARACTER_WIDTH) / 2;
  const anchor = position[0] < halfWidth ? "start" : position[0] > width - halfWidth ? "end" : "middle";
  const children = [svg("title", {}, place.name), svg("circle", { r: String(POINT_RADIUS) }), svg("text", { y: String(-POINT_RADIUS - 5), "text-anchor": anchor }, name)];
  const element = place.term ? linkSvg(place.term, ...children) : svg("g", {}, ...children);
  return { element, position };
}

/** Things and how they are tied, as a picture: those that are tied stand near. */

import { type Answer, type Row, type Term } from "../query/answer";
import { h, svg } from "../page/dom";
import { say } from "../page/words";
import { called, linked } from "./terms";

const MOST = 80; // things in a picture
const STEPS = 300;
const [WIDTH, HEIGHT] = [960, 640];

interface Thing {
  term: Term;
  x: number;
  y: number;
}

interface Tie {
  from: string;
  to: string;
  name: string;
}

const isThing = (term: Term | undefined) => term?.type === "uri" || term?.type === "bnode";

/** The columns that are tied: both ends of triples, or the first two of things in a table. */
function ends(answer: Answer): [number, number] | undefined {
  if (answer.form === "graph") return [0, 2];
  const found = [...answer.names.keys()].filter((at) => answer.rows.some((row) => row[at]) && answer.rows.every((row) => !row[at] || isThing(row[at])));
  return found.length > 1 ? [found[0]!, found[1]!] : undefined;
}

/** Whether there are things that are tied to others. */
export function hasNetwork(answer: Answer): boolean {
  const both = ends(answer);
  return both !== undefined && answer.rows.some((row) => both.every((at) => isThing(row[at])));
}

/** The element that shows the things and their ties. */
export function network(answer: Answer): HTMLElement {
  const [from, to] = ends(answer)!;
  const things = new Map<string, Thing>();
  const ties: Tie[] = [];
  const tied = answer.rows.filter((row) => isThing(row[from]) && isThing(row[to]));
  const all = new Set(tied.flatMap((row) => [called(row[from]), called(row[to])])).size;
  for (const row of tied) tie(row, from, to, answer.form === "graph", things, ties);
  arrange(things, ties);
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "network", role: "group", "aria-label": say("graph-of") },
    ...ties.map((one) => line(things.get(one.from)!, things.get(one.to)!, one.name)),
    ...[...things].map(([name, thing]) => node(name, thing)),
  );
  const note = say("graph", { things: things.size, all, ties: ties.length });
  return h("figure", { class: "figure" }, h("figcaption", {}, note), picture);
}

function tie(row: Row, from: number, to: number, named: boolean, things: Map<string, Thing>, ties: Tie[]): void {
  const names = [from, to].map((at) => called(row[at]));
  const fresh = new Set(names.filter((name) => !things.has(name)));
  if (things.size + fresh.size > MOST) return;
  [from, to].forEach((at, index) => {
    const name = names[index]!;
    if (!things.has(name)) things.set(name, { term: row[at]!, ...start(things.size) });
  });
  ties.push({ from: names[0]!, to: names[1]!, name: named ? called(row[1]) : "" });
}

/** On a spiral, so that the same answer always gives the same picture. */
function start(index: number): { x: number; y: number } {
  const [angle, radius] = [index * 2.4, 25 * Math.sqrt(index + 1)];
  return { x: WIDTH / 2 + radius * Math.cos(angle), y: HEIGHT / 2 + radius * Math.sin(angle) };
}

/** Move the things by the forces of Fruchterman and Reingold, ever less, and then into the picture. */
function arrange(things: Map<string, Thing>, ties: Tie[]): void {
  const all = [...things.values()];
  const wish = 0.75 * Math.sqrt((WIDTH * HEIGHT) / Math.max(all.length, 1));
  for (let step = 0; step < STEPS; step++) {
    const moves = new Map(all.map((one) => [one, { x: 0, y: 0 }]));
    const force = (one: Thing, other: Thing, strength: (distance: number) => number) => {
      const [x, y] = [one.x - other.x, one.y - other.y];
      const distance = Math.max(Math.hypot(x, y), 0.1);
      const share = strength(distance) / distance;
      moves.get(one)!.x += x * share;
      moves.get(one)!.y += y * share;
      moves.get(other)!.x -= x * share;
      moves.get(other)!.y -= y * share;
    };
    all.forEach((one, at) => all.slice(at + 1).forEach((other) => force(one, other, (distance) => wish ** 2 / distance)));
    for (const { from, to } of ties) force(things.get(from)!, things.get(to)!, (distance) => -(distance ** 2) / wish);
    const heat = (WIDTH / 12) * (1 - step / STEPS);
    for (const [one, { x, y }] of moves) {
      const length = Math.max(Math.hypot(x, y), 0.1);
      one.x += (x / length) * Math.min(length, heat) - (one.x - WIDTH / 2) * 0.01;
      one.y += (y / length) * Math.min(length, heat) - (one.y - HEIGHT / 2) * 0.01;
    }
  }
  fit(all, "x", 120, WIDTH - 120);
  fit(all, "y", 30, HEIGHT - 30);
}

function fit(all: Thing[], axis: "x" | "y", least: number, most: number): void {
  const values = all.map((one) => one[axis]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  for (const one of all) one[axis] = high > low ? least + ((one[axis] - low) / (high - low)) * (most - least) : (least + most) / 2;
}

function line(from: Thing, to: Thing, name: string): SVGElement {
  const given = { x1: String(from.x), y1: String(from.y), x2: String(to.x), y2: String(to.y) };
  return svg("line", given, name ? svg("title", {}, name) : undefined);
}

function node(name: string, { term, x, y }: Thing): SVGElement {
  const dot = svg("circle", { cx: String(x), cy: String(y), r: "5" });
  const short = name.length > 32 ? `${name.slice(0, 31)}…` : name;
  const text = svg("text", { x: String(x), y: String(y - 9), "text-anchor": "middle" }, short);
  return linked(term, svg("title", {}, name), dot, text);
}

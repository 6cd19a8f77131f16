/** A result as a network diagram, with a force-directed layout. */

import { type QueryResult, type Row, type Term } from "../query/result";
import { h, svg } from "../page/dom";
import { formatMessage } from "../page/messages";
import { termName, linkSvg } from "./terms";

const MAX_NODES = 80; // in a diagram; rows with more nodes are left out
const LAYOUT_STEPS = 300;
const [WIDTH, HEIGHT] = [960, 640]; // units of the SVG viewBox

interface NetworkNode {
  term: Term;
  x: number;
  y: number;
}

interface NetworkEdge {
  from: string; // name of a node
  to: string; // name of a node
  name: string; // of the predicate, empty in a table
}

const isResource = (term: Term | undefined) => term?.type === "uri" || term?.type === "bnode";

/** The columns of the two ends of an edge: subject and object, or the first two columns of resources in a table. */
function findEndColumns(result: QueryResult): [number, number] | undefined {
  if (result.form === "graph") return [0, 2];
  const columns = [...result.names.keys()].filter((column) => result.rows.some((row) => row[column]) && result.rows.every((row) => !row[column] || isResource(row[column])));
  return columns.length > 1 ? [columns[0]!, columns[1]!] : undefined;
}

/** Whether a result has a row with two resources, which are the ends of an edge. */
export function hasNetwork(result: QueryResult): boolean {
  const endColumns = findEndColumns(result);
  return endColumns !== undefined && result.rows.some((row) => endColumns.every((column) => isResource(row[column])));
}

/** The diagram, with a caption. */
export function createNetwork(result: QueryResult): HTMLElement {
  const [from, to] = findEndColumns(result)!;
  const nodes = new Map<string, NetworkNode>();
  const edges: NetworkEdge[] = [];
  const edgeRows = result.rows.filter((row) => isResource(row[from]) && isResource(row[to]));
  const nodeCount = new Set(edgeRows.flatMap((row) => [termName(row[from]), termName(row[to])])).size;
  for (const row of edgeRows) addEdge(row, from, to, result.form === "graph", nodes, edges);
  layOutNodes(nodes, edges);
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "network", role: "group", "aria-label": formatMessage("graph-of") },
    ...edges.map((edge) => drawEdge(nodes.get(edge.from)!, nodes.get(edge.to)!, edge.name)),
    ...[...nodes].map(([name, node]) => drawNode(name, node)),
  );
  const note = formatMessage("graph", { things: nodes.size, all: nodeCount, ties: edges.length });
  return h("figure", { class: "figure" }, h("figcaption", {}, note), picture);
}

/** Add the edge of a row and its nodes, unless the diagram would have more than MAX_NODES. */
function addEdge(row: Row, from: number, to: number, hasLabels: boolean, nodes: Map<string, NetworkNode>, edges: NetworkEdge[]): void {
  const names = [from, to].map((column) => termName(row[column]));
  const newNames = new Set(names.filter((name) => !nodes.has(name)));
  if (nodes.size + newNames.size > MAX_NODES) return;
  [from, to].forEach((column, index) => {
    const name = names[index]!;
    if (!nodes.has(name)) nodes.set(name, { term: row[column]!, ...initialPosition(nodes.size) });
  });
  edges.push({ from: names[0]!, to: names[1]!, name: hasLabels ? termName(row[1]) : "" });
}

/** The initial position of a node: on a spiral, so that equal results have equal diagrams. */
function initialPosition(index: number): { x: number; y: number } {
  const [angle, radius] = [index * 2.4, 25 * Math.sqrt(index + 1)]; // 2.4 rad, the golden angle, spreads the nodes evenly
  return { x: WIDTH / 2 + radius * Math.cos(angle), y: HEIGHT / 2 + radius * Math.sin(angle) };
}

/** Lay out the nodes by the forces of Fruchterman and Reingold, in decreasing steps, scaled to the diagram. */
function layOutNodes(nodes: Map<string, NetworkNode>, edges: NetworkEdge[]): void {
  const allNodes = [...nodes.values()];
  const idealDistance = 0.75 * Math.sqrt((WIDTH * HEIGHT) / Math.max(allNodes.length, 1));
  for (let step = 0; step < LAYOUT_STEPS; step++) {
    const moves = new Map(allNodes.map((node) => [node, { x: 0, y: 0 }]));
    const force = (node: NetworkNode, other: NetworkNode, strength: (distance: number) => number) => {
      const [x, y] = [node.x - other.x, node.y - other.y];
      const distance = Math.max(Math.hypot(x, y), 0.1);
      const share = strength(distance) / distance;
      moves.get(node)!.x += x * share;
      moves.get(node)!.y += y * share;
      moves.get(other)!.x -= x * share;
      moves.get(other)!.y -= y * share;
    };
    allNodes.forEach((node, index) => allNodes.slice(index + 1).forEach((other) => force(node, other, (distance) => idealDistance ** 2 / distance)));
    for (const { from, to } of edges) force(nodes.get(from)!, nodes.get(to)!, (distance) => -(distance ** 2) / idealDistance);
    const maxMove = (WIDTH / 12) * (1 - step / LAYOUT_STEPS);
    // A weak pull to the center keeps unconnected parts together.
    for (const [node, { x, y }] of moves) {
      const length = Math.max(Math.hypot(x, y), 0.1);
      node.x += (x / length) * Math.min(length, maxMove) - (node.x - WIDTH / 2) * 0.01;
      node.y += (y / length) * Math.min(length, maxMove) - (node.y - HEIGHT / 2) * 0.01;
    }
  }
  scaleToRange(allNodes, "x", 120, WIDTH - 120); // the margins leave room for the names of nodes
  scaleToRange(allNodes, "y", 30, HEIGHT - 30);
}

function scaleToRange(nodes: NetworkNode[], axis: "x" | "y", minimum: number, maximum: number): void {
  const values = nodes.map((node) => node[axis]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  for (const node of nodes) node[axis] = high > low ? minimum + ((node[axis] - low) / (high - low)) * (maximum - minimum) : (minimum + maximum) / 2;
}

function drawEdge(from: NetworkNode, to: NetworkNode, name: string): SVGElement {
  const attributes = { x1: String(from.x), y1: String(from.y), x2: String(to.x), y2: String(to.y) };
  return svg("line", attributes, name ? svg("title", {}, name) : undefined);
}

function drawNode(name: string, { term, x, y }: NetworkNode): SVGElement {
  const dot = svg("circle", { cx: String(x), cy: String(y), r: "5" });
  const short = name.length > 32 ? `${name.slice(0, 31)}…` : name;
  const text = svg("text", { x: String(x), y: String(y - 9), "text-anchor": "middle" }, short);
  return linkSvg(term, svg("title", {}, name), dot, text);
}

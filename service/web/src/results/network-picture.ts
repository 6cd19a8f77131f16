/** The picture of a network, with a force-directed layout; names that would overlap appear under the mouse or on zoom. */

import { drag } from "d3-drag";
import { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY, type SimulationLinkDatum, type SimulationNodeDatum } from "d3-force";
import { select } from "d3-selection";
import { zoomIdentity, type ZoomTransform } from "d3-zoom";
import { h, svg } from "../page/dom";
import { formatMessage } from "../page/messages";
import type { Network, NetworkNode } from "./network";
import { linkSvg, renderNamedTerm } from "./terms";
import { makeZoomable } from "./zoom";

const LAYOUT_STEPS = 300;
const MARGIN = 40; // between the nodes and the edge of the picture
const MAX_NAME_CHARACTERS = 40;
const MAX_NAMES = 15; // that are shown at once, without zoom
const MIN_TIES_OF_HUB = 3; // in a network with more nodes than MAX_NAMED_NODES, only hubs are named
const MAX_NAMED_NODES = 40;
const [CHARACTER_WIDTH, LINE_HEIGHT] = [7.2, 18]; // of names, about

interface PlacedNode extends NetworkNode, SimulationNodeDatum {
  element: SVGElement; // its circle, in a link if it has an address
  label: SVGElement; // its name, above all circles
  radius: number;
}
type PlacedTie = SimulationLinkDatum<PlacedNode> & { element: SVGElement };

/** The picture with its buttons, and the list of things. */
export function drawNetwork(network: Network): HTMLElement {
  const picture = new NetworkPicture(network);
  const caption = formatMessage("graph", { things: network.nodes.length, all: network.nodeCount, ties: network.ties.length });
  return h("figure", { class: "figure" }, h("figcaption", {}, caption), picture.controls, picture.element, picture.createList());
}

class NetworkPicture {
  readonly element: SVGSVGElement;
  readonly controls: HTMLElement;
  // One unit is about a pixel, so that names have the size of the text.
  private readonly width = Math.min(960, innerWidth - 32);
  private readonly height = Math.round(this.width * (this.width < 600 ? 1.2 : 0.66));
  private readonly nodes: PlacedNode[];
  private readonly ties: PlacedTie[];
  private transform: ZoomTransform = zoomIdentity;

  constructor(network: Network) {
    this.nodes = network.nodes.map((node) => this.createNode(node));
    this.ties = network.ties.map((tie) => ({ ...tie, element: svg("line", {}, tie.name ? svg("title", {}, tie.name) : undefined) }));
    this.layOut();
    this.fitToPicture();
    this.element = svg("svg", { viewBox: `0 0 ${this.width} ${this.height}`, class: "network", role: "group", "aria-label": formatMessage("graph-of") },
      svg("g", {}, ...this.ties.map(({ element }) => element)), svg("g", {}, ...this.nodes.map(({ element }) => element)),
      svg("g", { "aria-hidden": "true" }, ...this.nodes.map(({ label }) => label)));
    this.controls = makeZoomable(this.element, { width: this.width, height: this.height, onZoom: (transform) => this.draw(transform) });
    this.makeDraggable();
    this.draw(zoomIdentity);
  }

  /** The list of things, which is for the keyboard: focus on one shows it and its ties in the picture. */
  createList(): HTMLElement {
    const nodes = this.nodes.toSorted((left, right) => right.tieCount - left.tieCount);
    const items = nodes.map((node) => h("li", {
      focusin: () => this.highlight(node), focusout: () => this.highlight(undefined),
      mouseenter: () => this.highlight(node), mouseleave: () => this.highlight(undefined),
    }, renderNamedTerm(node.term, node.name), " ", h("span", { class: "mark" }, formatMessage("tie-count", { count: node.tieCount }))));
    return h("details", {}, h("summary", {}, formatMessage("things", { count: nodes.length })), h("ul", { class: "columns" }, ...items));
  }

  private createNode(node: NetworkNode): PlacedNode {
    const radius = Math.min(12, 4 + 1.5 * Math.sqrt(node.tieCount));
    const shownName = node.name.length > MAX_NAME_CHARACTERS ? `${node.name.slice(0, MAX_NAME_CHARACTERS - 1)}…` : node.name;
    const label = svg("text", { "text-anchor": "middle" }, shownName);
    const element = linkSvg(node.term, svg("title", {}, node.name), svg("circle", { r: String(radius) }));
    element.setAttribute("tabindex", "-1"); // the list below is for the keyboard
    const placedNode = { ...node, element, label, radius };
    element.addEventListener("pointerenter", () => this.highlight(placedNode));
    element.addEventListener("pointerleave", () => this.highlight(undefined));
    return placedNode;
  }

  private layOut(): void {
    const gravity = 0.08; // keeps parts that no tie connects together
    forceSimulation<PlacedNode>(this.nodes)
      .force("tie", forceLink<PlacedNode, PlacedTie>(this.ties).id((node) => node.id).distance(70))
      .force("charge", forceManyBody().strength(-200).distanceMax(400))
      .force("space", forceCollide<PlacedNode>((node) => node.radius + 8))
      .force("x", forceX(this.width / 2).strength((gravity * this.height) / this.width))
      .force("y", forceY(this.height / 2).strength(gravity))
      .stop()
      .tick(LAYOUT_STEPS);
  }

  /** Scale the positions so that all nodes are in the picture. */
  private fitToPicture(): void {
    const range = (values: number[]) => ({ low: Math.min(...values), high: Math.max(...values) });
    const [x, y] = [range(this.nodes.map((node) => node.x!)), range(this.nodes.map((node) => node.y!))];
    const scale = Math.min(1.5, (this.width - 2 * MARGIN) / (x.high - x.low || 1), (this.height - 2 * MARGIN) / (y.high - y.low || 1));
    for (const node of this.nodes) {
      node.x = this.width / 2 + (node.x! - (x.low + x.high) / 2) * scale;
      node.y = this.height / 2 + (node.y! - (y.low + y.high) / 2) * scale;
    }
  }

  private makeDraggable(): void {
    for (const node of this.nodes) {
      // The position of the pointer without the zoom.
      const behavior = drag<SVGElement, unknown>()
        .container(this.element)
        .clickDistance(4)
        .on("drag", (event: { x: number; y: number; sourceEvent: Event }) => {
          [node.x, node.y] = this.transform.invert([event.x, event.y]);
          this.draw(this.transform);
        });
      behavior.subject(() => { const [x, y] = this.transform.apply([node.x!, node.y!]); return { x, y }; });
      select(node.element as SVGElement).call(behavior);
    }
  }

  private draw(transform: ZoomTransform): void {
    this.transform = transform;
    const position = (node: PlacedNode) => transform.apply([node.x!, node.y!]);
    for (const { source, target, element } of this.ties) {
      const [[x1, y1], [x2, y2]] = [position(source as PlacedNode), position(target as PlacedNode)];
      for (const [name, value] of Object.entries({ x1, y1, x2, y2 })) element.setAttribute(name, value.toFixed(1));
    }
    const takenBoxes: { x: number; y: number; halfWidth: number }[] = [];
    // The names of the nodes with most ties first, as far as there is room.
    for (const node of this.nodes.toSorted((left, right) => right.tieCount - left.tieCount)) {
      const [x, y] = position(node);
      node.element.setAttribute("transform", `translate(${x.toFixed(1)},${y.toFixed(1)})`);
      const halfWidth = (Math.min(node.name.length, MAX_NAME_CHARACTERS) * CHARACTER_WIDTH) / 2;
      // A name at the edge of the picture begins or ends there.
      const box = { x: x < 0 || x > this.width ? x : Math.max(halfWidth, Math.min(this.width - halfWidth, x)), y: y - node.radius - 5, halfWidth };
      const isHub = node.tieCount >= MIN_TIES_OF_HUB || this.nodes.length <= MAX_NAMED_NODES || transform.k > 2;
      const hasRoom = isHub && takenBoxes.length < MAX_NAMES * transform.k && takenBoxes.every((other) => Math.abs(other.x - box.x) > other.halfWidth + box.halfWidth || Math.abs(other.y - box.y) > LINE_HEIGHT);
      if (hasRoom) takenBoxes.push(box);
      node.label.classList.toggle("named", hasRoom);
      node.label.setAttribute("x", box.x.toFixed(1));
      node.label.setAttribute("y", box.y.toFixed(1));
    }
  }

  /** Show the names of a node and its neighbors, and dim all others; without a node, undo it. */
  private highlight(node: PlacedNode | undefined): void {
    const neighbors = new Set<PlacedNode | undefined>([node]);
    for (const tie of this.ties) {
      const ends = [tie.source, tie.target] as PlacedNode[];
      const isOfNode = node !== undefined && ends.includes(node);
      if (isOfNode) ends.forEach((end) => neighbors.add(end));
      tie.element.classList.toggle("dim", node !== undefined && !isOfNode);
    }
    for (const other of this.nodes) {
      const isLit = node !== undefined && neighbors.has(other);
      for (const element of [other.element, other.label]) {
        element.classList.toggle("lit", isLit);
        element.classList.toggle("dim", node !== undefined && !isLit);
      }
    }
  }
}

/** A result as a network of things: which they are, and which ties connect them. The picture is loaded when it is shown. */

import { type QueryResult, termText, type Row, type Term } from "../query/result";
import { fetchLabels } from "../query/labels";
import { termName } from "./terms";

const MAX_NODES = 200; // of a network; rows with more things are left out

export interface NetworkNode {
  id: string;
  term: Term;
  name: string;
  tieCount: number;
}

export interface NetworkTie {
  source: string; // id of a node
  target: string; // id of a node
  name: string; // of the predicate, empty in a table
}

export interface Network {
  nodes: NetworkNode[];
  ties: NetworkTie[];
  nodeCount: number; // including those that are left out
}

const isResource = (term: Term | undefined) => term?.type === "uri" || term?.type === "bnode";

/** The columns of the two ends of a tie: subject and object, or the first two columns of resources in a table. */
function findEndColumns(result: QueryResult): [number, number] | undefined {
  if (result.form === "graph") return [0, 2];
  const columns = [...result.names.keys()].filter((column) => result.rows.some((row) => row[column]) && result.rows.every((row) => !row[column] || isResource(row[column])));
  return columns.length > 1 ? [columns[0]!, columns[1]!] : undefined;
}

/** Whether a result has a row with two resources, which are the ends of a tie. */
export function hasNetwork(result: QueryResult): boolean {
  const endColumns = findEndColumns(result);
  return endColumns !== undefined && result.rows.some((row) => endColumns.every((column) => isResource(row[column])));
}

/** The picture of the network, with a list of its things. */
export async function createNetwork(result: QueryResult): Promise<HTMLElement> {
  const network = readNetwork(result);
  const iris = network.nodes.filter(({ term }) => term.type === "uri").map(({ term }) => termText(term));
  const properties = network.ties.map(({ name }) => name).filter(Boolean);
  const [labels, { drawNetwork }] = await Promise.all([fetchLabels([...iris, ...properties]), import("./network-picture")]);
  for (const node of network.nodes) node.name = labels.get(node.id)?.text || termName(node.term);
  for (const tie of network.ties) tie.name = labels.get(tie.name)?.text || termName({ type: "uri", value: tie.name });
  return drawNetwork(network);
}

function readNetwork(result: QueryResult): Network {
  const [from, to] = findEndColumns(result)!;
  const nodes = new Map<string, NetworkNode>();
  const ties: NetworkTie[] = [];
  const tieRows = result.rows.filter((row) => isResource(row[from]) && isResource(row[to]));
  for (const row of tieRows) addTie(row, from, to, result.form === "graph", nodes, ties);
  return { nodes: [...nodes.values()], ties, nodeCount: new Set(tieRows.flatMap((row) => [nodeId(row[from]!), nodeId(row[to]!)])).size };
}

/** Add the tie of a row and its nodes, unless the network would have more than MAX_NODES. */
function addTie(row: Row, from: number, to: number, hasPredicate: boolean, nodes: Map<string, NetworkNode>, ties: NetworkTie[]): void {
  const ends = [row[from]!, row[to]!];
  const newIds = new Set(ends.map(nodeId).filter((id) => !nodes.has(id)));
  if (nodes.size + newIds.size > MAX_NODES) return;
  for (const term of ends) {
    const id = nodeId(term);
    nodes.set(id, { term, id, name: termName(term), tieCount: (nodes.get(id)?.tieCount ?? 0) + 1 });
  }
  ties.push({ source: nodeId(ends[0]!), target: nodeId(ends[1]!), name: hasPredicate ? termText(row[1]) : "" });
}

const nodeId = (term: Term) => (term.type === "bnode" ? `_:${term.value}` : termText(term));

/** A result whose resources have names: from a column of labels, or from the graph. */

import { fetchLabels } from "../query/labels";
import { splitIris, type QueryResult, type Row, type Term } from "../query/result";

const LABEL_SUFFIX = "Label"; // of the column with the labels of another column, as at the Wikidata Query Service
const LABEL_SEPARATOR = " | "; // in the label of a list
const MAX_FETCHED_LABELS = 2_000; // of a result; further resources are shown by their addresses

/** The result with each column `x` and its column `xLabel` as one: its resources have the labels. */
export function foldLabelColumns(result: QueryResult): QueryResult {
  const labelColumns = result.names.map((name, column) => {
    const labelColumn = result.names.indexOf(name + LABEL_SUFFIX);
    return labelColumn >= 0 && result.rows.every((row) => canHaveLabel(row[column])) ? labelColumn : -1;
  });
  const columns = [...result.names.keys()].filter((column) => !labelColumns.includes(column));
  if (columns.length === result.names.length) return result;
  const foldRow = (row: Row) => columns.map((column) => addLabel(row[column], row[labelColumns[column]!]));
  return { ...result, names: columns.map((column) => result.names[column]!), rows: result.rows.map(foldRow) };
}

/** Fetch the labels of the resources in a result that have none. */
export async function fetchNames(result: QueryResult): Promise<void> {
  const iris = new Set(result.rows.flatMap((row) => row.flatMap((term) => (term && !("label" in term && term.label) ? splitIris(term) : []))));
  await fetchLabels([...iris].slice(0, MAX_FETCHED_LABELS));
}

/** Whether a term is a resource or a list of them, or says nothing to readers. */
function canHaveLabel(term: Term | undefined): boolean {
  return !term || term.type === "bnode" || (term.type === "literal" && !term.value) || splitIris(term).length > 0;
}

function addLabel(term: Term | undefined, label: Term | undefined): Term | undefined {
  if (label?.type !== "literal" || !label.value) return term;
  if (term?.type === "uri") return { ...term, label: { text: label.value, language: label["xml:lang"] } };
  const iris = term ? splitIris(term) : [];
  const texts = label.value.split(LABEL_SEPARATOR);
  if (term?.type === "literal" && iris.length && iris.length === texts.length) return { ...term, labels: texts };
  return iris.length ? term : label;
}

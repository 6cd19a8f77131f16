/** A result as a matrix (cross table) of two columns: per pair of values the number of rows, or a third column. */

import { type QueryResult, columnsWhere, numericValue, type Row, type Term } from "../query/result";
import { selectField, h } from "../page/dom";
import { formatNumber, formatMessage } from "../page/messages";
import { termName, renderTerm } from "./terms";

const MAX_CROSSED_VALUES = 60; // distinct values of a column

// The distinct terms of a column by name.
const distinctTerms = (result: QueryResult, column: number) => new Map(result.rows.map((row) => [termName(row[column]), row[column]]));

// The columns for the headers: not numbers, with repeated values, and neither one nor too many distinct values.
const crossableColumns = (result: QueryResult) => {
  const numericColumns = columnsWhere(result, (term) => numericValue(term) !== undefined);
  return [...result.names.keys()].filter((column) => {
    const size = distinctTerms(result, column).size;
    return !numericColumns.includes(column) && size > 1 && size <= MAX_CROSSED_VALUES && size < result.rows.length;
  });
};

/** Whether a result has two columns for a matrix. */
export function hasMatrix(result: QueryResult): boolean {
  return crossableColumns(result).length > 1;
}

/** The matrix, with fields to choose its columns. */
export function createMatrix(result: QueryResult): HTMLElement {
  const candidates = crossableColumns(result);
  const names = candidates.map((column) => result.names[column]!);
  const otherNames = result.names.filter((name) => name !== names[0] && name !== names[1]);
  // The names of the columns whose values are the row headers, the column headers, and the cells.
  const selection = { down: names[0]!, across: names[1]!, of: otherNames[0] ?? formatMessage("rows-counted") };
  const container = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": formatMessage("matrix-of") });
  const draw = () => container.replaceChildren(drawMatrix(result, selection));
  const field = (text: string, key: keyof typeof selection, all: string[]) =>
    selectField(formatMessage(text), all, selection[key], (name) => {
      selection[key] = name;
      draw();
    });
  draw();
  const fields = [
    field("down", "down", names),
    field("across", "across", names),
    field("in-cells", "of", [...result.names, formatMessage("rows-counted")]),
  ];
  return h("div", {}, h("div", { class: "choices" }, ...fields), container);
}

function drawMatrix(result: QueryResult, selection: { down: string; across: string; of: string }): HTMLElement {
  // `valueColumn` is -1 if rows are counted.
  const [rowHeaderColumn, columnHeaderColumn, valueColumn] = [selection.down, selection.across, selection.of].map((name) => result.names.indexOf(name)) as [number, number, number];
  const cells = new Map<string, Row[]>();
  const cellKey = (rowTerm: Term | undefined, columnTerm: Term | undefined) => JSON.stringify([termName(rowTerm), termName(columnTerm)]);
  for (const row of result.rows) {
    const key = cellKey(row[rowHeaderColumn], row[columnHeaderColumn]);
    cells.set(key, [...(cells.get(key) ?? []), row]);
  }
  const hasNumberCells = valueColumn < 0 || columnsWhere(result, (term) => numericValue(term) !== undefined).includes(valueColumn);
  const maximum = Math.max(...[...cells.values()].map((rows) => sumCell(rows, valueColumn)), 0);
  const columnTerms = [...distinctTerms(result, columnHeaderColumn).values()];
  const rows = [...distinctTerms(result, rowHeaderColumn).values()].map((rowTerm) => {
    const cellsOfRow = columnTerms.map((columnTerm) => cells.get(cellKey(rowTerm, columnTerm)) ?? []);
    return h("tr", {}, createHeader("row", rowTerm),
      ...cellsOfRow.map((rows) => (hasNumberCells ? createNumberCell(rows, valueColumn, maximum) : createTermsCell(rows, valueColumn))));
  });
  const headerRow = h("tr", {}, h("th", { scope: "col" }, selection.down), ...columnTerms.map((term) => createHeader("col", term)));
  return h("table", { class: "crossed" }, h("caption", {}, formatMessage("matrix", { ...selection })), h("thead", {}, headerRow), h("tbody", {}, ...rows));
}

function createHeader(scope: "row" | "col", term: Term | undefined): HTMLElement {
  return term ? h("th", { scope }, renderTerm(term)) : h("th", { scope, class: "mark" }, formatMessage("no-value"));
}

/** The number in a cell: of these rows, or the sum of their values. */
function sumCell(rows: Row[], valueColumn: number): number {
  return valueColumn < 0 ? rows.length : rows.reduce((total, row) => total + (numericValue(row[valueColumn]) ?? 0), 0);
}

/** A cell with a number; the share of color in its background grows with the number, up to 45 %. */
function createNumberCell(rows: Row[], valueColumn: number, maximum: number): HTMLElement {
  const value = sumCell(rows, valueColumn);
  const cell = h("td", {}, rows.length ? formatNumber(value) : "");
  if (value > 0) cell.style.setProperty("--share", `${Math.round((value / maximum) * 45)}%`);
  return cell;
}

/** A cell with the distinct terms of a column in these rows. */
function createTermsCell(rows: Row[], valueColumn: number): HTMLElement {
  const terms = new Map(rows.filter((row) => row[valueColumn]).map((row) => [termName(row[valueColumn]), row[valueColumn]]));
  const cell = h("td", {}, ...[...terms.values()].flatMap((term, index) => (index ? [", ", renderTerm(term)] : [renderTerm(term)])));
  if (terms.size) cell.style.setProperty("--share", "25%");
  return cell;
}

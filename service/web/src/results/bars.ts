/** A numeric column of a result as a bar chart. */

import { type QueryResult, columnsWhere, numericValue, type Row } from "../query/result";
import { selectField, h } from "../page/dom";
import { formatNumber, formatMessage } from "../page/messages";
import { renderTerm } from "./terms";

const MAX_BARS = 200; // in a chart

const numericColumns = (result: QueryResult) => columnsWhere(result, (term) => numericValue(term) !== undefined);

/** Whether a result has a numeric column. */
export function hasBars(result: QueryResult): boolean {
  return numericColumns(result).length > 0;
}

/** The bar chart of a numeric column, with a field to choose the column. */
export function createBars(result: QueryResult): HTMLElement {
  const columns = numericColumns(result);
  const container = h("div");
  const draw = (column: number) => container.replaceChildren(drawBars(result, column, columns));
  draw(columns[0]!);
  const names = columns.map((column) => result.names[column]!);
  const columnField = selectField(formatMessage("number"), names, names[0]!, (name) => draw(result.names.indexOf(name)));
  return h("div", {}, names.length > 1 && columnField, container);
}

function drawBars(result: QueryResult, column: number, allNumericColumns: number[]): HTMLElement {
  const labelColumns = [...result.names.keys()].filter((other) => !allNumericColumns.includes(other));
  const values = result.rows.map((row) => numericValue(row[column]) ?? 0);
  const minimum = Math.min(0, ...values);
  const range = Math.max(0, ...values) - minimum || 1;
  const rows = result.rows.slice(0, MAX_BARS).map((row) => {
    const value = numericValue(row[column]);
    const bar = h("span", { class: "length" });
    bar.style.marginInlineStart = `${((Math.min(0, value ?? 0) - minimum) / range) * 100}%`;
    bar.style.inlineSize = `${(Math.abs(value ?? 0) / range) * 100}%`;
    const track = h("td", { class: "track", "aria-hidden": "true" }, value !== undefined && bar);
    return h("tr", {}, h("th", { scope: "row" }, ...rowLabel(row, labelColumns)), track, h("td", { class: "number" }, value === undefined ? "" : formatNumber(value)));
  });
  const caption = h("caption", {}, formatMessage("bars", { name: result.names[column]!, shown: rows.length, all: result.rows.length }));
  return h("table", { class: "drawing" }, caption, h("tbody", {}, ...rows));
}

/** The label of a row in a chart: its terms in the first three of these columns that have one. */
export function rowLabel(row: Row, columns: number[]): Node[] {
  const presentColumns = columns.filter((column) => row[column]).slice(0, 3);
  return presentColumns.flatMap((column, index) => (index ? [document.createTextNode(" · "), renderTerm(row[column])] : [renderTerm(row[column])]));
}

/** A result as a timeline: rows in the order of their dates, with marks on a common scale. */

import { type QueryResult, columnsWhere, termText, type Row, timeValue } from "../query/result";
import { h } from "../page/dom";
import { formatMessage } from "../page/messages";
import { rowLabel } from "./bars";

const MAX_EVENTS = 300; // rows of a timeline

const timeColumns = (result: QueryResult) => columnsWhere(result, (term) => timeValue(term) !== undefined);

/** Whether a result has a column of dates. */
export function hasTimes(result: QueryResult): boolean {
  return timeColumns(result).length > 0;
}

/** The timeline; the mark of a row with several dates extends from the earliest to the latest. */
export function createTimeline(result: QueryResult): HTMLElement {
  const dateColumns = timeColumns(result);
  const labelColumns = [...result.names.keys()].filter((column) => !dateColumns.includes(column));
  const datedRows = result.rows
    .map((row) => ({ row, times: dateColumns.map((column) => timeValue(row[column])).filter((value) => value !== undefined) }))
    .filter(({ times }) => times.length)
    .sort((left, right) => Math.min(...left.times) - Math.min(...right.times));
  const allTimes = datedRows.flatMap(({ times }) => times);
  const earliest = allTimes.reduce((left, right) => Math.min(left, right));
  const range = allTimes.reduce((left, right) => Math.max(left, right)) - earliest || 1;
  const rows = datedRows.slice(0, MAX_EVENTS).map(({ row, times }) => {
    const beginPercent = ((Math.min(...times) - earliest) / range) * 100;
    const mark = h("span", { class: "moment" });
    mark.style.insetInlineStart = `${beginPercent}%`;
    mark.style.inlineSize = `${((Math.max(...times) - earliest) / range) * 100 - beginPercent}%`;
    const track = h("td", { class: "track", "aria-hidden": "true" }, h("span", { class: "scale" }, mark));
    return h("tr", {}, h("th", { scope: "row" }, formatDates(result, row, dateColumns)), track, h("td", {}, ...rowLabel(row, labelColumns)));
  });
  const caption = formatMessage("timeline", { names: dateColumns.map((column) => result.names[column]).join(", "), shown: rows.length, all: result.rows.length });
  return h("table", { class: "drawing" }, h("caption", {}, caption), h("tbody", {}, ...rows));
}

function formatDates(result: QueryResult, row: Row, dateColumns: number[]): string {
  const day = (column: number) => termText(row[column]).slice(0, 10);
  if (dateColumns.length === 1) return day(dateColumns[0]!);
  return dateColumns.filter((column) => row[column]).map((column) => `${result.names[column]} ${day(column)}`).join(", ");
}

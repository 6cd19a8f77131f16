/** A result as a table with pages, which is sorted by a column when its header is clicked. */

import { type QueryResult, numericValue, termText, type Row, timeValue } from "../query/result";
import { h } from "../page/dom";
import { formatMessage } from "../page/messages";
import { renderTerm } from "./terms";

const PAGE_ROWS = 100;

type SortOrder = "none" | "ascending" | "descending";

const NEXT_ORDER: Record<SortOrder, SortOrder> = { none: "ascending", ascending: "descending", descending: "none" };

/** The table with its pager. */
export function createTable(result: QueryResult): HTMLElement {
  const headers = result.names.map((name, column) => {
    const button = h("button", { type: "button", class: "sort", click: () => sort(column) }, name);
    return h("th", { scope: "col", "aria-sort": "none" }, button);
  });
  const body = h("tbody");
  const pageStatus = h("p", { role: "status" });
  const previousButton = h("button", { type: "button", class: "plain", click: () => changePage(-1) }, formatMessage("previous"));
  const nextButton = h("button", { type: "button", class: "plain", click: () => changePage(1) }, formatMessage("next"));
  const pager = h("nav", { class: "pages", "aria-label": formatMessage("pages") }, previousButton, pageStatus, nextButton);
  let rows = result.rows;
  let firstRow = 0;

  function show(): void {
    const pageRows = rows.slice(firstRow, firstRow + PAGE_ROWS);
    body.replaceChildren(...pageRows.map((row) => h("tr", {}, ...row.map((term) => h("td", {}, renderTerm(term))))));
    pageStatus.textContent = formatMessage("part", { from: firstRow + 1, to: firstRow + pageRows.length, all: rows.length });
    previousButton.toggleAttribute("disabled", firstRow === 0);
    nextButton.toggleAttribute("disabled", firstRow + PAGE_ROWS >= rows.length);
  }

  function changePage(pageOffset: number): void {
    firstRow += pageOffset * PAGE_ROWS;
    show();
  }

  function sort(column: number): void {
    const order = NEXT_ORDER[headers[column]!.getAttribute("aria-sort") as SortOrder];
    headers.forEach((header, index) => header.setAttribute("aria-sort", index === column ? order : "none"));
    rows = order === "none" ? result.rows : sortRows(result.rows, column, order);
    firstRow = 0;
    show();
  }

  show();
  const tableElement = h("table", { class: "answer" }, h("caption", {}, formatMessage("table")), h("thead", {}, h("tr", {}, ...headers)), body);
  const scroll = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": formatMessage("table") }, tableElement);
  return h("div", {}, scroll, rows.length > PAGE_ROWS && pager);
}

/** The rows sorted by a column: numbers and times by value, other terms as text, rows without a value last. */
export function sortRows(rows: Row[], column: number, order: SortOrder): Row[] {
  const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
  const direction = order === "descending" ? -1 : 1;
  const sortKeys = rows.map((row) => ({ row, value: numericValue(row[column]) ?? timeValue(row[column]), text: termText(row[column]), hasValue: !!row[column] }));
  sortKeys.sort((left, right) => {
    if (left.hasValue !== right.hasValue) return left.hasValue ? -1 : 1;
    if (left.value !== undefined && right.value !== undefined) return direction * (left.value - right.value);
    if ((left.value === undefined) !== (right.value === undefined)) return left.value === undefined ? 1 : -1;
    return direction * collator.compare(left.text, right.text);
  });
  return sortKeys.map((key) => key.row);
}

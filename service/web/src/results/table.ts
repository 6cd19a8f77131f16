/** A result as a table with pages, which can be filtered, and sorted by a column. */

import { type QueryResult, numericValue, termText, type Row, timeValue } from "../query/result";
import { h } from "../page/dom";
import { formatMessage } from "../page/messages";
import { markRepeatedCells, nameSwitch, type RowContent, RowSelection } from "./table-tools";
import { renderTerm, termName } from "./terms";

const PAGE_ROWS = 100;

interface ResultRow extends RowContent {
  row: Row;
}

/** The table with its tools and its pager. */
export function createTable(result: QueryResult): HTMLElement {
  const numeric = result.names.map((_, column) => isNumeric(result.rows, column));
  const headers = result.names.map((name, column) => h("th", { scope: "col", class: numeric[column] && "number" }, name));
  const body = h("tbody");
  const pageStatus = h("p", { role: "status" });
  const previousButton = h("button", { type: "button", class: "plain", click: () => changePage(-1) }, formatMessage("previous"));
  const nextButton = h("button", { type: "button", class: "plain", click: () => changePage(1) }, formatMessage("next"));
  const pager = h("nav", { class: "pages", "aria-label": formatMessage("pages") }, previousButton, pageStatus, nextButton);
  const allRows: ResultRow[] = result.rows.map((row) => ({
    row,
    // Names are read from the terms when they are needed, as a result may have many.
    get texts() {
      return row.map(searchText);
    },
    get numbers() {
      return row.map((term) => numericValue(term) ?? timeValue(term));
    },
  }));
  let rows = allRows;
  let firstRow = 0;
  const selection = new RowSelection(allRows, headers, (selectedRows) => {
    rows = selectedRows;
    firstRow = 0;
    show();
  });

  function show(): void {
    const pageRows = rows.slice(firstRow, firstRow + PAGE_ROWS).map(({ row }) => h("tr", {}, ...row.map(renderCell)));
    markRepeatedCells(pageRows);
    body.replaceChildren(...pageRows);
    pager.hidden = rows.length <= PAGE_ROWS;
    pageStatus.textContent = formatMessage("part", { from: firstRow + 1, to: firstRow + pageRows.length, all: rows.length });
    previousButton.toggleAttribute("disabled", firstRow === 0);
    nextButton.toggleAttribute("disabled", firstRow + PAGE_ROWS >= rows.length);
  }

  function renderCell(term: Row[number], column: number): HTMLTableCellElement {
    const className = numeric[column] ? "number" : timeValue(term) !== undefined ? "date" : undefined;
    return h("td", { class: className }, renderTerm(term));
  }

  function changePage(pageOffset: number): void {
    firstRow += pageOffset * PAGE_ROWS;
    show();
  }

  show();
  const tableElement = h("table", { class: "answer" }, h("caption", { class: "unseen" }, formatMessage("table")), h("thead", {}, h("tr", {}, ...headers)), body);
  const scroll = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": formatMessage("table") }, tableElement);
  const hasThings = result.rows.some((row) => row.some((term) => term && termName(term) !== termText(term)));
  const tools = h("div", { class: "tools" }, rows.length > 1 && selection.filterBox, hasThings && nameSwitch());
  return h("div", {}, tools, scroll, pager);
}

/** The text that a cell is sorted and filtered by: the name of a resource, and its address. */
function searchText(term: Row[number]): string {
  if (term?.type === "literal" && term.labels) return term.labels.join(" ");
  const name = termName(term);
  return term?.type === "uri" && name !== term.value ? `${name} ${term.value}` : name;
}

function isNumeric(rows: Row[], column: number): boolean {
  const terms = rows.map((row) => row[column]).filter((term) => term !== undefined);
  return terms.length > 0 && terms.every((term) => numericValue(term) !== undefined);
}

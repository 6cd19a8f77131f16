/** Tools of the table of an answer, by a script: a filter box, sorting by a column, and repeated cells. */

import { h } from "../page/dom";
import { formatMessage } from "../page/messages";

export type SortOrder = "none" | "ascending" | "descending";
const NEXT_ORDER: Record<SortOrder, SortOrder> = { none: "ascending", ascending: "descending", descending: "none" };
const GROUPED_COLUMNS = 2; // the first columns, in which a repeated value is shown once

/** What a row is sorted and filtered by: of each cell its text, and its number if it has one. */
export interface RowContent {
  texts: string[];
  numbers: (number | undefined)[];
}

/** The filter and the order of a table. `onChange` is called with the rows to show. */
export class RowSelection<T extends RowContent> {
  private words: string[] = [];
  private column = 0;
  private order: SortOrder = "none";
  private isComplete = true;
  private readonly status = h("span", { role: "status" });
  /** The filter box with its label and status. */
  readonly filterBox: HTMLElement;

  constructor(private rows: T[], private readonly headers: HTMLTableCellElement[], private readonly onChange: (rows: T[]) => void) {
    const input = h("input", { type: "search", autocomplete: "off", input: () => this.filter(input.value) });
    this.filterBox = h("p", { class: "row-filter" }, h("label", {}, `${formatMessage("filter")} `, input), " ", this.status);
    headers.forEach((header, column) => {
      header.setAttribute("aria-sort", "none");
      header.replaceChildren(h("button", { type: "button", class: "sort", click: () => this.sort(column) }, ...header.childNodes));
    });
  }

  /** Use these rows; until they are `complete`, the status says that more are loaded. */
  replaceRows(rows: T[], isComplete: boolean): void {
    this.rows = rows;
    this.isComplete = isComplete;
    this.update();
  }

  private filter(text: string): void {
    this.words = text.toLowerCase().split(/\s+/).filter(Boolean);
    this.update();
  }

  private sort(column: number): void {
    this.order = NEXT_ORDER[column === this.column ? this.order : "none"];
    this.column = column;
    this.headers.forEach((header, index) => header.setAttribute("aria-sort", index === column ? this.order : "none"));
    this.update();
  }

  private update(): void {
    const rows = this.words.length ? this.rows.filter((row) => containsWords(row, this.words)) : this.rows;
    const found = this.words.length ? formatMessage("rows-found", { count: rows.length, all: this.rows.length }) : "";
    this.status.textContent = this.isComplete ? found : formatMessage("loading-rows");
    this.onChange(this.order === "none" ? rows : sortRows(rows, this.column, this.order));
  }
}

/** A row of a table of the page. */
export interface ElementRow extends RowContent {
  element: HTMLTableRowElement;
}

/** The rows of a table; a cell may have the number that it is sorted by in the attribute data-sort. */
export function readRows(body: HTMLTableSectionElement): ElementRow[] {
  return [...body.rows].map((element) => {
    const cells = [...element.cells];
    return { element, texts: cells.map(readText), numbers: cells.map(readNumber) };
  });
}

function readNumber(cell: HTMLTableCellElement): number | undefined {
  const text = cell.dataset["sort"] ?? (cell.classList.contains("number") ? cell.textContent : undefined);
  return text === undefined ? undefined : Number(text);
}

/** The text of a cell, in which the name and the address of a thing have no space between them. */
function readText(cell: HTMLTableCellElement): string {
  const parts = [...cell.querySelectorAll(".name, .address")].map((part) => part.textContent);
  return (parts.length ? parts.join(" ") : cell.textContent).trim();
}

function containsWords(row: RowContent, words: string[]): boolean {
  const text = row.texts.join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
}

/** The rows sorted by a column: numbers by value, then texts, and rows without a value last. */
function sortRows<T extends RowContent>(rows: T[], column: number, order: SortOrder): T[] {
  const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
  const direction = order === "descending" ? -1 : 1;
  return [...rows].sort((left, right) => {
    const [leftText, rightText] = [left.texts[column]!, right.texts[column]!];
    const [leftNumber, rightNumber] = [left.numbers[column], right.numbers[column]];
    if (!leftText !== !rightText) return leftText ? -1 : 1;
    if (leftNumber !== undefined && rightNumber !== undefined) return direction * (leftNumber - rightNumber);
    if ((leftNumber === undefined) !== (rightNumber === undefined)) return leftNumber === undefined ? 1 : -1;
    return direction * collator.compare(leftText, rightText);
  });
}

/** Mark the cells of the first columns that repeat the row above: they are shown once, and the keyboard skips their links. */
export function markRepeatedCells(rows: HTMLTableRowElement[]): void {
  rows.forEach((row, index) => {
    const above = rows[index - 1];
    let isRepeated = above !== undefined;
    [...row.cells].slice(0, Math.min(GROUPED_COLUMNS, row.cells.length - 1)).forEach((cell, column) => {
      const isEqual = cell.textContent !== "" && cell.textContent === above?.cells[column]?.textContent;
      isRepeated &&= isEqual && !cell.classList.contains("number");
      cell.classList.toggle("again", isRepeated);
      for (const link of cell.querySelectorAll("a")) link.tabIndex = isRepeated ? -1 : 0;
    });
  });
}

/** The switch between the names of things and their addresses; CSS shows one of them in the table that follows it. */
export function nameSwitch(): HTMLElement {
  const choices = ["names", "addresses"].map((value) =>
    h("label", {}, h("input", { type: "radio", name: "shown-as", value, checked: value === "names", autocomplete: "off" }), ` ${formatMessage(`by-${value}`)}`));
  return h("fieldset", { class: "views" }, h("legend", {}, formatMessage("shown-by")), ...choices);
}

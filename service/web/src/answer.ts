/** The page of an answer: its table can be filtered and sorted. */

import { formatMessage } from "./page/messages";
import { type ElementRow, markRepeatedCells, readRows, RowSelection } from "./results/table-tools";

const MAX_LOADED_PAGES = 10; // of a long answer, whose other pages are loaded when its rows are filtered or sorted

class AnswerTable {
  private readonly body: HTMLTableSectionElement;
  private readonly selection: RowSelection<ElementRow>;
  private rows: ElementRow[];
  private nextPage: string | undefined;

  constructor(table: HTMLTableElement, private readonly tools: HTMLElement) {
    this.body = table.tBodies[0]!;
    this.rows = readRows(this.body);
    // Only the first page can be completed by the pages that follow it.
    this.nextPage = findPage(document, "prev") ? undefined : findPage(document, "next");
    const headers = [...table.tHead!.rows[0]!.cells];
    this.selection = new RowSelection(this.rows, headers, (rows) => this.show(rows));
    tools.append(this.selection.filterBox);
  }

  private show(rows: ElementRow[]): void {
    const elements = rows.map(({ element }) => element);
    markRepeatedCells(elements);
    this.body.replaceChildren(...elements);
    void this.loadPages();
  }

  /** Add the rows of the pages that follow, and remove the links to them. */
  private async loadPages(): Promise<void> {
    let address = this.nextPage;
    this.nextPage = undefined;
    if (!address) return;
    this.selection.replaceRows(this.rows, false);
    for (let count = 0; address && count < MAX_LOADED_PAGES; count++) {
      const page = await fetchPage(address);
      const body = page?.querySelector<HTMLTableSectionElement>("table.answer tbody");
      if (!page || !body) break; // the rows so far are filtered and sorted, and the links to pages stay
      this.rows = [...this.rows, ...readRows(body)];
      address = findPage(page, "next");
    }
    if (!address) {
      this.tools.querySelector("p")!.textContent = formatMessage("all-rows", { count: this.rows.length });
      document.querySelector("#answer > nav")?.remove();
    }
    this.selection.replaceRows(this.rows, true);
  }
}

async function fetchPage(address: string): Promise<Document | undefined> {
  try {
    const response = await fetch(address, { headers: { Accept: "text/html" } });
    return response.ok ? new DOMParser().parseFromString(await response.text(), "text/html") : undefined;
  } catch {
    return undefined;
  }
}

function findPage(page: Document, rel: string): string | undefined {
  return page.querySelector(`#answer > nav a[rel=${rel}]`)?.getAttribute("href") ?? undefined;
}

function enhanceAnswer(): void {
  const [table, tools] = [document.querySelector<HTMLTableElement>("#answer table.answer"), document.querySelector<HTMLElement>("#answer > .tools")];
  if (table && tools && table.tBodies[0]!.rows.length > 1) new AnswerTable(table, tools);
}

enhanceAnswer();

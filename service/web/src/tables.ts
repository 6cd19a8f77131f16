/** Pages with tables that are complete: these can be filtered and sorted. */

import { readRows, RowSelection } from "./results/table-tools";

for (const table of document.querySelectorAll<HTMLTableElement>("table[data-tools]")) {
  const body = table.tBodies[0]!;
  const headers = [...table.tHead!.rows[0]!.cells];
  const selection = new RowSelection(readRows(body), headers, (rows) => body.replaceChildren(...rows.map(({ element }) => element)));
  (table.closest(".scroll") ?? table).before(selection.filterBox);
}

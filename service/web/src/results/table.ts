/** A table by pages, sorted by a column when its head is pressed. */

import { type Answer, number, plain, type Row, time } from "../query/answer";
import { h } from "../page/dom";
import { say } from "../page/words";
import { shown } from "./terms";

const SIZE = 100;

type Order = "none" | "ascending" | "descending";

const NEXT: Record<Order, Order> = { none: "ascending", ascending: "descending", descending: "none" };

/** The element that shows the rows. */
export function table(answer: Answer): HTMLElement {
  const heads = answer.names.map((name, at) => {
    const button = h("button", { type: "button", class: "sort", click: () => sort(at) }, name);
    return h("th", { scope: "col", "aria-sort": "none" }, button);
  });
  const body = h("tbody");
  const where = h("p", { role: "status" });
  const back = h("button", { type: "button", class: "plain", click: () => turn(-1) }, say("previous"));
  const on = h("button", { type: "button", class: "plain", click: () => turn(1) }, say("next"));
  const pages = h("nav", { class: "pages", "aria-label": say("pages") }, back, where, on);
  let rows = answer.rows;
  let first = 0;

  function show(): void {
    const part = rows.slice(first, first + SIZE);
    body.replaceChildren(...part.map((row) => h("tr", {}, ...row.map((term) => h("td", {}, shown(term))))));
    where.textContent = say("part", { from: first + 1, to: first + part.length, all: rows.length });
    back.toggleAttribute("disabled", first === 0);
    on.toggleAttribute("disabled", first + SIZE >= rows.length);
  }

  function turn(by: number): void {
    first += by * SIZE;
    show();
  }

  function sort(at: number): void {
    const order = NEXT[heads[at]!.getAttribute("aria-sort") as Order];
    heads.forEach((head, index) => head.setAttribute("aria-sort", index === at ? order : "none"));
    rows = order === "none" ? answer.rows : sorted(answer.rows, at, order);
    first = 0;
    show();
  }

  show();
  const whole = h("table", { class: "answer" }, h("caption", {}, say("table")), h("thead", {}, h("tr", {}, ...heads)), body);
  const scroll = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": say("table") }, whole);
  return h("div", {}, scroll, rows.length > SIZE && pages);
}

/** The rows by a column: numbers and times by their values, others as words; those without a value at the end. */
export function sorted(rows: Row[], at: number, order: Order): Row[] {
  const words = new Intl.Collator(document.documentElement.lang, { numeric: true });
  const sign = order === "descending" ? -1 : 1;
  const keys = rows.map((row) => ({ row, value: number(row[at]) ?? time(row[at]), text: plain(row[at]), there: !!row[at] }));
  keys.sort((one, other) => {
    if (one.there !== other.there) return one.there ? -1 : 1;
    if (one.value !== undefined && other.value !== undefined) return sign * (one.value - other.value);
    if ((one.value === undefined) !== (other.value === undefined)) return one.value === undefined ? 1 : -1;
    return sign * words.compare(one.text, other.text);
  });
  return keys.map((key) => key.row);
}

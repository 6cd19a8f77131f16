/** Two columns crossed: how many rows have both values, or what another column says of these. */

import { type Answer, columns, number, type Row, type Term } from "../query/answer";
import { choice, h } from "../page/dom";
import { figure, say } from "../page/words";
import { called, shown } from "./terms";

const MOST = 60; // values of a column that can be crossed

const distinct = (answer: Answer, at: number) => new Map(answer.rows.map((row) => [called(row[at]), row[at]]));

const crossable = (answer: Answer) => {
  const numbers = columns(answer, (term) => number(term) !== undefined);
  return [...answer.names.keys()].filter((at) => {
    const size = distinct(answer, at).size;
    return !numbers.includes(at) && size > 1 && size <= MOST && size < answer.rows.length;
  });
};

/** Whether two columns can be crossed. */
export function hasMatrix(answer: Answer): boolean {
  return crossable(answer).length > 1;
}

/** The element that shows the matrix, and which columns it crosses. */
export function matrix(answer: Answer): HTMLElement {
  const possible = crossable(answer);
  const names = possible.map((at) => answer.names[at]!);
  const others = answer.names.filter((name) => name !== names[0] && name !== names[1]);
  const chosen = { down: names[0]!, across: names[1]!, of: others[0] ?? say("rows-counted") };
  const place = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": say("matrix-of") });
  const draw = () => place.replaceChildren(drawn(answer, chosen));
  const field = (text: string, key: keyof typeof chosen, all: string[]) =>
    choice(say(text), all, chosen[key], (name) => {
      chosen[key] = name;
      draw();
    });
  draw();
  const fields = [
    field("down", "down", names),
    field("across", "across", names),
    field("in-cells", "of", [...answer.names, say("rows-counted")]),
  ];
  return h("div", {}, h("div", { class: "choices" }, ...fields), place);
}

function drawn(answer: Answer, chosen: { down: string; across: string; of: string }): HTMLElement {
  const [down, across, of] = [chosen.down, chosen.across, chosen.of].map((name) => answer.names.indexOf(name)) as [number, number, number];
  const cells = new Map<string, Row[]>();
  const key = (one: Term | undefined, other: Term | undefined) => JSON.stringify([called(one), called(other)]);
  for (const row of answer.rows) {
    const at = key(row[down], row[across]);
    cells.set(at, [...(cells.get(at) ?? []), row]);
  }
  const isCounted = of < 0 || columns(answer, (term) => number(term) !== undefined).includes(of);
  const most = Math.max(...[...cells.values()].map((rows) => sum(rows, of)), 0);
  const heads = [...distinct(answer, across).values()];
  const rows = [...distinct(answer, down).values()].map((left) => {
    const found = heads.map((top) => cells.get(key(left, top)) ?? []);
    return h("tr", {}, head("row", left),
      ...found.map((rows) => (isCounted ? counted(rows, of, most) : named(rows, of))));
  });
  const top = h("tr", {}, h("th", { scope: "col" }, chosen.down), ...heads.map((term) => head("col", term)));
  return h("table", { class: "crossed" }, h("caption", {}, say("matrix", { ...chosen })), h("thead", {}, top), h("tbody", {}, ...rows));
}

function head(scope: "row" | "col", term: Term | undefined): HTMLElement {
  return term ? h("th", { scope }, shown(term)) : h("th", { scope, class: "mark" }, say("no-value"));
}

function sum(rows: Row[], of: number): number {
  return of < 0 ? rows.length : rows.reduce((all, row) => all + (number(row[of]) ?? 0), 0);
}

/** The number of a cell, on a color by its part of the greatest one. */
function counted(rows: Row[], of: number, most: number): HTMLElement {
  const value = sum(rows, of);
  const cell = h("td", {}, rows.length ? figure(value) : "");
  if (value > 0) cell.style.setProperty("--share", `${Math.round((value / most) * 45)}%`);
  return cell;
}

/** What is said in a cell, each once. */
function named(rows: Row[], of: number): HTMLElement {
  const all = new Map(rows.filter((row) => row[of]).map((row) => [called(row[of]), row[of]]));
  const cell = h("td", {}, ...[...all.values()].flatMap((term, index) => (index ? [", ", shown(term)] : [shown(term)])));
  if (all.size) cell.style.setProperty("--share", "25%");
  return cell;
}

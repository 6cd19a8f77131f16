/** Numbers as bars, each beside its row's name and its number. */

import { type Answer, columns, number, type Row } from "../query/answer";
import { choice, h } from "../page/dom";
import { figure, say } from "../page/words";
import { shown } from "./terms";

const MOST = 200;

const numeric = (answer: Answer) => columns(answer, (term) => number(term) !== undefined);

/** Whether there is a column of numbers. */
export function hasBars(answer: Answer): boolean {
  return numeric(answer).length > 0;
}

/** The element that shows a column of numbers as bars. */
export function bars(answer: Answer): HTMLElement {
  const possible = numeric(answer);
  const place = h("div");
  const draw = (at: number) => place.replaceChildren(drawn(answer, at, possible));
  draw(possible[0]!);
  const names = possible.map((at) => answer.names[at]!);
  const pick = choice(say("number"), names, names[0]!, (name) => draw(answer.names.indexOf(name)));
  return h("div", {}, names.length > 1 && pick, place);
}

function drawn(answer: Answer, at: number, numbers: number[]): HTMLElement {
  const labels = [...answer.names.keys()].filter((one) => !numbers.includes(one));
  const values = answer.rows.map((row) => number(row[at]) ?? 0);
  const least = Math.min(0, ...values);
  const span = Math.max(0, ...values) - least || 1;
  const rows = answer.rows.slice(0, MOST).map((row) => {
    const value = number(row[at]);
    const bar = h("span", { class: "length" });
    bar.style.marginInlineStart = `${((Math.min(0, value ?? 0) - least) / span) * 100}%`;
    bar.style.inlineSize = `${(Math.abs(value ?? 0) / span) * 100}%`;
    const track = h("td", { class: "track", "aria-hidden": "true" }, value !== undefined && bar);
    return h("tr", {}, h("th", { scope: "row" }, ...label(row, labels)), track, h("td", { class: "number" }, value === undefined ? "" : figure(value)));
  });
  const caption = h("caption", {}, say("bars", { name: answer.names[at]!, shown: rows.length, all: answer.rows.length }));
  return h("table", { class: "drawing" }, caption, h("tbody", {}, ...rows));
}

/** What a row is called in a picture: the terms of some columns. */
export function label(row: Row, at: number[]): Node[] {
  const there = at.filter((one) => row[one]).slice(0, 3);
  return there.flatMap((one, index) => (index ? [document.createTextNode(" · "), shown(row[one])] : [shown(row[one])]));
}

/** Rows in the order of their times, each with a mark on the same scale. */

import { type Answer, columns, plain, type Row, time } from "../query/answer";
import { h } from "../page/dom";
import { say } from "../page/words";
import { label } from "./bars";

const MOST = 300;

const temporal = (answer: Answer) => columns(answer, (term) => time(term) !== undefined);

/** Whether there is a column of times. */
export function hasTimes(answer: Answer): boolean {
  return temporal(answer).length > 0;
}

/** The element that shows each row by its times; two of them are a span. */
export function timeline(answer: Answer): HTMLElement {
  const dates = temporal(answer);
  const labels = [...answer.names.keys()].filter((at) => !dates.includes(at));
  const dated = answer.rows
    .map((row) => ({ row, times: dates.map((at) => time(row[at])).filter((one) => one !== undefined) }))
    .filter(({ times }) => times.length)
    .sort((one, other) => Math.min(...one.times) - Math.min(...other.times));
  const all = dated.flatMap(({ times }) => times);
  const from = all.reduce((one, other) => Math.min(one, other));
  const span = all.reduce((one, other) => Math.max(one, other)) - from || 1;
  const rows = dated.slice(0, MOST).map(({ row, times }) => {
    const begin = ((Math.min(...times) - from) / span) * 100;
    const mark = h("span", { class: "moment" });
    mark.style.insetInlineStart = `${begin}%`;
    mark.style.inlineSize = `${((Math.max(...times) - from) / span) * 100 - begin}%`;
    const track = h("td", { class: "track", "aria-hidden": "true" }, h("span", { class: "scale" }, mark));
    return h("tr", {}, h("th", { scope: "row" }, when(answer, row, dates)), track, h("td", {}, ...label(row, labels)));
  });
  const text = say("timeline", { names: dates.map((at) => answer.names[at]).join(", "), shown: rows.length, all: answer.rows.length });
  return h("table", { class: "drawing" }, h("caption", {}, text), h("tbody", {}, ...rows));
}

function when(answer: Answer, row: Row, dates: number[]): string {
  const day = (at: number) => plain(row[at]).slice(0, 10);
  if (dates.length === 1) return day(dates[0]!);
  return dates.filter((at) => row[at]).map((at) => `${answer.names[at]} ${day(at)}`).join(", ");
}

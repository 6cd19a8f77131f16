/** The ways in which an answer can be shown, and the choice between those that fit it. */

import type { Answer } from "../query/answer";
import { h } from "../page/dom";
import { say } from "../page/words";
import { bars, hasBars } from "./bars";
import { hasMatrix, matrix } from "./matrix";
import { hasNetwork, network } from "./network";
import { raw } from "./raw";
import { table } from "./table";
import { hasTimes, timeline } from "./timeline";

const VIEWS: [string, (answer: Answer) => boolean, (answer: Answer) => HTMLElement][] = [
  ["as-table", () => true, table],
  ["as-bars", hasBars, bars],
  ["as-timeline", hasTimes, timeline],
  ["as-matrix", hasMatrix, matrix],
  ["as-graph", hasNetwork, network],
  ["as-raw", () => true, raw],
];

/** The element that shows an answer in one way, and offers the others. */
export function views(answer: Answer): HTMLElement {
  if (answer.form === "boolean") return h("p", { class: "lead" }, say(answer.yes ? "yes" : "no"));
  if (!answer.rows.length) return h("p", {}, say("nothing"));
  const place = h("div", { class: "view" });
  const buttons = VIEWS.filter(([, fits]) => fits(answer)).map(([name, , draw], index) => {
    const radio = h("input", { type: "radio", name: "view", checked: index === 0, change: () => place.replaceChildren(draw(answer)) });
    return h("label", {}, radio, ` ${say(name)}`);
  });
  place.append(table(answer));
  return h("div", {}, h("fieldset", { class: "views" }, h("legend", {}, say("show-as")), ...buttons), place);
}

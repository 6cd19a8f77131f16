/** The views of a result, and the choice between those that apply to it. */

import type { QueryResult } from "../query/result";
import { h } from "../page/dom";
import { formatMessage } from "../page/messages";
import { createBars, hasBars } from "./bars";
import { hasMatrix, createMatrix } from "./matrix";
import { hasNetwork, createNetwork } from "./network";
import { createRawView } from "./raw";
import { createTable } from "./table";
import { hasTimes, createTimeline } from "./timeline";

// Each view: the name of its message, whether it applies to a result, and the function that creates it.
const VIEWS: [string, (result: QueryResult) => boolean, (result: QueryResult) => HTMLElement][] = [
  ["as-table", () => true, createTable],
  ["as-bars", hasBars, createBars],
  ["as-timeline", hasTimes, createTimeline],
  ["as-matrix", hasMatrix, createMatrix],
  ["as-graph", hasNetwork, createNetwork],
  ["as-raw", () => true, createRawView],
];

/** The result in one view, with radio buttons for the other views. */
export function createViews(result: QueryResult): HTMLElement {
  if (result.form === "boolean") return h("p", { class: "lead" }, formatMessage(result.isTrue ? "yes" : "no"));
  if (!result.rows.length) return h("p", {}, formatMessage("nothing"));
  const container = h("div", { class: "view" });
  const buttons = VIEWS.filter(([, isApplicable]) => isApplicable(result)).map(([name, , createView], index) => {
    const radio = h("input", { type: "radio", name: "view", checked: index === 0, change: () => container.replaceChildren(createView(result)) });
    return h("label", {}, radio, ` ${formatMessage(name)}`);
  });
  container.append(createTable(result));
  return h("div", {}, h("fieldset", { class: "views" }, h("legend", {}, formatMessage("show-as")), ...buttons), container);
}

/** The views of a result, and the choice between those that apply to it. */

import type { QueryResult } from "../query/result";
import { fetchNames, foldLabelColumns } from "./named-result";
import { h } from "../page/dom";
import { formatMessage } from "../page/messages";
import { createBars, hasBars } from "./bars";
import { createMap, hasMap } from "./map";
import { hasMatrix, createMatrix } from "./matrix";
import { hasNetwork, createNetwork } from "./network";
import { createRawView } from "./raw";
import { createTable } from "./table";
import { hasTimes, createTimeline } from "./timeline";

interface View {
  message: string; // its name in the messages of the page
  isApplicable: (result: QueryResult) => boolean | Promise<boolean>;
  create: (result: QueryResult) => HTMLElement | Promise<HTMLElement>;
}

// By the names that addresses have.
const VIEWS: Record<string, View> = {
  table: { message: "as-table", isApplicable: () => true, create: createTable },
  bars: { message: "as-bars", isApplicable: hasBars, create: createBars },
  timeline: { message: "as-timeline", isApplicable: hasTimes, create: createTimeline },
  matrix: { message: "as-matrix", isApplicable: hasMatrix, create: createMatrix },
  network: { message: "as-network", isApplicable: hasNetwork, create: createNetwork },
  map: { message: "as-map", isApplicable: hasMap, create: createMap },
  raw: { message: "as-raw", isApplicable: () => true, create: createRawView },
};
export const DEFAULT_VIEW = "table";

/**
 * The result in the wanted view, or else as a table, with radio buttons for the others. If the wanted view is that of a link and
 * does not apply, a note says so. `onChoose` is called with the name of a chosen view.
 */
export function createViews(receivedResult: QueryResult, wantedView: string, isLinked: boolean, onChoose: (view: string) => void): HTMLElement {
  const result = foldLabelColumns(receivedResult);
  if (result.form === "boolean") return h("p", { class: "lead" }, formatMessage(result.isTrue ? "yes" : "no"));
  if (!result.rows.length) return h("p", {}, formatMessage("nothing"));
  const offeredViews = new Map(Object.entries(VIEWS).map(([name, view]) => [name, view.isApplicable(result)] as const).filter(([, applies]) => applies));
  const firstView = offeredViews.has(wantedView) ? wantedView : DEFAULT_VIEW;
  const container = h("div", { class: "view" });
  const labelsFetched = fetchNames(result);
  let shownView = "";

  async function show(name: string): Promise<void> {
    shownView = name;
    await labelsFetched; // without labels, resources are shown by their addresses
    if (shownView !== name) return;
    const view = VIEWS[name]!.create(result);
    if (view instanceof Promise) container.replaceChildren(h("p", { role: "status" }, formatMessage("loading")));
    const element = await Promise.resolve(view).catch(() => h("p", { role: "alert" }, formatMessage("unanswered")));
    if (shownView === name) container.replaceChildren(element);
  }

  const buttons = [...offeredViews].map(([name, applies]) => {
    const radio = h("input", { type: "radio", name: "view", checked: name === firstView, change: () => { void show(name); onChoose(name); } });
    const label = h("label", { hidden: applies !== true && name !== firstView }, radio, ` ${formatMessage(VIEWS[name]!.message)}`);
    if (applies instanceof Promise) void applies.then((isOffered) => (label.hidden &&= !isOffered), () => undefined);
    return label;
  });
  void show(firstView);
  const isGone = isLinked && wantedView !== firstView && h("p", { class: "notice" }, formatMessage("no-such-view"));
  return h("div", {}, h("fieldset", { class: "views" }, h("legend", {}, formatMessage("show-as")), ...buttons), isGone, container);
}

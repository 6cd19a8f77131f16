/** A picture that can be zoomed and moved: by buttons, by dragging, by Ctrl and the wheel, and by two fingers. */

import { select } from "d3-selection";
import { zoom, zoomIdentity, type D3ZoomEvent, type ZoomTransform } from "d3-zoom";
import { h } from "../page/dom";
import { formatMessage } from "../page/messages";

const MAX_SCALE = 20;
const BUTTON_FACTOR = 1.5; // of one press

export interface ZoomOptions {
  width: number; // of the viewBox
  height: number;
  onZoom: (transform: ZoomTransform) => void;
}

/** Make an SVG picture zoomable. Returns the buttons for it. */
export function makeZoomable(picture: SVGSVGElement, { width, height, onZoom }: ZoomOptions): HTMLElement {
  const selection = select(picture);
  const behavior = zoom<SVGSVGElement, unknown>()
    .scaleExtent([0.5, MAX_SCALE])
    .extent([[0, 0], [width, height]])
    .translateExtent([[-width / 2, -height / 2], [width * 1.5, height * 1.5]])
    // The wheel alone and one finger scroll the page.
    .filter((event: WheelEvent & TouchEvent & MouseEvent) => (event.type === "wheel" ? event.ctrlKey || event.metaKey : event.touches ? event.touches.length > 1 : !event.button))
    .on("zoom", (event: D3ZoomEvent<SVGSVGElement, unknown>) => onZoom(event.transform));
  selection.call(behavior).on("dblclick.zoom", null);
  picture.style.touchAction = "pan-x pan-y";
  const button = (name: string, act: () => void) => h("button", { type: "button", class: "plain", click: act }, formatMessage(name));
  return h("div", { class: "zoom row" },
    button("zoom-in", () => behavior.scaleBy(selection, BUTTON_FACTOR)),
    button("zoom-out", () => behavior.scaleBy(selection, 1 / BUTTON_FACTOR)),
    button("zoom-reset", () => behavior.transform(selection, zoomIdentity)),
    h("span", { class: "hint" }, formatMessage("zoom-hint")));
}

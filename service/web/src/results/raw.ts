/** The text of a result, as received. */

import type { QueryResult } from "../query/result";
import { h } from "../page/dom";
import { formatMessage } from "../page/messages";

const MAX_SHOWN_CHARACTERS = 200_000;

/** The text of the result; if it is too long, its beginning, with a note. */
export function createRawView(result: QueryResult): HTMLElement {
  const isCut = result.text.length > MAX_SHOWN_CHARACTERS;
  const note = h("p", {}, h("strong", { class: "notice" }, formatMessage("cut", { most: MAX_SHOWN_CHARACTERS })));
  const text = h("pre", { dir: "ltr", tabindex: "0", role: "region", "aria-label": formatMessage("raw-text") }, h("code", {}, result.text.slice(0, MAX_SHOWN_CHARACTERS)));
  return h("div", {}, isCut && note, text);
}

/** The answer as it came. */

import type { Answer } from "../query/answer";
import { h } from "../page/dom";
import { say } from "../page/words";

const MOST = 200_000; // characters

/** The element that shows the text of the answer, or its begin, which it says. */
export function raw(answer: Answer): HTMLElement {
  const cut = answer.text.length > MOST;
  const note = h("p", {}, h("strong", { class: "notice" }, say("cut", { most: MOST })));
  const text = h("pre", { dir: "ltr", tabindex: "0", role: "region", "aria-label": say("raw-text") }, h("code", {}, answer.text.slice(0, MOST)));
  return h("div", {}, cut && note, text);
}

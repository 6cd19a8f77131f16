/** Pages that can be narrowed: lists with facets, the matrix of coverage, and long pages of terms and rules. */

import { h } from "./page/dom";
import { LiveForm } from "./page/live-form";
import { TextFilter } from "./page/text-filter";

if (document.querySelector("form[data-live]")) {
  new LiveForm(document.querySelector("main")!, h("p", { role: "status", class: "unseen" }));
}
const box = document.querySelector<HTMLElement>(".text-filter");
if (box) new TextFilter(box);

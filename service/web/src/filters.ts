/** Pages that can be narrowed by choices: lists with facets, and the matrix of coverage. */

import { h } from "./page/dom";
import { LiveForm } from "./page/live-form";

if (document.querySelector("form[data-live]")) {
  new LiveForm(document.querySelector("main")!, h("p", { role: "status", class: "unseen" }));
}

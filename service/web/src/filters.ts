/** Pages that can be narrowed: lists with facets, the matrix of coverage, and long pages of terms and rules. */

import { h } from "./page/dom";
import { LiveForm } from "./page/live-form";
import { TextFilter } from "./page/text-filter";

if (document.querySelector("form[data-live]")) {
  new LiveForm(document.querySelector("main")!, h("p", { role: "status", class: "unseen" }));
}
const box = document.querySelector<HTMLElement>(".text-filter");
if (box) new TextFilter(box);

/** Unfold what the address points to; not all browsers do. */
function openTarget(): void {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let details = target.closest("details"); details; details = details.parentElement?.closest("details") ?? null) details.open = true;
  target.scrollIntoView();
}
addEventListener("hashchange", openTarget);
openTarget();

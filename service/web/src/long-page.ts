/** Long pages of terms, rules and questions: one finds an item by its words, and opens what the address points to. */

import { TextFilter } from "./page/text-filter";

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

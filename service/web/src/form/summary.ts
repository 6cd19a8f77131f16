/** The links of the lists of errors and notes: they lead to a field with its label and messages in sight. */

export function linkSummary(): void {
  document.addEventListener("click", (event) => {
    if (!(event.target as Element).closest(".to-fields")) return;
    const link = (event.target as Element).closest<HTMLAnchorElement>("a[href^='#']");
    const field = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!field) return;
    event.preventDefault();
    for (let fold = field.closest("details"); fold; fold = fold.parentElement?.closest("details") ?? null) fold.open = true;
    field.focus({ preventScroll: true });
    (field.closest(".field") ?? field).scrollIntoView({ block: "start" });
  });
}

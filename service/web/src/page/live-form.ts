/** Forms with `data-live` filter the page that they are on: a choice is applied at once, without loading another page. */

interface PageState {
  openDetails: string[]; // the texts of the summaries of open details
  scrollTops: number[]; // of the elements that scroll by themselves
  field: { name: string; value: string } | undefined; // that has the focus; its value if it is a box
}

const SCROLLING_ELEMENTS = ".filter-panel, .facets fieldset, .scroll";

export class LiveForm {
  private abortController = new AbortController();
  private currentPath = pathOf(location); // with the query string

  /** The status tells how many results there are; it stays when the page is replaced, as a screen reader would miss it else. */
  constructor(
    private readonly main: HTMLElement,
    private readonly status: HTMLElement,
  ) {
    main.classList.add("live");
    main.after(status);
    main.addEventListener("change", (event) => this.onChange(event.target as HTMLElement));
    main.addEventListener("submit", (event) => this.onSubmit(event));
    // A link within the page also fires this event, without changing the path and query.
    addEventListener("popstate", () => this.currentPath !== pathOf(location) && void this.show(location.href));
  }

  private onChange(field: HTMLElement): void {
    const form = field.closest<HTMLFormElement>("form[data-live]");
    const isChoice = field instanceof HTMLSelectElement || (field instanceof HTMLInputElement && field.type === "checkbox");
    if (form && isChoice) form.requestSubmit(); // a text is applied with Enter or the button
  }

  private onSubmit(event: SubmitEvent): void {
    const form = event.target as HTMLFormElement;
    if (!("live" in form.dataset)) return;
    event.preventDefault();
    const parameters = [...new FormData(form)].filter(([, value]) => value !== "") as [string, string][];
    const address = new URL(form.action);
    address.search = new URLSearchParams(parameters).toString();
    history.pushState(null, "", address);
    void this.show(address.href);
  }

  /** Replace the content of the page by that of another address; load it as a page if that fails. */
  private async show(address: string): Promise<void> {
    this.abortController.abort();
    const { signal } = (this.abortController = new AbortController());
    this.currentPath = pathOf(location);
    this.main.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(address, { headers: { Accept: "text/html" }, signal });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const main = page.querySelector("main");
      if (!response.ok || !main) throw new Error(`Status ${response.status}`);
      const state = this.readState();
      this.main.replaceChildren(...main.childNodes);
      this.restoreState(state);
      replaceLanguageLinks(page);
      this.status.textContent = this.main.querySelector("table caption, .results")?.textContent ?? "";
    } catch {
      if (!signal.aborted) location.assign(address);
    } finally {
      if (!signal.aborted) this.main.removeAttribute("aria-busy");
    }
  }

  private readState(): PageState {
    const field = document.activeElement;
    const isField = field instanceof HTMLInputElement || field instanceof HTMLSelectElement;
    const value = field instanceof HTMLInputElement && field.type === "checkbox" ? field.value : "";
    return {
      openDetails: [...this.main.querySelectorAll("details[open] > summary")].map((summary) => summary.textContent),
      scrollTops: [...this.main.querySelectorAll(SCROLLING_ELEMENTS)].map((element) => element.scrollTop),
      field: isField && this.main.contains(field) ? { name: field.name, value } : undefined,
    };
  }

  private restoreState({ openDetails, scrollTops, field }: PageState): void {
    for (const details of this.main.querySelectorAll("details")) {
      if (openDetails.includes(details.querySelector("summary")?.textContent ?? "")) details.open = true;
    }
    // A changed panel summary tells how many filters are in use, so its text differs.
    const panel = this.main.querySelector<HTMLDetailsElement>("details.filter-panel");
    if (panel && field) panel.open = true;
    this.main.querySelectorAll(SCROLLING_ELEMENTS).forEach((element, index) => (element.scrollTop = scrollTops[index] ?? 0));
    const fields = [...this.main.querySelectorAll<HTMLInputElement | HTMLSelectElement>("form[data-live] [name]")];
    fields.find(({ name, value }) => name === field?.name && (!field.value || value === field.value))?.focus({ preventScroll: true });
  }
}

function pathOf({ pathname, search }: Location): string {
  return pathname + search;
}

function replaceLanguageLinks(page: Document): void {
  const links = page.querySelectorAll<HTMLAnchorElement>("footer a[hreflang]");
  document.querySelectorAll<HTMLAnchorElement>("footer a[hreflang]").forEach((link, index) => (link.href = links[index]?.href ?? link.href));
}

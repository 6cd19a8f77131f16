/** The query page: its form becomes a code editor, and results are shown without loading another page. */

import { checkQuery, type QueryProblem } from "./query/check";
import { QueryError, QueryRequest, type QueryResponse, type Remark } from "./query/request";
import { h } from "./page/dom";
import { updateLanguageLinks } from "./page/languages";
import { CodeEditor } from "./editor/code-editor";
import { Example } from "./query/example";
import { readNamespaces } from "./query/names";
import { compressText, formatFragment, readFragment } from "./query/shared-query";
import { QueryTabs } from "./query/tabs";
import { TabStrip } from "./editor/tab-strip";
import { clearPastQueries, loadPastQueries, savePastQuery } from "./query/history";
import { exportSection, MAX_ADDRESS_CHARACTERS, queryAddress, showViewInLinks, viewInAddress } from "./results/export";
import { createViews, DEFAULT_VIEW } from "./results/views";
import { formatNumber, LOCALE, formatMessage } from "./page/messages";

const CLOCK_INTERVAL_MS = 100; // between updates of the elapsed time
const TAB_DELAY_MS = 400; // between a change of a query and its storage

// In a query, the properties whose texts are our summaries, as in sparql/result_page.py.
const SUMMARY_PROPERTIES = /\b(?:skos:definition|dcterms:description)\b|\/core#definition>|\/terms\/description>/;

class QueryPage {
  private readonly editor: CodeEditor;
  private readonly example: Example;
  private readonly status = h("p", { role: "status", class: "status" });
  private readonly problemLine = h("div", { class: "problems" });
  private readonly damageNotice = h("p", { role: "alert", class: "notice" }, formatMessage("link-damaged"));
  private readonly clock = h("span", { "aria-hidden": "true" });
  private readonly cancel = h("button", { type: "button", class: "plain", hidden: true, click: () => this.currentRequest?.cancel() }, formatMessage("cancel"));
  private readonly resultSection = h("section", { "aria-label": formatMessage("answer"), class: "found", hidden: true });
  private readonly historySection = h("details", { class: "past" });
  private currentRequest: QueryRequest | undefined;
  private clockTimer = 0;
  private view = DEFAULT_VIEW;
  private isLinkedView = false; // whether the view comes from the address
  private currentPath = pathOf(location); // with the query string
  private readonly tabs = new QueryTabs();
  private readonly strip: TabStrip;
  private tabTimer = 0;
  private hasEdits = false; // of the user, since the query of the tab was stored

  constructor(private readonly form: HTMLFormElement) {
    const field = form.querySelector<HTMLTextAreaElement>("textarea[name=query]")!;
    this.example = new Example(field.value);
    this.editor = new CodeEditor(field, {
      onRun: () => void this.run(),
      onChange: (isEdited) => this.onChange(isEdited),
      findProblems: (signal) => checkQuery(this.parameters(), signal),
      onProblems: (problems) => this.showProblems(problems),
    });
    this.strip = new TabStrip(form.querySelector<HTMLElement>(".query-tabs")!, this.tabs, {
      beforeSwitch: () => this.storeTab(),
      onSwitch: () => this.editor.replaceQuery(this.tabs.active?.text ?? ""),
      onNew: () => this.editor.selectAll(), // so that typing replaces the example
      onStatus: (text) => (this.status.textContent = text),
    });
    const isEmptyPage = location.search === "" && this.tabs.active;
    if (isEmptyPage) this.editor.replaceQuery(this.tabs.active!.text);
    else this.strip.open(this.editor.text, false, exampleTitle());
    const bar = form.querySelector<HTMLElement>(".run-bar")!;
    bar.before(this.problemLine);
    bar.querySelector("button:not([name])")!.after(" ", this.cancel);
    bar.append(h("button", { type: "button", class: "plain", click: () => this.editor.format() }, formatMessage("format")), this.clock, this.status);
    const queryElement = form.closest("details") ?? form;
    const workbench = h("div", { class: "workbench" });
    queryElement.before(workbench);
    workbench.append(queryElement, this.resultSection);
    document.querySelector("main")!.append(this.strip.savedSection, this.historySection);
    form.addEventListener("submit", (event) => this.onSubmit(event));
    document.querySelector(".pick")?.addEventListener("submit", () => this.saveUnrunQuery()); // the form that picks an example
    document.querySelector(".more")?.removeAttribute("hidden"); // the button that shows the result of the server in other views
    this.showHistory();
    if (/[?&]query=/.test(location.search)) this.updateLanguageSwitch(); // the server renders no language links for a long query
    const { line, column, sentence } = form.dataset;
    if (line) this.editor.showRunProblems([{ line: Number(line), column: Number(column), sentence: sentence ?? "", lang: "en" }], []);
    // A link within the page also fires this event, without changing the path and query.
    addEventListener("popstate", () => this.currentPath !== pathOf(location) && location.reload());
    addEventListener("hashchange", () => void this.openFragment());
    addEventListener("pagehide", () => this.storeTab());
    void this.openFragment();
  }

  /** Run the query of the address, and show its result in the view of the address. */
  private async openFragment(): Promise<void> {
    const { query, view, isDamaged, isUnchecked } = await readFragment(location.hash);
    this.damageNotice.remove();
    if (isDamaged) {
      this.showQuery("");
      this.problemLine.before(this.damageNotice);
      return;
    }
    if (query === undefined && view === undefined) return;
    this.isLinkedView = view !== undefined;
    this.view = view ?? DEFAULT_VIEW;
    if (query !== undefined) this.showQuery(query);
    if (isUnchecked) this.status.textContent = formatMessage("link-unchecked");
    else void this.run();
  }

  /** Show a query in a tab. */
  private showQuery(query: string): void {
    this.storeTab();
    this.strip.open(query);
    this.editor.replaceQuery(query);
  }

  private onChange(isEdited: boolean): void {
    this.updateLanguageSwitch();
    this.hasEdits ||= isEdited;
    this.tabTimer ||= window.setTimeout(() => this.storeTab(), TAB_DELAY_MS);
  }

  /** Store the query of the tab, if it has changed since it was stored. */
  private storeTab(): void {
    if (!this.tabTimer) return;
    clearTimeout(this.tabTimer);
    this.tabs.update(this.editor.text, this.hasEdits);
    this.tabTimer = 0;
    this.hasEdits = false;
    this.strip.showFault();
  }

  private onSubmit(event: SubmitEvent): void {
    if (event.submitter?.hasAttribute("name")) return; // the other buttons open another page, such as the query plan
    event.preventDefault();
    void this.run();
  }

  private async run(): Promise<void> {
    this.currentRequest?.cancel();
    this.storeTab();
    const request = (this.currentRequest = new QueryRequest());
    this.showRunning();
    try {
      if (this.example.isUnchanged(this.editor.text) && this.unusedValues().length) this.editor.text = await this.example.fetchFilledText();
      const parameters = this.parameters();
      const unusedValues = this.unusedValues();
      const response = await request.send(parameters);
      if (request === this.currentRequest) this.showResult({ ...response, remarks: [...unusedValues, ...response.remarks] }, parameters);
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      if (request === this.currentRequest) this.showError(error.remark);
      if (this.editor.text.trim()) void this.pushAddress(this.parameters());
    } finally {
      if (request === this.currentRequest) this.showIdle();
    }
  }

  /** Warnings about parameter values of the example that the query does not use. */
  private unusedValues(): Remark[] {
    return this.example.describeUnusedValues(this.editor.text);
  }

  private parameters(): URLSearchParams {
    const fields = new FormData(this.form);
    fields.delete("_mediatype");
    return new URLSearchParams([...fields].map(([name, value]): [string, string] => [name, String(value).replaceAll("\r\n", "\n")]));
  }

  private showRunning(): void {
    this.editor.showRunProblems([], []);
    this.damageNotice.remove();
    this.status.textContent = formatMessage("running");
    this.resultSection.ariaBusy = "true"; // dims the old result
    document.querySelector("#answer")?.remove(); // the result that the server rendered
    this.cancel.hidden = false;
    clearInterval(this.clockTimer);
    const startedAt = performance.now();
    this.clockTimer = window.setInterval(() => {
      this.clock.textContent = formatMessage("seconds", { seconds: formatNumber((performance.now() - startedAt) / 1000, 1) });
    }, CLOCK_INTERVAL_MS);
  }

  private showIdle(): void {
    this.currentRequest = undefined;
    this.resultSection.ariaBusy = "false";
    this.cancel.hidden = true;
    this.clock.textContent = "";
    clearInterval(this.clockTimer);
  }

  private showResult({ result, remarks, milliseconds }: QueryResponse, parameters: URLSearchParams): void {
    const values = { rows: result.rows.length, milliseconds: Math.ceil(milliseconds) };
    this.status.textContent = formatMessage(result.form === "boolean" ? "answered" : "done", values);
    this.editor.showRunProblems([], remarks);
    const heading = h("h2", { tabindex: "-1" }, formatMessage("answer"));
    const hasSummaries = result.form === "table" && result.rows.length > 0 && SUMMARY_PROPERTIES.test(parameters.get("query") ?? "");
    const note = hasSummaries ? [h("p", { class: "hint" }, formatMessage("summaries"))] : [];
    this.resultSection.replaceChildren(heading, ...note, ...this.remarkList(remarks), createViews(result, this.view, this.isLinkedView, (view) => this.chooseView(view)), exportSection(result, parameters, this.view));
    this.isLinkedView = false;
    this.revealResult();
    if (document.activeElement === document.body) heading.focus({ preventScroll: true }); // the pressed button has been removed
    savePastQuery(parameters.get("query") ?? "");
    this.showHistory();
    void this.pushAddress(parameters);
  }

  /** Show the section of the result, and scroll to it unless its beginning is in sight. */
  private revealResult(): void {
    this.resultSection.hidden = false;
    const { top } = this.resultSection.getBoundingClientRect();
    if (top < 0 || top > innerHeight / 2) this.resultSection.scrollIntoView();
  }

  /** Name the first problem that was found while typing, with a button that fixes it if there is a fix. */
  private showProblems(problems: QueryProblem[]): void {
    const [problem] = problems;
    if (!problem) return this.problemLine.replaceChildren();
    const place = problem.line > 0 && h("button", { type: "button", class: "plain", click: () => this.editor.goTo(problem) }, formatMessage("in-line", { line: problem.line }));
    const edit = problem.edit && this.editor.prepareEdit(problem.edit);
    const fix = edit && h("button", { type: "button", class: "plain", click: edit.apply }, edit.name);
    const others = problems.length > 1 && ` ${formatMessage("more-problems", { count: problems.length - 1 })}`;
    this.problemLine.replaceChildren(place || "", " ", h("bdi", { lang: problem.lang }, problem.sentence), others || "", " ", fix ?? "");
  }

  /** Put the view into the address and the links to the result. */
  private chooseView(view: string): void {
    this.view = view;
    const query = new URLSearchParams(location.hash.slice(1)).get("q") ?? undefined;
    history.replaceState(null, "", pathOf(location) + formatFragment(viewInAddress(view), query));
    showViewInLinks(this.resultSection, view);
  }

  /** Make the address that of the result; a query that is too long for an address is put into its fragment. */
  private async pushAddress(parameters: URLSearchParams): Promise<void> {
    const address = queryAddress(parameters);
    if (address.length > MAX_ADDRESS_CHARACTERS) {
      const fragment = formatFragment(viewInAddress(this.view), await compressText(parameters.get("query") ?? ""));
      if (fragment !== location.hash) history.pushState(null, "", `/sparql${fragment}`);
    } else if (address !== this.currentPath) history.pushState(null, "", address + formatFragment(viewInAddress(this.view)));
    this.currentPath = pathOf(location);
    this.updateLanguageSwitch();
  }

  /** Point the language links to the query in the editor. */
  private updateLanguageSwitch(): void {
    updateLanguageLinks(this.editor.text.trim() && queryAddress(this.parameters()), MAX_ADDRESS_CHARACTERS);
  }

  private showError(remark: Remark): void {
    this.editor.showRunProblems([remark], []);
    this.status.textContent = "";
    this.resultSection.replaceChildren(h("div", { role: "alert", class: "summary" }, h("h2", {}, formatMessage("refused")), this.remarkElement(remark)));
    this.revealResult();
  }

  private remarkList(remarks: Remark[]): Node[] {
    if (!remarks.length) return [];
    const list = h("ul", {}, ...remarks.map((remark) => h("li", {}, this.remarkElement(remark))));
    return [h("div", { class: "summary" }, h("h3", {}, formatMessage("doubts")), list)];
  }

  private remarkElement(remark: Remark): HTMLElement {
    const linkText = formatMessage("go-to", { line: remark.line, column: remark.column });
    const button = h("button", { type: "button", class: "plain", click: () => this.editor.goTo(remark) }, linkText);
    return h("p", {}, h("bdi", { lang: remark.lang }, remark.sentence), " ", remark.line > 0 && button);
  }

  private showHistory(): void {
    const queries = loadPastQueries();
    this.historySection.hidden = !queries.length;
    const entries = queries.map(({ query, at: savedAt }) => {
      const firstLine = query.split("\n").find((line) => /^\s*(select|ask|construct|describe)/i.test(line)) ?? query;
      const button = h("button", { type: "button", class: "plain", click: () => this.reuseQuery(query) }, firstLine.trim().slice(0, 80));
      return h("li", {}, button, " ", h("span", { class: "mark" }, new Date(savedAt).toLocaleString(LOCALE)));
    });
    const clear = h("button", { type: "button", class: "plain", click: () => (clearPastQueries(), this.showHistory()) }, formatMessage("forget"));
    this.historySection.replaceChildren(
      h("summary", {}, formatMessage("past", { count: queries.length })), h("p", {}, formatMessage("past-where")), h("ul", { class: "asked" }, ...entries), clear);
  }

  /** Save a query that was not run to the history, before another one replaces it. */
  private saveUnrunQuery(): void {
    if (!this.example.isUnchanged(this.editor.text) && this.editor.text.trim()) savePastQuery(this.editor.text);
  }

  private reuseQuery(query: string): void {
    this.saveUnrunQuery();
    this.editor.text = query;
    this.storeTab();
    this.showHistory();
    this.form.closest("details")?.setAttribute("open", "");
    this.form.scrollIntoView();
  }
}

/** The title of the example on the page; undefined without one. */
function exampleTitle(): string | undefined {
  if (!new URLSearchParams(location.search).has("example")) return undefined;
  return document.querySelector<HTMLSelectElement>("#example")?.selectedOptions[0]?.dataset.title;
}

/** The path and query string of an address, without its fragment. */
function pathOf({ pathname, search }: Location): string {
  return pathname + search;
}

const form = document.querySelector<HTMLFormElement>("#ask");
if (form) {
  readNamespaces(form);
  new QueryPage(form);
}

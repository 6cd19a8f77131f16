/** The page of queries: its form becomes an editor, and answers come without another page. */

import { type Found, Question, Refusal, type Remark } from "./query/ask";
import { h } from "./page/dom";
import { lead } from "./page/languages";
import { Code } from "./editor/code";
import { Example } from "./query/example";
import { learn } from "./query/names";
import { forget, keep, past } from "./query/past";
import { address, LONGEST, offers } from "./results/offers";
import { views } from "./results/views";
import { figure, LOCALE, say } from "./page/words";

const TICK = 100; // milliseconds between the times that are shown

class Page {
  private readonly code: Code;
  private readonly example: Example;
  private readonly status = h("p", { role: "status", class: "status" });
  private readonly clock = h("span", { "aria-hidden": "true" });
  private readonly cancel = h("button", { type: "button", class: "plain", hidden: true, click: () => this.asked?.cancel() }, say("cancel"));
  private readonly found = h("section", { "aria-label": say("answer"), class: "found", hidden: true });
  private readonly before = h("details", { class: "past" });
  private asked: Question | undefined;
  private tick = 0;
  private here = pathOf(location);

  constructor(private readonly form: HTMLFormElement) {
    this.code = new Code(form.querySelector<HTMLTextAreaElement>("textarea[name=query]")!, () => void this.run(), () => this.follow());
    this.example = new Example(this.code.text);
    form.querySelector("button:not([name])")!.after(" ", this.cancel);
    form.append(this.clock, this.status);
    form.closest("details")?.after(this.found);
    if (!this.found.isConnected) form.after(this.found);
    document.querySelector("main")!.append(this.before);
    form.addEventListener("submit", (event) => this.submitted(event));
    document.querySelector(".pick")?.addEventListener("submit", () => this.spare());
    document.querySelector(".more")?.removeAttribute("hidden");
    this.recall();
    if (/[?&]query=/.test(location.search)) this.follow(); // the service does not write down what is long
    const { line, column, sentence } = form.dataset;
    if (line) this.code.mark([{ line: Number(line), column: Number(column), sentence: sentence ?? "", lang: "en" }], []);
    // A link within the page is no way back.
    addEventListener("popstate", () => this.here !== pathOf(location) && location.reload());
  }

  private submitted(event: SubmitEvent): void {
    if (event.submitter?.hasAttribute("name")) return; // the plan has a page of its own
    event.preventDefault();
    void this.run();
  }

  private async run(): Promise<void> {
    this.asked?.cancel();
    const question = (this.asked = new Question());
    this.start();
    try {
      if (this.example.is(this.code.text) && this.lacking().length) this.code.text = await this.example.filled();
      const parameters = this.parameters();
      const lacking = this.lacking();
      const found = await question.ask(parameters);
      if (question === this.asked) this.show({ ...found, remarks: [...lacking, ...found.remarks] }, parameters);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (question === this.asked) this.refuse(error.remark);
    } finally {
      if (question === this.asked) this.end();
    }
  }

  private lacking(): Remark[] {
    return this.example.lacking(this.code.text);
  }

  private parameters(): URLSearchParams {
    const all = new FormData(this.form);
    all.delete("_mediatype");
    return new URLSearchParams([...all].map(([name, value]): [string, string] => [name, String(value).replaceAll("\r\n", "\n")]));
  }

  private start(): void {
    this.code.mark([], []);
    this.status.textContent = say("running");
    this.found.hidden = false;
    document.querySelector("#answer")?.remove(); // what the server showed of a query before
    this.cancel.hidden = false;
    clearInterval(this.tick);
    const began = performance.now();
    this.tick = window.setInterval(() => {
      this.clock.textContent = say("seconds", { seconds: figure((performance.now() - began) / 1000, 1) });
    }, TICK);
  }

  private end(): void {
    this.asked = undefined;
    this.cancel.hidden = true;
    this.clock.textContent = "";
    clearInterval(this.tick);
  }

  private show({ answer, remarks, milliseconds }: Found, parameters: URLSearchParams): void {
    const figures = { rows: answer.rows.length, milliseconds: Math.ceil(milliseconds) };
    this.status.textContent = say(answer.form === "boolean" ? "answered" : "done", figures);
    this.code.mark([], remarks);
    const head = h("h2", { tabindex: "-1" }, say("answer"));
    this.found.replaceChildren(head, ...this.doubts(remarks), views(answer), offers(answer, parameters));
    if (document.activeElement === document.body) head.focus(); // the button that was pressed is gone
    keep(parameters.get("query") ?? "");
    this.recall();
    this.remember(address(parameters));
  }

  private remember(here: string): void {
    if (here === this.here || here.length > LONGEST) return;
    history.pushState(null, "", here);
    this.here = pathOf(location);
    this.follow();
  }

  /** Another language is one of what the editor holds. */
  private follow(): void {
    lead(this.code.text.trim() && address(this.parameters()), LONGEST);
  }

  private refuse(remark: Remark): void {
    this.code.mark([remark], []);
    this.status.textContent = "";
    this.found.replaceChildren(h("div", { role: "alert", class: "summary" }, h("h2", {}, say("refused")), this.told(remark)));
  }

  private doubts(remarks: Remark[]): Node[] {
    if (!remarks.length) return [];
    const list = h("ul", {}, ...remarks.map((one) => h("li", {}, this.told(one))));
    return [h("div", { class: "summary" }, h("h3", {}, say("doubts")), list)];
  }

  private told(remark: Remark): HTMLElement {
    const place = say("go-to", { line: remark.line, column: remark.column });
    const button = h("button", { type: "button", class: "plain", click: () => this.code.goTo(remark) }, place);
    return h("p", {}, h("bdi", { lang: remark.lang }, remark.sentence), " ", remark.line > 0 && button);
  }

  private recall(): void {
    const queries = past();
    this.before.hidden = !queries.length;
    const entries = queries.map(({ query, at }) => {
      const first = query.split("\n").find((line) => /^\s*(select|ask|construct|describe)/i.test(line)) ?? query;
      const button = h("button", { type: "button", class: "plain", click: () => this.again(query) }, first.trim().slice(0, 80));
      return h("li", {}, button, " ", h("span", { class: "mark" }, new Date(at).toLocaleString(LOCALE)));
    });
    const clear = h("button", { type: "button", class: "plain", click: () => (forget(), this.recall()) }, say("forget"));
    this.before.replaceChildren(
      h("summary", {}, say("past", { count: queries.length })), h("p", {}, say("past-where")), h("ul", { class: "asked" }, ...entries), clear);
  }

  /** Keep what was written and not run, before another query takes its place. */
  private spare(): void {
    if (!this.example.is(this.code.text) && this.code.text.trim()) keep(this.code.text);
  }

  private again(query: string): void {
    this.spare();
    this.code.text = query;
    this.recall();
    this.form.closest("details")?.setAttribute("open", "");
    this.form.scrollIntoView();
  }
}

/** An address without the place within the page. */
function pathOf({ pathname, search }: Location): string {
  return pathname + search;
}

const form = document.querySelector<HTMLFormElement>("#ask");
if (form) {
  learn(form);
  new Page(form);
}

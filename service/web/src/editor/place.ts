/** Where in a query a token stands: what could be completed there, and of which classes variables are. */

import { type Token, tokens } from "./tokens";

/** `prefix` is behind PREFIX; `elsewhere` takes keywords, functions and variables. */
export type Part = "prefix" | "subject" | "property" | "object" | "elsewhere" | "none";

export interface Place {
  part: Part;
  subject: string; // as it stands in the text
  property: string;
}

type Open = Place & { mark: string };

const CONSTRAINTS = /^(filter|bind|values|having|limit|offset|order|group|by|as|select|distinct|reduced|ask|describe|from|named)$/i;
const PATTERNS = /^(where|optional|union|minus|graph|service|silent|construct|exists|not)$/i;
const TYPE = new Set(["a", "rdf:type", "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"]);

/** Whether a property, as it stands in a text, tells the class. */
export function isType(property: string): boolean {
  return TYPE.has(property);
}

/** Follows the tokens of a text one by one. */
class Walk {
  now: Place = { part: "elsewhere", subject: "", property: "" };
  private readonly open: Open[] = [];
  private before = "";

  constructor(private readonly triple: (subject: string, property: string, object: string) => void) {}

  take(token: Token): void {
    if (token.kind === "comment") return;
    if (/^(prefix|base)$/i.test(this.before) || (this.now.part === "prefix" && token.kind === "iri")) {
      this.now.part = token.kind === "iri" ? "elsewhere" : "prefix";
    } else if (token.kind === "mark") {
      this.mark(token.text);
    } else if (token.kind === "word" && PATTERNS.test(token.text)) {
      this.now = { ...this.now, part: /^(graph|service|silent)$/i.test(token.text) ? "elsewhere" : this.now.part };
    } else if (token.kind === "word" && (CONSTRAINTS.test(token.text) || /^(prefix|base)$/i.test(token.text))) {
      this.now.part = /^(prefix|base)$/i.test(token.text) ? "prefix" : "elsewhere";
    } else {
      this.term(token.text);
    }
    this.before = token.text;
  }

  private term(text: string): void {
    const { part, subject, property } = this.now;
    if (part === "subject") this.now = { part: "property", subject: text, property: "" };
    else if (part === "property") this.now = { part: "object", subject, property: text };
    else if (part === "object") {
      this.triple(subject, property, text);
      this.now.part = "none";
    }
  }

  private mark(text: string): void {
    const { part, subject } = this.now;
    if (text === "{") {
      const inValues = /^[?$)]/.test(this.before);
      this.open.push({ ...this.now, mark: text });
      this.now = { part: inValues ? "elsewhere" : "subject", subject: "", property: "" };
    } else if (text === "}" || text === ")") {
      this.open.pop();
      this.now = { part: part === "property" ? part : "subject", subject, property: "" };
      if (text === "}" && !this.open.length) this.now.part = "elsewhere";
      if (text === ")" && this.open.length === 0) this.now.part = "elsewhere";
    } else if (text === "(") {
      this.open.push({ ...this.now, mark: text });
      if (part !== "property") this.now.part = "elsewhere";
    } else if (text === "[") {
      this.open.push({ ...this.now, mark: text });
      this.now = { part: "property", subject: `[${this.open.length}`, property: "" };
    } else if (text === "]") {
      const outer = this.open.pop();
      if (outer) this.now = { ...outer, part: outer.part === "subject" ? "property" : "none" };
    } else if (this.open.at(-1)?.mark === "(" && part === "elsewhere") {
      return;
    } else if (text === ".") this.now = { part: this.open.length ? "subject" : "elsewhere", subject: "", property: "" };
    else if (text === ";") this.now.part = "property";
    else if (text === ",") this.now.part = "object";
    else if ((text === "/" || text === "|") && part === "object") this.now.part = "property";
  }
}

/** The place at an offset of a text, which may go on behind it. */
export function placeAt(text: string, offset: number): Place {
  const walk = new Walk(() => undefined);
  for (const token of tokens(text.slice(0, offset))) {
    const end = token.start + token.text.length;
    const within = end > offset || (end === offset && (token.kind === "comment" || token.kind === "string" || token.kind === "iri"));
    if (within && token.kind !== "iri") return { part: "none", subject: "", property: "" };
    walk.take(token);
  }
  return walk.now;
}

/** The classes of each subject, as both stand in a text. */
export function classes(text: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const walk = new Walk((subject, property, object) => {
    if (isType(property)) found.set(subject, (found.get(subject) ?? new Set()).add(object));
  });
  for (const token of tokens(text)) walk.take(token);
  return found;
}

/** The context of the cursor in a query, for completion, and the triples around it. */

import { type Token, tokenize } from "./tokens";

/**
 * Where the cursor is: after PREFIX, at a term of a triple, or elsewhere, where keywords, functions and variables are
 * completed. `no-completion` is in a comment or string, and after a complete triple.
 */
export type SyntaxPosition = "prefix" | "subject" | "property" | "object" | "elsewhere" | "no-completion";

export interface CursorContext {
  position: SyntaxPosition;
  subject: string; // as written in the query
  property: string;
}

type OpenBracket = CursorContext & { mark: string }; // the bracket, and the context outside of it

// Keywords outside of triples, and those that begin a group of triples or belong to one.
const CONSTRAINT_KEYWORD = /^(filter|bind|values|having|limit|offset|order|group|by|as|select|distinct|reduced|ask|describe|from|named)$/i;
const PATTERN_KEYWORD = /^(where|optional|union|minus|graph|service|silent|construct|exists|not)$/i;
const TYPE_PROPERTIES = new Set(["a", "rdf:type", "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"]);

/** Whether a property, as written in the query, is rdf:type. */
export function isTypeProperty(property: string): boolean {
  return TYPE_PROPERTIES.has(property);
}

/** Tracks the syntactic context while the tokens of a query are added; `onTriple` is called for each triple. */
class ContextTracker {
  context: CursorContext = { position: "elsewhere", subject: "", property: "" };
  private readonly openBrackets: OpenBracket[] = [];
  private previousText = "";

  constructor(private readonly onTriple: (subject: string, property: string, object: string) => void) {}

  addToken(token: Token): void {
    if (token.kind === "comment") return;
    if (/^(prefix|base)$/i.test(this.previousText) || (this.context.position === "prefix" && token.kind === "iri")) {
      this.context.position = token.kind === "iri" ? "elsewhere" : "prefix";
    } else if (token.kind === "mark") {
      this.addPunctuation(token.text);
    } else if (token.kind === "word" && PATTERN_KEYWORD.test(token.text)) {
      this.context = { ...this.context, position: /^(graph|service|silent)$/i.test(token.text) ? "elsewhere" : this.context.position };
    } else if (token.kind === "word" && (CONSTRAINT_KEYWORD.test(token.text) || /^(prefix|base)$/i.test(token.text))) {
      this.context.position = /^(prefix|base)$/i.test(token.text) ? "prefix" : "elsewhere";
    } else {
      this.addTerm(token.text);
    }
    this.previousText = token.text;
  }

  private addTerm(text: string): void {
    const { position, subject, property } = this.context;
    if (position === "subject") this.context = { position: "property", subject: text, property: "" };
    else if (position === "property") this.context = { position: "object", subject, property: text };
    else if (position === "object") {
      this.onTriple(subject, property, text);
      this.context.position = "no-completion";
    }
  }

  private addPunctuation(text: string): void {
    const { position, subject } = this.context;
    if (text === "{") {
      const isValuesBlock = /^[?$)]/.test(this.previousText); // after VALUES ?x or VALUES (?x ?y)
      this.openBrackets.push({ ...this.context, mark: text });
      this.context = { position: isValuesBlock ? "elsewhere" : "subject", subject: "", property: "" };
    } else if (text === "}" || text === ")") {
      this.openBrackets.pop();
      this.context = { position: position === "property" ? position : "subject", subject, property: "" }; // `)` may end a part of a path
      if (!this.openBrackets.length) this.context.position = "elsewhere";
    } else if (text === "(") {
      this.openBrackets.push({ ...this.context, mark: text });
      if (position !== "property") this.context.position = "elsewhere";
    } else if (text === "[") {
      this.openBrackets.push({ ...this.context, mark: text });
      this.context = { position: "property", subject: `[${this.openBrackets.length}`, property: "" }; // a name for the blank node
    } else if (text === "]") {
      const outer = this.openBrackets.pop();
      if (outer) this.context = { ...outer, position: outer.position === "subject" ? "property" : "no-completion" };
    } else if (this.openBrackets.at(-1)?.mark === "(" && position === "elsewhere") {
      return; // punctuation of an expression
    } else if (text === ".") this.context = { position: this.openBrackets.length ? "subject" : "elsewhere", subject: "", property: "" };
    else if (text === ";") this.context.position = "property";
    else if (text === ",") this.context.position = "object";
    else if ((text === "/" || text === "|") && position === "object") this.context.position = "property";
  }
}

/** The context at an offset of a query. */
export function contextAt(text: string, offset: number): CursorContext {
  const tracker = new ContextTracker(() => undefined);
  for (const token of tokenize(text.slice(0, offset))) {
    const endsAtCursor = token.start + token.text.length === offset;
    if (endsAtCursor && (token.kind === "comment" || token.kind === "string")) return { position: "no-completion", subject: "", property: "" };
    tracker.addToken(token);
  }
  return tracker.context;
}

/** A triple, its terms as written in the query; of a path, the property is its last step. */
export interface QueryTriple {
  subject: string;
  property: string;
  object: string;
}

/** The complete triples of a query, in its order. */
export function listTriples(text: string): QueryTriple[] {
  const triples: QueryTriple[] = [];
  const tracker = new ContextTracker((subject, property, object) => triples.push({ subject, property, object }));
  for (const token of tokenize(text)) tracker.addToken(token);
  return triples;
}

/**
 * Formats a query: line breaks, indentation and capital keywords; tokens and comments stay as they are.
 *
 * The kept packages that write SPARQL (sparqljs, @traqula/generator-sparql-1-2) write it from a syntax tree, without
 * comments and abbreviations.
 */

import { type Token, tokenize } from "./tokens";

const KEYWORD =
  /^(?:select|construct|describe|ask|where|from|named|prefix|base|distinct|reduced|optional|union|minus|graph|service|silent|filter|bind|values|exists|not|in|as|order|group|by|having|asc|desc|limit|offset|undef)$/i;
const CLAUSE = /^(?:select|construct|describe|ask|from|order|group|having|limit|offset|values)$/i; // outside of braces, on its own line
const PATTERN = /^(?:filter|optional|bind|values|minus|graph|service|select|order|group|having|limit|offset)$/i; // within braces, on its own line
const INDENT = "  ";

class QueryFormatter {
  private readonly lines: string[] = [];
  private line = "";
  private depth = 0; // open braces
  private brackets = 0; // open parentheses and square brackets
  private isContinued = false; // whether the next line continues a triple
  private isData = false; // within the braces of VALUES
  private constraint = ""; // FILTER or BIND, until its closing parenthesis
  private previousWord = ""; // the last keyword outside of brackets

  constructor(private readonly text: string) {}

  format(): string {
    const tokens = [...tokenize(this.text)];
    tokens.forEach((token, index) => {
      const previous = tokens[index - 1];
      const gap = this.text.slice(previous ? previous.start + previous.text.length : 0, token.start);
      if (previous && /\n\s*\n/.test(gap)) this.addBlankLine();
      this.addToken(token, gap, tokens[index + 1]);
    });
    this.breakLine();
    return `${this.lines.join("\n").trim()}\n`;
  }

  private addToken(token: Token, gap: string, next: Token | undefined): void {
    const { kind, text } = token;
    if (kind === "comment") this.addComment(text, gap);
    else if (text === "{" && kind === "mark") this.openBrace();
    else if (text === "}" && kind === "mark") this.closeBrace(next);
    else if (kind === "mark" && text === "." && this.isSeparator(token, next)) this.endTriple(" .", false);
    else if (kind === "mark" && text === ";" && !this.brackets) this.endTriple(" ;", this.depth > 0);
    else if (kind === "word" && !this.brackets && !this.line.endsWith("@")) this.addWord(text, gap);
    else this.addInline(text, gap);
    if (kind === "mark" && /[([]/.test(text)) this.brackets++;
    if (kind === "mark" && /[)\]]/.test(text)) this.closeBracket(next);
    if (kind === "iri" && /^(?:prefix|base)$/i.test(this.previousWord) && !this.depth) {
      this.previousWord = "";
      this.breakLine();
    }
  }

  private addWord(text: string, gap: string): void {
    if (!KEYWORD.test(text)) return this.addInline(text, gap);
    const startsLine = (this.depth ? PATTERN : CLAUSE).test(text) || /^(?:prefix|base)$/i.test(text);
    if (startsLine && this.line) this.breakLine();
    if (startsLine) this.isContinued = false;
    if (!this.depth && /^(?:select|construct|describe|ask)$/i.test(text) && /^\s*(?:PREFIX|BASE)/.test(this.lines.at(-1) ?? "")) this.addBlankLine();
    if (/^(?:filter|bind)$/i.test(text)) this.constraint = text;
    this.previousWord = text;
    this.addInline(text.toUpperCase(), gap || " ");
  }

  private addInline(text: string, gap: string): void {
    const isRow = this.isData && gap.includes("\n") && !this.brackets;
    if (isRow) this.breakLine();
    if (isRow) this.isContinued = true;
    const needsSpace = gap || (this.isData && this.line.endsWith("{"));
    this.line += (this.line && needsSpace ? " " : "") + text;
  }

  private openBrace(): void {
    this.isData = /^values$/i.test(this.previousWord);
    this.addInline("{", " ");
    if (this.isData) return;
    this.breakLine();
    this.depth++;
    this.isContinued = false;
    this.previousWord = "";
  }

  private closeBrace(next: Token | undefined): void {
    if (!this.isData || this.isContinued) this.breakLine();
    if (!this.isData) this.depth = Math.max(0, this.depth - 1);
    this.isContinued = false;
    this.addInline("}", " ");
    this.isData = false;
    this.previousWord = this.constraint = "";
    if (next?.text !== "." && !/^(?:union|where)$/i.test(next?.text ?? "")) this.breakLine();
  }

  private closeBracket(next: Token | undefined): void {
    this.brackets = Math.max(0, this.brackets - 1);
    if (this.brackets || !this.constraint) return;
    this.constraint = "";
    if (next?.text !== "." && next?.kind !== "comment") this.breakLine();
  }

  private endTriple(mark: string, isContinued: boolean): void {
    if (this.line) this.line += mark;
    else if (this.lines.length) this.lines.push(`${INDENT.repeat(this.depth)}${mark.trim()}`);
    this.breakLine();
    this.isContinued = isContinued;
  }

  private addComment(text: string, gap: string): void {
    const isBehindCode = !gap.includes("\n") && (this.line || this.lines.at(-1));
    if (isBehindCode && this.line) this.line += ` ${text}`;
    else if (isBehindCode) this.lines[this.lines.length - 1] += ` ${text}`;
    else {
      if (this.line) this.breakLine();
      this.line = text;
    }
    const { isContinued } = this;
    this.breakLine();
    this.isContinued = isContinued;
  }

  /** Whether a dot ends a triple: not one in a number, and not one in brackets. */
  private isSeparator({ start }: Token, next: Token | undefined): boolean {
    return !this.brackets && !(next?.start === start + 1 && /^\d/.test(next.text));
  }

  private breakLine(): void {
    if (this.line) this.lines.push(INDENT.repeat(this.depth + Number(this.isContinued)) + this.line);
    this.line = "";
  }

  private addBlankLine(): void {
    if (!this.line && this.lines.length && this.lines.at(-1) !== "") this.lines.push("");
  }
}

/** The formatted text of a query. */
export function formatQuery(text: string): string {
  return new QueryFormatter(text).format();
}

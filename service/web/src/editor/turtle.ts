/** Syntax highlighting of Turtle, TriG, N-Triples and N-Quads. */

import { StreamLanguage, type StringStream } from "@codemirror/language";

// The tokens that end in their line, with the names of their styles; the first pattern that matches counts.
const TOKENS: [RegExp, string][] = [
  [/^#.*/, "comment"],
  [/^(?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)/, "string"],
  [/^<[^<>"\s]*>?/, "url"],
  [/^(?:@?(?:prefix|base)|graph|a)(?![\p{L}\p{N}_:.-])/iu, "keyword"],
  [/^(?:true|false)(?![\p{L}\p{N}_:.-])/u, "bool"],
  [/^@[a-z]+(?:-[a-z0-9]+)*/i, "keyword"], // a language tag
  [/^_:[\p{L}\p{N}_.-]*[\p{L}\p{N}_-]/u, "variableName"],
  [/^(?:[\p{L}_][\p{L}\p{N}_.-]*)?:(?:[\p{L}\p{N}_:%-]|\\.|\.(?=[\p{L}\p{N}_:%\\-]))*/u, "propertyName"],
  [/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?/i, "number"],
];

interface TurtleState {
  quotes: string; // that end the string which began in an earlier line; empty outside of such a string
}

function readToken(stream: StringStream, state: TurtleState): string | null {
  if (!state.quotes) {
    if (stream.eatSpace()) return null;
    const opening = stream.match(/^(?:"""|''')/) as RegExpMatchArray | null;
    if (!opening) {
      const token = TOKENS.find(([pattern]) => stream.match(pattern));
      if (!token) stream.next();
      return token?.[1] ?? null;
    }
    state.quotes = opening[0];
  }
  while (!stream.eol()) {
    if (stream.match(state.quotes)) {
      state.quotes = "";
      break;
    }
    if (stream.next() === "\\") stream.next();
  }
  return "string";
}

/** The extension for CodeMirror. */
export const turtle = StreamLanguage.define<TurtleState>({ startState: () => ({ quotes: "" }), token: readToken });

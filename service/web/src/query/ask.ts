/** Ask the service a query: the whole answer within bounds, a problem with its place, or a way to end it. */

import { type Answer, read } from "./answer";
import { say } from "../page/words";

const LARGEST = 16 * 1024 * 1024; // bytes of an answer that a page holds
const ACCEPT = "application/sparql-results+json, application/n-triples";

/** A sentence about a place of the query; line and column are counted from 1, and 0 beside it. */
export interface Remark {
  sentence: string;
  lang?: string; // where it is not that of the page
  line: number;
  column: number;
}

/** Why there is no answer. */
export class Refusal extends Error {
  constructor(readonly remark: Remark) {
    super(remark.sentence);
  }
}

export interface Found {
  answer: Answer;
  remarks: Remark[];
  milliseconds: number;
}

/** One question, which can be ended. */
export class Question {
  private readonly id = [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");
  private readonly control = new AbortController();

  /** The answer to the parameters of the SPARQL Protocol. Throws Refusal. */
  async ask(parameters: URLSearchParams): Promise<Found> {
    const began = performance.now();
    try {
      const headers = { Accept: ACCEPT, "WGIG-Query-Id": this.id };
      const body = new URLSearchParams([...parameters, ["hints", ""]]);
      const response = await fetch("/sparql", { method: "POST", body, headers, signal: this.control.signal });
      if (!response.ok) throw new Refusal(await problem(response));
      const text = await this.whole(response);
      const answer = readable(text, response.headers.get("Content-Type") ?? "");
      const remarks = warnings(response.headers.get("WGIG-Warning") ?? "");
      return { answer, remarks, milliseconds: performance.now() - began };
    } catch (error) {
      if (error instanceof Refusal) throw error;
      throw new Refusal(nowhere(say(this.control.signal.aborted ? "canceled" : "unanswered")));
    }
  }

  /** End it here, and in the service, which may not have noticed. */
  cancel(): void {
    this.control.abort();
    fetch(`/queries/running/${this.id}`, { method: "DELETE" }).catch(() => undefined);
  }

  private async whole(response: Response): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    let size = 0;
    const reader = response.body!.getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      size += piece.value.byteLength;
      if (size > LARGEST) {
        await reader.cancel();
        throw new Refusal(nowhere(say("too-large", { most: LARGEST / 1024 / 1024 })));
      }
      text += decoder.decode(piece.value, { stream: true });
    }
    return text + decoder.decode();
  }
}

/** The answer, whole. Throws Refusal for what is none that is known here. */
function readable(text: string, mediaType: string): Answer {
  try {
    return read(text, mediaType);
  } catch {
    throw new Refusal(nowhere(say("unreadable")));
  }
}

/** What a problem document says, and where (RFC 9457); like all that the service finds in queries, in English. */
async function problem(response: Response): Promise<Remark> {
  try {
    const { detail, line, column } = await response.json();
    return { sentence: String(detail), lang: "en", line: line ?? 0, column: column ?? 0 };
  } catch {
    return nowhere(say("failed", { status: String(response.status) }));
  }
}

/** A sentence about no place of the query. */
export function nowhere(sentence: string): Remark {
  return { sentence, line: 0, column: 0 };
}

/** The field `WGIG-Warning`: a list of Display Strings with parameters (RFC 9651, section 3.3.8). */
export function warnings(field: string): Remark[] {
  return [...field.matchAll(/%"([^"]*)"(?:;line=(\d+);column=(\d+))?/g)].map((match) => ({
    sentence: decodeURIComponent(match[1]!),
    lang: "en",
    line: Number(match[2] ?? 0),
    column: Number(match[3] ?? 0),
  }));
}

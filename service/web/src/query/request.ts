/** Requests to the SPARQL endpoint: the result up to a maximum size, problems with positions, cancellation. */

import { orderColumns, type QueryResult, readQueryResult } from "./result";
import { formatMessage } from "../page/messages";

const MAX_RESULT_BYTES = 16 * 1024 * 1024; // larger results are not shown on the page
const ACCEPT = "application/sparql-results+json, application/n-triples";

/** A message about a position in the query; line and column are counted from 1; both are 0 without a position. */
export interface Remark {
  sentence: string;
  lang?: string; // the language of the sentence if it is not that of the page
  line: number;
  column: number;
}

/** The error of a failed query, with a remark that states the reason. */
export class QueryError extends Error {
  constructor(readonly remark: Remark) {
    super(remark.sentence);
  }
}

export interface QueryResponse {
  result: QueryResult;
  remarks: Remark[];
  milliseconds: number;
}

/** A query request that can be canceled. */
export class QueryRequest {
  private readonly queryId = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  private readonly abortController = new AbortController();

  /** The response to a query with these parameters of the SPARQL Protocol. Throws QueryError if it fails. */
  async send(parameters: URLSearchParams): Promise<QueryResponse> {
    const startedAt = performance.now();
    try {
      const headers = { Accept: ACCEPT, "WGIG-Query-Id": this.queryId };
      const body = new URLSearchParams([...parameters, ["hints", ""]]); // requests warnings in the header WGIG-Warning
      const response = await fetch("/sparql", { method: "POST", body, headers, signal: this.abortController.signal });
      if (!response.ok) throw new QueryError(await readProblem(response));
      const text = await this.readBody(response);
      const result = orderColumns(parseResult(text, response.headers.get("Content-Type") ?? ""), parameters.get("query") ?? "");
      const remarks = parseWarnings(response.headers.get("WGIG-Warning") ?? "");
      return { result, remarks, milliseconds: performance.now() - startedAt };
    } catch (error) {
      if (error instanceof QueryError) throw error;
      throw new QueryError(remarkWithoutPosition(formatMessage(this.abortController.signal.aborted ? "canceled" : "unanswered")));
    }
  }

  /** Cancel the request, and stop the query in the service, which may not have noticed the disconnect. */
  cancel(): void {
    this.abortController.abort();
    fetch(`/queries/running/${this.queryId}`, { method: "DELETE" }).catch(() => undefined);
  }

  private async readBody(response: Response): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    let size = 0;
    const reader = response.body!.getReader();
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      size += chunk.value.byteLength;
      if (size > MAX_RESULT_BYTES) {
        await reader.cancel();
        throw new QueryError(remarkWithoutPosition(formatMessage("too-large", { most: MAX_RESULT_BYTES / 1024 / 1024 })));
      }
      text += decoder.decode(chunk.value, { stream: true });
    }
    return text + decoder.decode();
  }
}

/** The result in the body of a response. Throws QueryError if it cannot be parsed. */
function parseResult(text: string, mediaType: string): QueryResult {
  try {
    return readQueryResult(text, mediaType);
  } catch {
    throw new QueryError(remarkWithoutPosition(formatMessage("unreadable")));
  }
}

/** The remark of a problem document (RFC 9457), which is in English. */
async function readProblem(response: Response): Promise<Remark> {
  try {
    const { detail, line, column } = await response.json();
    return { sentence: String(detail), lang: "en", line: line ?? 0, column: column ?? 0 };
  } catch {
    return remarkWithoutPosition(formatMessage("failed", { status: String(response.status) }));
  }
}

/** A remark without a position in the query. */
export function remarkWithoutPosition(sentence: string): Remark {
  return { sentence, line: 0, column: 0 };
}

/** The remarks in the header `WGIG-Warning`: Display Strings with parameters (RFC 9651, section 3.3.8). */
export function parseWarnings(field: string): Remark[] {
  return [...field.matchAll(/%"([^"]*)"(?:;line=(\d+);column=(\d+))?/g)].map((match) => ({
    sentence: decodeURIComponent(match[1]!),
    lang: "en",
    line: Number(match[2] ?? 0),
    column: Number(match[3] ?? 0),
  }));
}

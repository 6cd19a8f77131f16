/** The check of a query while it is typed: the service parses it, and does not run it. */

import type { Remark } from "./request";

export const MAX_CHECKED_CHARACTERS = 100_000; // longer queries are not checked while they are typed

/** A change that fixes a problem: what replaces the characters from `start` to `end`, counted in code points. */
export interface TextEdit {
  start: number;
  end: number;
  text: string;
}

/** An error or a warning about a query. */
export interface QueryProblem extends Remark {
  severity: "error" | "warning";
  edit?: TextEdit;
}

/** The problems in a query: its first error, or all warnings; none if the service does not respond. */
export async function checkQuery(parameters: URLSearchParams, signal: AbortSignal): Promise<QueryProblem[]> {
  const query = parameters.get("query") ?? "";
  if (!query.trim() || query.length > MAX_CHECKED_CHARACTERS) return [];
  try {
    const response = await fetch("/sparql", { method: "POST", body: new URLSearchParams([...parameters, ["check", ""]]), signal });
    if (!response.ok) return [];
    const { problems } = await response.json();
    return problems.map(({ message, line, column, ...others }: QueryProblem & { message: string }) =>
      ({ ...others, sentence: message, lang: "en", line: line ?? 0, column: column ?? 0 }));
  } catch {
    return [];
  }
}

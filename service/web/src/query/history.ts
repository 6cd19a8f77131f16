/** The history of queries, in the local storage of this browser. */

const STORAGE_KEY = "wgig-queries";
const MAX_PAST_QUERIES = 50;

export interface PastQuery {
  query: string;
  at: number; // milliseconds since 1970
}

/** The past queries, the newest first; empty if the browser has no storage. */
export function loadPastQueries(): PastQuery[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "[]");
    return Array.isArray(stored) ? stored.filter((entry) => typeof entry?.query === "string" && typeof entry?.at === "number") : [];
  } catch {
    return [];
  }
}

/** Add a query to the history, without duplicates. */
export function savePastQuery(query: string): void {
  const otherQueries = loadPastQueries().filter((entry) => entry.query !== query);
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify([{ query, at: Date.now() }, ...otherQueries].slice(0, MAX_PAST_QUERIES)));
  } catch {
    // Without storage, or if it is full, the query still runs.
  }
}

/** Remove all queries from the history. */
export function clearPastQueries(): void {
  try {
    localStorage.removeItem(STORAGE_KEY);
  } catch {
    // Without storage there is nothing to remove.
  }
}

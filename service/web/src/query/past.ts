/** The queries that were asked before, kept in this browser alone. */

const KEY = "wgig-queries";
const MOST = 50;

export interface Asked {
  query: string;
  at: number;
}

/** The newest first; none where the browser keeps nothing. */
export function past(): Asked[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one?.query === "string" && typeof one?.at === "number") : [];
  } catch {
    return [];
  }
}

/** Keep a query, once. */
export function keep(query: string): void {
  const others = past().filter((one) => one.query !== query);
  try {
    localStorage.setItem(KEY, JSON.stringify([{ query, at: Date.now() }, ...others].slice(0, MOST)));
  } catch {
    // The browser keeps nothing, or has no room: the query was asked all the same.
  }
}

/** Forget all. */
export function forget(): void {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // What is not kept need not be forgotten.
  }
}

/**
 * A query and a view of its result in the fragment of an address: `#q=...&view=map`.
 *
 * The query is compressed, so that the link is short and needs no state in the service, which never sees the fragment.
 */

const MAX_SHARED_CHARACTERS = 1_000_000; // of a query in a link

/** What a fragment has; `isDamaged` if its query cannot be read. */
export interface SharedQuery {
  query: string | undefined;
  view: string | undefined;
  isDamaged: boolean;
}

/** The fragment of an address with a view, and with a query if given; empty for the default view of no query. */
export function formatFragment(view: string | undefined, compressedQuery?: string): string {
  const parameters = new URLSearchParams();
  if (compressedQuery) parameters.set("q", compressedQuery);
  if (view) parameters.set("view", view);
  return parameters.size ? `#${parameters}` : "";
}

/** What the fragment of this address has. */
export async function readFragment(fragment: string): Promise<SharedQuery> {
  const parameters = new URLSearchParams(fragment.slice(1));
  const [compressedQuery, view] = [parameters.get("q"), parameters.get("view") ?? undefined];
  if (compressedQuery === null) return { query: undefined, view, isDamaged: false };
  try {
    return { query: await decompressText(compressedQuery), view, isDamaged: false };
  } catch {
    return { query: undefined, view, isDamaged: true };
  }
}

/** A text as base64url of its deflated UTF-8 bytes. */
export async function compressText(text: string): Promise<string> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The text of a compressed one. Throws if it is damaged, or longer than MAX_SHARED_CHARACTERS. */
export async function decompressText(compressedText: string): Promise<string> {
  const binary = atob(compressedText.replaceAll("-", "+").replaceAll("_", "/"));
  const stream = new Blob([Uint8Array.from(binary, (character) => character.charCodeAt(0))]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  const reader = stream.getReader();
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    text += decoder.decode(chunk.value, { stream: true });
    if (text.length > MAX_SHARED_CHARACTERS) {
      await reader.cancel();
      throw new Error("The text is too long.");
    }
  }
  return text + decoder.decode();
}

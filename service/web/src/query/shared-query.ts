/**
 * A query and a view of its result in the fragment of an address: `#q=...&view=map`.
 *
 * The query is compressed, so that the link is short and needs no state in the service, which never sees the fragment. The
 * zlib format (RFC 1950) has a checksum, so that a damaged link is noticed. Links of earlier versions are without it.
 */

const ZLIB_FIRST_BYTE = 0x78; // no text that was deflated without the header of zlib begins with it
const MAX_SHARED_CHARACTERS = 1_000_000; // of a query in a link

/** What a fragment has; `isDamaged` if its query cannot be read, `isUnchecked` if it has no checksum. */
export interface SharedQuery {
  query: string | undefined;
  view: string | undefined;
  isDamaged: boolean;
  isUnchecked: boolean;
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
  const shared = { query: undefined, view, isDamaged: false, isUnchecked: false };
  if (compressedQuery === null) return shared;
  try {
    const bytes = decodeBase64(compressedQuery);
    const isUnchecked = bytes[0] !== ZLIB_FIRST_BYTE;
    return { ...shared, query: await decompressText(bytes, isUnchecked ? "deflate-raw" : "deflate"), isUnchecked };
  } catch {
    return { ...shared, isDamaged: true };
  }
}

/** A text as base64url of its UTF-8 bytes in the zlib format. */
export async function compressText(text: string): Promise<string> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The bytes of a text in base64url. Throws if it has other characters. */
function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
}

/** The text in compressed bytes. Throws if they are damaged, or the text is longer than MAX_SHARED_CHARACTERS. */
async function decompressText(bytes: Uint8Array<ArrayBuffer>, format: CompressionFormat): Promise<string> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format));
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

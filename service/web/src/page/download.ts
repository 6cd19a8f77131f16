/** Downloads of what is in the page. */

import { h } from "./dom";

const REVOKE_DELAY_MS = 10_000; // some browsers read a download only after the click

export function downloadBlob(blob: Blob, fileName: string): void {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: fileName }).click();
  setTimeout(() => URL.revokeObjectURL(url), REVOKE_DELAY_MS);
}

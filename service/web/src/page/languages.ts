/** The links to the page in other languages, in the footer. */

const LINKS = [...document.querySelectorAll<HTMLAnchorElement>("footer a[hreflang]")].map((link) => ({ link, originalAddress: link.href }));

/** Point each link to this address with its language; to its original address without one, or if the new one is too long. */
export function updateLanguageLinks(address: string | undefined, maxCharacters: number): void {
  for (const { link, originalAddress } of LINKS) {
    const target = `${address}&_lang=${link.hreflang}`; // the address has a query string
    link.href = address && target.length <= maxCharacters ? target : originalAddress;
  }
}

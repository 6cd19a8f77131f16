/** The switch of languages at the foot of the page. */

const LINKS = [...document.querySelectorAll<HTMLAnchorElement>("footer a[hreflang]")].map((link) => ({ link, first: link.href }));

/** Lead to this address in each language, or where the page led if that is longer than the service reads. */
export function lead(address: string | undefined, longest: number): void {
  for (const { link, first } of LINKS) {
    const there = `${address}&_lang=${link.hreflang}`;
    link.href = address && there.length <= longest ? there : first;
  }
}

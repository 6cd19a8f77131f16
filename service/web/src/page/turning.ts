/** No text turns the letters of what stands around it: what it opens it closes, and nothing else. */

const [PDF, PDI] = ["\u202c", "\u2069"];
const CONTROL = /[\u202a-\u202e\u2066-\u2069]/;

/** What closes what a character opens. */
const closes = (one: string) => (/[\u202a\u202b\u202d\u202e]/.test(one) ? PDF : /[\u2066-\u2068]/.test(one) ? PDI : undefined);

/** The text with all that it opens closed, at its end at the latest, and without what closes nothing. */
export function balanced(text: string): string {
  if (!CONTROL.test(text)) return text;
  const closing: string[] = [];
  let found = "";
  for (const one of text) {
    const end = closes(one);
    if (end) closing.push(end);
    else if (one === PDI && closing.includes(PDI)) {
      while (closing.at(-1) !== PDI) found += closing.pop(); // an isolate ends what is open in it
      closing.pop();
    } else if (one === PDF && closing.at(-1) === PDF) closing.pop();
    else if (one === PDF || one === PDI) continue;
    found += one;
  }
  return found + closing.reverse().join("");
}

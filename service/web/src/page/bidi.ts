/** Bidirectional control characters: balanced in each text, so that a text cannot reorder the text around it. */

const [PDF, PDI] = ["\u202c", "\u2069"]; // close embeddings and overrides; close isolates
const CONTROL = /[\u202a-\u202e\u2066-\u2069]/;

/** The control character that closes an embedding or isolate; undefined for other characters. */
const closingControl = (character: string) => (/[\u202a\u202b\u202d\u202e]/.test(character) ? PDF : /[\u2066-\u2068]/.test(character) ? PDI : undefined);

/** The text with all embeddings and isolates closed at its end, without unmatched closing controls. */
export function balanceBidi(text: string): string {
  if (!CONTROL.test(text)) return text;
  const closers: string[] = [];
  let balancedText = "";
  for (const character of text) {
    const closer = closingControl(character);
    if (closer) closers.push(closer);
    else if (character === PDI && closers.includes(PDI)) {
      while (closers.at(-1) !== PDI) balancedText += closers.pop(); // the end of an isolate closes the embeddings inside it
      closers.pop();
    } else if (character === PDF && closers.at(-1) === PDF) closers.pop();
    else if (character === PDF || character === PDI) continue;
    balancedText += character;
  }
  return balancedText + closers.reverse().join("");
}

/** The texts of a script, which the page brings in the language of its reader. */

/** The language of the page, with the digits of the service. */
export const LOCALE = `${document.documentElement.lang}-u-nu-latn`;

const texts = new Map<string, string>();

/** A text of the page by its name, with values in its places `{name}`. */
export function say(name: string, values: Record<string, string | number> = {}): string {
  if (!texts.size) {
    const template = document.querySelector<HTMLTemplateElement>("template.words");
    for (const one of template?.content.querySelectorAll("p") ?? []) {
      texts.set(one.dataset.name ?? "", one.textContent.trim());
    }
  }
  const text = texts.get(name);
  if (text === undefined) throw new Error(`The page lacks the text ${name}.`);
  return text.replace(/\{(\w+)\}/g, (place, key: string) => shown(values[key] ?? place));
}

function shown(value: string | number): string {
  return typeof value === "number" ? figure(value) : value;
}

/** A number as the page writes it, with so many decimals if that is said. */
export function figure(value: number, decimals?: number): string {
  return value.toLocaleString(LOCALE, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** The messages of scripts. The page contains them in its language, in template elements. */

/** The locale of the page, with Latin digits. */
export const LOCALE = `${document.documentElement.lang}-u-nu-latn`;

const messages = new Map<string, string>();

/** The message with this name, with `values` in its placeholders such as `{count}`. Throws if the page has none. */
export function formatMessage(name: string, values: Record<string, string | number> = {}): string {
  if (!messages.size) {
    for (const template of document.querySelectorAll<HTMLTemplateElement>("template.words")) {
      for (const paragraph of template.content.querySelectorAll("p")) {
        messages.set(paragraph.dataset.name ?? "", paragraph.textContent.trim());
      }
    }
  }
  const message = messages.get(name);
  if (message === undefined) throw new Error(`The page has no message named ${name}.`);
  return message.replace(/\{(\w+)\}/g, (placeholder, key: string) => formatValue(values[key] ?? placeholder));
}

function formatValue(value: string | number): string {
  return typeof value === "number" ? formatNumber(value) : value;
}

/** A number in the format of the page, with a fixed number of decimals if given. */
export function formatNumber(value: number, decimals?: number): string {
  return value.toLocaleString(LOCALE, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** The example query of the page: its text, and the fields of its parameters. */

import { formatMessage } from "../page/messages";
import { QueryError, remarkWithoutPosition, type Remark } from "./request";

/** The example query on the page; `text` is its text with the values that the service filled in. */
export class Example {
  constructor(private text: string) {}

  /** Whether a text is the text of the example, with the values that the service last filled in. */
  isUnchanged(text: string): boolean {
    return text === this.text;
  }

  /** A remark that names the fields whose values a text does not contain; no remark if it contains all. */
  describeUnusedValues(text: string): Remark[] {
    const names = parameterFields().filter((field) => this.isValueUnused(text, field)).map((field) => field.labels?.[0]?.textContent ?? "");
    return names.length ? [remarkWithoutPosition(formatMessage("lacking", { names: names.join(" ") }))] : [];
  }

  /** The text into which the service filled the values of the fields. Throws QueryError if a value is invalid. */
  async fetchFilledText(): Promise<string> {
    const page = await fetchExamplePage(Object.fromEntries(parameterFields().map(({ name, value }) => [name, value])));
    const [currentSection, newSection] = [findParameterSection(document), findParameterSection(page)];
    if (!currentSection || !newSection) throw new QueryError(remarkWithoutPosition(formatMessage("unanswered")));
    currentSection.replaceWith(newSection);
    const errorElement = newSection.querySelector<HTMLElement>(".said .message");
    if (errorElement) throw new QueryError(remarkWithoutPosition(errorElement.textContent));
    this.text = page.querySelector<HTMLTextAreaElement>("textarea[name=query]")!.value;
    return this.text;
  }

  private isValueUnused(text: string, field: ParameterField): boolean {
    const { name, value } = field;
    // The service fills a value into the VALUES clause of its variable.
    const valuesClause = new RegExp(`VALUES \\?${name} \\{.*?\\}`).exec(this.text)?.[0] ?? "";
    const usedValue = field.ariaInvalid ? "" : initialValue(field); // the service does not fill in an invalid value
    return value !== usedValue || (value !== "" && !text.includes(valuesClause));
  }
}

function findParameterSection(page: Document): HTMLElement | null {
  return page.querySelector<HTMLElement>(".pick .parameters");
}

type ParameterField = HTMLInputElement | HTMLSelectElement;

function parameterFields(): ParameterField[] {
  return [...(findParameterSection(document)?.querySelectorAll<ParameterField>("input, select") ?? [])];
}

/** The value that a field had when the page was loaded. */
function initialValue(field: ParameterField): string {
  if (field instanceof HTMLInputElement) return field.defaultValue;
  return [...field.options].find((option) => option.defaultSelected)?.value ?? field.options[0]?.value ?? "";
}

/** The query page of the example with these values. Throws QueryError if the service does not respond. */
async function fetchExamplePage(values: Record<string, string>): Promise<Document> {
  const example = findParameterSection(document)?.dataset.of ?? "";
  try {
    const response = await fetch(`/sparql?${new URLSearchParams({ example, ...values })}`, { headers: { Accept: "text/html" } });
    return new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    throw new QueryError(remarkWithoutPosition(formatMessage("unanswered")));
  }
}

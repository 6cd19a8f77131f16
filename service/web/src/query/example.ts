/** The example that the page began with: its text, and the fields of its parameters. */

import { say } from "../page/words";
import { nowhere, Refusal, type Remark } from "./ask";

export class Example {
  constructor(private text: string) {}

  /** Whether this is the text of the example, with the values that were put into it. */
  is(text: string): boolean {
    return text === this.text;
  }

  /** What is to be said of values in the fields that a text does not have; nothing where it has them all. */
  lacking(text: string): Remark[] {
    const names = fields().filter((field) => this.lacks(text, field)).map((field) => field.labels?.[0]?.textContent ?? "");
    return names.length ? [nowhere(say("lacking", { names: names.join(" ") }))] : [];
  }

  /** The text with the values of the fields, as the service puts them. Throws Refusal for one that is wrong. */
  async filled(): Promise<string> {
    const page = await began(Object.fromEntries(fields().map(({ name, value }) => [name, value])));
    const [now, then] = [part(document), part(page)];
    if (!now || !then) throw new Refusal(nowhere(say("unanswered")));
    now.replaceWith(then);
    const wrong = then.querySelector<HTMLElement>(".said bdi");
    if (wrong) throw new Refusal({ ...nowhere(wrong.textContent), lang: wrong.lang });
    this.text = page.querySelector<HTMLTextAreaElement>("textarea[name=query]")!.value;
    return this.text;
  }

  private lacks(text: string, { name, value, defaultValue, ariaInvalid }: HTMLInputElement): boolean {
    const place = new RegExp(`VALUES \\?${name} \\{.*?\\}`).exec(this.text)?.[0] ?? "";
    const put = ariaInvalid ? "" : defaultValue;
    return value !== put || (value !== "" && !text.includes(place));
  }
}

function part(page: Document): HTMLElement | null {
  return page.querySelector<HTMLElement>(".pick .parameters");
}

function fields(): HTMLInputElement[] {
  return [...(part(document)?.querySelectorAll("input") ?? [])];
}

/** The page of queries that begins with the example and these values. Throws Refusal. */
async function began(values: Record<string, string>): Promise<Document> {
  const example = part(document)?.dataset.of ?? "";
  try {
    const response = await fetch(`/sparql?${new URLSearchParams({ example, ...values })}`, { headers: { Accept: "text/html" } });
    return new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    throw new Refusal(nowhere(say("unanswered")));
  }
}

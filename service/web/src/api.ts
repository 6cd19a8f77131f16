/** The API page: RapiDoc shows the OpenAPI description in place of the list of operations. */

import "rapidoc/src/rapidoc.js";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** A part of a description with what its references refer to; those that would recurse stay references. */
function resolveReferences(part: Json, description: Json, references: readonly string[] = []): Json {
  if (Array.isArray(part)) return part.map((item) => resolveReferences(item, description, references));
  if (part === null || typeof part !== "object") return part;
  const reference = part["$ref"];
  if (typeof reference === "string") {
    if (references.includes(reference)) return part;
    const { $ref: _, ...others } = part; // that add to what is referred to
    const referenced = resolveReferences(findReferenced(reference, description), description, [...references, reference]);
    return Object.keys(others).length ? { ...(referenced as Record<string, Json>), ...others } : referenced;
  }
  return Object.fromEntries(
    Object.entries(part).map(([name, value]) => [name, resolveReferences(value, description, references)]),
  );
}

/** What a JSON Pointer refers to, such as `#/components/schemas/Paper`. */
function findReferenced(reference: string, description: Json): Json {
  const names = reference.split("/").slice(1).map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  return names.reduce((part, name) => (part as Record<string, Json>)[name]!, description);
}

const list = document.querySelector<HTMLElement>("#operations")!;
const reference = document.createElement("rapi-doc");
const attributes = {
  "render-style": "view",
  "show-header": "false",
  "show-info": "false",
  "load-fonts": "false",
  "allow-server-selection": "false",
  "fill-request-fields-with-example": "false",
  "default-schema-tab": "schema",
  "schema-style": "table",
  "schema-expand-level": "1",
};
for (const [name, value] of Object.entries(attributes)) reference.setAttribute(name, value);
reference.addEventListener("spec-loaded", () => list.remove());
reference.addEventListener("keydown", (event) => {
  const button = event.composedPath()[0];
  if (button instanceof HTMLElement && button.role === "button" && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault(); // else the space key also scrolls the page
    button.click();
  }
});
list.after(reference);
const response = await fetch(list.dataset.description!);
const description = (await response.json()) as Json;
(reference as unknown as { loadSpec(description: Json): void }).loadSpec(resolveReferences(description, description));

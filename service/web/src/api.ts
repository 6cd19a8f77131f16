/** The API page: RapiDoc shows the OpenAPI description in place of the list of operations. */

import "rapidoc/src/rapidoc.js";

const list = document.querySelector<HTMLElement>("#operations")!;
const reference = document.createElement("rapi-doc");
const attributes = {
  "spec-url": list.dataset.description!,
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

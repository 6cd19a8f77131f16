/** Elements made in one expression. */

import { balanced } from "./turning";

type Child = Node | string | undefined | false;
type Given = Record<string, string | boolean | undefined | ((event: Event) => void)>;

/** An element with attributes and children; a function is called at the event of its name. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  given: Given = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), given, children);
}

/** The same for SVG. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  given: Given = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), given, children);
}

function fill<E extends Element>(element: E, given: Given, children: Child[]): E {
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== undefined && value !== false) element.setAttribute(name, value);
  }
  const there = children.filter((child) => child !== undefined && child !== false);
  element.append(...there.map((child) => (typeof child === "string" ? balanced(child) : child)));
  return element;
}

/** A field to choose one of some names; `chosen` is told of each choice. */
export function choice(label: string, names: string[], value: string, chosen: (name: string) => void): HTMLElement {
  const options = names.map((name) => h("option", { selected: name === value }, name));
  const select = h("select", { change: () => chosen(select.value) }, ...options);
  return h("label", { class: "choice" }, `${label} `, select);
}

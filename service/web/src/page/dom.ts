/** Functions that create HTML and SVG elements with attributes and children. */

import { balanceBidi } from "./bidi";

type Child = Node | string | undefined | false;
type Attributes = Record<string, string | boolean | undefined | ((event: Event) => void)>;

/** An HTML element with attributes and children; an attribute with a function adds it as listener, such as `click`. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element; like `h`. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== undefined && value !== false) element.setAttribute(name, value);
  }
  const presentChildren = children.filter((child) => child !== undefined && child !== false);
  element.append(...presentChildren.map((child) => (typeof child === "string" ? balanceBidi(child) : child)));
  return element;
}

/** A select field with a label; `onChoice` is called with each chosen name. */
export function selectField(label: string, names: string[], value: string, onChoice: (name: string) => void): HTMLElement {
  const options = names.map((name) => h("option", { selected: name === value }, name));
  const select = h("select", { change: () => onChoice(select.value) }, ...options);
  return h("label", { class: "choice" }, `${label} `, select);
}

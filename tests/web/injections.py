"""Checks whether hostile texts affected the page that shows them."""

from playwright.sync_api import Page

from .hostile_store import BEGIN_MARK, END_MARK
from .layout import OVERFLOW_SCRIPT

# Scripts, links and elements that a hostile text injected; no page of the service has such elements.
INJECTION_SCRIPT = """() => {
  const faults = window.hit === undefined ? [] : ["a script ran"];
  const injected = "iframe, object, embed, base, meta[http-equiv], img, [srcdoc], [autofocus][x], "
    + "link[href^='//'], form[action^='//']";
  const urlAttributes = ["href", "src", "action", "formaction", "xlink:href"];
  for (const element of document.querySelectorAll("*")) {
    const addFault = (text) => faults.push(`${text}: ${element.outerHTML.slice(0, 150)}`);
    if (element.matches(injected)) addFault("is injected");
    const isStyle = element.matches("style") && element.textContent.includes("display:none");
    if (isStyle) addFault("is an injected style");
    for (const {name, value} of element.attributes) {
      if (name.startsWith("on")) addFault("has a listener");
      const isWebUrl = /^(https?:|[/#?]|$)/i.test(value.trim());
      if (urlAttributes.includes(name) && !isWebUrl) addFault("has a URL of another scheme");
    }
  }
  const jsonLdScripts = document.querySelectorAll("script[type='application/ld+json']");
  for (const script of jsonLdScripts) JSON.parse(script.textContent);
  return faults;
}"""

# Texts whose bidirectional controls reorder text outside of the hostile text, which is between BEGIN_MARK and
# END_MARK. Each text must close its controls. Outside of code, an isolating element may have only one hostile
# text, at its end.
BIDI_SCRIPT = """([begin, end]) => {
  const opening = /[\\u202a\\u202b\\u202d\\u202e]/, isolating = /[\\u2066-\\u2068]/;
  const isUnbalanced = (text) => {
    const closers = [];
    for (const character of text) {
      if (isolating.test(character)) closers.push("\\u2069");
      else if (opening.test(character)) closers.push("\\u202c");
      else if (/[\\u2069\\u202c]/.test(character) && closers.pop() !== character) return true;
    }
    return closers.length > 0;
  };
  const IRI = /^[a-z]+:\\S*$/;
  const isolates = new Map();  // by element
  const isolateOf = (element) => {
    if (!isolates.has(element)) {
      const {unicodeBidi} = getComputedStyle(element);
      const isIsolate = element === document.body || /isolate|plaintext/.test(unicodeBidi);
      isolates.set(element, isIsolate ? element : isolateOf(element.parentElement));
    }
    return isolates.get(element);
  };
  const nodes = [], texts = new Map();  // of each isolate
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest("script, textarea, option, template, [hidden]")) continue;
    const isolate = isolateOf(node.parentElement);
    nodes.push(node);
    texts.set(isolate, (texts.get(isolate) ?? "") + node.data);
  }
  const faults = [];
  for (const node of nodes.filter(({data}) => /[\\u202a-\\u202e\\u2066-\\u2069]/.test(data))) {
    if (isUnbalanced(node.data)) faults.push(`is unbalanced: ${JSON.stringify(node.data.slice(0, 80))}`);
    if (node.parentElement.closest("pre, code")) continue;
    const isolate = isolateOf(node.parentElement);
    const text = texts.get(isolate).replace(/[\\s\\u202c\\u2069]+$/, "");
    const isLast = text.split(begin).length === 2 && text.indexOf(end) === text.length - 1;
    if (!isLast && !IRI.test(text)) faults.push(`reorders text: ${isolate.outerHTML.slice(0, 250)}`);
  }
  return faults;
}"""


# All checks in one call to the browser.
ALL_CHECKS_SCRIPT = (
    f"""(marks) => [...({INJECTION_SCRIPT})(), ...({BIDI_SCRIPT})(marks), ...({OVERFLOW_SCRIPT})()]"""
)


def find_injections(page: Page) -> list[str]:
    """The effects of hostile texts on a page: scripts, listeners, URLs of other schemes, injected elements.

    It also lists texts that reorder the text around them, and elements wider than the window. Invalid JSON-LD
    raises an error.
    """
    faults: list[str] = page.evaluate(ALL_CHECKS_SCRIPT, [BEGIN_MARK, END_MARK])
    return faults

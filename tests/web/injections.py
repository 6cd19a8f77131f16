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
    const html = element.outerHTML.slice(0, 150);
    if (element.matches(injected)) faults.push(`is injected: ${html}`);
    const isStyle = element.matches("style") && element.textContent.includes("display:none");
    if (isStyle) faults.push(`is an injected style: ${html}`);
    for (const {name, value} of element.attributes) {
      if (name.startsWith("on")) faults.push(`has a listener: ${html}`);
      const isWebUrl = /^(https?:|[/#?]|$)/i.test(value.trim());
      if (urlAttributes.includes(name) && !isWebUrl) faults.push(`has a URL of another scheme: ${html}`);
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
  const isolates = (element) => /isolate|plaintext/.test(getComputedStyle(element).unicodeBidi);
  const isolateOf = (node) => {
    let element = node.parentElement;
    while (!isolates(element)) element = element.parentElement;
    return element;
  };
  const nodes = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    if (!node.parentElement.closest("script, textarea, option, template, [hidden]")) nodes.push(node);
  const faults = [];
  for (const node of nodes.filter(({data}) => /[\\u202a-\\u202e\\u2066-\\u2069]/.test(data))) {
    if (isUnbalanced(node.data)) faults.push(`is unbalanced: ${JSON.stringify(node.data.slice(0, 80))}`);
    if (node.parentElement.closest("pre, code")) continue;
    const isolate = isolateOf(node);
    const isolated = nodes.filter((other) => isolate.contains(other) && isolateOf(other) === isolate);
    const text = isolated.map(({data}) => data).join("").replace(/[\\s\\u202c\\u2069]+$/, "");
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

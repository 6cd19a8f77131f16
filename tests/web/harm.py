"""What a hostile text did to the page that shows it."""

from playwright.sync_api import Page

from .looking import OVERFLOW
from .poison import BEGIN, END

# What runs, leads or stands where only text was to be: no page of ours has any of it.
HARM = """() => {
  const found = window.hit === undefined ? [] : ["a script ran"];
  const planted = "iframe, object, embed, base, meta[http-equiv], img, [srcdoc], [autofocus][x], "
    + "link[href^='//'], form[action^='//']";
  const leading = ["href", "src", "action", "formaction", "xlink:href"];
  for (const one of document.querySelectorAll("*")) {
    const says = one.outerHTML.slice(0, 150);
    if (one.matches(planted)) found.push(`is planted: ${says}`);
    if (one.matches("style") && one.textContent.includes("display:none")) found.push(`styles: ${says}`);
    for (const {name, value} of one.attributes) {
      if (name.startsWith("on")) found.push(`listens: ${says}`);
      const isPath = /^(https?:|[/#?]|$)/i.test(value.trim());
      if (leading.includes(name) && !isPath) found.push(`leads away: ${says}`);
    }
  }
  const data = document.querySelectorAll("script[type='application/ld+json']");
  for (const one of data) JSON.parse(one.textContent);
  return found;
}"""

# The texts with what turns the order of letters, whose turning reaches words that are not of the same value.
TURNED = """([begin, end]) => {
  const opening = /[\\u202a\\u202b\\u202d\\u202e]/, isolating = /[\\u2066-\\u2068]/;
  const unbalanced = (text) => {
    const open = [];
    for (const one of text) {
      if (isolating.test(one)) open.push("\\u2069");
      else if (opening.test(one)) open.push("\\u202c");
      else if (one === "\\u2069" || one === "\\u202c") if (open.pop() !== one) return true;
    }
    return open.length > 0;
  };
  const IRI = /^[a-z]+:\\S*$/;
  const isolates = (one) => /isolate|plaintext/.test(getComputedStyle(one).unicodeBidi);
  const around = (node) => {
    let one = node.parentElement;
    while (!isolates(one)) one = one.parentElement;
    return one;
  };
  const nodes = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    if (!node.parentElement.closest("script, textarea, option, template, [hidden]")) nodes.push(node);
  const found = [];
  for (const node of nodes.filter(({data}) => /[\\u202a-\\u202e\\u2066-\\u2069]/.test(data))) {
    if (unbalanced(node.data)) found.push(`reaches out: ${JSON.stringify(node.data.slice(0, 80))}`);
    if (node.parentElement.closest("pre, code")) continue;
    const isolate = around(node);
    const line = nodes.filter((one) => isolate.contains(one) && around(one) === isolate);
    const text = line.map(({data}) => data).join("").replace(/[\\s\\u202c\\u2069]+$/, "");
    const isLast = text.split(begin).length === 2 && text.indexOf(end) === text.length - 1;
    if (!isLast && !IRI.test(text)) found.push(`turns its neighbors: ${isolate.outerHTML.slice(0, 250)}`);
  }
  return found;
}"""


# All of it by one message to the browser.
DONE = f"""(marks) => [...({HARM})(), ...({TURNED})(marks), ...({OVERFLOW})()]"""


def harm(page: Page) -> list[str]:
    """What runs, listens, leads elsewhere or is planted; JSON within the page is read on the way.

    And what turns the order of letters beyond the hostile text itself, or does not fit into the window.
    """
    found: list[str] = page.evaluate(DONE, [BEGIN, END])
    return found

"""What is wrong with a page by its structure and its layout, as a browser has it."""

from dataclasses import dataclass, field

from playwright.sync_api import Page

# The parts by which a reader of a screen finds the way are there, each once.
STRUCTURE = """(framed) => {
  const found = [];
  const count = (name) => document.querySelectorAll(name).length;
  const parts = framed ? ["h1", "main", "body > header", "body > footer", "body > .skip"] : ["h1", "main"];
  for (const one of parts) if (count(one) !== 1) found.push(`${one} is there ${count(one)} times`);
  if (!document.title.trim()) found.push("there is no title");
  if (count("nav:not([aria-label], [aria-labelledby])")) found.push("a nav has no name");
  let before = 1;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    if (!heading.checkVisibility()) continue;
    const level = Number(heading.tagName[1]);
    if (level > before + 1) found.push(`${heading.tagName} follows H${before}: ${heading.textContent}`);
    before = level;
  }
  const ids = new Set();
  for (const {id} of document.querySelectorAll("[id]")) {
    if (ids.has(id)) found.push(`the id ${id} is there twice`);
    ids.add(id);
  }
  return found;
}"""

# What stands out of the window, except within what can be scrolled or is cut, and what is placed apart.
OVERFLOW = """() => {
  const width = document.documentElement.clientWidth;
  const found = [];
  const scrolled = document.scrollingElement.scrollWidth;
  if (scrolled > width) found.push(`the page scrolls to ${scrolled}`);
  const walk = (element) => {
    const style = getComputedStyle(element);
    if (style.position === "absolute" || style.display === "none") return;
    const {left, right} = element.getBoundingClientRect();
    if (right > left && (left < -1 || right > width + 1))
      found.push(`${Math.round(left)} to ${Math.round(right)}: ${element.outerHTML.slice(0, 120)}`);
    else if (style.overflowX === "visible" && element.tagName !== "svg") [...element.children].forEach(walk);
  };
  walk(document.body);
  return found;
}"""

# What is seen in part or in pieces: a label or a changed line that is longer than its box, and a number in
# two lines.
BROKEN = """() => {
  const found = [];
  for (const text of document.querySelectorAll(".picture svg.box text")) {
    const room = text.parentElement.width.baseVal.value;
    if (text.getBBox().width > room) found.push(`is cut: ${text.textContent}`);
  }
  for (const lines of document.querySelectorAll(".contrast"))
    if (lines.scrollWidth > lines.clientWidth) found.push(`runs out of its box: ${lines.textContent.trim()}`);
  for (const cell of document.querySelectorAll("td, .count")) {
    if (!/^\\s*[\\d.,-]+\\s*$/.test(cell.textContent)) continue;
    const range = document.createRange();
    range.selectNodeContents(cell);
    const lines = [...range.getClientRects()].filter(({width}) => width > 0).sort((a, b) => a.top - b.top);
    if (lines.some(({top}, place) => place && top >= lines[place - 1].bottom - 1))
      found.push(`is in pieces: ${cell.textContent.trim()}`);
  }
  return found;
}"""

# What a finger misses: WCAG 2.2 asks for 24 pixels of whatever does not stand in a text.
SMALL = """() => [...document.querySelectorAll("body > header a, body > footer nav a, button, input, select")]
  .filter((one) => one.checkVisibility() && !one.closest(".unseen") && !/checkbox|radio/.test(one.type))
  .filter((one) => one.getBoundingClientRect().height < 24)
  .map((one) => one.outerHTML.slice(0, 120))"""


# The language and the direction of a page, as it says and as it is laid out.
SPEAKS = "() => [document.documentElement.lang, getComputedStyle(document.body).direction]"

# All of it by one message to the browser.
LOOK = f"""(framed) => ({{
  language: ({SPEAKS})(),
  structure: ({STRUCTURE})(framed),
  overflow: ({OVERFLOW})(),
  broken: ({BROKEN})(),
  small: ({SMALL})(),
}})"""


@dataclass(frozen=True)
class Look:
    """How a page looks that has this language and direction; what is wrong with it is listed.

    `structure`: headings, landmarks and names. `overflow`: what does not fit into the width of the window.
    `broken`: labels and changed lines that are cut, and numbers that do not stand in one line. `small`: links
    of the frame, buttons and fields that are too low to be touched.
    """

    language: list[str]
    structure: list[str] = field(default_factory=list)
    overflow: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    small: list[str] = field(default_factory=list)


def look(page: Page, *, framed: bool = True) -> Look:
    """Look at a page as it is; `framed`: by the header and footer of the site."""
    return Look(**page.evaluate(LOOK, framed))


def overflow(page: Page) -> list[str]:
    """What does not fit into the width of the window."""
    found: list[str] = page.evaluate(OVERFLOW)
    return found

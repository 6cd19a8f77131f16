"""Checks of the structure and layout of a page in a browser."""

from dataclasses import dataclass, field

from playwright.sync_api import Page

# The faults of landmarks, headings and IDs, by which screen readers navigate. `framed`: the page has the
# header and footer of the site.
STRUCTURE_SCRIPT = """(framed) => {
  const faults = [];
  const count = (selector) => document.querySelectorAll(selector).length;
  const parts = framed ? ["h1", "main", "body > header", "body > footer", "body > .skip"] : ["h1", "main"];
  for (const part of parts) if (count(part) !== 1) faults.push(`${part} is there ${count(part)} times`);
  if (!document.title.trim()) faults.push("there is no title");
  if (count("nav:not([aria-label], [aria-labelledby])")) faults.push("a nav has no name");
  let previousLevel = 1;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    if (!heading.checkVisibility()) continue;
    const level = Number(heading.tagName[1]);
    if (level > previousLevel + 1)
      faults.push(`${heading.tagName} follows H${previousLevel}: ${heading.textContent}`);
    previousLevel = level;
  }
  const ids = new Set();
  for (const {id} of document.querySelectorAll("[id]")) {
    if (ids.has(id)) faults.push(`the id ${id} is there twice`);
    ids.add(id);
  }
  return faults;
}"""

# Elements wider than the window, except inside scrolling or clipped elements, and positioned ones.
OVERFLOW_SCRIPT = """() => {
  const width = document.documentElement.clientWidth;
  const faults = [];
  const scrollWidth = document.scrollingElement.scrollWidth;
  if (scrollWidth > width) faults.push(`the page scrolls to ${scrollWidth}`);
  const check = (element) => {
    const style = getComputedStyle(element);
    if (style.position === "absolute" || style.display === "none") return;
    const {left, right} = element.getBoundingClientRect();
    if (right > left && (left < -1 || right > width + 1))
      faults.push(`${Math.round(left)} to ${Math.round(right)}: ${element.outerHTML.slice(0, 120)}`);
    else if (style.overflowX === "visible" && element.tagName !== "svg") [...element.children].forEach(check);
  };
  check(document.body);
  return faults;
}"""

# Labels of diagrams and lines of differences that are wider than their box, and numbers that are broken into
# two lines.
BROKEN_TEXT_SCRIPT = """() => {
  const faults = [];
  for (const label of document.querySelectorAll(".picture svg.box text")) {
    const boxWidth = label.parentElement.width.baseVal.value;
    if (label.getBBox().width > boxWidth) faults.push(`is cut: ${label.textContent}`);
  }
  for (const list of document.querySelectorAll(".contrast"))
    if (list.scrollWidth > list.clientWidth) faults.push(`is wider than its box: ${list.textContent.trim()}`);
  for (const cell of document.querySelectorAll("td, .count")) {
    if (!/^\\s*[\\d.,-]+\\s*$/.test(cell.textContent)) continue;
    const range = document.createRange();
    range.selectNodeContents(cell);
    const lines = [...range.getClientRects()].filter(({width}) => width > 0).sort((a, b) => a.top - b.top);
    if (lines.some(({top}, index) => index && top >= lines[index - 1].bottom - 1))
      faults.push(`is broken into lines: ${cell.textContent.trim()}`);
  }
  return faults;
}"""

# Links, buttons and fields lower than 24 pixels, the minimum of WCAG 2.2 (2.5.8) outside of running text.
SMALL_TARGETS_SCRIPT = """() => [
  ...document.querySelectorAll("body > header a, body > footer nav a, button, input, select")]
  .filter((element) => element.checkVisibility() && !element.closest(".unseen"))
  .filter((element) => !/checkbox|radio/.test(element.type))
  .filter((element) => element.getBoundingClientRect().height < 24)
  .map((element) => element.outerHTML.slice(0, 120))"""


# The declared language and the computed direction of a page.
LANGUAGE_SCRIPT = "() => [document.documentElement.lang, getComputedStyle(document.body).direction]"

# All checks in one call to the browser.
REPORT_SCRIPT = f"""(framed) => ({{
  language: ({LANGUAGE_SCRIPT})(),
  structure: ({STRUCTURE_SCRIPT})(framed),
  overflow: ({OVERFLOW_SCRIPT})(),
  broken_text: ({BROKEN_TEXT_SCRIPT})(),
  small_targets: ({SMALL_TARGETS_SCRIPT})(),
}})"""


@dataclass(frozen=True)
class LayoutReport:
    """The language and direction of a page, and its faults.

    The other fields are the faults that the script of the same name finds.
    """

    language: list[str]
    structure: list[str] = field(default_factory=list)
    overflow: list[str] = field(default_factory=list)
    broken_text: list[str] = field(default_factory=list)
    small_targets: list[str] = field(default_factory=list)


def check_layout(page: Page, *, framed: bool = True) -> LayoutReport:
    """The report of a page in its current state; `framed`: it has the header and footer of the site."""
    return LayoutReport(**page.evaluate(REPORT_SCRIPT, framed))


def find_overflow(page: Page) -> list[str]:
    """The elements that are wider than the window, each with its edges in pixels."""
    elements: list[str] = page.evaluate(OVERFLOW_SCRIPT)
    return elements

"""By keyboard alone every page can be gone through: in the order that is seen, with the focus in sight."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from .stops import STOPS
from .watching import Watched

NAMES = (
    "home",
    "issues",
    "papers-narrowed",
    "coverage-by-category",
    "timeline",
    "people",
    "issue-spam",
    "paper-wp-spam",
    "list-of-issues",
    "representations",
    "changes",
    "graphs",
    "graph",
    "shapes",
    "rule",
    "search-found",
    "queries",
    "sparql-example",
    "answer-table",
    "answer-graph",
    "plan",
    "write",
    "write-messages",
    "validate",
    "validate-incomplete",
    "not-found",
    "bad-query",
    "problem-kind",
)
PLACES = [stop for stop in STOPS if stop.name in NAMES]
LANGUAGES = ("en", "ar")
PAGES = {f"{language}-{stop.name}": (language, stop) for language in LANGUAGES for stop in PLACES}
WITH_FOLDS = ("home", "papers-narrowed", "issue-spam", "validate-incomplete")
FOLDED = {name: page for name, page in PAGES.items() if page[1].name in WITH_FOLDS}
MOST = 1000  # steps of the Tab key through a page
AT_ONCE = 20  # steps between two looks at what they met; where there is an editor, which is slow, one

# All that Tab is to reach. Of a group of radio buttons, that is the one which is chosen.
BEGIN = """() => {
  const all = "a[href], button, input, select, textarea, summary, [tabindex], [contenteditable=true]";
  const reached = (one) => one.tabIndex >= 0 && !one.disabled && (one.type !== "radio" || one.checked)
    && one.checkVisibility({visibilityProperty: true});
  window.places = [...document.querySelectorAll(all)].filter(reached);
  const start = document.createElement("span");
  start.tabIndex = -1;
  document.body.prepend(start);
  start.focus();
  return places.map((one) => one.outerHTML.slice(0, 100));
}"""

# Where the focus is now, and whether it was to be seen before what is there.
STEP = """async () => {
  const now = document.activeElement, before = window.latest;
  window.latest = now;
  if (now === document.body) return null;
  const from = getComputedStyle(document.body).direction === "rtl" ? (box) => -box.right : (box) => box.left;
  const boxOf = (one) => one.getClientRects()[0] ?? one.getBoundingClientRect();
  const outlined = (one) => one && getComputedStyle(one).outlineStyle !== "none"
    && parseFloat(getComputedStyle(one).outlineWidth) >= 1;
  // Words of one text stand in the order of its own letters.
  const block = (one) => getComputedStyle(one).display.startsWith("inline") ? block(one.parentElement) : one;
  const here = boxOf(now);
  const faults = [];
  if (now.shadowRoot) await new Promise((done) => setTimeout(done, 50));  // the editor tells it after a while
  const within = now.shadowRoot?.activeElement.closest(".cm-editor");
  if (!outlined(now) && !outlined(within)) faults.push("has no outline");
  if (here.bottom <= 0 || here.top >= innerHeight || here.right <= 0 || here.left >= innerWidth)
    faults.push("is out of sight");
  if (before?.isConnected && !before.contains(now)) {
    const there = boxOf(before);
    const inOneText = block(now) === block(before) && here.bottom > there.top;
    const isLater = here.top >= there.bottom - 1 || from(here) >= from(there) - 1 || inOneText;
    if (!isLater) faults.push(`comes after ${before.outerHTML.slice(0, 100)}`);
  }
  return {place: places.indexOf(now), html: now.outerHTML.slice(0, 100), faults};
}"""

# Keep what is met at each step of the Tab key.
LISTEN = f"""() => {{
  window.steps = [];
  window.latest = undefined;
  const step = {STEP};
  addEventListener("keyup", ({{key}}) => {{ if (key === "Tab") steps.push(step()); }}, {{capture: true}});
}}"""


@dataclass
class Passage:
    """What somebody met who pressed Tab from the begin of a page to its end."""

    expected: list[str]
    met: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def missed(self) -> list[str]:
        """What was to be met and was not."""
        return [html for place, html in enumerate(self.expected) if place not in self.met]


def passage(page: Page) -> Passage:
    """Go through a page by Tab, until the focus leaves it or comes round."""
    found = Passage(page.evaluate(BEGIN))
    page.evaluate(LISTEN)
    for step in steps(page):
        if step is None or step["place"] in found.met:
            return found
        if step["place"] >= 0:
            found.met.append(step["place"])
        found.faults += [f"{step['html']} {fault}" for fault in step["faults"]]
    raise AssertionError("The focus does not come out of the page.")


def steps(page: Page) -> Iterator[dict[str, Any] | None]:
    """What is met at each step of the Tab key; None where the focus leaves the page."""
    at_once = 1 if page.locator(".code").count() else AT_ONCE
    for _ in range(0, MOST, at_once):
        for _ in range(at_once):
            page.keyboard.press("Tab")
        met = page.evaluate("Promise.all(steps.splice(0))")
        yield from met
        if len(met) < at_once:
            yield None


@pytest.fixture(scope="module")
def by_language(browser: Browser, full: str) -> Iterator[dict[str, Page]]:
    """A page of a browser in each language."""
    size = {"width": 1280, "height": 900}
    found = {one: Watched(browser, full, locale=one, viewport=size).page for one in LANGUAGES}
    yield found
    for page in found.values():
        page.context.close()


@pytest.fixture(scope="module", params=PAGES.values(), ids=[*PAGES])
def page(request: pytest.FixtureRequest, by_language: dict[str, Page], full: str) -> Page:
    """The page of a stop in a language, which each test goes through in turn, as none changes it."""
    language, stop = request.param
    found = by_language[language]
    stop.reach(found, full)
    return found


def test_pages_to_go_through_are_there() -> None:
    assert {one.name for one in PLACES} == set(NAMES)


def test_tab_leads_through_all_in_the_order_that_is_seen(page: Page) -> None:
    found = passage(page)
    assert found.faults == []
    assert found.missed == []
    assert found.met == sorted(found.met)


def test_the_first_step_leads_past_the_ways_to_other_pages(page: Page) -> None:
    page.evaluate(BEGIN)
    page.keyboard.press("Tab")
    expect(page.locator("body > .skip:focus")).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main-content"
    page.keyboard.press("Tab")
    assert page.locator("main :focus, footer :focus").count() == 1


@pytest.mark.parametrize("page", FOLDED.values(), ids=FOLDED, indirect=True)
def test_what_is_folded_opens_and_closes_by_enter(page: Page) -> None:
    fold = page.locator("main details").first
    fold.locator("summary").focus()
    was = fold.evaluate("(one) => one.open")
    for state in (not was, was):
        page.keyboard.press("Enter")
        assert fold.evaluate("(one) => one.open") == state

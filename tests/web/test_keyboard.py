"""By keyboard alone every page can be gone through: in the order that is seen, with the focus in sight."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from .stops import STOPS, Stop
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
WITH_FOLDS = ("home", "papers-narrowed", "issue-spam", "validate-incomplete")
FOLDED = [stop for stop in PLACES if stop.name in WITH_FOLDS]
MOST = 1000  # steps of the Tab key through a page

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
STEP = """() => {
  const now = document.activeElement, before = window.latest;
  window.latest = now;
  if (now === document.body) return null;
  const from = getComputedStyle(document.body).direction === "rtl" ? (box) => -box.right : (box) => box.left;
  const boxOf = (one) => one.getClientRects()[0] ?? one.getBoundingClientRect();
  const outlined = (one) => one && getComputedStyle(one).outlineStyle !== "none"
    && parseFloat(getComputedStyle(one).outlineWidth) >= 1;
  const here = boxOf(now);
  const faults = [];
  if (!outlined(now) && !outlined(now.closest(".cm-editor"))) faults.push("has no outline");
  if (here.bottom <= 0 || here.top >= innerHeight || here.right <= 0 || here.left >= innerWidth)
    faults.push("is out of sight");
  if (before?.isConnected && !before.contains(now)) {
    const there = boxOf(before);
    const isLater = here.top >= there.bottom - 1 || from(here) >= from(there) - 1;
    if (!isLater) faults.push(`comes after ${before.outerHTML.slice(0, 100)}`);
  }
  return {place: places.indexOf(now), html: now.outerHTML.slice(0, 100), faults};
}"""


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
    for _ in range(MOST):
        page.keyboard.press("Tab")
        step: dict[str, Any] | None = page.evaluate(STEP)
        if step is None or step["place"] in found.met:
            return found
        if step["place"] >= 0:
            found.met.append(step["place"])
        found.faults += [f"{step['html']} {fault}" for fault in step["faults"]]
    raise AssertionError("The focus does not come out of the page.")


@pytest.fixture(scope="module", params=["en", "ar"])
def watched(request: pytest.FixtureRequest, browser: Browser, full: str) -> Iterator[Watched]:
    found = Watched(browser, full, locale=request.param, viewport={"width": 1280, "height": 900})
    yield found
    found.page.context.close()


@pytest.fixture
def come(watched: Watched, full: str) -> Callable[[Stop], Page]:
    """Come to a stop with a browser in a language."""

    def to(stop: Stop) -> Page:
        stop.reach(watched.page, full)
        return watched.page

    return to


def test_pages_to_go_through_are_there() -> None:
    assert {one.name for one in PLACES} == set(NAMES)


@pytest.mark.parametrize("stop", PLACES, ids=[one.name for one in PLACES])
def test_tab_leads_through_all_in_the_order_that_is_seen(come: Callable[[Stop], Page], stop: Stop) -> None:
    found = passage(come(stop))
    assert found.faults == []
    assert found.missed == []
    assert found.met == sorted(found.met)


@pytest.mark.parametrize("stop", PLACES, ids=[one.name for one in PLACES])
def test_the_first_step_leads_past_the_ways_to_other_pages(come: Callable[[Stop], Page], stop: Stop) -> None:
    page = come(stop)
    page.evaluate(BEGIN)
    page.keyboard.press("Tab")
    expect(page.locator("body > .skip:focus")).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main-content"
    page.keyboard.press("Tab")
    assert page.locator("main :focus, footer :focus").count() == 1


FOLDED = [
    stop for stop in PLACES if stop.name in ("home", "papers-narrowed", "issue-spam", "validate-incomplete")
]


@pytest.mark.parametrize("stop", FOLDED, ids=[one.name for one in FOLDED])
def test_what_is_folded_opens_and_closes_by_enter(come: Callable[[Stop], Page], stop: Stop) -> None:
    page = come(stop)
    fold = page.locator("main details").first
    fold.locator("summary").focus()
    was = fold.evaluate("(one) => one.open")
    for state in (not was, was):
        page.keyboard.press("Enter")
        assert fold.evaluate("(one) => one.open") == state

"""Keyboard navigation of pages: Tab order, visible focus, skip links and folds (<details> elements)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from .page_states import PAGE_STATES
from .watched_page import WatchedPage

STATE_NAMES = (
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
STATES = [state for state in PAGE_STATES if state.name in STATE_NAMES]
LANGUAGES = ("en", "ar")
# Half of the states in each direction of text.
STATES_BY_ID = {
    f"{language}-{state.name}": (language, state)
    for language, state in zip(cycle(LANGUAGES), STATES, strict=False)
}
STATE_NAMES_WITH_FOLD = ("home", "papers-narrowed", "issue-spam", "validate-incomplete")
STATES_WITH_FOLD_BY_ID = {
    id_: (language, state)
    for id_, (language, state) in STATES_BY_ID.items()
    if state.name in STATE_NAMES_WITH_FOLD
}
MAX_TAB_STEPS = 1000  # more than a page has elements
STEPS_PER_CALL = 20  # presses of Tab between two calls to the browser; 1 with the editor, which reacts slowly

# Collects the elements that Tab must reach, and puts the focus before the first. Of a group of radio buttons,
# Tab reaches the checked one.
START_SCRIPT = """() => {
  const focusable = "a[href], button, input, select, textarea, summary, [tabindex], [contenteditable=true]";
  const isTarget = (element) => element.tabIndex >= 0 && !element.disabled
    && (element.type !== "radio" || element.checked)
    && element.checkVisibility({visibilityProperty: true});
  window.targets = [...document.querySelectorAll(focusable)].filter(isTarget);
  const start = document.createElement("span");
  start.tabIndex = -1;
  document.body.prepend(start);
  start.focus();
  return targets.map((element) => element.outerHTML.slice(0, 100));
}"""

# The focused element and its faults: no outline, out of sight, or before the previous one in reading order.
STEP_SCRIPT = """async () => {
  const focused = document.activeElement, previous = window.previousFocused;
  window.previousFocused = focused;
  if (focused === document.body) return null;
  const isRtl = getComputedStyle(document.body).direction === "rtl";
  const startEdge = (box) => isRtl ? -box.right : box.left;
  const boxOf = (element) => element.getClientRects()[0] ?? element.getBoundingClientRect();
  const isOutlined = (element) => element && getComputedStyle(element).outlineStyle !== "none"
    && parseFloat(getComputedStyle(element).outlineWidth) >= 1;
  // In a text, links are ordered by the direction of the text.
  const isInline = (element) => getComputedStyle(element).display.startsWith("inline");
  const block = (element) => isInline(element) ? block(element.parentElement) : element;
  const box = boxOf(focused);
  const faults = [];
  // The editor updates its focus with a delay.
  if (focused.shadowRoot) await new Promise((done) => setTimeout(done, 50));
  const editor = focused.shadowRoot?.activeElement.closest(".cm-editor");
  if (!isOutlined(focused) && !isOutlined(editor)) faults.push("has no outline");
  if (box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth)
    faults.push("is out of sight");
  if (previous?.isConnected && !previous.contains(focused)) {
    const previousBox = boxOf(previous);
    const isInSameText = block(focused) === block(previous) && box.bottom > previousBox.top;
    const isBelow = box.top >= previousBox.bottom - 1;
    if (!isBelow && startEdge(box) < startEdge(previousBox) - 1 && !isInSameText)
      faults.push(`comes after ${previous.outerHTML.slice(0, 100)}`);
  }
  return {index: targets.indexOf(focused), html: focused.outerHTML.slice(0, 100), faults};
}"""

# Records the result of STEP_SCRIPT at each press of Tab.
RECORD_STEPS_SCRIPT = f"""() => {{
  window.steps = [];
  window.previousFocused = undefined;
  const step = {STEP_SCRIPT};
  addEventListener("keyup", ({{key}}) => {{ if (key === "Tab") steps.push(step()); }}, {{capture: true}});
}}"""


@dataclass
class TabSequence:
    """The elements that Tab reaches from the beginning of a page to its end.

    `expected` is the HTML of the elements that it must reach; `reached` are indexes in `expected`.
    """

    expected: list[str]
    reached: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def missed(self) -> list[str]:
        """The elements that Tab must reach, but did not."""
        return [html for index, html in enumerate(self.expected) if index not in self.reached]


def walk_by_tab(page: Page) -> TabSequence:
    """Press Tab until the focus leaves the page or returns to a reached element."""
    sequence = TabSequence(page.evaluate(START_SCRIPT))
    page.evaluate(RECORD_STEPS_SCRIPT)
    for step in iter_steps(page):
        if step is None or step["index"] in sequence.reached:
            return sequence
        if step["index"] >= 0:  # -1 for an element that Tab need not reach
            sequence.reached.append(step["index"])
        sequence.faults += [f"{step['html']} {fault}" for fault in step["faults"]]
    raise AssertionError("The focus does not come out of the page.")


def iter_steps(page: Page) -> Iterator[dict[str, Any] | None]:
    """The result of each press of Tab; None if the focus leaves the page."""
    steps_per_call = 1 if page.locator(".code").count() else STEPS_PER_CALL
    for _ in range(0, MAX_TAB_STEPS, steps_per_call):
        for _ in range(steps_per_call):
            page.keyboard.press("Tab")
        steps = page.evaluate("Promise.all(steps.splice(0))")
        yield from steps
        if len(steps) < steps_per_call:
            yield None


@pytest.fixture(scope="module")
def pages_by_language(browser: Browser, full_service_url: str) -> Iterator[dict[str, Page]]:
    """A browser page for each language."""
    size = {"width": 1280, "height": 900}
    pages = {
        language: WatchedPage(browser, full_service_url, locale=language, viewport=size).page
        for language in LANGUAGES
    }
    yield pages
    for page in pages.values():
        page.context.close()


@pytest.fixture(scope="module", params=STATES_BY_ID.values(), ids=[*STATES_BY_ID])
def page(request: pytest.FixtureRequest, pages_by_language: dict[str, Page], full_service_url: str) -> Page:
    """A page state in a language. Tests share it, because none changes it."""
    language, state = request.param
    browser_page = pages_by_language[language]
    state.open_in(browser_page, full_service_url)
    return browser_page


def test_all_named_states_exist() -> None:
    assert {state.name for state in STATES} == set(STATE_NAMES)


def test_tab_reaches_all_elements_in_reading_order(page: Page) -> None:
    sequence = walk_by_tab(page)
    assert sequence.faults == []
    assert sequence.missed == []
    assert sequence.reached == sorted(sequence.reached)


def test_first_tab_stop_skips_navigation(page: Page) -> None:
    page.evaluate(START_SCRIPT)
    page.keyboard.press("Tab")
    expect(page.locator("body > .skip:focus")).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main-content"
    page.keyboard.press("Tab")
    assert page.locator("main :focus, footer :focus").count() == 1


@pytest.mark.parametrize("page", STATES_WITH_FOLD_BY_ID.values(), ids=STATES_WITH_FOLD_BY_ID, indirect=True)
def test_fold_opens_and_closes_by_enter(page: Page) -> None:
    fold = page.locator("main details:has(> summary:visible)").first  # on a wide page, filters are unfolded
    fold.locator("> summary").focus()
    was_open = fold.evaluate("(element) => element.open")
    for is_open in (not was_open, was_open):
        page.keyboard.press("Enter")
        assert fold.evaluate("(element) => element.open") == is_open

"""Suggestions of search fields in a browser: by keyboard, mouse and touch, and for screen readers."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

FIELDS = {"header": ("/issues", "#find"), "home": ("/", "#q"), "search": ("/search", "#q")}
SUGGESTIONS_PATTERN = "**/search/suggestions?*"
MODES: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "Arabic": {"locale": "ar"},
    "phone": {"viewport": {"width": 320, "height": 640}},
}
# Types a text, a letter in each input event, without a pause.
TYPE_AT_ONCE_SCRIPT = """(text) => {
  for (const letter of text) {
    document.activeElement.value += letter;
    document.activeElement.dispatchEvent(new InputEvent("input"));
  }
}"""


@pytest.fixture(scope="session")
def service_url(full_service_url: str) -> str:
    """The URL of a service with the bundled graphs."""
    return full_service_url


def type_text(page: Page, text: str, field: str = "header") -> Locator:
    """Type a text into a search field; returns the field."""
    box = page.locator(FIELDS[field][1])
    box.press_sequentially(text)
    return box


def options_of(page: Page) -> Locator:
    return page.locator("[role=option]:visible")


def active_option(box: Locator) -> Locator:
    """The option that the field names as the active descendant."""
    return box.page.locator(f"#{box.get_attribute('aria-activedescendant')}")


@pytest.mark.parametrize("field", FIELDS)
def test_each_search_field_leads_to_what_is_suggested(open_page: Callable[..., Page], field: str) -> None:
    page = open_page(FIELDS[field][0])
    box = type_text(page, "pollup", field)
    expect(options_of(page)).to_have_text(["Spam Issue · Pollupostage"])
    expect(box).to_have_attribute("aria-expanded", "true")
    box.press("ArrowDown")
    box.press("Enter")
    expect(page).to_have_url("/doc/issue/spam")


def test_arrows_choose_a_suggestion_and_leave_the_text(open_page: Callable[..., Page]) -> None:
    page = open_page("/issues")
    box = type_text(page, "tunis")
    expect(options_of(page)).not_to_have_count(0)
    options = options_of(page).all()
    assert box.get_attribute("aria-activedescendant") is None
    for key, option in (("ArrowDown", options[0]), ("ArrowDown", options[1]), ("ArrowUp", options[0])):
        box.press(key)
        expect(active_option(box)).to_have_text(option.inner_text().replace("\n", " "))
        expect(option).to_have_attribute("aria-selected", "true")
        expect(page.locator("[aria-selected=true]")).to_have_count(1)
    box.press("ArrowUp")  # back in the field
    expect(page.locator("[aria-selected=true]")).to_have_count(0)
    assert box.get_attribute("aria-activedescendant") is None
    box.press("ArrowUp")
    expect(options[-1]).to_have_attribute("aria-selected", "true")
    expect(box).to_be_focused()
    expect(box).to_have_value("tunis")


def test_enter_without_a_choice_searches(open_page: Callable[..., Page]) -> None:
    page = open_page("/issues")
    box = type_text(page, "tunis")
    expect(options_of(page)).not_to_have_count(0)
    box.press("Enter")
    expect(page).to_have_url("/search?q=tunis")


def test_escape_closes_first_and_then_clears(open_page: Callable[..., Page]) -> None:
    page = open_page("/issues")
    box = type_text(page, "tunis")
    expect(options_of(page)).not_to_have_count(0)
    box.press("Escape")
    expect(options_of(page)).to_have_count(0)
    expect(box).to_have_value("tunis")
    expect(box).to_have_attribute("aria-expanded", "false")
    box.press("Alt+ArrowDown")
    expect(options_of(page)).not_to_have_count(0)
    expect(page.locator("[aria-selected=true]")).to_have_count(0)
    box.press("Alt+ArrowUp")
    expect(options_of(page)).to_have_count(0)
    box.press("Escape")
    expect(box).to_have_value("")


def test_leaving_the_field_closes_the_suggestions(open_page: Callable[..., Page]) -> None:
    page = open_page("/issues")
    box = type_text(page, "tunis")
    expect(options_of(page)).not_to_have_count(0)
    box.press("Tab")
    expect(page.get_by_role("banner").get_by_role("button")).to_be_focused()
    expect(options_of(page)).to_have_count(0)


@pytest.mark.parametrize("has_touch", [False, True])
def test_suggestion_is_followed_by_click_or_touch(open_page: Callable[..., Page], has_touch: bool) -> None:
    page = open_page("/issues", has_touch=has_touch)
    type_text(page, "kumm")
    option = options_of(page).first
    option.tap() if has_touch else option.click()
    expect(page).to_have_url("/doc/agent/kummer")


def test_number_of_suggestions_is_announced(open_page: Callable[..., Page]) -> None:
    page = open_page("/issues")
    status = page.get_by_role("banner").get_by_role("status")
    box = type_text(page, "pollup")
    expect(status).to_have_text("Suggestions: 1. Use the up and down arrows to choose one.")
    box.fill("xqzwv")
    expect(status).to_have_text("No suggestions.")
    box.fill("")
    expect(status).to_have_text("")


def test_fast_typing_sends_one_request(open_page: Callable[..., Page]) -> None:
    page = open_page("/issues")
    sent_urls: list[str] = []
    page.on("request", lambda request: sent_urls.append(request.url))
    page.locator("#find").focus()
    page.evaluate(TYPE_AT_ONCE_SCRIPT, "council of")
    expect(options_of(page)).not_to_have_count(0)
    queries = [url.partition("?")[2] for url in sent_urls if "/search/suggestions" in url]
    assert queries == ["q=council+of&_lang=en"]


def test_late_answer_to_an_older_text_is_ignored(open_page: Callable[..., Page]) -> None:
    page = open_page("/issues")
    late_routes: list[Route] = []

    def hold_route(route: Route) -> None:
        late_routes.append(route)

    page.route("**/search/suggestions?q=kum&*", hold_route)
    box = page.locator("#find")
    with page.expect_request("**/search/suggestions?q=kum&*"):
        box.fill("kum")
    box.fill("pollup")
    expect(options_of(page)).to_have_text(["Spam Issue · Pollupostage"])
    late_routes[0].continue_()
    with page.expect_response("**/search/suggestions?q=pollupo&*"):
        box.press("o")  # after this answer, the late one has come or never comes
    expect(options_of(page)).to_have_text(["Spam Issue · Pollupostage"])


@pytest.mark.parametrize(
    "answer",
    [{"status": 503, "body": "{}"}, {"status": 200, "body": "<html>"}, {"status": 200, "body": "{}"}],
)
def test_failure_is_silent(open_page: Callable[..., Page], answer: dict[str, Any]) -> None:
    page = open_page("/about")
    page.route(SUGGESTIONS_PATTERN, lambda route: route.fulfill(**answer))
    box = page.locator("#find")
    with page.expect_response(SUGGESTIONS_PATTERN):
        box.press_sequentially("tunis")
    expect(box).to_have_attribute("aria-expanded", "false")
    box.press("Enter")
    expect(page).to_have_url("/search?q=tunis")


def test_suggestion_of_another_host_stays_here(open_page: Callable[..., Page]) -> None:
    page = open_page("/about")
    body = json.dumps(["", ["<b>x</b>"], ["<i>y</i>"], ["https://evil.example/doc/issue/spam"]])
    page.route(SUGGESTIONS_PATTERN, lambda route: route.fulfill(status=200, body=body))
    type_text(page, "tunis")
    expect(options_of(page)).to_have_text(["<b>x</b> <i>y</i>"])
    options_of(page).click()
    expect(page).to_have_url("/doc/issue/spam")


@pytest.mark.parametrize("mode", MODES)
def test_open_suggestions_are_accessible_and_fit(
    open_page: Callable[..., Page], find_axe_violations: Callable[[Page], list[str]], mode: str
) -> None:
    page = open_page("/", **MODES[mode])
    box = type_text(page, "tunis", "home")
    expect(options_of(page)).not_to_have_count(0)
    box.press("ArrowDown")
    assert find_axe_violations(page) == []
    edges = page.locator("[role=listbox]:visible").bounding_box()
    assert edges
    width = page.evaluate("document.documentElement.clientWidth")
    assert edges["x"] >= 0
    assert edges["x"] + edges["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_field_without_scripts_searches(open_page: Callable[..., Page]) -> None:
    page = open_page("/issues", java_script_enabled=False)
    box = type_text(page, "tunis")
    box.press("Enter")
    expect(page).to_have_url("/search?q=tunis")

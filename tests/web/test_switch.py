"""The language menu of pages with forms: input is kept when the language is changed."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .page_states import INCOMPLETE_PAPER

PageOpener = Callable[..., Page]

# The ID of a text field of each page.
FIELDS_BY_PATH = {"/write?issue=spam": "title-1", "/validate": "paper"}
NARROW_VIEWPORT = {"width": 360, "height": 740}


@pytest.fixture(scope="session")
def service_url(full_service_url: str) -> str:
    """The URL of a service in which papers can be saved."""
    return full_service_url


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def has_scripts(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.mark.parametrize(("path", "field"), FIELDS_BY_PATH.items())
def test_typed_text_is_kept_in_other_language(
    reopen_page: PageOpener, has_scripts: bool, path: str, field: str
) -> None:
    page = reopen_page(path, java_script_enabled=has_scripts)
    page.fill(f"#{field}", "Two words")
    page.locator("footer").get_by_role("button", name="Français").press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator(f"#{field}")).to_have_value("Two words")
    page.goto("/papers")
    expect(page.locator("html")).to_have_attribute("lang", "fr")


@pytest.mark.parametrize(("path", "field"), FIELDS_BY_PATH.items())
def test_checked_paper_is_kept_in_other_language(reopen_page: PageOpener, path: str, field: str) -> None:
    page = reopen_page(path, java_script_enabled=False)
    page.fill(f"#{field}", INCOMPLETE_PAPER)
    page.locator("main").get_by_role("button", name=re.compile("^Check( the paper)?$")).first.click()
    page.locator("footer").get_by_role("button", name="العربية").click()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.locator(f"#{field}")).to_have_value(re.compile("Half a paper"))
    expect(page.locator("#summary")).to_be_visible()


@pytest.mark.parametrize("context_options", [{}, {"viewport": NARROW_VIEWPORT}, {"locale": "ar"}])
@pytest.mark.parametrize("path", FIELDS_BY_PATH)
def test_language_buttons_look_like_links(
    reopen_page: PageOpener,
    find_axe_violations: Callable[[Page], list[str]],
    path: str,
    context_options: dict[str, Any],
) -> None:
    style_script = """(element) => {
      const {height} = element.getBoundingClientRect();
      const {color, fontSize, fontWeight, textDecorationLine, backgroundColor} = getComputedStyle(element);
      return {height, color, fontSize, fontWeight, textDecorationLine, backgroundColor};
    }"""
    page = reopen_page("/papers", **context_options)
    links = page.locator("footer nav:not(.site-map)").locator("a")
    link_styles = [element.evaluate(style_script) for element in links.all()]
    page.goto(path)
    buttons = page.locator("footer nav:not(.site-map)").locator("button")
    assert [element.evaluate(style_script) for element in buttons.all()] == link_styles
    assert not find_axe_violations(page)

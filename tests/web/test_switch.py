"""The languages in the footer of a page with a form: what is typed stays in the one that is chosen."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .stops import PART

Visit = Callable[..., Page]

PAGES = {"/write?issue=spam": "title-1", "/validate": "paper"}
NARROW = {"width": 360, "height": 740}


@pytest.fixture(scope="session")
def served(full: str) -> str:
    """The URL of a service that takes papers."""
    return full


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def scripts(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.mark.parametrize(("path", "field"), PAGES.items())
def test_what_is_typed_stays_in_another_language(
    revisit: Visit, scripts: bool, path: str, field: str
) -> None:
    page = revisit(path, java_script_enabled=scripts)
    page.fill(f"#{field}", "Two words")
    page.locator("footer").get_by_role("button", name="Français").press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator(f"#{field}")).to_have_value("Two words")
    page.goto("/papers")
    expect(page.locator("html")).to_have_attribute("lang", "fr")


@pytest.mark.parametrize(("path", "field"), PAGES.items())
def test_what_was_checked_stays_in_another_language(revisit: Visit, path: str, field: str) -> None:
    page = revisit(path, java_script_enabled=False)
    page.fill(f"#{field}", PART)
    page.locator("main").get_by_role("button", name=re.compile("^Check the paper")).click()
    page.locator("footer").get_by_role("button", name="العربية").click()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.locator(f"#{field}")).to_have_value(re.compile("Half a paper"))
    expect(page.locator("#summary, .report[lang=ar]")).to_be_visible()


@pytest.mark.parametrize("given", [{}, {"viewport": NARROW}, {"locale": "ar"}])
@pytest.mark.parametrize("path", PAGES)
def test_the_languages_look_like_links(
    revisit: Visit, axe: Callable[[Page], list[str]], path: str, given: dict[str, Any]
) -> None:
    look = """(one) => {
      const {height} = one.getBoundingClientRect();
      const {color, fontSize, fontWeight, textDecorationLine, backgroundColor} = getComputedStyle(one);
      return {height, color, fontSize, fontWeight, textDecorationLine, backgroundColor};
    }"""
    page = revisit("/papers", **given)
    links = page.locator("footer nav").first.locator("a")
    wanted = [one.evaluate(look) for one in links.all()]
    page.goto(path)
    buttons = page.locator("footer nav").first.locator("button")
    assert [one.evaluate(look) for one in buttons.all()] == wanted
    assert not axe(page)

"""The form of a paper says what is wrong in a field when its writer goes on, without another page."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

FORM = "/write?issue=spam"


@pytest.fixture(scope="session")
def served(full: str) -> str:
    """The URL of a service that takes papers."""
    return full


@pytest.fixture
def sent() -> list[str]:
    """The bodies of what the page sent by itself."""
    return []


@pytest.fixture
def form(visit: Callable[..., Page], sent: list[str]) -> Page:
    """A paper on an issue that is begun."""

    def note(request: Request) -> None:
        if request.method == "POST":
            sent.append(request.post_data or "")

    page = visit(FORM)
    page.on("request", note)
    return page


def leave(page: Page, name: str, text: str) -> None:
    """Fill in a field and go on by keyboard."""
    page.locator(f"#{name}").fill(text)
    page.keyboard.press("Tab")


def test_a_wrong_value_is_told_at_its_field(form: Page, axe: Callable[[Page], list[str]]) -> None:
    leave(form, "posted-1", "soon")
    said = form.locator("#posted-1-said")
    expect(said).to_contain_text("Error:")
    field = form.locator("#posted-1")
    assert "posted-1-said" in (field.get_attribute("aria-describedby") or "").split()
    assert field.get_attribute("aria-invalid") == "true"
    assert not axe(form)


def test_what_is_mended_is_told_no_more(form: Page) -> None:
    leave(form, "posted-1", "soon")
    expect(form.locator("#posted-1-said")).to_be_visible()
    leave(form, "posted-1", "2005-02-01")
    expect(form.locator("#posted-1-said")).to_have_count(0)
    assert form.locator("#posted-1").get_attribute("aria-invalid") is None


def test_fields_that_nobody_came_to_are_left_alone(form: Page) -> None:
    leave(form, "swot-1-strength-1", "Filters are there.")
    expect(form.get_by_text("parts that the template asks for are there")).to_be_visible()
    assert form.locator(".said").count() == 0


def test_the_token_is_not_sent_before_it_is_to_be_used(form: Page, sent: list[str]) -> None:
    form.locator("#token").fill("wgig_secret")
    leave(form, "swot-1-strength-1", "Filters are there.")
    expect(form.get_by_text("parts that the template asks for are there")).to_be_visible()
    assert sent
    assert not [body for body in sent if "wgig_secret" in body]


@pytest.fixture
def asked(form: Page) -> list[str]:
    """What the browser asked before the page was left."""
    found: list[str] = []
    form.on("dialog", lambda dialog: found.append(dialog.type))
    return found


def follow(page: Page, name: str) -> None:
    """Leave the page by a link in its header."""
    page.locator("header").get_by_role("link", name=name, exact=True).click()
    expect(page.locator("form.paper")).to_have_count(0)


def check(page: Page) -> None:
    page.locator("#finish ~ p button[value=check]").click()
    expect(page.locator("#summary")).to_be_visible()


def test_who_leaves_what_is_typed_is_asked_before(form: Page, asked: list[str]) -> None:
    form.locator("#posted-1").press_sequentially("soon")
    follow(form, "Papers")
    assert asked == ["beforeunload"]


def test_who_leaves_what_was_only_checked_is_asked_before(form: Page, asked: list[str]) -> None:
    form.locator("#posted-1").press_sequentially("soon")
    check(form)
    assert asked == []
    form.locator("#posted-1").focus()
    follow(form, "Papers")
    assert asked == ["beforeunload"]


def test_who_leaves_a_form_as_it_came_is_not_asked(form: Page, asked: list[str]) -> None:
    form.locator("#posted-1").press("Tab")
    follow(form, "Papers")
    assert asked == []


def test_a_service_that_is_gone_is_told_and_nothing_is_lost(form: Page) -> None:
    def gone(route: Any) -> None:
        route.abort()

    form.route("**/write", gone)
    leave(form, "posted-1", "soon")
    expect(form.get_by_text("The service does not answer")).to_be_visible()
    assert form.locator("#posted-1").input_value() == "soon"

"""The paper form in a browser: fields are checked when they are left, and unsaved input is protected."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, Route, expect

FORM_PATH = "/write?issue=spam"
INVALID_DATE = "soon"  # for the field posted-1, the date of posting


@pytest.fixture(scope="session")
def service_url(full_service_url: str) -> str:
    """The URL of a service in which papers can be saved."""
    return full_service_url


@pytest.fixture
def posted_bodies() -> list[str]:
    """The bodies of the POST requests of the page."""
    return []


@pytest.fixture
def form(open_page: Callable[..., Page], posted_bodies: list[str]) -> Page:
    """The page with the form of a new paper."""

    def record_request(request: Request) -> None:
        if request.method == "POST":
            posted_bodies.append(request.post_data or "")

    page = open_page(FORM_PATH)
    page.on("request", record_request)
    return page


def fill_and_leave(page: Page, name: str, text: str) -> None:
    """Fill in a field and leave it with the Tab key."""
    page.locator(f"#{name}").fill(text)
    page.keyboard.press("Tab")


def test_invalid_value_is_reported_at_its_field(
    form: Page, find_axe_violations: Callable[[Page], list[str]]
) -> None:
    fill_and_leave(form, "posted-1", INVALID_DATE)
    message = form.locator("#posted-1-said")
    expect(message).to_contain_text("Error:")
    field = form.locator("#posted-1")
    assert "posted-1-said" in (field.get_attribute("aria-describedby") or "").split()
    assert field.get_attribute("aria-invalid") == "true"
    assert not find_axe_violations(form)


def test_message_disappears_after_correction(form: Page) -> None:
    fill_and_leave(form, "posted-1", INVALID_DATE)
    expect(form.locator("#posted-1-said")).to_be_visible()
    fill_and_leave(form, "posted-1", "2005-02-01")
    expect(form.locator("#posted-1-said")).to_have_count(0)
    assert form.locator("#posted-1").get_attribute("aria-invalid") is None


def test_untouched_fields_have_no_messages(form: Page) -> None:
    fill_and_leave(form, "swot-1-strength-1", "Filters are there.")
    expect(form.get_by_text("parts that the template asks for are there")).to_be_visible()
    assert form.locator(".said").count() == 0


def test_token_is_not_sent_with_checks(form: Page, posted_bodies: list[str]) -> None:
    form.locator("#token").fill("wgig_secret")
    fill_and_leave(form, "swot-1-strength-1", "Filters are there.")
    expect(form.get_by_text("parts that the template asks for are there")).to_be_visible()
    assert posted_bodies
    assert not [body for body in posted_bodies if "wgig_secret" in body]


@pytest.fixture
def dialogs(form: Page) -> list[str]:
    """The types of the dialogs that the browser showed."""
    types: list[str] = []
    form.on("dialog", lambda dialog: types.append(dialog.type))
    return types


def follow_header_link(page: Page, name: str) -> None:
    """Leave the page by a link in its header."""
    page.locator("header").get_by_role("link", name=name, exact=True).click()
    expect(page.locator("form.paper")).to_have_count(0)


def check_paper(page: Page) -> None:
    """Send the form to be checked, and wait for the page with the findings."""
    page.locator("#finish ~ p button[value=check]").click()
    expect(page.locator("#summary")).to_be_visible()


def test_leaving_unsaved_input_asks_for_confirmation(form: Page, dialogs: list[str]) -> None:
    form.locator("#posted-1").press_sequentially(INVALID_DATE)
    follow_header_link(form, "Papers")
    assert dialogs == ["beforeunload"]


def test_leaving_checked_input_asks_for_confirmation(form: Page, dialogs: list[str]) -> None:
    form.locator("#posted-1").press_sequentially(INVALID_DATE)
    check_paper(form)
    assert dialogs == []
    form.locator("#posted-1").focus()
    follow_header_link(form, "Papers")
    assert dialogs == ["beforeunload"]


def test_leaving_unchanged_form_asks_nothing(form: Page, dialogs: list[str]) -> None:
    form.locator("#posted-1").press("Tab")
    follow_header_link(form, "Papers")
    assert dialogs == []


def test_unreachable_service_is_reported_and_input_is_kept(form: Page) -> None:
    def abort_request(route: Route) -> None:
        route.abort()

    form.route("**/write", abort_request)
    fill_and_leave(form, "posted-1", INVALID_DATE)
    expect(form.get_by_text("The service does not answer")).to_be_visible()
    assert form.locator("#posted-1").input_value() == INVALID_DATE

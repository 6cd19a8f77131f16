"""The API page: RapiDoc shows the OpenAPI description, is used with the keyboard, and sends requests."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from wgig.pages.rendering import BUILT_SCRIPTS_FOLDER

pytestmark = pytest.mark.skipif(
    not BUILT_SCRIPTS_FOLDER.is_dir(), reason="The npm registry cannot be reached, so there are no scripts."
)


@pytest.fixture
def reference(open_page: Callable[..., Page]) -> Locator:
    """The reference on the API page."""
    page = open_page("/api")
    expect(page.locator("#operations")).to_have_count(0)
    return page.locator("rapi-doc")


def find_operation(reference: Locator, method: str, path: str) -> Locator:
    """The summary of an operation, which opens it."""
    path_text = reference.page.get_by_text(re.compile(rf"^\s*{re.escape(path)}\s*$"))
    return reference.locator(f"summary.{method}").filter(has=path_text)


def test_the_reference_has_all_operations_in_the_colors_of_the_site(reference: Locator) -> None:
    description = reference.page.request.get("/openapi.json").json()
    operation_count = sum(len(path_item) for path_item in description["paths"].values())
    expect(reference.locator("summary.endpoint-head")).to_have_count(operation_count)
    link_color, primary_color = (
        reference.evaluate(f"element => getComputedStyle(element).getPropertyValue('{name}')")
        for name in ("--link", "--primary-color")
    )
    assert link_color == primary_color
    # A style attribute of a template that the CSP forbids and the build sets as a property.
    assert reference.locator(".sub-title.tag").first.get_attribute("style")


def test_an_operation_is_opened_and_tried_with_the_keyboard(reference: Locator) -> None:
    page = reference.page
    find_operation(reference, "get", "/papers").focus()
    page.keyboard.press("Enter")
    issue = reference.get_by_role("textbox", name="q", exact=True)
    expect(issue).to_be_visible()
    issue.focus()
    page.keyboard.type("spam")
    reference.get_by_role("button", name="TRY").focus()
    with page.expect_response(re.compile("/papers")) as response:
        page.keyboard.press("Enter")
    assert response.value.status == 200
    assert response.value.request.url.endswith("/papers?q=spam")
    expect(reference.get_by_text("Response Status: OK")).to_be_visible()


@pytest.mark.parametrize("key", ["Enter", " "])
def test_sections_are_folded_with_the_keyboard(reference: Locator, key: str) -> None:
    operation = find_operation(reference, "get", "/papers")
    expect(operation).to_be_visible()
    section = reference.locator("[role=button]", has_text=re.compile(r"^\s*lists\s*$"))
    section.focus()
    reference.page.keyboard.press(key)
    expect(operation).to_be_hidden()
    expect(section).to_have_attribute("aria-expanded", "false")
    reference.get_by_role("button", name="Expand all").focus()
    reference.page.keyboard.press(key)
    expect(operation).to_be_visible()


def test_without_scripts_the_page_lists_the_operations(open_page: Callable[..., Page]) -> None:
    page = open_page("/api", java_script_enabled=False)
    expect(page.get_by_text("POST /validate", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Lists")).to_be_visible()

"""Copy buttons: a click copies the text, or selects it if the clipboard cannot be used."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

CLIPBOARD = ["clipboard-read", "clipboard-write"]


def test_a_click_copies_the_text_and_says_so(open_page: Callable[..., Page]) -> None:
    page = open_page("/catalog", permissions=CLIPBOARD)
    page.get_by_role("button", name="Copy: the address of the endpoint").click()
    expect(page.locator("[data-copies=endpoint-address] + [role=status]")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.inner_text("#endpoint-address")


def test_a_report_is_copied_with_what_was_added_to_it(open_page: Callable[..., Page]) -> None:
    page = open_page("/feedback?about=/doc/issue/spam", permissions=CLIPBOARD)
    page.locator("#report").fill("The date is wrong.")
    page.get_by_role("button", name="Copy: the text").click()
    assert page.evaluate("navigator.clipboard.readText()") == "The date is wrong."


def test_without_a_clipboard_the_text_is_selected(open_page: Callable[..., Page]) -> None:
    page = open_page("/catalog")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }")
    page.get_by_role("button", name="Copy: the citation").click()
    expect(page.locator("[data-copies=citation] + [role=status]")).to_have_text(
        "Selected. Copy it with your keyboard."
    )
    assert page.evaluate("getSelection().toString()") == page.inner_text("#citation")


def test_without_scripts_there_is_no_button(open_page: Callable[..., Page]) -> None:
    page = open_page("/catalog", java_script_enabled=False)
    expect(page.locator("button[data-copies]").first).to_be_hidden()
    expect(page.locator("#citation")).to_be_visible()

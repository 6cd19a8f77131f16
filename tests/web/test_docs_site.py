"""The docs site in a browser: no error of the Content-Security-Policy, no request to others, and a search."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.usefixtures("docs_site")


def test_pages_load_only_files_of_the_service(open_page: Callable[..., Page], docs_site: Path) -> None:
    page = open_page("/docs")
    expect(page.locator("h1").first).to_contain_text("The Working Group on Internet Governance")
    names = [path.relative_to(docs_site).as_posix() for path in docs_site.rglob("*.html")]
    failed: list[str] = []
    page.on("response", lambda response: failed.extend([response.url] if response.status >= 400 else []))
    for name in names:
        page.goto(f"/docs/{name}")
        assert page.evaluate("typeof __md_get") == "function"  # a script that was inline
        assert page.evaluate("[...document.images].filter(image => !image.naturalWidth).length") == 0
    assert len(names) > 30
    assert failed == []


def search(page: Page, words: str) -> None:
    """Open the search and enter words."""
    page.locator(".md-search__button").click()
    page.keyboard.type(words)


def test_search_finds_a_setting(open_page: Callable[..., Page]) -> None:
    page = open_page("/docs/how-to/operating.html")
    search(page, "WGIG_RATE_REQUESTS")
    result = page.locator('a[href*="reference/settings.html"]:visible').first
    expect(result).to_be_visible()
    result.click()
    page.wait_for_url("**/docs/reference/settings.html*")
    expect(page.locator("article")).to_contain_text("WGIG_RATE_REQUESTS")


def test_the_search_dialog_has_its_styles(open_page: Callable[..., Page]) -> None:
    page = open_page("/docs/index.html")
    hosts = "[...document.body.children].filter(element => element.shadowRoot?.adoptedStyleSheets.length)"
    page.wait_for_function(f"{hosts}.length == 1")
    assert page.evaluate(f"{hosts}[0].shadowRoot.adoptedStyleSheets[0].cssRules.length") > 20


def test_the_color_scheme_can_be_switched(open_page: Callable[..., Page]) -> None:
    page = open_page("/docs/index.html", color_scheme="light")
    for _ in range(2):
        page.locator("[data-md-component=palette] label:visible").click()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    page.goto("/docs/reference/settings.html")  # the choice is kept
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")


def test_pages_work_without_scripts_and_on_a_phone(open_page: Callable[..., Page]) -> None:
    page = open_page(
        "/docs/reference/command.html", java_script_enabled=False, viewport={"width": 320, "height": 640}
    )
    expect(page.locator("#wgig-check")).to_be_visible()


def test_the_footer_of_the_service_links_to_the_site_and_back(open_page: Callable[..., Page]) -> None:
    page = open_page("/about")
    page.locator('footer a[href="/docs"]').click()
    page.wait_for_url("**/docs/index.html")
    page.locator('footer a[href="/"]').click()
    page.wait_for_url("**/")


def test_the_menu_and_the_search_are_reached_by_keyboard_on_a_narrow_screen(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("/docs/how-to/operating.html", viewport={"width": 600, "height": 700})
    menu, drawer = page.locator('[role=button][for="__drawer"]'), page.locator(".md-sidebar--primary")
    expect(menu).to_have_attribute("aria-expanded", "false")
    expect(drawer).to_have_css("visibility", "hidden")
    focused = list[str]()
    for _ in range(12):
        page.keyboard.press("Tab")
        focused.append(page.evaluate("document.activeElement.getAttribute('for')"))
        assert not page.evaluate("Boolean(document.activeElement.closest('.md-sidebar--primary'))")
    assert {"__drawer", "__search"} <= {*focused}
    for key in ("Enter", "Space"):
        menu.focus()
        page.keyboard.press(key)
        expect(menu).to_have_attribute("aria-expanded", "true")
        expect(drawer).to_have_css("visibility", "visible")
        page.keyboard.press("Escape")
        expect(drawer).to_have_css("visibility", "hidden")
        expect(menu).to_be_focused()

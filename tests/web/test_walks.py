"""Layout and accessibility of all pages in English and Arabic, with and without scripts."""

import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page
from starlette.routing import compile_path
from wgig.app import ROUTES, create_app, make_service
from wgig.i18n import PAGE_LANGUAGES
from wgig.settings import Settings
from wgig.store.store import Store

from .layout import LayoutReport, check_layout, find_overflow
from .page_states import PAGE_STATES, PageState
from .watched_page import WatchedPage

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 320, "height": 640}
HTML_MEDIA_TYPE = "text/html"
DIRECTIONS_BY_LANGUAGE = {"en": "ltr", "ar": "rtl"}
# Together they cover both languages, with and without scripts, on both widths, in both color schemes.
CONTEXT_OPTIONS: dict[str, dict[str, Any]] = {
    "English": {"locale": "en", "viewport": DESKTOP},
    "Arabic": {"locale": "ar", "viewport": PHONE, "color_scheme": "dark"},
    "English without scripts": {"locale": "en", "viewport": PHONE, "java_script_enabled": False},
    "Arabic without scripts": {"locale": "ar", "viewport": PHONE, "java_script_enabled": False},
}


class PageVisitor:
    """A browser page with certain context options that visits page states."""

    def __init__(
        self, browser: Browser, full_service_url: str, empty_service_url: str, context_options: dict[str, Any]
    ) -> None:
        """Visit pages of two services, one of them with an empty store."""
        self._full_url, self._empty_url = full_service_url, empty_service_url
        self._watched = WatchedPage(browser, full_service_url, empty_service_url, **context_options)
        self.page = self._watched.page
        self.language_and_direction = [
            context_options["locale"],
            DIRECTIONS_BY_LANGUAGE[context_options["locale"]],
        ]
        self.has_scripts = context_options.get("java_script_enabled", True)
        self.take_errors = self._watched.take_errors

    def visit(self, page_state: PageState) -> Page:
        """Open a page state."""
        page_state.open_in(self.page, self._empty_url if page_state.empty else self._full_url)
        return self.page


@pytest.fixture(scope="module", params=CONTEXT_OPTIONS)
def visitor(
    request: pytest.FixtureRequest,
    browser: Browser,
    full_service_url: str,
    empty_service_url: str,
    axe_script: str,
) -> Iterator[PageVisitor]:
    """A visitor with one of CONTEXT_OPTIONS."""
    page_visitor = PageVisitor(browser, full_service_url, empty_service_url, CONTEXT_OPTIONS[request.param])
    if page_visitor.has_scripts:
        page_visitor.page.context.add_init_script(axe_script)  # axe-core checks each page
    yield page_visitor
    page_visitor.page.context.close()


def iter_visits() -> Iterator[Any]:
    """The contexts of each page state: all with WALK_ALL=1, else one with scripts.

    A third of the states are also visited without scripts. Neighboring states take turns, so that the
    contexts cover both languages and widths.
    """
    for number, page_state in enumerate(PAGE_STATES):
        pair = ("Arabic", "English without scripts") if number % 2 else ("English", "Arabic without scripts")
        names = pair if number % 3 == 0 else pair[:1]
        for name in CONTEXT_OPTIONS if os.environ.get("WALK_ALL") else names:
            yield pytest.param(name, page_state, id=f"{name}-{page_state.name}")


@pytest.mark.parametrize(("visitor", "page_state"), [*iter_visits()], indirect=["visitor"])
def test_page_has_no_faults(
    visitor: PageVisitor, page_state: PageState, find_axe_violations: Callable[[Page], list[str]]
) -> None:
    page = visitor.visit(page_state)
    assert check_layout(page, framed=page_state.framed) == LayoutReport(visitor.language_and_direction)
    if visitor.has_scripts:
        assert find_axe_violations(page) == []
    assert visitor.take_errors() == []


@pytest.mark.parametrize("language", PAGE_LANGUAGES)
def test_navigation_is_one_row_aligned_with_tables(
    browser: Browser, full_service_url: str, language: str
) -> None:
    page = WatchedPage(browser, full_service_url, locale=language, viewport=DESKTOP).page
    page.goto(f"{full_service_url}doc/issue/spam")
    links, cells = page.locator("body > header nav a"), page.locator("#facts + table tbody th > *")
    assert (
        len(set(links.evaluate_all("all => all.map((element) => element.getBoundingClientRect().top)"))) == 1
    )
    side = "right" if DIRECTIONS_BY_LANGUAGE.get(language) == "rtl" else "left"
    edges_script = f"all => all.map((element) => Math.round(element.getBoundingClientRect().{side}))"
    assert {*cells.evaluate_all(edges_script)} == {links.evaluate_all(edges_script)[0]}
    page.context.close()


@pytest.mark.parametrize("language", DIRECTIONS_BY_LANGUAGE)
def test_printed_page_has_no_controls_and_no_overflow(
    browser: Browser, full_service_url: str, language: str
) -> None:
    page = WatchedPage(
        browser, full_service_url, locale=language, viewport={"width": 800, "height": 1100}
    ).page
    page.emulate_media(media="print")
    for path in ("doc/issue/spam", "people", "coverage", "queries/due-and-delivered"):
        page.goto(full_service_url + path)
        visible_elements_script = (
            "all => all.filter((element) => element.checkVisibility()).map((element) => element.outerHTML)"
        )
        controls = page.locator("nav, form, input, button:not([hidden], thead button)")  # heads are text, too
        assert controls.evaluate_all(visible_elements_script) == []
        assert find_overflow(page) == []
    page.context.close()


# The contrast of the text of an element with its background (WCAG 2.2), whose colors are opaque.
CONTRAST_SCRIPT = """element => {
  const parse = color => color.match(/[\\d.]+/g).map(Number);
  const luminance = color => {
    const parts = parse(color).slice(0, 3).map(part => color.startsWith("color(") ? part : part / 255);
    const [red, green, blue] = parts.map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const { color } = getComputedStyle(element);
  const backgroundOf = element => getComputedStyle(element).backgroundColor;
  let ground = element;
  while (/(, 0\\)|transparent)$/.test(backgroundOf(ground))) ground = ground.parentElement;
  const [light, dark] = [luminance(color), luminance(backgroundOf(ground))].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}"""


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["/", "/people", "/queries/judgments?the_issue=spam", "/sparql", "/write?issue=spam", "/catalog"]
)
def test_buttons_can_be_read_under_the_pointer(
    open_page: Callable[..., Page], path: str, color_scheme: str
) -> None:
    page = open_page(path, color_scheme=color_scheme)
    page.wait_for_load_state("networkidle")
    kinds = page.evaluate(
        "() => [...new Set([...document.querySelectorAll('main button, main .button')]"
        ".map(element => [...element.classList].sort().join('.')))]"
    )
    for kind in kinds:
        selector = "".join(f".{name}" for name in kind.split(".") if name) or ":not([class])"
        button = page.locator(f"main :is(button, .button){selector}:visible").first
        if button.count():
            button.hover(force=True)
            assert button.evaluate(CONTRAST_SCRIPT) >= 4.5, selector


def test_every_html_route_has_page_state() -> None:
    operations = create_app(make_service(Settings(), Store.in_memory())).openapi()["paths"]
    get_paths = [path for path, methods, *_ in ROUTES if "GET" in methods]
    visited_routes = {find_route(urlsplit(page_state.path).path, get_paths) for page_state in PAGE_STATES}
    html_routes = {
        path
        for path, methods, *_ in ROUTES
        for method in methods
        if HTML_MEDIA_TYPE in list_media_types(operations, path, method) and not path.endswith(".{suffix}")
    }
    assert html_routes
    # The documentation is in English and has a layout of its own; tests/web/test_docs_site.py visits it.
    assert html_routes - visited_routes == {"/docs/{path:path}"}


def list_media_types(operations: dict[str, Any], path: str, method: str) -> list[str]:
    """The media types of a route in the OpenAPI description."""
    operation = operations[path.replace(":path", "")].get(method.lower(), {})
    return [*operation.get("responses", {}).get("200", {}).get("content", {})]


def find_route(path: str, routes: list[str]) -> str | None:
    """The path template of the first route that matches a path."""
    return next((route for route in routes if compile_path(route)[0].match(path)), None)

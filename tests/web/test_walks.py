"""Every kind of page is opened in English and Arabic, with and without scripts, and is whole in each."""

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

from .looking import Look, look, overflow
from .stops import STOPS, Stop
from .watching import Watched

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 320, "height": 640}
HTML = "text/html"
DIRECTIONS = {"en": "ltr", "ar": "rtl"}
# Between them, scripts and their absence, both widths and both schemes of colors meet both languages.
WALKS: dict[str, dict[str, Any]] = {
    "English": {"locale": "en", "viewport": DESKTOP},
    "Arabic": {"locale": "ar", "viewport": PHONE, "color_scheme": "dark"},
    "English without scripts": {"locale": "en", "viewport": PHONE, "java_script_enabled": False},
    "Arabic without scripts": {"locale": "ar", "viewport": PHONE, "java_script_enabled": False},
}


class Walk:
    """Somebody who goes from page to page in one language, by one browser."""

    def __init__(self, browser: Browser, full: str, empty: str, given: dict[str, Any]) -> None:
        """Go through two services, with what is `given` to the browser."""
        self._full, self._empty = full, empty
        self._watched = Watched(browser, full, empty, **given)
        self.page = self._watched.page
        self.speaks = [given["locale"], DIRECTIONS[given["locale"]]]
        self.has_scripts = given.get("java_script_enabled", True)
        self.wrong = self._watched.wrong

    def to(self, stop: Stop) -> Page:
        """The page of a stop."""
        stop.reach(self.page, self._empty if stop.empty else self._full)
        return self.page


@pytest.fixture(scope="module", params=WALKS)
def walk(
    request: pytest.FixtureRequest, browser: Browser, full: str, empty: str, axe_core: str
) -> Iterator[Walk]:
    found = Walk(browser, full, empty, WALKS[request.param])
    if found.has_scripts:
        found.page.context.add_init_script(axe_core)  # each page is held against it
    yield found
    found.page.context.close()


@pytest.mark.parametrize("stop", STOPS, ids=[one.name for one in STOPS])
def test_a_page_is_whole(walk: Walk, stop: Stop, axe: Callable[[Page], list[str]]) -> None:
    page = walk.to(stop)
    assert look(page, framed=stop.framed) == Look(walk.speaks)
    if walk.has_scripts:
        assert axe(page) == []
    assert walk.wrong() == []


@pytest.mark.parametrize("tongue", PAGE_LANGUAGES)
def test_the_main_pages_stand_in_one_row_and_a_table_begins_where_they_do(
    browser: Browser, full: str, tongue: str
) -> None:
    page = Watched(browser, full, locale=tongue, viewport=DESKTOP).page
    page.goto(f"{full}doc/issue/spam")
    links, cells = page.locator("body > header nav a"), page.locator("#facts + table tbody th > *")
    assert len(set(links.evaluate_all("all => all.map((one) => one.getBoundingClientRect().top)"))) == 1
    side = "right" if DIRECTIONS.get(tongue) == "rtl" else "left"
    edges = f"all => all.map((one) => Math.round(one.getBoundingClientRect().{side}))"
    assert {*cells.evaluate_all(edges)} == {links.evaluate_all(edges)[0]}
    page.context.close()


@pytest.mark.parametrize("tongue", DIRECTIONS)
def test_on_paper_there_is_nothing_to_press_and_nothing_beyond_the_edge(
    browser: Browser, full: str, tongue: str
) -> None:
    page = Watched(browser, full, locale=tongue, viewport={"width": 800, "height": 1100}).page
    page.emulate_media(media="print")
    for path in ("doc/issue/spam", "people", "coverage", "queries/due-and-delivered"):
        page.goto(full + path)
        pressed = "all => all.filter((one) => one.checkVisibility()).map((one) => one.outerHTML)"
        assert page.locator("nav, form, button:not([hidden])").evaluate_all(pressed) == []
        assert overflow(page) == []
    page.context.close()


def test_no_page_is_forgotten() -> None:
    described = create_app(make_service(Settings(), Store.in_memory())).openapi()["paths"]
    getting = [path for path, methods, *_ in ROUTES if "GET" in methods]
    walked = {route_of(urlsplit(stop.path).path, getting) for stop in STOPS}
    pages = {
        path
        for path, methods, *_ in ROUTES
        for method in methods
        if HTML in answers(described, path, method) and not path.endswith(".{suffix}")
    }
    assert pages
    assert pages - walked == set()


def answers(described: dict[str, Any], path: str, method: str) -> list[str]:
    """The media types that a route gives, by the description of the service."""
    operation = described[path.replace(":path", "")].get(method.lower(), {})
    return [*operation.get("responses", {}).get("200", {}).get("content", {})]


def route_of(path: str, routes: list[str]) -> str | None:
    """The route that answers at a path: the first that fits."""
    return next((one for one in routes if compile_path(one)[0].match(path)), None)

"""Fixtures for tests in a browser: services, pages that record errors, and checks by axe-core.

axe-core is a script that finds violations of accessibility rules in a page.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from wgig.pages.rendering import BUILT_SCRIPTS_FOLDER
from wgig.settings import CHECKOUT_FOLDER

from tests.fixtures.processes import ServiceStarter, copy_filled_store

from .page_states import TOKEN, make_test_releases, write_test_graph
from .watched_page import TIMEOUT_MS, WatchedPage, launch_chromium

AXE_FILE = CHECKOUT_FOLDER / "service" / "web" / "node_modules" / "axe-core" / "axe.min.js"
AXE_OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
    "preload": {"assets": ["media"]},  # the rules need no style sheets, which take 1/4 of the time
}
AXE_SCRIPT = f"axe.run(document, {json.dumps(AXE_OPTIONS)}).then(({{violations}}) => violations)"


# Playwright runs an event loop as long as the browser is open; tests of other folders run their own loops.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser without a window."""
    expect.set_options(timeout=TIMEOUT_MS)
    with launch_chromium() as chromium:
        if chromium is None:
            pytest.skip("There is no Chromium to try pages in: apt-get install chromium-headless-shell")
        yield chromium


@pytest.fixture
def open_page(browser: Browser, service_url: str) -> Iterator[Callable[..., Page]]:
    """A function that opens a path of the service: `open_page("/sparql", java_script_enabled=False)`.

    The test fails if a page has an error, a request to another host, or a violation of
    the Content-Security-Policy.
    """
    watched_pages: list[WatchedPage] = []

    def open_path(path: str, **context_options: Any) -> Page:
        watched_page = WatchedPage(browser, service_url, **context_options)
        watched_pages.append(watched_page)
        watched_page.page.goto(path)
        return watched_page.page

    yield open_path
    errors = []
    for watched_page in watched_pages:
        errors += watched_page.take_errors()
        watched_page.page.context.close()
    assert not errors


@pytest.fixture(scope="module")
def reused_pages() -> Iterator[dict[str, WatchedPage]]:
    """The pages that the tests of a module reuse, by the options of their browser context."""
    watched_pages = dict[str, WatchedPage]()
    yield watched_pages
    for watched_page in watched_pages.values():
        watched_page.page.context.close()


@pytest.fixture
def reopen_page(
    browser: Browser, service_url: str, reused_pages: dict[str, WatchedPage]
) -> Iterator[Callable[..., Page]]:
    """Like `open_page`, but reuses a page with cleared storage, in half the time.

    Tests that use it must not add listeners or routes to the page.
    """
    watched_pages: list[WatchedPage] = []

    def open_path(path: str, **context_options: Any) -> Page:
        name = repr(sorted(context_options.items()))
        if name not in reused_pages:
            reused_pages[name] = WatchedPage(browser, service_url, **context_options)
        watched_page = reused_pages[name]
        watched_pages.append(watched_page)
        watched_page.page.goto(path)
        return watched_page.page

    yield open_path
    errors = []
    for watched_page in watched_pages:
        errors += watched_page.take_errors()
        watched_page.clear_storage()
    assert not errors


@pytest.fixture(scope="session")
def full_service_url(
    start_service: ServiceStarter, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of a service with the bundled graphs, a graph that was written twice, and two releases."""
    folder = tmp_path_factory.mktemp("store")
    copy_filled_store(folder)
    make_test_releases(folder)
    with start_service(folder, WGIG_TOKEN=TOKEN, WGIG_PAPER_HOSTS="papers.example") as url:
        write_test_graph(url)
        yield url


@pytest.fixture(scope="session")
def empty_service_url(
    start_service: ServiceStarter, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of a service with an empty store."""
    with start_service(tmp_path_factory.mktemp("store"), WGIG_DATA="none") as url:
        yield url


@pytest.fixture(scope="session")
def axe_script() -> str:
    """The script of axe-core."""
    if not AXE_FILE.is_file():
        pytest.skip("There is no axe-core, which comes with a build of the browser code.")
    return AXE_FILE.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def find_axe_violations(axe_script: str) -> Callable[[Page], list[str]]:
    """A function that returns the violations that axe-core finds in a page: rules and elements."""

    def run_axe(page: Page) -> list[str]:
        if page.evaluate("typeof axe") == "undefined":
            page.evaluate(axe_script)
        violations = page.evaluate(AXE_SCRIPT)
        return [
            f"{violation['id']}: {node['html'][:200]}"
            for violation in violations
            for node in violation["nodes"]
        ]

    return run_axe


@pytest.fixture(scope="session", autouse=True)
def require_built_scripts() -> None:
    """Skip the tests if the browser code is not built."""
    if not BUILT_SCRIPTS_FOLDER.is_dir():
        pytest.skip("The browser code is not built, as the registry of npm could not be reached.")

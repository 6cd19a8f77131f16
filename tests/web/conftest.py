"""A browser on the pages of a running service, which watches what each page does."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from wgig.pages.rendering import BUILT_SCRIPTS_FOLDER
from wgig.settings import CHECKOUT_FOLDER

from tests.fixtures.processes import Serving

from .stops import TOKEN, prepare
from .watching import PATIENCE, Watched, chromium

AXE = CHECKOUT_FOLDER / "service" / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
    "preload": {"assets": ["media"]},  # no rule of these asks for all styles again, which takes a quarter
}
RUN = f"axe.run(document, {json.dumps(RULES)}).then(({{violations}}) => violations)"


# The loop of the browser runs as long as it is there, and tests of other folders run loops of their own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser without a window."""
    expect.set_options(timeout=PATIENCE)
    with chromium() as started:
        if started is None:
            pytest.skip("There is no Chromium, in which pages are tried out: apt-get install chromium")
        yield started


@pytest.fixture
def visit(browser: Browser, served: str) -> Iterator[Callable[..., Page]]:
    """Open a path of the service: `visit("/sparql", java_script_enabled=False)`.

    After the test, no page has had an error, asked another host, or done what its policy refuses.
    """
    watched: list[Watched] = []

    def opened(path: str, **given: Any) -> Page:
        one = Watched(browser, served, **given)
        watched.append(one)
        one.page.goto(path)
        return one.page

    yield opened
    wrong = []
    for one in watched:
        wrong += one.wrong()
        one.page.context.close()
    assert not wrong


@pytest.fixture(scope="module")
def pages() -> Iterator[dict[str, Watched]]:
    """Pages that tests of a module had one after the other, by what was given to the context of each."""
    found = dict[str, Watched]()
    yield found
    for one in found.values():
        one.page.context.close()


@pytest.fixture
def revisit(browser: Browser, served: str, pages: dict[str, Watched]) -> Iterator[Callable[..., Page]]:
    """As `visit`, with a page that tests before had, of which it remembers nothing: that takes half the time.

    For tests that add no listener and no route to it.
    """
    watched: list[Watched] = []

    def opened(path: str, **given: Any) -> Page:
        name = repr(sorted(given.items()))
        if name not in pages:
            pages[name] = Watched(browser, served, **given)
        one = pages[name]
        watched.append(one)
        one.page.goto(path)
        return one.page

    yield opened
    wrong = []
    for one in watched:
        wrong += one.wrong()
        one.forget()
    assert not wrong


@pytest.fixture(scope="session")
def full(serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a service with the shipped graph, in which something was written."""
    with serving(tmp_path_factory.mktemp("store"), WGIG_TOKEN=TOKEN) as url:
        prepare(url)
        yield url


@pytest.fixture(scope="session")
def empty(serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a service with nothing in its store."""
    with serving(tmp_path_factory.mktemp("store"), WGIG_DATA="none") as url:
        yield url


@pytest.fixture(scope="session")
def axe_core() -> str:
    """The script of axe-core."""
    if not AXE.is_file():
        pytest.skip("There is no axe-core, which comes with a build of the browser code.")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def axe(axe_core: str) -> Callable[[Page], list[str]]:
    """What axe-core finds wrong in the state of a page: the rules, with where they are broken."""

    def broken(page: Page) -> list[str]:
        if page.evaluate("typeof axe") == "undefined":
            page.evaluate(axe_core)
        found = page.evaluate(RUN)
        return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]

    return broken


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """The browser code is there."""
    if not BUILT_SCRIPTS_FOLDER.is_dir():
        pytest.skip("The browser code is not built, as the registry of npm could not be reached.")

"""`python -m tests.web.screenshots`: screenshots of all pages on desktop and phone, dark, and in Arabic.

Arguments are names of page states; without arguments, all page states are photographed.
"""

import sys
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser
from wgig.settings import CHECKOUT_FOLDER

from tests.fixtures.processes import copy_filled_store, serve

from .page_states import PAGE_STATES, TOKEN, PageState, make_test_releases, write_test_graph
from .watched_page import WatchedPage, launch_chromium

SCREENSHOTS_FOLDER = CHECKOUT_FOLDER / "bench" / "results" / "screenshots"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
CONTEXT_OPTIONS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": DESKTOP},
    "phone": {"viewport": PHONE},
    "dark": {"viewport": DESKTOP, "color_scheme": "dark"},
    "arabic": {"viewport": DESKTOP, "locale": "ar"},
    "arabic-phone": {"viewport": PHONE, "locale": "ar"},
}
MAX_HEIGHT_PX = 3000  # the rest of a longer page looks the same


def main(names: Collection[str]) -> None:
    """Take screenshots of the page states with these names, or of all, in all variants."""
    states = [state for state in PAGE_STATES if not names or state.name in names]
    with tempfile.TemporaryDirectory() as scratch, launch_chromium() as browser:
        if browser is None:
            sys.exit("There is no Chromium: apt-get install chromium-headless-shell")
        copy_filled_store(Path(scratch, "full"))
        make_test_releases(Path(scratch, "full"))
        with (
            serve(Path(scratch, "full"), WGIG_TOKEN=TOKEN) as full_url,
            serve(Path(scratch, "empty"), WGIG_DATA="none") as empty_url,
        ):
            write_test_graph(full_url)
            for variant in CONTEXT_OPTIONS:
                take_screenshots(browser, variant, states, full_url, empty_url)
    print(f"The pictures are in {SCREENSHOTS_FOLDER}")


def take_screenshots(
    browser: Browser, variant: str, states: list[PageState], full_url: str, empty_url: str
) -> None:
    """Take a screenshot of each page state in one variant of CONTEXT_OPTIONS."""
    page = WatchedPage(browser, full_url, empty_url, **CONTEXT_OPTIONS[variant]).page
    for state in states:
        page.set_viewport_size(CONTEXT_OPTIONS[variant]["viewport"])
        state.open_in(page, empty_url if state.empty else full_url)
        height = min(MAX_HEIGHT_PX, page.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({"width": CONTEXT_OPTIONS[variant]["viewport"]["width"], "height": height})
        page.screenshot(path=SCREENSHOTS_FOLDER / variant / f"{state.name}.png")
    page.context.close()


if __name__ == "__main__":
    main(sys.argv[1:])

"""`python -m tests.web.screenshots`: a picture of each page as it looks in several ways.

Names of stops behind the command choose some pages.
"""

import sys
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser
from wgig.settings import CHECKOUT_FOLDER

from tests.fixtures.processes import serve

from .stops import STOPS, TOKEN, Stop, prepare
from .watching import Watched, chromium

FOLDER = CHECKOUT_FOLDER / "bench" / "results" / "screenshots"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
LOOKS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": DESKTOP},
    "phone": {"viewport": PHONE},
    "dark": {"viewport": DESKTOP, "color_scheme": "dark"},
    "arabic": {"viewport": DESKTOP, "locale": "ar"},
    "arabic-phone": {"viewport": PHONE, "locale": "ar"},
}
TALLEST = 3000  # pixels of a picture; what is below looks like what is above


def main(names: Collection[str]) -> None:
    """Take a picture of each page, or of those with these names, in each look."""
    stops = [stop for stop in STOPS if not names or stop.name in names]
    with tempfile.TemporaryDirectory() as scratch, chromium() as browser:
        if browser is None:
            sys.exit("There is no Chromium: apt-get install chromium")
        with (
            serve(Path(scratch, "full"), WGIG_TOKEN=TOKEN) as full,
            serve(Path(scratch, "empty"), WGIG_DATA="none") as empty,
        ):
            prepare(full)
            for look in LOOKS:
                take(browser, look, stops, full, empty)
    print(f"The pictures are in {FOLDER}")


def take(browser: Browser, look: str, stops: list[Stop], full: str, empty: str) -> None:
    """Take a picture of each stop in one look."""
    page = Watched(browser, full, empty, **LOOKS[look]).page
    for stop in stops:
        page.set_viewport_size(LOOKS[look]["viewport"])
        stop.reach(page, empty if stop.empty else full)
        height = min(TALLEST, page.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({"width": LOOKS[look]["viewport"]["width"], "height": height})
        page.screenshot(path=FOLDER / look / f"{stop.name}.png")
    page.context.close()


if __name__ == "__main__":
    main(sys.argv[1:])

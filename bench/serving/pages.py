"""What pages cost: time of the server, bytes over the wire, and when a phone on a slow line shows what."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from threading import Thread
from typing import TYPE_CHECKING, Any

from ..measure.client import request
from ..measure.commands import WGIG
from ..measure.requests import Asked, Times, in_turns
from ..measure.server import QUESTION, Running, fill, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FIRST_P95, CACHED_P95 = 0.020, 0.001  # seconds of the server
PAINT = 1.0  # seconds until the largest part of a page is drawn
SHIFT = 0.0  # how far what is drawn moves afterwards
WEIGHT = {"/sparql": 350 * 1024}  # bytes over the wire, the editor with them where it is
USUAL_WEIGHT = 150 * 1024
PAGES = (
    "/", "/issues", "/papers", "/papers?category=access-for-all", "/coverage", "/coverage?by=category",
    "/timeline", "/people", "/declaration", "/doc/issue/spam", "/doc/principle/transparency",
    "/doc/document/declaration/48", "/doc/meeting/m1", "/search?q=spam", "/queries", "/sparql", "/write",
    "/validate", "/ontology", "/shapes", "/graphs",
)  # fmt: skip
LOADS = 5  # of each page by the phone
HTML = "text/html"
AGAIN = {"Cache-Control": "no-cache"}  # so that nothing is given from the cache
PACKED = {"Accept-Encoding": "gzip"}

# The phone profile of Lighthouse: a line of 1.6 Mbit/s, 150 ms to and fro, and a quarter of the speed.
LINE = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}
SLOWER = 4
PHONE: dict[str, Any] = {
    "viewport": {"width": 412, "height": 823},
    "device_scale_factor": 1.75,
    "is_mobile": True,
    "has_touch": True,
}
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
# What the browser tells of what it drew. The layout has come to rest half a second after the last request.
WATCH = """
window.seen = {paint: 0, shift: 0};
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) seen.paint = Math.max(seen.paint, one.startTime);
}).observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) seen.shift += one.hadRecentInput ? 0 : one.value;
}).observe({type: "layout-shift", buffered: true});
"""


@dataclass(frozen=True)
class Seen:
    """What a phone saw of a page: seconds until its largest part was drawn, shift, bytes, requests."""

    paint: float
    shift: float
    weight: int
    requests: int


@dataclass(frozen=True)
class Looked:
    """A page: figures of the server for the first time and from the cache, and what a phone saw."""

    path: str
    first: Mapping[str, float]
    cached: Mapping[str, float]
    seen: Seen

    @property
    def heaviest(self) -> int:
        """The bytes that it may have over the wire."""
        return WEIGHT.get(self.path, USUAL_WEIGHT)


def compare(scratch: Path, seconds: float, settings: Mapping[str, str]) -> tuple[list[Looked], Seen]:
    """All pages on the shipped data, and what a phone sees of the floor."""
    store = scratch / "looked-at"
    fill(store)
    with ExitStack() as stack:
        serve = [*WGIG, "serve", "--store", str(store)]
        server = stack.enter_context(
            running(serve, "--port", "{port}", question=QUESTION, environment=settings)
        )
        browser = stack.enter_context(phone())
        floor = stack.enter_context(heading())
        least = seen(browser, f"http://127.0.0.1:{floor}/")
        return [looked(path, server, browser, seconds) for path in PAGES], least


def looked(path: str, server: Running, browser: "Browser", seconds: float) -> Looked:
    """One page."""
    ways = {"first": AGAIN | PACKED, "cached": PACKED}
    asked = {way: Asked(server, partial(get, path, fields)) for way, fields in ways.items()}
    times: dict[str, Times] = in_turns(asked, seconds)
    figures = {way: one.figures() for way, one in times.items()}
    return Looked(
        path, figures["first"], figures["cached"], seen(browser, f"http://127.0.0.1:{server.port}{path}")
    )


def get(path: str, fields: Mapping[str, str], number: int) -> bytes:
    """The request for a page."""
    del number
    return request(path, HTML, fields)


@contextmanager
def phone() -> Iterator["Browser"]:
    """A browser without a window. Raises SystemExit where there is none."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  of the tests, and nothing else here needs it

    path = shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        raise SystemExit(
            "There is no Chromium, by which pages are looked at. Install it: apt-get install chromium"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def seen(browser: "Browser", address: str) -> Seen:
    """What a phone sees of a page that it has never loaded, the median of some loads."""
    loads = [load(browser, address) for _ in range(LOADS)]
    return Seen(
        median(one.paint for one in loads),
        max(one.shift for one in loads),
        round(median(one.weight for one in loads)),
        round(median(one.requests for one in loads)),
    )


def load(browser: "Browser", address: str) -> Seen:
    """One load of a page."""
    context = browser.new_context(**PHONE)
    page = context.new_page()
    sizes = slowed(page)
    page.add_init_script(WATCH)
    page.goto(address, wait_until="networkidle")
    found = page.evaluate("seen")
    context.close()
    return Seen(found["paint"] / 1000, found["shift"], round(sum(sizes)), len(sizes))


def slowed(page: "Page") -> list[float]:
    """Give a page the line and the processor of the phone; what comes over the line is added to the list."""
    session, sizes = page.context.new_cdp_session(page), list[float]()
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", LINE)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    session.on("Network.loadingFinished", lambda one: sizes.append(one["encodedDataLength"]))
    return sizes


class Heading(BaseHTTPRequestHandler):
    """Gives a page of one heading."""

    def do_GET(self) -> None:
        """Give it."""
        body = b"<!doctype html><title>Floor</title><link rel=icon href='data:,'><h1>Floor</h1>"
        self.send_response(200)
        self.send_header("Content-Type", HTML)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def heading() -> Iterator[int]:
    """A server of the floor; its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Heading) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()

"""HTML pages: time of the server, bytes over the network, and loading on a phone with a slow connection."""

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

from ..measure.client import build_request
from ..measure.commands import WGIG
from ..measure.requests import RequestSeries, measure_in_turns
from ..measure.server import SHIPPED_DATA_PATH, RunningServer, fill_store, run_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MAX_FIRST_SECONDS, MAX_CACHED_SECONDS = 0.020, 0.001  # of the server, p95
MAX_PAINT_SECONDS = 0.9  # largest contentful paint
MAX_SHIFT = 0.0  # cumulative layout shift
MAX_BYTES_BY_PATH = {"/sparql": 400 * 1000}  # over the network; this page has the query editor
MAX_BYTES = 40 * 1000  # of all other pages
PAGES = (
    "/", "/issues", "/papers", "/papers?category=access-for-all", "/coverage", "/coverage?by=category",
    "/timeline", "/people", "/declaration", "/doc/issue/spam", "/doc/paper/wp-spam",
    "/doc/principle/transparency", "/doc/document/declaration/48", "/doc/meeting/m1", "/doc/agreement/d01",
    "/search?q=spam", "/queries", "/queries/coverage-matrix", "/sparql", "/build", "/compare", "/judgments",
    "/write", "/write?issue=names-and-ip-addresses", "/validate", "/ontology", "/shapes", "/graphs",
    "/catalog", "/tables", "/changes", "/about",
)  # fmt: skip
LOADS_PER_PAGE = 5
HTML = "text/html"
NO_CACHE = {"Cache-Control": "no-cache"}  # the service computes the response again
GZIP = {"Accept-Encoding": "gzip"}

# The phone profile of Lighthouse: 1.6 Mbit/s, a round trip of 150 ms, and a quarter of the CPU speed.
NETWORK_CONDITIONS = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1.6e6 / 8,
    "uploadThroughput": 750e3 / 8,
}
CPU_SLOWDOWN = 4
PHONE: dict[str, Any] = {
    "viewport": {"width": 412, "height": 823},
    "device_scale_factor": 1.75,
    "is_mobile": True,
    "has_touch": True,
}
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
)
# Records the paint and shift entries of the browser. Half a second after the last request, they are final.
OBSERVER_SCRIPT = """
window.metrics = {paint: 0, shift: 0};
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) metrics.paint = Math.max(metrics.paint, entry.startTime);
}).observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) metrics.shift += entry.hadRecentInput ? 0 : entry.value;
}).observe({type: "layout-shift", buffered: true});
"""


@dataclass(frozen=True)
class PhoneLoad:
    """A page loaded by the emulated phone: seconds until the largest paint, layout shift, bytes, requests."""

    paint: float
    shift: float  # 0: nothing moved
    transferred_bytes: int
    requests: int


@dataclass(frozen=True)
class PageMeasurement:
    """A page: figures of the server for first and cached responses, and the load by a phone."""

    path: str
    first: Mapping[str, float]
    cached: Mapping[str, float]
    phone_load: PhoneLoad

    @property
    def max_bytes(self) -> int:
        """The goal of bytes over the network."""
        return MAX_BYTES_BY_PATH.get(self.path, MAX_BYTES)


def compare_pages(
    scratch: Path, seconds: float, settings: Mapping[str, str]
) -> tuple[list[PageMeasurement], PhoneLoad]:
    """The measurements of PAGES, and the load of the floor, a page with only a heading."""
    store = scratch / "looked-at"
    fill_store(store)
    with ExitStack() as stack:
        serve = [*WGIG, "serve", "--store", str(store)]
        server = stack.enter_context(
            run_server(serve, "--port", "{port}", ready_path=SHIPPED_DATA_PATH, environment=settings)
        )
        browser = stack.enter_context(run_browser())
        floor_port = stack.enter_context(serve_floor())
        floor = load_on_phone(browser, f"http://127.0.0.1:{floor_port}/")
        return [measure_page(path, server, browser, seconds) for path in PAGES], floor


def measure_page(path: str, server: RunningServer, browser: "Browser", seconds: float) -> PageMeasurement:
    """The measurement of one page."""
    fields_by_way = {"first": NO_CACHE | GZIP, "cached": GZIP}
    series = {
        way: RequestSeries(server, partial(build_page_request, path, fields))
        for way, fields in fields_by_way.items()
    }
    figures = {way: times.summarize() for way, times in measure_in_turns(series, seconds).items()}
    phone_load = load_on_phone(browser, f"http://127.0.0.1:{server.port}{path}")
    return PageMeasurement(path, figures["first"], figures["cached"], phone_load)


def build_page_request(path: str, fields: Mapping[str, str], number: int) -> bytes:
    """The request for a page, the same for each number."""
    del number
    return build_request(path, HTML, fields)


@contextmanager
def run_browser() -> Iterator["Browser"]:
    """A headless Chromium. Raises SystemExit if there is none."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  in the group `test`; only needed here

    path = shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        raise SystemExit("There is no Chromium to load pages with. Install it: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


def load_on_phone(browser: "Browser", url: str) -> PhoneLoad:
    """The median of several loads without a browser cache, and their largest shift."""
    loads = [load_page_once(browser, url) for _ in range(LOADS_PER_PAGE)]
    return PhoneLoad(
        median(load.paint for load in loads),
        max(load.shift for load in loads),
        round(median(load.transferred_bytes for load in loads)),
        round(median(load.requests for load in loads)),
    )


def load_page_once(browser: "Browser", url: str) -> PhoneLoad:
    """One load of a page."""
    context = browser.new_context(**PHONE)
    page = context.new_page()
    sizes = emulate_phone(page)
    page.add_init_script(OBSERVER_SCRIPT)
    page.goto(url, wait_until="networkidle")
    metrics = page.evaluate("metrics")
    context.close()
    return PhoneLoad(metrics["paint"] / 1000, metrics["shift"], round(sum(sizes)), len(sizes))


def emulate_phone(page: "Page") -> list[float]:
    """Emulate the network and CPU of the phone; return a list that gets the bytes of each response."""
    session, sizes = page.context.new_cdp_session(page), list[float]()
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", NETWORK_CONDITIONS)
    session.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWDOWN})
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    return sizes


class FloorHandler(BaseHTTPRequestHandler):
    """Serves the floor."""

    def do_GET(self) -> None:
        """Send the page."""
        body = b"<!doctype html><title>Floor</title><link rel=icon href='data:,'><h1>Floor</h1>"
        self.send_response(200)
        self.send_header("Content-Type", HTML)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def serve_floor() -> Iterator[int]:
    """The port of a server that serves the floor."""
    with ThreadingHTTPServer(("127.0.0.1", 0), FloorHandler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()

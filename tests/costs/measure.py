"""Measure the costs of requests to a service in this process, for the test of costs.

`python -m tests.costs.measure` prints the costs as JSON. With `--functions` it also lists the functions with
the most calls on standard error. `costs.measure_costs` runs it in a new process with a fixed hash seed, so
that the caches of other tests and the order of sets do not matter.

The service is composed as by `wgig serve`: a store on disk with the bundled data, the HTTP server, the search
index, the event stream and the list of papers. But all work for a request is done in this process before the
next request is sent. Queries and checks run on threads instead of other processes. A write is described
before its response instead of after a pause. No timer of the event loop fires during a measurement. A similar
request (another query, paper or resource) is sent before each measured one, so that work done once per
process does not count.

The figures of a request, from its connection until the server has finished the request:

- `calls`: calls of functions and methods of `wgig`, on all threads. A coroutine or generator counts when it
  starts, not when it is resumed. Lambdas, comprehensions, generator expressions, class bodies, modules and
  templates do not count, because their number depends on the version of Python.
- `fsyncs`: calls of `os.fsync` and `os.fdatasync`, and transactions of the change log, each of which syncs
  once. Those of the engine and of other SQLite files do not count.
- `bytes_written`: bytes that the process, including the engine and SQLite, passed to system calls that write
  files (`wchar` of /proc/self/io, which does not include sockets). Linux only.
- `bytes_sent`: bytes of the uncompressed body of the response.
"""

import asyncio
import gc
import json
import os
import re
import socket
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dis import opmap
from functools import cache
from http.client import HTTPResponse
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, FrameType
from typing import Any, NamedTuple
from unittest.mock import patch
from urllib.parse import quote

import uvicorn
import wgig
from wgig.app import create_app, make_service
from wgig.http.server import make_connection_class
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.store.change_log import ChangeLog

from tests.fixtures.stores import open_filled_copy

PACKAGE_PREFIX = str(Path(wgig.__file__).parent) + os.sep
PROC_IO_PATH = Path("/proc/self/io")
GENERATOR_FLAGS = 0x20 | 0x80 | 0x200  # of the code of generators, coroutines and asynchronous generators
RESUME_OPCODE = opmap["RESUME"]
FUNCTION_FLAG = 0x1  # CO_OPTIMIZED: set in the code of functions, but not of class bodies
WRITE_TOKEN = "of-the-measurement"

# After the first request for one of these paths, each write also updates the data of that path.
WARM_UP_PATHS = ("/search?q=spam", "/changes", "/papers", "/coverage", "/metrics")


class Request(NamedTuple):
    """A request to send."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Response(NamedTuple):
    """The status and body of a response."""

    status: int
    body: bytes


class CallCounter:
    """Records calls of functions of the package while `is_on`, on threads started after `start`."""

    def __init__(self) -> None:
        self.is_on = False
        self.called: list[CodeType] = []  # the code of each called function

    def start(self) -> None:
        threading.setprofile(self.profile)
        sys.setprofile(self.profile)

    def stop(self) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def profile(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and self.is_on:
            code = frame.f_code
            if is_counted(code.co_filename, code.co_name, code.co_flags) and not is_resumed(frame):
                self.called.append(code)


@cache  # by these arguments, because equal code in two files is the same key
def is_counted(file: str, name: str, flags: int) -> bool:
    """Whether code belongs to a named function of the package."""
    is_in_package = file.startswith(PACKAGE_PREFIX) and file.endswith(".py")
    return is_in_package and bool(flags & FUNCTION_FLAG) and not name.startswith("<")


def is_resumed(frame: FrameType) -> bool:
    """Whether a generator or coroutine is resumed or closed, not started."""
    if not frame.f_code.co_flags & GENERATOR_FLAGS:
        return False
    opcode, argument = read_bytecode(frame.f_code)[frame.f_lasti : frame.f_lasti + 2]
    return opcode != RESUME_OPCODE or bool(argument & 3)  # the argument is 0 only at the start of a function


@cache
def read_bytecode(code: CodeType) -> bytes:
    """The bytecode, cached because each access to `co_code` makes a copy."""
    return code.co_code


class FsyncCounter:
    """Counts the calls of `os.fsync` and `os.fdatasync`, and the transactions of the change log."""

    def __init__(self) -> None:
        self.count = 0

    @contextmanager
    def patch_functions(self) -> Iterator[None]:
        with ExitStack() as stack:
            for name in ("fsync", "fdatasync"):
                if function := getattr(os, name, None):  # macOS has only fsync
                    stack.enter_context(patch.object(os, name, self.count_calls_of(function)))
            counted_transaction = self.count_calls_of(ChangeLog.transaction)
            stack.enter_context(patch.object(ChangeLog, "transaction", counted_transaction))
            yield

    def count_calls_of(self, function: Any) -> Any:
        """A replacement for a function of one argument, which counts its calls."""

        def count_call(argument: Any) -> Any:
            self.count += 1
            return function(argument)

        return count_call


def read_written_bytes() -> int | None:
    """The bytes that this process has passed to system calls that write files; None if not on Linux."""
    if not PROC_IO_PATH.exists():
        return None
    match = re.search(r"^wchar: (\d+)$", PROC_IO_PATH.read_text(), re.MULTILINE)
    return int(match[1]) if match else None


class MeasuredService:
    """A service in this process, with counters of the costs of requests."""

    def __init__(self, folder: Path) -> None:
        self.call_counter, self.fsync_counter = CallCounter(), FsyncCounter()
        settings = Settings(store=folder, token=WRITE_TOKEN, port=0)
        store = open_filled_copy(folder)
        store.defers_descriptions = False  # they are a part of the costs
        self.runner = store.runner
        service = make_service(settings, store)
        http = make_connection_class(
            settings.base, service.raw_cache, service.request_recorder, service.rate_limiter
        )
        self.server = uvicorn.Server(
            uvicorn.Config(
                create_app(service),
                http=http,
                loop="asyncio",  # it sends by system calls that do not count as writes to files
                ws="none",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
            )
        )

    async def measure_all(self) -> dict[str, dict[str, int]]:
        """The figures of each measured request, by its name."""
        with socket.create_server(("127.0.0.1", 0)) as listener, self.fsync_counter.patch_functions():
            self.address = listener.getsockname()
            server_task = asyncio.create_task(self.server.serve([listener]))
            try:
                for path in WARM_UP_PATHS:
                    await self.warm_up(path)
                return {name: await self.measure(request) for name, request in REQUESTS.items()}
            finally:
                self.server.should_exit = True
                await server_task

    async def warm_up(self, path: str) -> None:
        """Send a request until it succeeds; the response is 503 while the data is being prepared."""
        request = Request(path, headers={"Authorization": f"Bearer {WRITE_TOKEN}"})
        while (response := await self.send(request)).status == 503:
            pass
        assert response.status == 200, (path, response)

    async def measure(self, request: "MeasuredRequest") -> dict[str, int]:
        """The figures of a request, by name."""
        for earlier_request in request.before:
            await self.send_successfully(earlier_request)
        await self.wait_for_projections()
        fsyncs_before, bytes_before = self.fsync_counter.count, read_written_bytes()
        self.call_counter.called.clear()
        with stop_clock():
            self.call_counter.is_on = True
            response = await self.send_successfully(request.measured)
            await self.wait_for_projections()  # what follows a write is counted, too
            self.call_counter.is_on = False
        figures = {
            "calls": len(self.call_counter.called),
            "fsyncs": self.fsync_counter.count - fsyncs_before,
        }
        bytes_after = read_written_bytes()
        if bytes_before is not None and bytes_after is not None:
            figures["bytes_written"] = bytes_after - bytes_before
        if "--functions" in sys.argv:
            print_functions(request.measured, self.call_counter.called)
        return figures | {"bytes_sent": len(response.body)}

    async def wait_for_projections(self) -> None:
        """Wait until all writes are applied to the projections."""
        await asyncio.to_thread(self.runner.wait_until_applied, self.runner.published_count)

    async def send_successfully(self, request: Request) -> Response:
        """Send a request, and check that its status is below 300."""
        response = await self.send(request)
        assert response.status < 300, (request, response)
        return response

    async def send(self, request: Request) -> Response:
        """Send a request on a new connection, and wait until the server has finished it and disconnected."""
        response = await asyncio.to_thread(self.exchange, request)
        state = self.server.server_state
        while state.tasks or state.connections:
            await asyncio.sleep(0)
        return response

    def exchange(self, request: Request) -> Response:
        """Send a request by one system call, so that the server receives it whole, and read the response."""
        headers = {"Host": "localhost", "Accept-Encoding": "identity", **request.headers}
        if request.body:
            headers["Content-Length"] = str(len(request.body))
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        with socket.create_connection(self.address) as client:
            client.sendall(f"{request.method} {request.path} HTTP/1.1\r\n{head}\r\n".encode() + request.body)
            with HTTPResponse(client, method=request.method) as response:
                response.begin()
                return Response(response.status, response.read())


def print_functions(request: Request, called: list[CodeType]) -> None:
    """Print the 20 functions with the most calls during a request on standard error."""
    print(f"{request.method} {request.path}", file=sys.stderr)
    counts = Counter(f"{code.co_filename.removeprefix(PACKAGE_PREFIX)} {code.co_qualname}" for code in called)
    for name, count in counts.most_common(20):
        print(f"{count:6} {name}", file=sys.stderr)


@contextmanager
def stop_clock() -> Iterator[None]:
    """Context manager in which no timer of the event loop fires, so that figures do not depend on speed."""
    loop = asyncio.get_running_loop()
    now = loop.time()
    with patch.object(loop, "time", lambda: now):
        yield


class MeasuredRequest(NamedTuple):
    """A request to measure, and the requests to send before it."""

    measured: Request
    before: tuple[Request, ...]


def make_query(issue: str) -> Request:
    """A query with three rows about an issue."""
    text = (
        "PREFIX wgig: <https://w3id.org/wgig/ontology#> PREFIX issue: <https://w3id.org/wgig/id/issue/> "
        f"SELECT ?p ?o {{ issue:{issue} ?p ?o }} ORDER BY ?p ?o LIMIT 3"
    )
    return Request(f"/sparql?query={quote(text)}", headers={"Accept": "application/sparql-results+json"})


def make_put(paper: str) -> Request:
    """A PUT of a bundled paper with an additional triple."""
    added_triple = f'paper:{paper} rdfs:comment "One triple more."@en .\n'
    headers = {"Content-Type": "text/turtle", "Authorization": f"Bearer {WRITE_TOKEN}"}
    return Request(f"/graph/paper/{paper}", "PUT", headers, read_paper(paper) + added_triple.encode())


def make_check(paper: str) -> Request:
    """A check of a bundled paper."""
    headers = {"Content-Type": "text/turtle", "Accept": "application/json"}
    return Request("/validate", "POST", headers, read_paper(paper))


def make_page_request(path: str) -> Request:
    """A request for an HTML page."""
    return Request(path, headers={"Accept": "text/html"})


def read_paper(paper: str) -> bytes:
    """A bundled paper in Turtle."""
    return (SHIPPED_FOLDER / "data" / "papers" / f"{paper}.ttl").read_bytes()


QUERY_REQUEST = make_query("spam")
REQUESTS = {
    "SPARQL GET, new": MeasuredRequest(QUERY_REQUEST, (make_query("voip"),)),
    # The second response comes from the response cache, the third from the cache by the bytes of the request.
    "SPARQL GET, repeated": MeasuredRequest(QUERY_REQUEST, ()),
    "SPARQL GET, repeated again": MeasuredRequest(QUERY_REQUEST, ()),
    "page of a resource": MeasuredRequest(
        make_page_request("/doc/issue/spam"), (make_page_request("/doc/issue/voip"),)
    ),
    "list": MeasuredRequest(make_page_request("/issues"), (make_page_request("/issues?sort=-label"),)),
    "check": MeasuredRequest(make_check("wp-spam"), (make_check("wp-voip"),)),
    "PUT of a paper": MeasuredRequest(make_put("wp-spam"), (make_put("wp-voip"),)),
}


def main() -> None:
    """Print the costs of the requests."""
    gc.disable()  # so that no finalizer of earlier objects runs during a measurement
    with TemporaryDirectory() as folder:
        service = MeasuredService(Path(folder) / "store")
        service.call_counter.start()
        try:
            costs = asyncio.run(service.measure_all())
        finally:
            service.call_counter.stop()
    json.dump(costs, sys.stdout)


if __name__ == "__main__":
    main()

"""Count what requests cost a service of this process, for the guard of costs.

`python -m tests.costs.measure` prints the costs as JSON, with `--functions` also which functions are called
most, on standard error. `costs.measure_costs` runs it in a fresh process with a fixed hash seed, so that
neither the caches of other tests nor the order of sets matter.

The service is put together as `wgig serve` does it: over a store on disk with the shipped graphs, behind the
HTTP server and its connections, with its index, its event stream and its list of papers in line. But all work
of a request is done in this process before the next one begins: queries and checks are worked on by threads
instead of other processes, a write is described before it is answered and not after a pause, and no timer of
the event loop fires meanwhile. Each request has been sent before in another form (another query, paper,
thing), so that nothing is counted that is done once in a process.

What is counted of each request, from its connection until the server has done with it:

- `calls`: functions and methods of `wgig` that were called, on all threads. A coroutine or generator counts
  when it begins, not when it is resumed. Lambdas, comprehensions, generator expressions, class bodies and
  modules do not count, nor do templates: so that the versions of Python agree.
- `fsyncs`: calls of `os.fsync` and `os.fdatasync`, as the service brings files to disk. Those inside the
  engine and SQLite do not count.
- `bytes_written`: bytes that the process passed to system calls that write files, those of the engine and
  of SQLite included (`wchar` of /proc/self/io, which leaves out what is sent to sockets). Only Linux tells;
  elsewhere there is no such figure.
- `bytes_sent`: bytes of the body of the response, not compressed.
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
from wgig.seed import open_filled_store
from wgig.settings import SHIPPED_FOLDER, Settings

PACKAGE = str(Path(wgig.__file__).parent) + os.sep
IO = Path("/proc/self/io")
GENERATORS = 0x20 | 0x80 | 0x200  # flags of the code of generators, coroutines and asynchronous generators
RESUME = opmap["RESUME"]
OPTIMIZED = 0x1  # flag of the code of functions, which class bodies do not have
TOKEN = "of-the-measurement"

# What keeps something in line with each write once it was asked.
AWAKE = ("/search?q=spam", "/changes", "/papers", "/coverage", "/metrics")


class Request(NamedTuple):
    """A request, as it is sent."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Response(NamedTuple):
    """The response to it, as far as it matters."""

    status: int
    body: bytes


class CallCounter:
    """The functions of the package that are called while it is `on`, on threads begun after `start`."""

    def __init__(self) -> None:
        self.on = False
        self.called: list[CodeType] = []

    def start(self) -> None:
        threading.setprofile(self.profile)
        sys.setprofile(self.profile)

    def stop(self) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def profile(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and self.on:
            code = frame.f_code
            if is_counted(code.co_filename, code.co_name, code.co_flags) and not is_resumed(frame):
                self.called.append(code)


@cache  # by these, as code is equal to the same code of another file
def is_counted(file: str, name: str, flags: int) -> bool:
    """Whether code is of a function of the package that has a name."""
    is_ours = file.startswith(PACKAGE) and file.endswith(".py")
    return is_ours and bool(flags & OPTIMIZED) and not name.startswith("<")


def is_resumed(frame: FrameType) -> bool:
    """Whether a generator or coroutine goes on or is closed, and does not begin."""
    if not frame.f_code.co_flags & GENERATORS:
        return False
    instruction, argument = instructions(frame.f_code)[frame.f_lasti : frame.f_lasti + 2]
    return instruction != RESUME or bool(argument & 3)  # which is 0 at the beginning of a function alone


@cache
def instructions(code: CodeType) -> bytes:
    """The bytecode, of which each access to `co_code` makes a copy."""
    return code.co_code


class FsyncCounter:
    """The calls of `os.fsync` and `os.fdatasync`."""

    def __init__(self) -> None:
        self.number = 0

    @contextmanager
    def counting(self) -> Iterator[None]:
        with ExitStack() as stack:
            for name in ("fsync", "fdatasync"):
                if function := getattr(os, name, None):  # macOS has but one
                    stack.enter_context(patch.object(os, name, self.wrap(function)))
            yield

    def wrap(self, function: Any) -> Any:
        def wrapped(handle: Any) -> None:
            self.number += 1
            function(handle)

        return wrapped


def bytes_written() -> int | None:
    """The bytes that this process has passed to system calls that write files; None where nothing tells."""
    found = re.search(r"^wchar: (\d+)$", IO.read_text(), re.MULTILINE) if IO.exists() else None
    return int(found[1]) if found else None


class Service:
    """A service of this process, and what its requests cost."""

    def __init__(self, folder: Path) -> None:
        self.calls, self.fsyncs = CallCounter(), FsyncCounter()
        settings = Settings(store=folder, token=TOKEN, port=0)
        service = make_service(settings, open_filled_store(settings, lambda _: None))
        http = make_connection_class(
            settings.base, service.raw_cache, service.request_recorder, service.rate_limiter
        )
        self.server = uvicorn.Server(
            uvicorn.Config(
                create_app(service),
                http=http,
                loop="asyncio",  # which sends by system calls that are not those that write files
                ws="none",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
            )
        )

    async def costs(self) -> dict[str, dict[str, int]]:
        """What each of the requests costs, by its name."""
        with socket.create_server(("127.0.0.1", 0)) as listening, self.fsyncs.counting():
            self.address = listening.getsockname()
            serving = asyncio.create_task(self.server.serve([listening]))
            try:
                for path in AWAKE:
                    await self.wake(path)
                return {name: await self.cost(requests) for name, requests in REQUESTS.items()}
            finally:
                self.server.should_exit = True
                await serving

    async def wake(self, path: str) -> None:
        """Ask until there is an answer: who is asked waits for it, so that this does not."""
        request = Request(path, headers={"Authorization": f"Bearer {TOKEN}"})
        while (response := await self.send(request)).status == 503:
            pass
        assert response.status == 200, (path, response)

    async def cost(self, requests: "Requests") -> dict[str, int]:
        """What the last of some requests costs."""
        for request in requests.before:
            await self.send_well(request)
        fsyncs, written = self.fsyncs.number, bytes_written()
        self.calls.called.clear()
        with stopped_clock():
            self.calls.on = True
            response = await self.send_well(requests.measured)
            self.calls.on = False
        found = {"calls": len(self.calls.called), "fsyncs": self.fsyncs.number - fsyncs}
        now_written = bytes_written()
        if written is not None and now_written is not None:
            found["bytes_written"] = now_written - written
        if "--functions" in sys.argv:
            print_functions(requests.measured, self.calls.called)
        return found | {"bytes_sent": len(response.body)}

    async def send_well(self, request: Request) -> Response:
        """The response to a request, which succeeds."""
        response = await self.send(request)
        assert response.status < 300, (request, response)
        return response

    async def send(self, request: Request) -> Response:
        """The response to a request on a connection of its own, when the server has done with both."""
        response = await asyncio.to_thread(self.exchange, request)
        state = self.server.server_state
        while state.tasks or state.connections:
            await asyncio.sleep(0)
        return response

    def exchange(self, request: Request) -> Response:
        """Send a request in one piece, so that it is received as one, and read the response."""
        fields = {"Host": "localhost", "Accept-Encoding": "identity", **request.headers}
        if request.body:
            fields["Content-Length"] = str(len(request.body))
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        with socket.create_connection(self.address) as client:
            client.sendall(f"{request.method} {request.path} HTTP/1.1\r\n{head}\r\n".encode() + request.body)
            with HTTPResponse(client, method=request.method) as response:
                response.begin()
                return Response(response.status, response.read())


def print_functions(request: Request, called: list[CodeType]) -> None:
    """Print the functions that a request calls most, with how often it does, on standard error."""
    print(f"{request.method} {request.path}", file=sys.stderr)
    named = Counter(f"{code.co_filename.removeprefix(PACKAGE)} {code.co_qualname}" for code in called)
    for name, number in named.most_common(20):
        print(f"{number:6} {name}", file=sys.stderr)


@contextmanager
def stopped_clock() -> Iterator[None]:
    """Around what is measured: no timer of the event loop fires, so that a slow machine counts the same."""
    loop = asyncio.get_running_loop()
    now = loop.time()
    with patch.object(loop, "time", lambda: now):
        yield


class Requests(NamedTuple):
    """A request that is measured, and those that are sent before."""

    measured: Request
    before: tuple[Request, ...]


def query(issue: str) -> Request:
    """A query that has three rows."""
    text = (
        "PREFIX wgig: <https://w3id.org/wgig/ontology#> PREFIX issue: <https://w3id.org/wgig/id/issue/> "
        f"SELECT ?p ?o {{ issue:{issue} ?p ?o }} ORDER BY ?p ?o LIMIT 3"
    )
    return Request(f"/sparql?query={quote(text)}", headers={"Accept": "application/sparql-results+json"})


def write(paper: str) -> Request:
    """A PUT of a shipped paper with one triple more."""
    more = f'paper:{paper} rdfs:comment "One triple more."@en .\n'
    headers = {"Content-Type": "text/turtle", "Authorization": f"Bearer {TOKEN}"}
    return Request(f"/graph/paper/{paper}", "PUT", headers, turtle(paper) + more.encode())


def check(paper: str) -> Request:
    """A check of a shipped paper."""
    headers = {"Content-Type": "text/turtle", "Accept": "application/json"}
    return Request("/validate", "POST", headers, turtle(paper))


def page(path: str) -> Request:
    """A page as a browser asks for it."""
    return Request(path, headers={"Accept": "text/html"})


def turtle(paper: str) -> bytes:
    """A shipped paper."""
    return (SHIPPED_FOLDER / "data" / "papers" / f"{paper}.ttl").read_bytes()


NEW = query("spam")
REQUESTS = {
    "SPARQL GET, new": Requests(NEW, (query("voip"),)),
    # The second response comes from the cache of responses, the third is known by the bytes of the request.
    "SPARQL GET, repeated": Requests(NEW, ()),
    "SPARQL GET, repeated again": Requests(NEW, ()),
    "page of a thing": Requests(page("/doc/issue/spam"), (page("/doc/issue/voip"),)),
    "list": Requests(page("/issues"), (page("/issues?sort=-label"),)),
    "check": Requests(check("wp-spam"), (check("wp-voip"),)),
    "PUT of a paper": Requests(write("wp-spam"), (write("wp-voip"),)),
}


def main() -> None:
    """Print the costs of the requests."""
    gc.disable()  # so that no finalizer runs while a request is measured, unless it belongs to it
    with TemporaryDirectory() as folder:
        service = Service(Path(folder) / "store")
        service.calls.start()
        try:
            found = asyncio.run(service.costs())
        finally:
            service.calls.stop()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()

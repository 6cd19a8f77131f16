"""A proxy of an engine that simulates faults: lost, truncated, slow and wrong responses."""

import asyncio
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import aiohttp
from aiohttp import web

PASS = "pass"  # no fault
# The request is not forwarded. Instead, the connection is closed, or the response is HTML or status 500.
REFUSE, NONSENSE, FAIL = "refuse", "nonsense", "fail"
# The request is forwarded, but there is no response, or it is cut off, shortened (its first half looks like a
# complete response), or slow.
LOSE, CUT, SHORTEN, SLOW = "lose", "cut", "shorten", "slow"
FAULTS = (REFUSE, LOSE, CUT, SHORTEN, SLOW, NONSENSE, FAIL)
SLOW_RESPONSE_SECONDS = 0.3  # pause in the middle of a slow response
Headers = dict[str, str]

# Headers of one connection, which are not forwarded.
HOP_HEADERS = ("transfer-encoding", "content-length", "connection", "keep-alive", "content-encoding")


class Proxy:
    """Forwards requests; simulates the fault `mode` for requests whose body `is_affected` selects."""

    def __init__(self, engine_url: str) -> None:
        """Take the URL of the engine."""
        self.engine_url = engine_url
        self.mode = PASS
        self.is_affected: Callable[[bytes], bool] = lambda _: True

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """The response to a request."""
        body = await request.read()
        mode = self.mode if self.is_affected(body) else PASS
        if mode in RESPONSES_WITHOUT_REQUEST:
            return RESPONSES_WITHOUT_REQUEST[mode](request)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_HEADERS}
        url = self.engine_url + request.raw_path
        async with self.session.request(
            request.method, url, data=io.BytesIO(body), headers=headers
        ) as response:
            content = await response.read()
            response_headers = {
                name: value for name, value in response.headers.items() if name.lower() not in HOP_HEADERS
            }
            return await RESPONSES_AFTER_REQUEST[mode](request, response.status, response_headers, content)

    async def run(self, started: threading.Event) -> None:
        """Listen until `stopped` is set."""
        self.loop, self.stopped = asyncio.get_running_loop(), asyncio.Event()
        application = web.Application(client_max_size=2**30)
        application.router.add_route("*", "/{path:.*}", self.respond)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port: int = runner.addresses[0][1]
        async with aiohttp.ClientSession(auto_decompress=False) as self.session:
            started.set()
            await self.stopped.wait()
        await runner.cleanup()


def abort(request: web.Request) -> web.StreamResponse:
    """Close the connection without a response."""
    assert request.transport
    request.transport.abort()
    return web.Response()


def respond_with_error(request: web.Request) -> web.StreamResponse:
    """The response of an engine with a full disk."""
    del request
    return web.Response(status=500, text="The disk is full.")


def respond_with_html(request: web.Request) -> web.StreamResponse:
    """The response of another server."""
    del request
    return web.Response(text="<html>Welcome. Please log in.</html>", content_type="text/html")


async def send_all(request: web.Request, status: int, headers: Headers, content: bytes) -> web.StreamResponse:
    """The unchanged response."""
    del request
    return web.Response(body=content, status=status, headers=headers)


async def send_nothing(
    request: web.Request, status: int, headers: Headers, content: bytes
) -> web.StreamResponse:
    """No response to an executed request."""
    del status, headers, content
    return abort(request)


async def send_half(
    request: web.Request, status: int, headers: Headers, content: bytes
) -> web.StreamResponse:
    """The first half of a response, with a Content-Length of the half."""
    return await send_all(request, status, headers, content[: len(content) // 2])


async def send_truncated(
    request: web.Request, status: int, headers: Headers, content: bytes
) -> web.StreamResponse:
    """The first half of a response, with the Content-Length of the whole."""
    await begin_response(request, status, headers, content)
    return abort(request)


async def send_slowly(
    request: web.Request, status: int, headers: Headers, content: bytes
) -> web.StreamResponse:
    """The response with a pause in the middle."""
    response = await begin_response(request, status, headers, content)
    await asyncio.sleep(SLOW_RESPONSE_SECONDS)
    await response.write(content[len(content) // 2 :])
    return response


async def begin_response(
    request: web.Request, status: int, headers: Headers, content: bytes
) -> web.StreamResponse:
    """A response of which the first half was sent."""
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = len(content)
    await response.prepare(request)
    await response.write(content[: len(content) // 2])
    return response


# Functions that respond, by fault: without a request to the engine, or after it.
RESPONSES_WITHOUT_REQUEST = {REFUSE: abort, FAIL: respond_with_error, NONSENSE: respond_with_html}
RESPONSES_AFTER_REQUEST = {
    PASS: send_all,
    LOSE: send_nothing,
    SHORTEN: send_half,
    CUT: send_truncated,
    SLOW: send_slowly,
}


@contextmanager
def run_proxy(engine_url: str) -> Iterator[tuple[Proxy, str]]:
    """Run a proxy of the engine, and yield it with its URL."""
    proxy, started = Proxy(engine_url), threading.Event()
    thread = threading.Thread(target=asyncio.run, args=(proxy.run(started),))
    thread.start()
    assert started.wait(10), "the proxy does not listen"
    try:
        yield proxy, f"http://127.0.0.1:{proxy.port}"
    finally:
        proxy.mode = PASS
        proxy.loop.call_soon_threadsafe(proxy.stopped.set)
        thread.join()

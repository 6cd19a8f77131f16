"""A proxy before an engine that does to its answers what a network, a disk or an operator may do."""

import asyncio
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import aiohttp
from aiohttp import web

PASS, REFUSE, LOSE, CUT, SHORTEN, SLOW, NONSENSE, FAIL = (
    *("pass", "refuse", "lose", "cut"),
    *("shorten", "slow", "nonsense", "fail"),
)
FAULTS = (REFUSE, LOSE, CUT, SHORTEN, SLOW, NONSENSE, FAIL)
PAUSE = 0.3  # seconds that each piece of a slow answer takes
Fields = dict[str, str]

OF_HOP = ("transfer-encoding", "content-length", "connection", "keep-alive", "content-encoding")


class Proxy:
    """Hands requests on, and answers back as the `mode` has it, where `chosen` says so of a request."""

    def __init__(self, home: str) -> None:
        """Take where the engine listens."""
        self.home = home
        self.mode = PASS
        self.chosen: Callable[[bytes], bool] = lambda _: True

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The answer to a request."""
        body = await request.read()
        mode = self.mode if self.chosen(body) else PASS
        if mode in BEFORE:
            return BEFORE[mode](request)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in OF_HOP}
        url = self.home + request.raw_path
        async with self.session.request(request.method, url, data=io.BytesIO(body), headers=headers) as there:
            said = await there.read()
            fields = {name: value for name, value in there.headers.items() if name.lower() not in OF_HOP}
            return await AFTER[mode](request, there.status, fields, said)

    async def start(self, started: threading.Event) -> None:
        """Listen until it is told to stop."""
        self.loop, self.over = asyncio.get_running_loop(), asyncio.Event()
        application = web.Application(client_max_size=2**30)
        application.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port: int = runner.addresses[0][1]
        async with aiohttp.ClientSession(auto_decompress=False) as self.session:
            started.set()
            await self.over.wait()
        await runner.cleanup()


def abort(request: web.Request) -> web.StreamResponse:
    """End the connection without an answer."""
    assert request.transport
    request.transport.abort()
    return web.Response()


def failed(request: web.Request) -> web.StreamResponse:
    """What an engine says that cannot go on."""
    del request
    return web.Response(status=500, text="The disk is full.")


def nonsense(request: web.Request) -> web.StreamResponse:
    """What somebody else says."""
    del request
    return web.Response(text="<html>Welcome. Please log in.</html>", content_type="text/html")


async def whole(request: web.Request, status: int, fields: Fields, said: bytes) -> web.StreamResponse:
    """The answer as it is."""
    del request
    return web.Response(body=said, status=status, headers=fields)


async def lost(request: web.Request, status: int, fields: Fields, said: bytes) -> web.StreamResponse:
    """No answer to what was done."""
    del status, fields, said
    return abort(request)


async def shortened(request: web.Request, status: int, fields: Fields, said: bytes) -> web.StreamResponse:
    """Half an answer that looks whole."""
    return await whole(request, status, fields, said[: len(said) // 2])


async def cut(request: web.Request, status: int, fields: Fields, said: bytes) -> web.StreamResponse:
    """Half an answer, of which it is seen that it is half."""
    await begun(request, status, fields, said)
    return abort(request)


async def slow(request: web.Request, status: int, fields: Fields, said: bytes) -> web.StreamResponse:
    """An answer whose second half is late."""
    answer = await begun(request, status, fields, said)
    await asyncio.sleep(PAUSE)
    await answer.write(said[len(said) // 2 :])
    return answer


async def begun(request: web.Request, status: int, fields: Fields, said: bytes) -> web.StreamResponse:
    """An answer whose first half is there."""
    answer = web.StreamResponse(status=status, headers=fields)
    answer.content_length = len(said)
    await answer.prepare(request)
    await answer.write(said[: len(said) // 2])
    return answer


BEFORE = {REFUSE: abort, FAIL: failed, NONSENSE: nonsense}
AFTER = {PASS: whole, LOSE: lost, SHORTEN: shortened, CUT: cut, SLOW: slow}


@contextmanager
def before(home: str) -> Iterator[tuple[Proxy, str]]:
    """A proxy before what listens at home, and where it listens itself."""
    proxy, started = Proxy(home), threading.Event()
    thread = threading.Thread(target=asyncio.run, args=(proxy.start(started),))
    thread.start()
    assert started.wait(10), "the proxy does not listen"
    try:
        yield proxy, f"http://127.0.0.1:{proxy.port}"
    finally:
        proxy.mode = PASS
        proxy.loop.call_soon_threadsafe(proxy.over.set)
        thread.join()

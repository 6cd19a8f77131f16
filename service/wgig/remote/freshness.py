"""Freshness of reads: each request sees what was written before it, by whichever instance.

Replicas are asked only when they have all that the service has.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count

import aiohttp
from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from ..http.middleware import secure
from ..pages.errors import refused
from ..store.errors import StoreError, UnavailableError
from .client import QUERY, Client, CutOffError, Parameters
from .engine import patient
from .ledger import NOTICE, State, states_in
from .store import Shared

AWAY = 5.0  # seconds for which one that did not answer is not asked


class Replicas:
    """Replicas of a shared store, asked in turn."""

    def __init__(self, store: Shared, urls: Sequence[str]) -> None:
        """Take the store, and where queries of its replicas go."""
        self.store = store
        self.known = dict.fromkeys(urls, -1)  # the version of each when it was asked last
        self.away = dict.fromkeys(urls, float("-inf"))  # until when each is not asked
        self.turn = 0

    @asynccontextmanager
    async def open(
        self, client: Client, text: str, accept: str, parameters: Parameters
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a query by the next one, or by the store itself where that does not begin to answer.

        Raises as `Client.open` does.
        """
        url, home = await self.next(client), self.store.sharing.engine.query_url
        async with AsyncExitStack() as stack:
            try:
                opened = client.open(url, text, QUERY, accept, parameters)
                answer = await stack.enter_async_context(opened)
            except UnavailableError:
                if url == home:
                    raise
                self.leave(url)
                opened = client.open(home, text, QUERY, accept, parameters)
                answer = await stack.enter_async_context(opened)
            yield answer

    async def next(self, client: Client) -> str:
        """Where to ask: the next replica that is as far as this instance is, else the store itself."""
        urls = [*self.known, self.store.sharing.engine.query_url]
        self.turn = (self.turn + 1) % len(urls)
        url = urls[self.turn]
        if url in self.known and not await self.is_as_far(client, url):
            return urls[-1]
        return url

    async def is_as_far(self, client: Client, url: str) -> bool:
        """Whether a replica has what this instance knows of."""
        wanted = self.store.at.version
        if self.known[url] < wanted and time.monotonic() >= self.away[url]:
            try:
                self.known[url] = await self.version(client, url)
            except StoreError:
                self.leave(url)
        return self.known[url] >= wanted

    def leave(self, url: str) -> None:
        """Do not ask a replica for a while."""
        self.known[url], self.away[url] = -1, time.monotonic() + AWAY

    async def version(self, client: Client, url: str) -> int:
        """The version of a replica; -1 where it has none of this store, or one that is being written."""
        ledger, rows = self.store.sharing.ledger, self.store.sharing.engine.dialect.rows
        body = await client.whole(url, ledger.question, QUERY, rows)
        found = states_in(body, rows)
        is_whole = len(found) == 1 and not found[0].pending and found[0].store == self.store.at.store
        return found[0].version if is_whole else -1


AT_ALL_TIMES = ("/health", "/ready", "/static", "/metrics")  # what the paths begin with that tell no data
PAUSE = 0.01  # seconds until it is looked again whether a write is over
SOON = 2.0  # seconds in which most are
PATIENCE = 8.0  # seconds for whoever writes still


class Following:
    """Brings an instance in line with a shared store when something is asked of it.

    Of many who ask at once, one looks for all that came before it looked.
    """

    def __init__(self, store: Shared, fresh: float) -> None:
        """Take the store, and for how many seconds a look is good."""
        self.store, self.fresh = store, fresh
        self.client: Client | None = None
        self.looked = float("-inf")
        self.looking: asyncio.Task[None] | None = None
        self.next: asyncio.Task[None] | None = None
        self.numbers = count()

    @property
    def version(self) -> tuple[int, int]:
        """What stays the same while nobody has to look."""
        is_fresh = time.monotonic() - self.looked < self.fresh
        return (self.store.version, -1 if is_fresh else next(self.numbers))

    async def current(self) -> None:
        """Be in line with all that was written by the last look that is good. Raises StoreError."""
        if time.monotonic() - self.looked >= self.fresh:
            await self.now()

    async def now(self) -> None:
        """Be in line with all that was written by now. Raises StoreError."""
        if self.looking is None or self.looking.done():
            self.looking = begun(self.look())
            return await asyncio.shield(self.looking)
        if self.next is None or self.next.done():
            self.next = begun(self.look_after(self.looking))
        return await asyncio.shield(self.next)

    async def look_after(self, before: asyncio.Task[None]) -> None:
        """Look when another look is over."""
        await asyncio.wait([before])
        self.looking, self.next = self.next, None
        await self.look()

    async def look(self) -> None:
        """Look what the ledger says, and follow it. A write that is under way is waited for."""
        began = time.monotonic()
        while (state := await self.state()) is None or state.pending:
            if time.monotonic() - began > SOON:
                await self.finish(state)
            await asyncio.sleep(PAUSE)
        if self.store.is_behind_of(state):
            await asyncio.to_thread(self.store.follow)
        self.looked = max(self.looked, began)

    async def finish(self, state: State | None) -> None:
        """Finish what another left unfinished. Raises UnavailableError where somebody writes still."""
        if state is None:
            raise UnavailableError("The ledger of the shared store is gone, or says two things.")
        await asyncio.to_thread(self.store.finish, PATIENCE)

    async def state(self) -> State | None:
        """What the ledger says now; None where it does not say one thing."""
        sharing = self.store.sharing
        self.client = self.client or Client(sharing.engine.access, sharing.engine.patience)
        rows = sharing.engine.dialect.rows
        try:
            with patient(sharing.engine.dialect):
                body = await self.client.whole(sharing.engine.query_url, sharing.ledger.question, QUERY, rows)
                found = states_in(body, rows)
                return found[0] if len(found) == 1 else None
        except CutOffError:  # a busy service may give a row before what is in it
            return None
        return None


class Moment:
    """A time in which a service is asked, and whether an answer of it may show a write half done."""

    def __init__(self, following: Following) -> None:
        """It begins now, with a look that nobody waits for yet."""
        self.following, self.began = following, time.monotonic()
        self.look = begun(following.now())
        self.announced = following.store.announced

    async def looked(self) -> None:
        """Wait for the look; what was written before it is no matter then."""
        await self.look
        self.announced = self.following.store.announced

    async def is_quiet(self) -> bool:
        """Whether nothing that is announced was written from then until now. Raises StoreError.

        What is announced after the look is not begun to be written before `NOTICE` is over; half of that
        counts here, lest clocks differ.
        """
        await self.look
        if time.monotonic() - self.began > NOTICE / 2:
            await self.following.now()
        return self.announced == self.following.store.announced


def begun(look: Coroutine[None, None, None]) -> asyncio.Task[None]:
    """A look that has begun; what goes wrong with it may be told to nobody, as all who wait may be gone."""
    task = asyncio.create_task(look)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


class Current:
    """ASGI middleware: lets a request go on when the instance is in line with the shared store."""

    def __init__(self, app: ASGIApp, following: Following) -> None:
        """Take what brings it in line."""
        self.app, self.following = app, following

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it where the store does not answer."""
        try:
            if scope["type"] == "http" and not (scope["path"].startswith(AT_ALL_TIMES) or is_query(scope)):
                await self.following.current()
            await self.app(scope, receive, send)
        except StoreError as error:  # which no answer has begun before
            response = refused(Request(scope, receive), error)
            secure(response.headers)
            await response(scope, receive, send)


def is_query(scope: Scope) -> bool:
    """Whether a request is a query, in answering which it is looked what was written."""
    return scope["path"] == "/sparql" and (scope["method"] != "GET" or b"query=" in scope["query_string"])

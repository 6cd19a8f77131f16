"""Freshness of reads: each request sees what was written before it, by whichever instance.

Replicas are asked only when they have all that the service has.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count

import aiohttp
from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ..http.bodies import SPARQL_QUERY_MEDIA_TYPE
from ..http.middleware import set_security_headers
from ..store.errors import StoreError, StoreUnavailableError
from .client import CutOffError, RemoteClient, UrlParameters
from .engine import tolerate_retryable_refusal
from .ledger import WRITE_NOTICE_SECONDS, LedgerState, parse_ledger_answer
from .store import SharedStore

REPLICA_AWAY_SECONDS = 5.0  # seconds for which one that did not answer is not asked


class StoreReplicas:
    """Replicas of a shared store, asked in turn."""

    def __init__(self, store: SharedStore, urls: Sequence[str]) -> None:
        """Take the store, and where queries of its replicas go."""
        self.store = store
        self.versions = dict.fromkeys(urls, -1)  # the version of each when it was asked last
        self.away_until = dict.fromkeys(urls, float("-inf"))  # until when each is not asked
        self.next_index = 0

    @asynccontextmanager
    async def open(
        self, client: RemoteClient, text: str, accept: str, parameters: UrlParameters
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a query by the next one, or by the store itself where that does not begin to answer.

        Raises as `Client.open` does.
        """
        url, home = await self.next_url(client), self.store.sharing.engine.query_url
        async with AsyncExitStack() as stack:
            try:
                opened = client.open(url, text, SPARQL_QUERY_MEDIA_TYPE, accept, parameters)
                answer = await stack.enter_async_context(opened)
            except StoreUnavailableError:
                if url == home:
                    raise
                self.set_aside(url)
                opened = client.open(home, text, SPARQL_QUERY_MEDIA_TYPE, accept, parameters)
                answer = await stack.enter_async_context(opened)
            yield answer

    async def next_url(self, client: RemoteClient) -> str:
        """Where to ask: the next replica that is as far as this instance is, else the store itself."""
        urls = [*self.versions, self.store.sharing.engine.query_url]
        self.next_index = (self.next_index + 1) % len(urls)
        url = urls[self.next_index]
        if url in self.versions and not await self.is_current(client, url):
            return urls[-1]
        return url

    async def is_current(self, client: RemoteClient, url: str) -> bool:
        """Whether a replica has what this instance knows of."""
        wanted = self.store.shared_position.version
        if self.versions[url] < wanted and time.monotonic() >= self.away_until[url]:
            try:
                self.versions[url] = await self.read_version(client, url)
            except StoreError:
                self.set_aside(url)
        return self.versions[url] >= wanted

    def set_aside(self, url: str) -> None:
        """Do not ask a replica for a while."""
        self.versions[url], self.away_until[url] = -1, time.monotonic() + REPLICA_AWAY_SECONDS

    async def read_version(self, client: RemoteClient, url: str) -> int:
        """The version of a replica; -1 where it has none of this store, or one that is being written."""
        ledger, rows = self.store.sharing.ledger, self.store.sharing.engine.dialect.rows_media_type
        body = await client.read_answer(url, ledger.state_query, SPARQL_QUERY_MEDIA_TYPE, rows)
        found = parse_ledger_answer(body, rows)
        is_whole = (
            len(found) == 1 and not found[0].pending and found[0].store == self.store.shared_position.store
        )
        return found[0].version if is_whole else -1


# What the paths begin with that tell no data.
ALWAYS_SERVED_PATHS = ("/health", "/ready", "/static", "/metrics")
FRESHNESS_RECHECK_SECONDS = 0.01  # seconds until it is looked again whether a write is over
USUAL_WRITE_SECONDS = 2.0  # seconds in which most are
UNFINISHED_WRITE_SECONDS = 8.0  # seconds for whoever writes still


class StoreFollower:
    """Brings an instance in line with a shared store when something is asked of it.

    Of many who ask at once, one looks for all that came before it looked.
    """

    def __init__(self, store: SharedStore, fresh: float) -> None:
        """Take the store, and for how many seconds a look is good."""
        self.store, self.fresh_seconds = store, fresh
        self.client: RemoteClient | None = None
        self.checked_at = float("-inf")
        self.check_task: asyncio.Task[None] | None = None
        self.next_check_task: asyncio.Task[None] | None = None
        self.numbers = count()

    @property
    def version(self) -> tuple[int, int]:
        """What stays the same while nobody has to look."""
        is_fresh = time.monotonic() - self.checked_at < self.fresh_seconds
        return (self.store.version, -1 if is_fresh else next(self.numbers))

    async def ensure_current(self) -> None:
        """Be in line with all that was written by the last look that is good. Raises StoreError."""
        if time.monotonic() - self.checked_at >= self.fresh_seconds:
            await self.catch_up()

    async def catch_up(self) -> None:
        """Be in line with all that was written by now. Raises StoreError."""
        if self.check_task is None or self.check_task.done():
            self.check_task = start_check_task(self.check_ledger())
            return await asyncio.shield(self.check_task)
        if self.next_check_task is None or self.next_check_task.done():
            self.next_check_task = start_check_task(self.check_after(self.check_task))
        return await asyncio.shield(self.next_check_task)

    async def check_after(self, before: asyncio.Task[None]) -> None:
        """Look when another look is over."""
        await asyncio.wait([before])
        self.check_task, self.next_check_task = self.next_check_task, None
        await self.check_ledger()

    async def check_ledger(self) -> None:
        """Look what the ledger says, and follow it. A write that is under way is waited for."""
        began = time.monotonic()
        while (state := await self.read_state()) is None or state.pending:
            if time.monotonic() - began > USUAL_WRITE_SECONDS:
                await self.finish_write(state)
            await asyncio.sleep(FRESHNESS_RECHECK_SECONDS)
        if self.store.is_behind_state(state):
            await asyncio.to_thread(self.store.follow)
        self.checked_at = max(self.checked_at, began)

    async def finish_write(self, state: LedgerState | None) -> None:
        """Finish what another left unfinished. Raises StoreUnavailableError where somebody writes still."""
        if state is None:
            raise StoreUnavailableError("The ledger of the shared store is gone, or says two things.")
        await asyncio.to_thread(self.store.finish, UNFINISHED_WRITE_SECONDS)

    async def read_state(self) -> LedgerState | None:
        """What the ledger says now; None where it does not say one thing."""
        sharing = self.store.sharing
        self.client = self.client or RemoteClient(sharing.engine.credentials, sharing.engine.timeout_seconds)
        rows = sharing.engine.dialect.rows_media_type
        try:
            with tolerate_retryable_refusal(sharing.engine.dialect):
                body = await self.client.read_answer(
                    sharing.engine.query_url, sharing.ledger.state_query, SPARQL_QUERY_MEDIA_TYPE, rows
                )
                found = parse_ledger_answer(body, rows)
                return found[0] if len(found) == 1 else None
        except CutOffError:  # a busy service may give a row before what is in it
            return None
        return None


class QuietCheck:
    """A time in which a service is asked, and whether an answer of it may show a write half done."""

    def __init__(self, following: StoreFollower) -> None:
        """It begins now, with a look that nobody waits for yet."""
        self.follower, self.began = following, time.monotonic()
        self.check_task = start_check_task(following.catch_up())
        self.announced_version = following.store.announced_version

    async def wait_for_check(self) -> None:
        """Wait for the look; what was written before it is no matter then."""
        await self.check_task
        self.announced_version = self.follower.store.announced_version

    async def is_quiet(self) -> bool:
        """Whether nothing that is announced was written from then until now. Raises StoreError.

        What is announced after the look is not begun to be written before `WRITE_NOTICE_SECONDS` are over;
        half of that counts here, lest clocks differ.
        """
        await self.check_task
        if time.monotonic() - self.began > WRITE_NOTICE_SECONDS / 2:
            await self.follower.catch_up()
        return self.announced_version == self.follower.store.announced_version


def start_check_task(look: Coroutine[None, None, None]) -> asyncio.Task[None]:
    """A look that has begun; what goes wrong with it may be told to nobody, as all who wait may be gone."""
    task = asyncio.create_task(look)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


class FreshnessMiddleware:
    """ASGI middleware: lets a request go on when the instance is in line with the shared store."""

    def __init__(
        self, app: ASGIApp, following: StoreFollower, refuse: Callable[[Request, Exception], Response]
    ) -> None:
        """Take what brings it in line, and what answers where that fails."""
        self.app, self.follower, self.refuse = app, following, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it where the store does not answer."""
        try:
            if scope["type"] == "http" and not (
                scope["path"].startswith(ALWAYS_SERVED_PATHS) or is_query_scope(scope)
            ):
                await self.follower.ensure_current()
            await self.app(scope, receive, send)
        except StoreError as error:  # which no answer has begun before
            response = self.refuse(Request(scope, receive), error)
            set_security_headers(response.headers)
            await response(scope, receive, send)


def is_query_scope(scope: Scope) -> bool:
    """Whether a request is a query, in answering which it is looked what was written."""
    return scope["path"] == "/sparql" and (scope["method"] != "GET" or b"query=" in scope["query_string"])

"""Freshness of reads: each request sees all writes that were finished before it, from any instance.

A replica is queried only when it has all changes that this instance knows of.
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

REPLICA_AWAY_SECONDS = 5.0  # seconds for which a replica that failed is not queried


class StoreReplicas:
    """Replicas of a shared store, queried in turn (round robin) with the store itself."""

    def __init__(self, store: SharedStore, urls: Sequence[str]) -> None:
        """`urls` are the query endpoints of the replicas."""
        self.store = store
        self.versions = dict.fromkeys(
            urls, -1
        )  # the version of each replica when it was last read; -1: unknown
        self.away_until = dict.fromkeys(
            urls, float("-inf")
        )  # when each may be queried again, by the monotonic clock
        self.next_index = 0

    @asynccontextmanager
    async def open(
        self, client: RemoteClient, text: str, accept: str, parameters: UrlParameters
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response of the next replica to a query, or of the store itself where the replica fails.

        Raises as `RemoteClient.open` does.
        """
        url, store_url = await self.next_url(client), self.store.sharing.engine.query_url
        async with AsyncExitStack() as stack:
            try:
                response_context = client.open(url, text, SPARQL_QUERY_MEDIA_TYPE, accept, parameters)
                response = await stack.enter_async_context(response_context)
            except StoreUnavailableError:
                if url == store_url:
                    raise
                self.set_aside(url)
                response_context = client.open(store_url, text, SPARQL_QUERY_MEDIA_TYPE, accept, parameters)
                response = await stack.enter_async_context(response_context)
            yield response

    async def next_url(self, client: RemoteClient) -> str:
        """The endpoint of the next replica if it has all known changes, else that of the store itself."""
        urls = [*self.versions, self.store.sharing.engine.query_url]
        self.next_index = (self.next_index + 1) % len(urls)
        url = urls[self.next_index]
        if url in self.versions and not await self.is_current(client, url):
            return urls[-1]
        return url

    async def is_current(self, client: RemoteClient, url: str) -> bool:
        """Whether a replica has all changes that this instance knows of."""
        needed_version = self.store.shared_position.version
        if self.versions[url] < needed_version and time.monotonic() >= self.away_until[url]:
            try:
                self.versions[url] = await self.read_version(client, url)
            except StoreError:
                self.set_aside(url)
        return self.versions[url] >= needed_version

    def set_aside(self, url: str) -> None:
        """Do not query a replica for REPLICA_AWAY_SECONDS."""
        self.versions[url], self.away_until[url] = -1, time.monotonic() + REPLICA_AWAY_SECONDS

    async def read_version(self, client: RemoteClient, url: str) -> int:
        """The version of a replica; -1 without a ledger of this store, or with a write under way."""
        ledger, media_type = self.store.sharing.ledger, self.store.sharing.engine.dialect.rows_media_type
        body = await client.read_answer(url, ledger.state_query, SPARQL_QUERY_MEDIA_TYPE, media_type)
        states = parse_ledger_answer(body, media_type)
        is_consistent = (
            len(states) == 1 and not states[0].pending and states[0].store == self.store.shared_position.store
        )
        return states[0].version if is_consistent else -1


# Prefixes of paths whose responses do not depend on the data.
ALWAYS_SERVED_PATHS = ("/health", "/ready", "/static", "/metrics")
FRESHNESS_RECHECK_SECONDS = 0.01  # seconds between two reads of the ledger while a write is under way
USUAL_WRITE_SECONDS = 2.0  # seconds that most writes take at most
UNFINISHED_WRITE_SECONDS = 8.0  # seconds to wait for the write lock to finish the write of another instance


class StoreFollower:
    """Brings the local copy of an instance up to date with the shared store before requests are answered.

    Requests that arrive at the same time share one read of the ledger.
    """

    def __init__(self, store: SharedStore, fresh_seconds: float) -> None:
        """`fresh_seconds` is for how long a read of the ledger stays valid."""
        self.store, self.fresh_seconds = store, fresh_seconds
        self.client: RemoteClient | None = None
        self.checked_at = float("-inf")
        self.check_task: asyncio.Task[None] | None = None
        self.next_check_task: asyncio.Task[None] | None = None
        self.numbers = count()

    @property
    def version(self) -> tuple[int, int]:
        """A value that stays the same as long as no request has to read the ledger."""
        is_fresh = time.monotonic() - self.checked_at < self.fresh_seconds
        return (self.store.version, -1 if is_fresh else next(self.numbers))

    async def ensure_current(self) -> None:
        """Bring the copy up to date unless the last read of the ledger is still valid. Raises StoreError."""
        if time.monotonic() - self.checked_at >= self.fresh_seconds:
            await self.catch_up()

    async def catch_up(self) -> None:
        """Bring the copy up to date with all writes finished by now. Raises StoreError."""
        if self.check_task is None or self.check_task.done():
            self.check_task = start_check_task(self.check_ledger())
            return await asyncio.shield(self.check_task)
        if self.next_check_task is None or self.next_check_task.done():
            self.next_check_task = start_check_task(self.check_after(self.check_task))
        return await asyncio.shield(self.next_check_task)

    async def check_after(self, previous_check: asyncio.Task[None]) -> None:
        """Check the ledger after another check has ended."""
        await asyncio.wait([previous_check])
        self.check_task, self.next_check_task = self.next_check_task, None
        await self.check_ledger()

    async def check_ledger(self) -> None:
        """Read the ledger and bring the copy up to date with it, after a write under way has ended."""
        started_at = time.monotonic()
        while (state := await self.read_state()) is None or state.pending:
            if time.monotonic() - started_at > USUAL_WRITE_SECONDS:
                await self.finish_write(state)
            await asyncio.sleep(FRESHNESS_RECHECK_SECONDS)
        if self.store.is_behind_state(state):
            await asyncio.to_thread(self.store.follow)
        self.checked_at = max(self.checked_at, started_at)

    async def finish_write(self, state: LedgerState | None) -> None:
        """Finish the write of another instance.

        Raises StoreUnavailableError where that one is still writing.
        """
        if state is None:
            raise StoreUnavailableError("The ledger of the shared store is missing or has two states.")
        await asyncio.to_thread(self.store.finish, UNFINISHED_WRITE_SECONDS)

    async def read_state(self) -> LedgerState | None:
        """The state in the ledger; None where there is not exactly one, or the response is incomplete."""
        sharing = self.store.sharing
        self.client = self.client or RemoteClient(sharing.engine.credentials, sharing.engine.timeout_seconds)
        media_type = sharing.engine.dialect.rows_media_type
        try:
            with tolerate_retryable_refusal(sharing.engine.dialect):
                body = await self.client.read_answer(
                    sharing.engine.query_url, sharing.ledger.state_query, SPARQL_QUERY_MEDIA_TYPE, media_type
                )
                states = parse_ledger_answer(body, media_type)
                return states[0] if len(states) == 1 else None
        except CutOffError:  # a busy service may return a row without its values
            return None
        return None


class QuietCheck:
    """Tells whether a response of the service, read since the check began, may show a part of a write."""

    def __init__(self, follower: StoreFollower) -> None:
        """Begin to bring the copy up to date, without waiting for it."""
        self.follower, self.began = follower, time.monotonic()
        self.check_task = start_check_task(follower.catch_up())
        self.announced_version = follower.store.announced_version

    async def wait_for_check(self) -> None:
        """Wait until the copy is up to date; writes before that do not matter any more."""
        await self.check_task
        self.announced_version = self.follower.store.announced_version

    async def is_quiet(self) -> bool:
        """Whether no announced write happened since the check began. Raises StoreError.

        A writer waits WRITE_NOTICE_SECONDS between the announcement and its first change. Half of that counts
        here, as clocks may differ.
        """
        await self.check_task
        if time.monotonic() - self.began > WRITE_NOTICE_SECONDS / 2:
            await self.follower.catch_up()
        return self.announced_version == self.follower.store.announced_version


def start_check_task(check: Coroutine[None, None, None]) -> asyncio.Task[None]:
    """Start a check of the ledger as a task. Its exception is read even when all requests for it are gone."""
    task = asyncio.create_task(check)
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    return task


class FreshnessMiddleware:
    """ASGI middleware that brings the local copy up to date before a request goes on."""

    def __init__(
        self, app: ASGIApp, follower: StoreFollower, refuse: Callable[[Request, Exception], Response]
    ) -> None:
        """`refuse` makes the response for a StoreError."""
        self.app, self.follower, self.refuse = app, follower, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or send an error response where the service does not respond."""
        try:
            if scope["type"] == "http" and not (
                scope["path"].startswith(ALWAYS_SERVED_PATHS) or is_query_scope(scope)
            ):
                await self.follower.ensure_current()
            await self.app(scope, receive, send)
        except StoreError as error:  # raised only before a response has begun
            response = self.refuse(Request(scope, receive), error)
            set_security_headers(response.headers)
            await response(scope, receive, send)


def is_query_scope(scope: Scope) -> bool:
    """Whether a request is a SPARQL query, whose evaluation checks the ledger itself."""
    return scope["path"] == "/sparql" and (scope["method"] != "GET" or b"query=" in scope["query_string"])

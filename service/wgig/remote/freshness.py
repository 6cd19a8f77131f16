"""Freshness of reads: a response includes all writes that any instance finished before the request.

Several instances share a store in a SPARQL service; its ledger is a graph with the version and the last
changes. Before a response, an instance reads the version, and updates its local copy. A replica, which is a
read-only copy of the service, is queried only if it has all changes that this instance has seen. A write that
needs several requests is announced in the ledger first: a query meanwhile may see a part of it.
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
from .client import RemoteClient, TruncatedResponseError, UrlParameters
from .engine import tolerate_retryable_refusal
from .ledger import WRITE_ANNOUNCEMENT_SECONDS, LedgerState, parse_state_response
from .store import SharedStore

REPLICA_SUSPENSION_SECONDS = 5.0  # for which a replica is not queried after a failure


class StoreReplicas:
    """The replicas of the service, queried in turn (round robin) with the service itself."""

    def __init__(self, store: SharedStore, urls: Sequence[str]) -> None:
        """Take the store, and the query endpoints of the replicas."""
        self.store = store
        self.versions = dict.fromkeys(urls, -1)  # of each replica, when last read; -1: unknown
        self.suspended_until = dict.fromkeys(urls, float("-inf"))  # by the monotonic clock
        self.next_index = 0

    @asynccontextmanager
    async def open(
        self, client: RemoteClient, text: str, accept: str, parameters: UrlParameters
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a query to the next replica, or to the service if the replica fails; yield the response.

        Raises the same errors as `RemoteClient.open`.
        """
        url, service_url = await self.next_url(client), self.store.sharing.engine.query_url
        async with AsyncExitStack() as stack:
            try:
                response_context = client.open(url, text, SPARQL_QUERY_MEDIA_TYPE, accept, parameters)
                response = await stack.enter_async_context(response_context)
            except StoreUnavailableError:
                if url == service_url:
                    raise
                self.suspend_replica(url)
                response_context = client.open(service_url, text, SPARQL_QUERY_MEDIA_TYPE, accept, parameters)
                response = await stack.enter_async_context(response_context)
            yield response

    async def next_url(self, client: RemoteClient) -> str:
        """The endpoint of the next replica if it has all known changes, else that of the service."""
        urls = [*self.versions, self.store.sharing.engine.query_url]
        self.next_index = (self.next_index + 1) % len(urls)
        url = urls[self.next_index]
        if url in self.versions and not await self.is_current(client, url):
            return urls[-1]
        return url

    async def is_current(self, client: RemoteClient, url: str) -> bool:
        """Whether a replica has all changes that this instance has seen."""
        needed_version = self.store.shared_position.version
        if self.versions[url] < needed_version and time.monotonic() >= self.suspended_until[url]:
            try:
                self.versions[url] = await self.read_version(client, url)
            except StoreError:
                self.suspend_replica(url)
        return self.versions[url] >= needed_version

    def suspend_replica(self, url: str) -> None:
        """Do not query a replica for REPLICA_SUSPENSION_SECONDS."""
        self.versions[url], self.suspended_until[url] = -1, time.monotonic() + REPLICA_SUSPENSION_SECONDS

    async def read_version(self, client: RemoteClient, url: str) -> int:
        """The version of a replica; -1 if it has no ledger of this store, or an unfinished write."""
        ledger, media_type = self.store.sharing.ledger, self.store.sharing.engine.dialect.rows_media_type
        body = await client.read_response(url, ledger.state_query, SPARQL_QUERY_MEDIA_TYPE, media_type)
        states = parse_state_response(body, media_type)
        is_consistent = (
            len(states) == 1 and not states[0].pending and states[0].store == self.store.shared_position.store
        )
        return states[0].version if is_consistent else -1


# Prefixes of paths whose responses do not depend on the data.
ALWAYS_SERVED_PATHS = ("/health", "/ready", "/static", "/metrics")
FRESHNESS_RECHECK_SECONDS = 0.01  # between two reads of the ledger during a write
USUAL_WRITE_SECONDS = 2.0  # if a write takes longer, its writer may be lost
UNFINISHED_WRITE_WAIT_SECONDS = 8.0  # maximum wait for the write lock, to finish the write of a lost writer


class StoreFollower:
    """Updates the local copy of an instance from the shared store before responses.

    Concurrent requests share one read of the ledger.
    """

    def __init__(self, store: SharedStore, fresh_seconds: float) -> None:
        """Take the store, and the seconds for which a read of the ledger is valid."""
        self.store, self.fresh_seconds = store, fresh_seconds
        self.client: RemoteClient | None = None
        self.checked_at = float("-inf")
        self.check_task: asyncio.Task[None] | None = None
        self.next_check_task: asyncio.Task[None] | None = None
        self.unused_numbers = count()  # for `version`

    @property
    def version(self) -> tuple[int, int]:
        """A value that differs from earlier ones if the copy has changed or the ledger must be read again."""
        is_fresh = time.monotonic() - self.checked_at < self.fresh_seconds
        return (self.store.version, -1 if is_fresh else next(self.unused_numbers))

    async def ensure_current(self) -> None:
        """Update the copy unless the last read of the ledger is still valid. Raises StoreError."""
        if time.monotonic() - self.checked_at >= self.fresh_seconds:
            await self.catch_up()

    async def catch_up(self) -> None:
        """Update the copy with all writes that are finished now. Raises StoreError."""
        if self.check_task is None or self.check_task.done():
            self.check_task = start_check_task(self.check_ledger())
            return await asyncio.shield(self.check_task)
        # The running check may have read the ledger before the last write, so wait for the next one.
        if self.next_check_task is None or self.next_check_task.done():
            self.next_check_task = start_check_task(self.check_after(self.check_task))
        return await asyncio.shield(self.next_check_task)

    async def check_after(self, previous_check: asyncio.Task[None]) -> None:
        """Check the ledger after another check has ended."""
        await asyncio.wait([previous_check])
        self.check_task, self.next_check_task = self.next_check_task, None
        await self.check_ledger()

    async def check_ledger(self) -> None:
        """Wait for the end of a running write, then update the copy from the ledger."""
        started_at = time.monotonic()
        while (state := await self.read_state()) is None or state.pending:
            if time.monotonic() - started_at > USUAL_WRITE_SECONDS:
                await self.finish_write(state)
            await asyncio.sleep(FRESHNESS_RECHECK_SECONDS)
        if self.store.is_behind_state(state):
            await asyncio.to_thread(self.store.follow)
        self.checked_at = max(self.checked_at, started_at)

    async def finish_write(self, state: LedgerState | None) -> None:
        """Finish the write of a lost instance. Raises StoreUnavailableError if it is not lost but writing."""
        if state is None:
            raise StoreUnavailableError("The ledger of the shared store is missing or has two states.")
        await asyncio.to_thread(self.store.finish_pending_write, UNFINISHED_WRITE_WAIT_SECONDS)

    async def read_state(self) -> LedgerState | None:
        """The state in the ledger; None if there is not exactly one, or the response is incomplete."""
        sharing = self.store.sharing
        self.client = self.client or RemoteClient(sharing.engine.credentials, sharing.engine.timeout_seconds)
        media_type = sharing.engine.dialect.rows_media_type
        try:
            with tolerate_retryable_refusal(sharing.engine.dialect):
                body = await self.client.read_response(
                    sharing.engine.query_url, sharing.ledger.state_query, SPARQL_QUERY_MEDIA_TYPE, media_type
                )
                states = parse_state_response(body, media_type)
                return states[0] if len(states) == 1 else None
        except TruncatedResponseError:  # a busy service may return a row without its values
            return None
        return None


class ConcurrentWriteCheck:
    """A check whether a response of the service, read during the check, may contain a part of a write."""

    def __init__(self, follower: StoreFollower) -> None:
        """Start updating the copy, without waiting for the end."""
        self.follower, self.started_at = follower, time.monotonic()
        self.check_task = start_check_task(follower.catch_up())
        self.last_announced_version = follower.store.last_announced_version

    async def wait_for_check(self) -> None:
        """Wait until the copy is up to date. Writes until then do not count in `found_no_write`."""
        await self.check_task
        self.last_announced_version = self.follower.store.last_announced_version

    async def found_no_write(self) -> bool:
        """Whether no write was announced since the start of the check. Raises StoreError.

        A writer waits WRITE_ANNOUNCEMENT_SECONDS between the announcement and its first change. If half of
        this time has not passed, no such writer has changed anything, so the ledger is not read again. It is
        half the time as clocks may differ.
        """
        await self.check_task
        if time.monotonic() - self.started_at > WRITE_ANNOUNCEMENT_SECONDS / 2:
            await self.follower.catch_up()
        return self.last_announced_version == self.follower.store.last_announced_version


def start_check_task(check: Coroutine[None, None, None]) -> asyncio.Task[None]:
    """Start a check of the ledger as a task."""
    task = asyncio.create_task(check)
    # Retrieve the exception, as all requests that waited for the task may have been cancelled.
    task.add_done_callback(lambda ended_task: ended_task.cancelled() or ended_task.exception())
    return task


class FreshnessMiddleware:
    """ASGI middleware that updates the local copy before it passes a request to the app."""

    def __init__(
        self, app: ASGIApp, follower: StoreFollower, refuse: Callable[[Request, Exception], Response]
    ) -> None:
        """Take the app, the follower, and a function that makes the response for a StoreError."""
        self.app, self.follower, self.refuse = app, follower, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the request, or send an error response if the service does not respond."""
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

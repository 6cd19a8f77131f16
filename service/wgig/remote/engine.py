"""Blocking client of a SPARQL service for threads; requests run in an event loop on a separate thread."""

import asyncio
import atexit
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import aiohttp

from ..http.bodies import SPARQL_QUERY_MEDIA_TYPE, SPARQL_UPDATE_MEDIA_TYPE
from ..settings import Settings
from .client import (
    RefusedError,
    RemoteClient,
    RemoteCredentials,
    ResponseBodyReader,
    ResponseStream,
    TruncatedResponseError,
    UrlParameters,
)
from .dialects import SERVICE_DIALECTS, ServiceDialect
from .results import SolutionRow, iter_remote_solutions

MAX_REMOTE_RETRIES, REMOTE_RETRY_SECONDS = 3, 0.1  # number of retries, and the pause before each

Value = TypeVar("Value")


class RemoteEngine:
    """Client of the SPARQL service in the settings. Raises StoreUnavailableError and RefusedError."""

    def __init__(self, settings: Settings) -> None:
        """Start the event loop. Raises ValueError for invalid credentials."""
        self.credentials = RemoteCredentials(settings.remote_auth)
        self.dialect = SERVICE_DIALECTS[settings.remote_profile]
        self.query_url = settings.remote_query
        self.update_url = settings.remote_update or settings.remote_query
        self.timeout_seconds = settings.remote_seconds
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name="shared store", daemon=True).start()
        self.client = self.call(self.make_client())
        atexit.register(self.close)

    async def make_client(self) -> RemoteClient:
        """Create the client; it uses the event loop in which this runs."""
        return RemoteClient(self.credentials, self.timeout_seconds)

    def call(self, coroutine: Coroutine[Any, Any, Value]) -> Value:
        """Run a coroutine in the event loop, wait for it, and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def select_rows(self, query: str) -> list[SolutionRow]:
        """The solutions of a SELECT, with retries if the response is incomplete or the service is busy."""
        for _ in range(MAX_REMOTE_RETRIES):
            with suppress(TruncatedResponseError), tolerate_retryable_refusal(self.dialect):
                return self.select_rows_once(query)
            time.sleep(REMOTE_RETRY_SECONDS)
        return self.select_rows_once(query)

    def select_rows_once(self, query: str) -> list[SolutionRow]:
        """The solutions of a SELECT, without retries."""
        with self.open_response(query, self.dialect.rows_media_type) as body:
            return list(iter_remote_solutions(body, self.dialect.rows_media_type))

    def update(self, text: str) -> None:
        """Run an update, with retries. Raises TruncatedResponseError if the response does not confirm it."""
        for _ in range(MAX_REMOTE_RETRIES):
            with tolerate_retryable_refusal(self.dialect):
                return self.update_once(text)
            time.sleep(REMOTE_RETRY_SECONDS)
        return self.update_once(text)

    def update_once(self, text: str) -> None:
        """Run an update, without retries."""
        body = self.call(
            self.client.read_response(
                self.update_url, self.dialect.update_prologue + text, SPARQL_UPDATE_MEDIA_TYPE
            )
        )
        if not self.dialect.confirms_update(body):
            raise TruncatedResponseError("The response from the shared store does not confirm the update.")

    @contextmanager
    def open_response(
        self, query: str, accept: str, parameters: UrlParameters = ()
    ) -> Iterator[ResponseBodyReader]:
        """Send a query, and yield the body of the response as a file."""
        response_context = self.client.open(
            self.query_url, query, SPARQL_QUERY_MEDIA_TYPE, accept, parameters
        )
        response = self.call(enter_response_context(response_context))
        try:
            yield ResponseBodyReader(self.loop, ResponseStream(response))
        finally:
            self.call(exit_response_context(response_context))

    def close(self) -> None:
        """Close all connections and stop the event loop."""
        atexit.unregister(self.close)
        self.call(self.client.close())
        self.loop.call_soon_threadsafe(self.loop.stop)


async def enter_response_context(response_context: Any) -> aiohttp.ClientResponse:
    """Enter an async context manager and return the response."""
    response: aiohttp.ClientResponse = await response_context.__aenter__()
    return response


async def exit_response_context(response_context: Any) -> None:
    """Exit an async context manager."""
    await response_context.__aexit__(None, None, None)


@contextmanager
def tolerate_retryable_refusal(dialect: ServiceDialect) -> Iterator[None]:
    """Suppress a RefusedError that the dialect marks as temporary."""
    try:
        yield
    except RefusedError as error:
        if not dialect.is_retryable(error.message):
            raise

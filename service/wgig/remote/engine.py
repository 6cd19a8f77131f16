"""A SPARQL service as threads ask it: they wait for what is done in an event loop of its own."""

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
    AnswerBodyReader,
    AnswerStream,
    CutOffError,
    RefusedError,
    RemoteClient,
    RemoteCredentials,
    UrlParameters,
)
from .dialects import SERVICE_DIALECTS, ServiceDialect
from .results import SolutionRow, iter_remote_solutions

MAX_REMOTE_TRIES, REMOTE_RETRY_SECONDS = 3, 0.1  # times, and seconds between

Value = TypeVar("Value")


class RemoteEngine:
    """The service of the settings. Methods raise StoreErrors: StoreUnavailableError and RefusedError."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings. Raises ValueError where they do not fit."""
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
        """A client in the loop."""
        return RemoteClient(self.credentials, self.timeout_seconds)

    def call(self, work: Coroutine[Any, Any, Value]) -> Value:
        """What the work comes to, done in the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def select_rows(self, query: str) -> list[SolutionRow]:
        """The solutions of a SELECT, asked again where an answer is not whole."""
        for _ in range(MAX_REMOTE_TRIES):
            with suppress(CutOffError), tolerate_retryable_refusal(self.dialect):
                return self.select_rows_once(query)
            time.sleep(REMOTE_RETRY_SECONDS)
        return self.select_rows_once(query)

    def select_rows_once(self, query: str) -> list[SolutionRow]:
        """The solutions of a SELECT, asked once."""
        with self.open_answer(query, self.dialect.rows_media_type) as body:
            return list(iter_remote_solutions(body, self.dialect.rows_media_type))

    def update(self, text: str) -> None:
        """Do an update. Raises CutOffError where the answer is not that of one, but of somebody else."""
        for _ in range(MAX_REMOTE_TRIES):
            with tolerate_retryable_refusal(self.dialect):
                return self.update_once(text)
            time.sleep(REMOTE_RETRY_SECONDS)
        return self.update_once(text)

    def update_once(self, text: str) -> None:
        """Do an update, asked once."""
        said = self.call(
            self.client.read_answer(
                self.update_url, self.dialect.update_prologue + text, SPARQL_UPDATE_MEDIA_TYPE
            )
        )
        if not self.dialect.is_done(said):
            raise CutOffError("The shared store does not say that an update is done.")

    @contextmanager
    def open_answer(
        self, query: str, accept: str, parameters: UrlParameters = ()
    ) -> Iterator[AnswerBodyReader]:
        """The answer to a query, to read."""
        opened = self.client.open(self.query_url, query, SPARQL_QUERY_MEDIA_TYPE, accept, parameters)
        answer = self.call(enter_answer_context(opened))
        try:
            yield AnswerBodyReader(self.loop, AnswerStream(answer))
        finally:
            self.call(exit_answer_context(opened))

    def close(self) -> None:
        """End all connections, and the loop."""
        atexit.unregister(self.close)
        self.call(self.client.close())
        self.loop.call_soon_threadsafe(self.loop.stop)


async def enter_answer_context(opened: Any) -> aiohttp.ClientResponse:
    """What is opened."""
    answer: aiohttp.ClientResponse = await opened.__aenter__()
    return answer


async def exit_answer_context(opened: Any) -> None:
    """Close it."""
    await opened.__aexit__(None, None, None)


@contextmanager
def tolerate_retryable_refusal(dialect: ServiceDialect) -> Iterator[None]:
    """Around what is to be tried again where the service does not do it only now."""
    try:
        yield
    except RefusedError as error:
        if not dialect.is_retryable(error.message):
            raise

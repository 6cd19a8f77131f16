"""A SPARQL service as threads ask it: they wait for what is done in an event loop of its own."""

import asyncio
import atexit
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import aiohttp

from ..settings import Settings
from .client import QUERY, UPDATE, Access, Body, Client, Coming, CutOffError, Parameters, RefusedError
from .dialects import DIALECTS, Dialect
from .results import Row, solutions

TRIES, AGAIN = 3, 0.1  # times, and seconds between

Value = TypeVar("Value")


class Engine:
    """The service of the settings. Methods raise UnavailableError and RefusedError, which are StoreErrors."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings. Raises ValueError where they do not fit."""
        self.access = Access(settings.remote_auth)
        self.dialect = DIALECTS[settings.remote_profile]
        self.query_url = settings.remote_query
        self.update_url = settings.remote_update or settings.remote_query
        self.patience = settings.remote_seconds
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name="shared store", daemon=True).start()
        self.client = self.call(self.made())
        atexit.register(self.close)

    async def made(self) -> Client:
        """A client in the loop."""
        return Client(self.access, self.patience)

    def call(self, work: Coroutine[Any, Any, Value]) -> Value:
        """What the work comes to, done in the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def rows(self, query: str) -> list[Row]:
        """The solutions of a SELECT, asked again where an answer is not whole."""
        for _ in range(TRIES):
            with suppress(CutOffError), patient(self.dialect):
                return self.rows_once(query)
            time.sleep(AGAIN)
        return self.rows_once(query)

    def rows_once(self, query: str) -> list[Row]:
        """The solutions of a SELECT, asked once."""
        with self.open(query, self.dialect.rows) as body:
            return list(solutions(body, self.dialect.rows))

    def update(self, text: str) -> None:
        """Do an update. Raises CutOffError where the answer is not that of one, but of somebody else."""
        for _ in range(TRIES):
            with patient(self.dialect):
                return self.update_once(text)
            time.sleep(AGAIN)
        return self.update_once(text)

    def update_once(self, text: str) -> None:
        """Do an update, asked once."""
        said = self.call(self.client.whole(self.update_url, self.dialect.before_update + text, UPDATE))
        if not self.dialect.is_done(said):
            raise CutOffError("The shared store does not say that an update is done.")

    @contextmanager
    def open(self, query: str, accept: str, parameters: Parameters = ()) -> Iterator[Body]:
        """The answer to a query, to read."""
        opened = self.client.open(self.query_url, query, QUERY, accept, parameters)
        answer = self.call(entered(opened))
        try:
            yield Body(self.loop, Coming(answer))
        finally:
            self.call(left(opened))

    def close(self) -> None:
        """End all connections, and the loop."""
        atexit.unregister(self.close)
        self.call(self.client.close())
        self.loop.call_soon_threadsafe(self.loop.stop)


async def entered(opened: Any) -> aiohttp.ClientResponse:
    """What is opened."""
    answer: aiohttp.ClientResponse = await opened.__aenter__()
    return answer


async def left(opened: Any) -> None:
    """Close it."""
    await opened.__aexit__(None, None, None)


@contextmanager
def patient(dialect: Dialect) -> Iterator[None]:
    """Around what is to be tried again where the service does not do it only now."""
    try:
        yield
    except RefusedError as error:
        if not dialect.is_given_up(error.said):
            raise

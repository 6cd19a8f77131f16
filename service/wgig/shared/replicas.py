"""The services that may be asked for a shared store: its own, and replicas that have all that it has."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp

from ..opening import StoreError, UnavailableError
from .client import QUERY, Client, Parameters
from .ledger import states_in
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

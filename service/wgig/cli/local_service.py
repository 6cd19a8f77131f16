"""The service within a command: requests to the local store without a server, or to a service at a URL."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
from starlette.types import ASGIApp
from wgig_client.client import GraphClient, connect
from wgig_client.connection import Connection, RequestLimits
from wgig_client.errors import ServiceError

from ..app import create_app, make_service
from ..problems import Problem
from ..search.index import SEARCH_INDEX_PATH
from ..seed import open_store_snapshot
from ..settings import Settings
from ..store.backup.online import clone_store
from ..store.store import Store
from .console import print_message

LOCAL_FOLDER_PREFIX = "wgig-local-"  # of the temporary folder


class InProcessTransport(httpx2.BaseTransport):
    """A transport of httpx2 to an application in this process. Each response is read as a whole."""

    def __init__(self, app: ASGIApp) -> None:
        """Take the application."""
        self.app = httpx2.ASGITransport(app=app, raise_app_exceptions=False)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request, and read the complete response."""
        buffered_request = httpx2.Request(
            request.method, request.url, headers=request.headers, stream=httpx2.ByteStream(request.read())
        )

        async def send_request() -> httpx2.Response:
            response = await self.app.handle_async_request(buffered_request)
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            body = b"".join([chunk async for chunk in response.stream])
            return httpx2.Response(response.status_code, headers=response.headers, content=body)

        return asyncio.run(send_request())


def copy_store_folder(target: Path, settings: Settings) -> None:
    """Copy the store and its search index to a new folder, after filling and updating the store.

    Another process may have the store open. Raises StoreError or OSError.
    """
    open_store_snapshot(settings, print_message)
    clone_store(target, settings.store)
    index, copy = settings.store / SEARCH_INDEX_PATH, target / SEARCH_INDEX_PATH
    if index.is_file():
        copy.parent.mkdir(parents=True, exist_ok=True)
        with (
            closing(sqlite3.connect(f"{index.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(copy)) as destination,
        ):
            source.backup(destination)


@contextmanager
def open_graph(url: str | None, settings: Settings) -> Iterator[GraphClient]:
    """Yield the graph of the service at a URL, or without one, of a copy of the local store.

    Raises ValueError for a URL that is not HTTP(S), StoreError or OSError if the store cannot be copied, and
    Problem instead of the ServiceError of a refused request.
    """
    try:
        yield from iter_graph(url, settings)
    except ServiceError as error:
        raise Problem(error.status or 400, error.detail or str(error)) from error


def iter_graph(url: str | None, settings: Settings) -> Iterator[GraphClient]:
    """The graph of `open_graph`."""
    if url:
        with connect(url) as graph:
            yield graph
        return
    with TemporaryDirectory(prefix=LOCAL_FOLDER_PREFIX, ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "store"
        copy_store_folder(copy, settings)
        store = Store.open_read_only(copy)
        service = make_service(replace(settings, store=copy, token=""), store)
        transport = InProcessTransport(create_app(service))
        with GraphClient(Connection("http://localhost/", RequestLimits(), transport)) as graph:
            yield graph

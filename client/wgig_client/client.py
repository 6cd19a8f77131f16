"""GraphClient and AsyncGraphClient: query the graph of a service, read it, check papers, write, cite.

Both have the same methods. Each method sends Calls (`calls`), so that they differ only in how they wait.
"""

import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from . import calls
from .calls import PAGE_SIZE_PAPERS, Call, Page, Result
from .changes import Change, ChangeCursor
from .connection import DEFAULT_REQUEST_LIMITS, AsyncConnection, Connection, RequestLimits, hide_user
from .download import DumpDownload
from .errors import Report
from .values import Row, Rows

URL_VARIABLE = "WGIG_URL"  # of the environment: the service, if `connect` gets no URL


def connect(
    url: str | None = None,
    *,
    token: str = "",
    timeout: float = DEFAULT_REQUEST_LIMITS.timeout,
    retries: int = DEFAULT_REQUEST_LIMITS.retries,
    patience: float = DEFAULT_REQUEST_LIMITS.patience,
) -> "GraphClient":
    """The client of the service at a URL, such as `http://127.0.0.1:8000/`. No request is sent yet.

    Without a URL, it is the value of the environment variable `WGIG_URL`. The `token` is sent only with
    writes. `timeout` is the longest time in seconds without receiving data of a response (60). A request that
    did not start, because the service is busy or unreachable, is retried up to `retries` times (3), with
    pauses of at most `patience` seconds in total (30). Raises ValueError for a URL that is not HTTP(S),
    without any, and for a token that cannot be sent.
    """
    limits = RequestLimits(timeout, retries, patience)
    return GraphClient(Connection(choose_url(url), limits), validate_token(token))


def connect_async(
    url: str | None = None,
    *,
    token: str = "",
    timeout: float = DEFAULT_REQUEST_LIMITS.timeout,
    retries: int = DEFAULT_REQUEST_LIMITS.retries,
    patience: float = DEFAULT_REQUEST_LIMITS.patience,
) -> "AsyncGraphClient":
    """The client of a service for asynchronous code; the arguments are those of `connect`."""
    limits = RequestLimits(timeout, retries, patience)
    return AsyncGraphClient(AsyncConnection(choose_url(url), limits), validate_token(token))


def choose_url(url: str | None) -> str:
    """The URL, or that in the environment. Raises ValueError without any."""
    chosen_url = url or os.environ.get(URL_VARIABLE, "")
    if not chosen_url:
        raise ValueError(
            f"Give the URL of a service, or set {URL_VARIABLE}, such as to http://127.0.0.1:8000/."
        )
    return chosen_url


def validate_token(token: str) -> str:
    """The token. Raises ValueError, which does not contain it, for characters that no token has."""
    if not re.fullmatch(r"[!-~]*", token):
        raise ValueError("The token has white space or other characters that no token has. Copy it again.")
    return token


class GraphClient:
    """The client of a service. A method returns a complete result or raises ServiceError.

    It is thread-safe. As a context manager, it closes its connections at the end.
    """

    def __init__(self, connection: Connection, token: str = "") -> None:
        """Take a connection, and a bearer token for writes."""
        self.connection, self.token = connection, token

    def __repr__(self) -> str:
        """The URL of the service, without the token."""
        return f"{type(self).__name__}({hide_user(self.connection.url)!r})"

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.connection.close()

    def query(self, text: str, *, timeout: float | None = None) -> Any:
        """The result of a SPARQL query: Rows of a SELECT, a bool of an ASK, else Triples.

        The service stops the query after `timeout` seconds, not before 0.1 s, at the latest after its own
        limit, and the ServiceError has status 503. Raises ValueError for a timeout that is not above 0.
        """
        return self.connection.run_call(calls.build_query_call(text, timeout))

    def select(self, text: str, *, timeout: float | None = None) -> Rows:
        """The rows of a SELECT query, as `query`. Raises TypeError for other forms of query."""
        return self.connection.run_call(calls.build_select_call(text, timeout))

    def example(self, name: str, **parameters: object) -> Rows:
        """The rows of the example query `name` of the service, for these values of its parameters.

        The value for a resource is its IRI or the last segment of it, such as `spam`. Raises ServiceError:
        404 if there is no such query, 400 for an unknown parameter or an invalid value.
        """
        return self.connection.run_call(calls.build_example_call(name, parameters))

    def papers(self, page_size: int = PAGE_SIZE_PAPERS) -> Iterator[Row]:
        """All papers, ordered by IRI: rows of `paper`, `title`, `issue` and `posted`; None means unknown.

        They are fetched in pages of `page_size`. A paper that is written meanwhile is included if its page
        has not been fetched yet.
        """
        return self.iter_items(calls.build_papers_call(page_size))

    def search(self, text: str, *, kind: str = "", language: str = "") -> Iterator[dict[str, Any]]:
        """What is found for words, "phrases" or beginnings of words (gover*), the best first.

        Each result has `id` (the IRI), `label`, `kind` and `snippet`. `kind` is one such as `issue` or
        `paper`, `language` one such as `fr`. Pages are fetched as they are needed. The service ranks at most
        200 results; search for more words, or one kind, to see others.
        """
        pages = self.iter_search_pages(calls.build_search_parameters(text, kind, language))
        return (item for page in pages for item in page["items"])

    def iter_search_pages(self, parameters: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """The pages of a search, as JSON objects of the service; `parameters` are those of /search."""
        return self.iter_items(calls.build_search_call(parameters))

    def iter_items(self, call: Call[Page[Result]] | None) -> Iterator[Result]:
        """The items of all pages from that of a call on."""
        while call:
            page = self.connection.run_call(call)
            yield from page.items
            call = page.next_call

    def graphs(self) -> Rows:
        """The named graphs of the service, ordered by IRI: rows of `graph` and `title` (None: unknown)."""
        return self.select(calls.GRAPHS_QUERY)

    def thing(self, iri: str) -> dict[str, Any]:
        """The description of a resource, as compacted JSON-LD with short names as keys.

        `iri` is its IRI, or a name such as `issue/spam` or `issue:spam`. Only resources below `/id/` have a
        description; query terms and graphs.
        """
        return self.connection.run_call(calls.build_thing_call(iri))

    def check(self, path: str | PathLike[str], profile: str = "complete", language: str = "en") -> Report:
        """The report on the papers in a file: RDF, Markdown or Word, according to its suffix.

        Raises OSError if the file cannot be read.
        """
        return self.connection.run_call(calls.build_check_call(path, profile, language))

    def put(self, graph: str, path: str | PathLike[str], media_type: str = "") -> bool:
        """Replace the content of a graph by that of a file. Returns True if the graph is new.

        `graph` is its IRI or the part after `/graph/`, such as `paper/spam`. Without `media_type`, the suffix
        of the file name determines the format. Raises OSError if the file cannot be read, ValueError if its
        format is unknown. If a paper does not conform, the `members` of the ServiceError are the report.
        """
        return self.connection.run_call(calls.build_put_call(graph, path, media_type, self.token))

    def update(self, text: str) -> None:
        """Run a SPARQL update: all of it, or nothing if it raises ServiceError."""
        self.connection.run_call(calls.build_update_call(text, self.token))

    def dump(self, path: str | PathLike[str]) -> Path:
        """Download all graphs into a file: `.nq` or `.trig`, plain or with `.gz` or `.zst`.

        The file appears when it is complete and has the SHA-256 that the service states; a file of this name
        is replaced. Raises OSError if it cannot be written, ValueError for another suffix.
        """
        with DumpDownload(path) as download:
            return self.connection.run_call(download.call)

    def changes(self, since: str = "") -> "Changes":
        """The versions of all resources after a position in the event stream, by default after its start."""
        return Changes(self.connection, ChangeCursor(since))

    def cite(self, *, iri: str = "", query: str = "", media_type: str = "text/plain") -> str:
        """The citation of a resource, graph, term or query result.

        `media_type` is `text/plain`, `application/x-bibtex` or `application/vnd.citationstyles.csl+json`.
        `iri` is an IRI or any name that `expand_resource_name` accepts.
        """
        return self.connection.run_call(calls.build_cite_call(iri, query, media_type))


class Changes:
    """An iterable of changes, in the order in which they were made.

    It ends at the last change. Iterated again, it goes on where it stopped, with what has changed meanwhile.
    `position` is the place in the stream; another program goes on from there with `changes(since=position)`.
    """

    def __init__(self, connection: Connection, cursor: ChangeCursor) -> None:
        """Take a connection, and the place from which changes are read."""
        self.connection, self.cursor = connection, cursor

    @property
    def position(self) -> str:
        """The place after the last change that was yielded; empty before the first request."""
        return self.cursor.position

    def __iter__(self) -> Iterator[Change]:
        """Fetch page after page. Raises ServiceError, and of status 404 if the service began a new stream."""
        for call in self.cursor.iter_calls():
            for change in self.connection.run_call(call):
                self.cursor.position = change.position
                yield change


class AsyncGraphClient:
    """The client of a service for asynchronous code, with the methods of GraphClient.

    As a context manager (`async with`), it closes its connections at the end.
    """

    def __init__(self, connection: AsyncConnection, token: str = "") -> None:
        """Take a connection, and a bearer token for writes."""
        self.connection, self.token = connection, token

    def __repr__(self) -> str:
        """The URL of the service, without the token."""
        return f"{type(self).__name__}({hide_user(self.connection.url)!r})"

    async def __aenter__(self) -> Self:
        """The client itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self.connection.close()

    async def query(self, text: str, *, timeout: float | None = None) -> Any:
        """The result of a SPARQL query, as that of `GraphClient.query`."""
        return await self.connection.run_call(calls.build_query_call(text, timeout))

    async def select(self, text: str, *, timeout: float | None = None) -> Rows:
        """The rows of a SELECT query, as `query`. Raises TypeError for other forms of query."""
        return await self.connection.run_call(calls.build_select_call(text, timeout))

    async def example(self, name: str, **parameters: object) -> Rows:
        """The rows of an example query, as `GraphClient.example`."""
        return await self.connection.run_call(calls.build_example_call(name, parameters))

    def papers(self, page_size: int = PAGE_SIZE_PAPERS) -> AsyncIterator[Row]:
        """All papers, as `GraphClient.papers`."""
        return self.iter_items(calls.build_papers_call(page_size))

    async def search(self, text: str, *, kind: str = "", language: str = "") -> AsyncIterator[dict[str, Any]]:
        """What is found for words, as `GraphClient.search`."""
        call = calls.build_search_call(calls.build_search_parameters(text, kind, language))
        async for page in self.iter_items(call):
            for item in page["items"]:
                yield item

    async def iter_items(self, call: Call[Page[Result]] | None) -> AsyncIterator[Result]:
        """The items of all pages from that of a call on."""
        while call:
            page = await self.connection.run_call(call)
            for item in page.items:
                yield item
            call = page.next_call

    async def graphs(self) -> Rows:
        """The named graphs of the service, as `GraphClient.graphs`."""
        return await self.select(calls.GRAPHS_QUERY)

    async def thing(self, iri: str) -> dict[str, Any]:
        """The description of a resource, as `GraphClient.thing`."""
        return await self.connection.run_call(calls.build_thing_call(iri))

    async def check(
        self, path: str | PathLike[str], profile: str = "complete", language: str = "en"
    ) -> Report:
        """The report on the papers in a file, as `GraphClient.check`."""
        return await self.connection.run_call(calls.build_check_call(path, profile, language))

    async def put(self, graph: str, path: str | PathLike[str], media_type: str = "") -> bool:
        """Replace the content of a graph, as `GraphClient.put`."""
        return await self.connection.run_call(calls.build_put_call(graph, path, media_type, self.token))

    async def update(self, text: str) -> None:
        """Run a SPARQL update: all of it, or nothing if it raises ServiceError."""
        await self.connection.run_call(calls.build_update_call(text, self.token))

    async def dump(self, path: str | PathLike[str]) -> Path:
        """Download all graphs into a file, as `GraphClient.dump`."""
        with DumpDownload(path) as download:
            return await self.connection.run_call(download.call)

    def changes(self, since: str = "") -> "AsyncChanges":
        """The versions of all resources after a position, as `GraphClient.changes`."""
        return AsyncChanges(self.connection, ChangeCursor(since))

    async def cite(self, *, iri: str = "", query: str = "", media_type: str = "text/plain") -> str:
        """The citation of a resource, graph, term or query result, as `GraphClient.cite`."""
        return await self.connection.run_call(calls.build_cite_call(iri, query, media_type))


class AsyncChanges:
    """An asynchronous iterable of changes, as Changes."""

    def __init__(self, connection: AsyncConnection, cursor: ChangeCursor) -> None:
        """Take a connection, and the place from which changes are read."""
        self.connection, self.cursor = connection, cursor

    @property
    def position(self) -> str:
        """The place after the last change that was yielded; empty before the first request."""
        return self.cursor.position

    async def __aiter__(self) -> AsyncIterator[Change]:
        """Fetch page after page, as Changes does."""
        for call in self.cursor.iter_calls():
            for change in await self.connection.run_call(call):
                self.cursor.position = change.position
                yield change

"""The asynchronous client has the methods of the other one, with the same results."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
import wgig
from wgig.settings import SHIPPED_FOLDER
from wgig_client.connection import AsyncConnection, RequestLimits

from tests.fixtures.processes import ServiceStarter

pytestmark = pytest.mark.slow

EXAMPLE_PAPER = SHIPPED_FOLDER / "data/examples/community-networks.md"
RESULT_HEADERS = {"Content-Type": "application/sparql-results+json"}
SPAM_IRI = "https://w3id.org/wgig/id/issue/spam"


def list_public_methods(client_class: type) -> dict[str, inspect.Signature]:
    """The signatures of public methods, without the type of the result."""
    return {
        name: inspect.signature(function).replace(return_annotation=inspect.Signature.empty)
        for name, function in inspect.getmembers(client_class, inspect.isfunction)
        if not name.startswith("_")
    }


def test_both_clients_have_the_same_methods_and_arguments() -> None:
    methods = list_public_methods(wgig.GraphClient)
    del methods["iter_search_pages"]  # used by the commands
    assert list_public_methods(wgig.AsyncGraphClient) == methods
    assert inspect.signature(wgig.connect).parameters == inspect.signature(wgig.connect_async).parameters


async def collect(items: AsyncIterator[Any]) -> list[Any]:
    """The items as a list."""
    return [item async for item in items]


@pytest.mark.parametrize(
    "call",
    [
        lambda graph: graph.query(f"ASK {{ <{SPAM_IRI}> ?p ?o }}"),
        lambda graph: graph.query(f"CONSTRUCT {{ ?p a ?o }} WHERE {{ <{SPAM_IRI}> ?p ?o }} ORDER BY ?p ?o"),
        lambda graph: graph.select(f"SELECT ?p ?o {{ <{SPAM_IRI}> ?p ?o }} ORDER BY ?p ?o", timeout=5),
        lambda graph: graph.example("judgments", the_issue="spam"),
        lambda graph: graph.graphs(),
        lambda graph: graph.thing("issue/spam"),
        lambda graph: graph.check(EXAMPLE_PAPER, profile="final"),
        lambda graph: graph.cite(iri="issue:spam"),
    ],
)
def test_results_are_those_of_the_other_client(
    service_url: str, call: Callable[[Any], Awaitable[object]]
) -> None:
    async def run() -> object:
        async with wgig.connect_async(service_url) as graph:
            return await call(graph)

    with wgig.connect(service_url) as graph:
        assert asyncio.run(run()) == call(graph)


def test_pages_are_fetched_as_by_the_other_client(service_url: str) -> None:
    async def run() -> tuple[list[Any], list[Any]]:
        async with wgig.connect_async(service_url) as graph:
            return await collect(graph.papers(4)), await collect(graph.search("internet"))

    papers, items = asyncio.run(run())
    with wgig.connect(service_url) as graph:
        assert papers == [*graph.papers()]
        assert items == [*graph.search("internet")]


def test_graph_is_written_followed_and_downloaded(start_service: ServiceStarter, tmp_path: Path) -> None:
    file, dump = tmp_path / "mine.ttl", tmp_path / "all.nq"
    file.write_text("<urn:s> <urn:p> 1 .")

    async def run(url: str) -> None:
        async with wgig.connect_async(url, token="secret") as graph:
            changes = graph.changes()
            await collect(aiter(changes))
            assert await graph.put("urn:mine", file) is True
            (change,) = [change async for change in changes if change.resource == "urn:s"]
            await graph.update("DELETE WHERE { GRAPH <urn:mine> { ?s ?p ?o } }")
            (later,) = [
                change async for change in graph.changes(change.position) if change.resource == "urn:s"
            ]
            assert (change.kind, later.kind) == ("create", "delete")
            assert changes.position != later.position
            assert await graph.dump(dump) == dump
            assert dump.read_bytes() == httpx2.get(f"{url}dump.nq").content

    with start_service(tmp_path / "store", WGIG_DATA="none", WGIG_TOKEN="secret") as url:
        asyncio.run(run(url))


def test_requests_are_sent_concurrently() -> None:
    arrived = list[asyncio.Event]()

    async def handle_request(_: httpx2.Request) -> httpx2.Response:
        event = asyncio.Event()
        arrived.append(event)
        if len(arrived) == 3:
            for other in arrived:
                other.set()
        await event.wait()  # for ever, unless three requests are sent at once
        return httpx2.Response(200, headers=RESULT_HEADERS, content=b'{"head":{},"boolean":true}')

    async def run() -> list[Any]:
        async with mock_graph(handle_request)[0] as graph:
            return await asyncio.gather(*(graph.query("ASK {}") for _ in range(3)))

    assert asyncio.run(asyncio.wait_for(run(), 20)) == [True, True, True]


def mock_graph(
    handle_request: Callable[[httpx2.Request], Awaitable[httpx2.Response]],
) -> tuple[wgig.AsyncGraphClient, list[float]]:
    """A client whose requests are handled by a function, and the list of pauses between retries."""
    transport: Any = httpx2.MockTransport(handle_request)  # type: ignore[arg-type]
    connection = AsyncConnection("http://example.org/", RequestLimits(), transport)
    pauses = list[float]()

    async def note_pause(seconds: float) -> None:
        pauses.append(seconds)

    connection.sleep = note_pause
    return wgig.AsyncGraphClient(connection), pauses


def test_request_is_retried_as_by_the_other_client(tmp_path: Path) -> None:
    outcomes: list[httpx2.Response | Exception] = [
        httpx2.ConnectError("refused"),
        httpx2.Response(503, headers={"Retry-After": "5"}),
        httpx2.Response(200, headers=RESULT_HEADERS, content=b'{"head":{},"boolean":true}'),
        httpx2.ConnectError("refused"),
    ]

    async def handle_request(_: httpx2.Request) -> httpx2.Response:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    file = tmp_path / "mine.ttl"
    file.touch()

    async def run() -> list[float]:
        graph, pauses = mock_graph(handle_request)
        assert await graph.query("ASK {}") is True
        with pytest.raises(wgig.ServiceError, match="cannot be reached"):  # a write is not retried
            await graph.put("mine", file)
        return pauses

    assert asyncio.run(run()) == [0.2, 5]
    assert outcomes == []

"""Queries forwarded to the SPARQL service of a shared store: faults, disconnects, datasets and replicas.

`service` stands for the SPARQL service, and `client` for a client of the instance that forwards its query.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import web
from wgig.http.bodies import SPARQL_QUERY_MEDIA_TYPE
from wgig.rdf.formats import CSV, JSON_RESULTS, N_TRIPLES
from wgig.remote.client import RefusedError, RemoteClient, RemoteCredentials
from wgig.remote.dialects import OXIGRAPH_DIALECT, VIRTUOSO_DIALECT, ServiceDialect
from wgig.remote.freshness import StoreReplicas
from wgig.remote.queries import RemoteQueryWorkers
from wgig.remote.sharing import StorePosition
from wgig.settings import Settings
from wgig.sparql.language.parser import ParsedSparqlText
from wgig.sparql.workers.protocol import (
    CANCELED_FAULT,
    REMOTE_FAULT,
    SIZE_FAULT,
    TIME_FAULT,
    QueryFault,
    QueryJob,
)
from wgig.sparql.workers.result import MAX_CHUNKS_AHEAD
from wgig.store.errors import StoreUnavailableError
from wgig.store.view import QueryDataset

pytestmark = pytest.mark.usefixtures("short_waits")

# A dialect of services that query all graphs if a dataset has no default graph or no named graph.
ALL_GRAPHS_DIALECT = replace(
    VIRTUOSO_DIALECT,
    rows_media_type=JSON_RESULTS.media_type,
    faithful_media_types=OXIGRAPH_DIALECT.faithful_media_types,
    shows_partial_updates=False,
)
Handler = Callable[[web.Request], Any]
RESULTS_TEMPLATE = b'{"head":{"vars":["x"]},"results":{"bindings":[%s]}}'
# A row, and a result of 2 MB.
ROW = b'{"x":{"type":"literal","value":"' + b"y" * 1000 + b'"}}'
LONG_RESULTS = RESULTS_TEMPLATE % b",".join([ROW] * 2000)
TRIPLE = b"<urn:a> <urn:b> <urn:c> .\n"


def make_job(
    media_type: str = JSON_RESULTS.media_type, max_bytes: int = 10_000_000, max_rows: int = 0
) -> QueryJob:
    """A job with a query whose text the handlers of these tests ignore."""
    query = ParsedSparqlText("SELECT * {}")
    return QueryJob(query, media_type, QueryDataset(), "about:nothing", max_bytes, max_rows)


@asynccontextmanager
async def serve(handler: Handler) -> AsyncIterator[str]:
    """The URL of a service with this handler."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def find_no_write() -> None:
    """A replacement of `catch_up`: a check of the ledger that finds no write."""


@asynccontextmanager
async def make_workers(
    handler: Handler, max_seconds: int = 5, max_queries: int = 2, dialect: ServiceDialect = OXIGRAPH_DIALECT
) -> AsyncIterator[RemoteQueryWorkers]:
    """Workers that forward queries to a service with this handler."""
    async with serve(handler) as url:
        engine = SimpleNamespace(
            credentials=RemoteCredentials(""), timeout_seconds=5, dialect=dialect, query_url=url
        )
        ledger = SimpleNamespace(graph="urn:state", state_query="SELECT ?state {}")
        skolemizer = SimpleNamespace(unnamed_graph=SimpleNamespace(value="urn:unnamed"))
        sharing = SimpleNamespace(engine=engine, ledger=ledger, skolemizer=skolemizer)
        store: Any = SimpleNamespace(
            sharing=sharing,
            version=1,
            last_announced_version=0,
            shared_position=StorePosition("store", version=3, write_id="me"),
        )
        workers = RemoteQueryWorkers(store, Settings(query_seconds=max_seconds, remote_queries=max_queries))
        workers.follower.catch_up = find_no_write  # type: ignore[method-assign]
        try:
            yield workers
        finally:
            await workers.close()
            workers.executor.shutdown(wait=False)


def make_handler(body: bytes, **headers: str) -> Handler:
    """A handler whose responses have this body."""

    async def respond(_: web.Request) -> web.Response:
        return web.Response(body=body, headers=headers)

    return respond


async def run_failing_query(handler: Handler, job: QueryJob, max_seconds: int = 5) -> QueryFault:
    """The fault of a query."""
    async with make_workers(handler, max_seconds) as workers:
        result = await workers.start_query(job, "client")
        with pytest.raises(QueryFault) as caught:
            await result.read_all()
        return caught.value


@pytest.mark.parametrize("media_type", [JSON_RESULTS.media_type, CSV.media_type])
def test_truncated_response_is_a_fault(media_type: str) -> None:
    fault = asyncio.run(run_failing_query(make_handler(LONG_RESULTS[:-500]), make_job(media_type)))
    assert fault.kind == REMOTE_FAULT


def test_truncated_line_is_a_fault() -> None:
    body = TRIPLE + b"<urn:a> <urn:b>"
    assert (
        asyncio.run(run_failing_query(make_handler(body), make_job(N_TRIPLES.media_type))).kind
        == REMOTE_FAULT
    )


@pytest.mark.parametrize("body", [b"", b"# Empty NT\n", TRIPLE])  # Virtuoso sends the comment
def test_complete_n_triples_are_forwarded(body: bytes) -> None:
    async def run() -> bytes:
        async with make_workers(make_handler(body)) as workers:
            return await (await workers.start_query(make_job(N_TRIPLES.media_type), "client")).read_all()

    assert asyncio.run(run()) == body


@pytest.mark.parametrize("max_rows", [0, 10_000])  # 0: no limit
@pytest.mark.parametrize("media_type", [JSON_RESULTS.media_type, CSV.media_type])
def test_too_large_response_is_a_fault(media_type: str, max_rows: int) -> None:
    job = make_job(media_type, max_bytes=10_000, max_rows=max_rows)
    fault = asyncio.run(run_failing_query(make_handler(LONG_RESULTS), job))
    assert fault.kind == SIZE_FAULT


def test_timeout_is_a_fault() -> None:
    async def respond(request: web.Request) -> web.Response:
        while request.transport:  # until the client disconnects
            await asyncio.sleep(0.01)
        return web.Response()

    assert asyncio.run(run_failing_query(respond, make_job(), max_seconds=1)).kind == TIME_FAULT


@pytest.mark.parametrize("media_type", [JSON_RESULTS.media_type, CSV.media_type])
def test_disconnect_during_a_response_frees_thread_and_slot(media_type: str) -> None:
    async def run() -> None:
        async with make_workers(make_handler(LONG_RESULTS)) as workers:
            for _ in range(6):  # more than there are slots
                result = await workers.start_query(make_job(media_type), "client")
                await result.next_chunk()
                while len(result.chunks) < MAX_CHUNKS_AHEAD:  # until the sender waits for the reader
                    await asyncio.sleep(0)
                result.close()
                with pytest.raises(QueryFault) as caught:
                    await result.read_all()
                assert caught.value.kind == CANCELED_FAULT
                while workers.queue_state.busy:
                    await asyncio.sleep(0)
            assert (workers.queue_state.busy, workers.queue_state.idle) == (0, 2)
            # The conversion to CSV needs a thread that is free.
            result = await workers.start_query(make_job(media_type), "client")
            assert len(await result.read_all()) > 1_000_000

    asyncio.run(asyncio.wait_for(run(), 20))


def test_disconnect_before_the_query_frees_the_slot() -> None:
    async def run() -> None:
        async with make_workers(make_handler(LONG_RESULTS)) as workers:
            result = await workers.start_query(make_job(), "client")
            result.close()  # before the query has begun
            while workers.queue_state.busy:
                await asyncio.sleep(0)
            assert (workers.queue_state.busy, workers.queue_state.idle) == (0, 2)

    asyncio.run(asyncio.wait_for(run(), 20))


def test_response_is_not_read_faster_than_by_the_client() -> None:
    async def run() -> None:
        long_results = RESULTS_TEMPLATE % b",".join([ROW] * 10_000)
        async with make_workers(make_handler(long_results)) as workers:
            result = await workers.start_query(make_job(max_bytes=len(long_results)), "client")
            await asyncio.sleep(0.3)
            assert result.size < len(long_results) / 2
            assert await result.read_all() == long_results

    asyncio.run(run())


# Services whose queries may see a part of an update

PARTIAL_UPDATES_DIALECT = replace(OXIGRAPH_DIALECT, shows_partial_updates=True)


def simulate_writes(workers: RemoteQueryWorkers, checks: int) -> None:
    """Let the next `checks` checks of the ledger find an announced write."""

    async def find_write() -> None:
        nonlocal checks
        workers.store.last_announced_version += checks > 0  # adds 0 or 1
        checks -= 1

    workers.follower.catch_up = find_write  # type: ignore[method-assign]


def make_sequence_handler(*bodies: bytes) -> Handler:
    """A handler whose responses have these bodies in order; the last body is repeated."""
    remaining_bodies = list(bodies)

    async def respond(_: web.Request) -> web.Response:
        return web.Response(
            body=remaining_bodies.pop(0) if len(remaining_bodies) > 1 else remaining_bodies[0]
        )

    return respond


@pytest.mark.parametrize("dialect", [OXIGRAPH_DIALECT, PARTIAL_UPDATES_DIALECT])
def test_query_is_repeated_after_a_concurrent_write(
    dialect: ServiceDialect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "wgig.remote.freshness.WRITE_ANNOUNCEMENT_SECONDS", 100
    )  # no second check on a busy machine

    async def run() -> bytes:
        async with make_workers(
            # A response in JSON counts as complete if it ends in a brace.
            make_sequence_handler(b"half}", b"half}", b"whole}"),
            dialect=dialect,
        ) as workers:
            simulate_writes(workers, 2)
            return await (await workers.start_query(make_job(), "client")).read_all()

    assert asyncio.run(run()) == b"whole}"


@pytest.mark.parametrize("dialect", [OXIGRAPH_DIALECT, VIRTUOSO_DIALECT])
def test_query_is_repeated_after_a_temporary_error(dialect: ServiceDialect) -> None:
    errors = [f"Error: {dialect.retry_message}."] * 2

    async def respond(_: web.Request) -> web.Response:
        return web.Response(status=500, text=errors.pop()) if errors else web.Response(body=TRIPLE)

    async def run() -> bytes:
        async with make_workers(respond, dialect=dialect) as workers:
            return await (await workers.start_query(make_job(N_TRIPLES.media_type), "client")).read_all()

    assert asyncio.run(run()) == TRIPLE


def test_query_fails_after_a_write_during_a_long_response() -> None:
    async def run() -> str:
        async with make_workers(make_handler(LONG_RESULTS), dialect=PARTIAL_UPDATES_DIALECT) as workers:
            result = await workers.start_query(make_job(), "client")
            await result.next_chunk()
            workers.store.last_announced_version += 1
            with pytest.raises(QueryFault) as caught:
                await result.read_all()
            return str(caught.value)

    assert "changed while the query was running" in asyncio.run(run())


@pytest.mark.parametrize("media_type", [JSON_RESULTS.media_type, CSV.media_type])
@pytest.mark.parametrize("body", [LONG_RESULTS, RESULTS_TEMPLATE % ROW])
def test_result_is_the_same_if_it_is_buffered(body: bytes, media_type: str) -> None:
    async def read_result(dialect: ServiceDialect) -> bytes:
        async with make_workers(make_handler(body), dialect=dialect) as workers:
            return await (await workers.start_query(make_job(media_type), "client")).read_all()

    result = asyncio.run(read_result(PARTIAL_UPDATES_DIALECT))
    assert result == asyncio.run(read_result(OXIGRAPH_DIALECT))
    assert len(result) >= len(body) / 2


# Datasets

UNNAMED_DATASET = QueryDataset(union=False)


def request_dataset(
    text: str, dataset: QueryDataset, dialect: ServiceDialect, graphs: list[str]
) -> list[tuple[str, str]]:
    """The dataset parameters of a request, with short names: `default` for `default-graph-uri`."""
    dataset_parameters: list[tuple[str, str]] = []

    async def respond(request: web.Request) -> web.Response:
        parameters = (*request.query.items(), *(await request.post()).items())
        dataset_parameters.extend(
            (name.split("-")[0], str(value)) for name, value in parameters if name != "query"
        )
        return web.Response(body=RESULTS_TEMPLATE % ROW)

    async def run() -> None:
        query_job = make_job()._replace(query=ParsedSparqlText(text), dataset=dataset)
        async with make_workers(respond, dialect=dialect) as workers:
            workers.store.graphs = lambda: graphs  # type: ignore[method-assign]
            await (await workers.start_query(query_job, "client")).read_all()

    asyncio.run(run())
    return sorted(dataset_parameters)


GRAPH_QUERY, PLAIN_QUERY = "SELECT * { GRAPH <urn:c> { ?s ?p ?o } }", "SELECT * { ?s ?p ?o }"
UNNAMED_ONLY = [("default", "urn:unnamed")]
# A graph that does not exist, for a service that would use all graphs otherwise.
NO_DEFAULT_GRAPH, NO_NAMED_GRAPH = ("default", "urn:state/none"), ("named", "urn:state/none")


@pytest.mark.parametrize(
    ("text", "dataset", "dialect", "expected"),
    [
        (PLAIN_QUERY, QueryDataset(), OXIGRAPH_DIALECT, [("union", "")]),
        (PLAIN_QUERY, UNNAMED_DATASET, OXIGRAPH_DIALECT, UNNAMED_ONLY),
        (
            GRAPH_QUERY,
            UNNAMED_DATASET,
            OXIGRAPH_DIALECT,
            [*UNNAMED_ONLY, ("named", "urn:a"), ("named", "urn:b")],
        ),
        (PLAIN_QUERY, UNNAMED_DATASET, ALL_GRAPHS_DIALECT, [*UNNAMED_ONLY, NO_NAMED_GRAPH]),
        (
            GRAPH_QUERY,
            UNNAMED_DATASET,
            ALL_GRAPHS_DIALECT,
            [*UNNAMED_ONLY, *(("named", f"urn:{letter}") for letter in "abc")],
        ),
        (GRAPH_QUERY, QueryDataset(("urn:x",)), OXIGRAPH_DIALECT, [("default", "urn:x")]),
        (
            GRAPH_QUERY,
            QueryDataset(("urn:x",)),
            ALL_GRAPHS_DIALECT,
            [("default", "urn:x"), NO_NAMED_GRAPH],
        ),
        (
            GRAPH_QUERY,
            QueryDataset((), ("urn:x",)),
            ALL_GRAPHS_DIALECT,
            [NO_DEFAULT_GRAPH, ("named", "urn:x")],
        ),
        ("SELECT * FROM <urn:y> {}", QueryDataset(), OXIGRAPH_DIALECT, []),
        (
            "SELECT * FROM <urn:y> {}",
            QueryDataset(),
            ALL_GRAPHS_DIALECT,
            [("default", "urn:y"), NO_NAMED_GRAPH],
        ),
        (
            "SELECT * FROM NAMED <urn:y> {}",
            QueryDataset(("urn:x",)),
            ALL_GRAPHS_DIALECT,
            [("default", "urn:x"), NO_NAMED_GRAPH],
        ),
    ],
)
def test_request_has_all_graphs_of_the_dataset(
    text: str, dataset: QueryDataset, dialect: ServiceDialect, expected: list[tuple[str, str]]
) -> None:
    # As in a request of a client, the default graph is the union only without a dataset.
    dataset = replace(dataset, union=dataset.union and "FROM" not in text and dataset == QueryDataset())
    assert request_dataset(text, dataset, dialect, ["urn:a", "urn:b"]) == expected


def test_request_can_have_more_graphs_than_fit_into_a_url() -> None:
    graphs = [f"urn:{'long' * 100}:{number}" for number in range(900)]
    assert request_dataset(GRAPH_QUERY, UNNAMED_DATASET, OXIGRAPH_DIALECT, graphs) == [
        *UNNAMED_ONLY,
        *sorted(("named", graph) for graph in graphs),
    ]


def test_query_is_repeated_if_a_graph_is_added_during_the_response() -> None:
    async def run() -> bytes:
        async with make_workers(make_sequence_handler(b"half}", b"whole}")) as workers:
            graph_lists = iter([["urn:a"], ["urn:a", "urn:b"]])
            no_graphs: list[str] = []
            workers.store.graphs = lambda: next(graph_lists, no_graphs)  # type: ignore[method-assign]
            query_job = make_job()._replace(query=ParsedSparqlText(GRAPH_QUERY), dataset=UNNAMED_DATASET)
            return await (await workers.start_query(query_job, "client")).read_all()

    assert asyncio.run(run()) == b"whole}"


# The client


async def send_query(handler: Handler) -> bytes:
    async with serve(handler) as url:
        client = RemoteClient(RemoteCredentials(""), 5)
        try:
            return await client.read_response(url, "ASK {}", SPARQL_QUERY_MEDIA_TYPE)
        finally:
            await client.close()


def test_redirect_is_not_followed() -> None:
    async def redirect(request: web.Request) -> web.Response:
        if request.path == "/":
            raise web.HTTPFound("/elsewhere")
        return web.Response(text="followed")

    with pytest.raises(RefusedError) as caught:
        asyncio.run(send_query(redirect))
    assert caught.value.status == 302


@pytest.mark.parametrize(
    ("status", "text", "message"),
    [
        (401, "", r"\(401\): no reason was given. Check .* the file of WGIG_REMOTE_AUTH"),
        (400, "Line 1: no.", r"\(400\): Line 1: no.$"),
    ],
)
def test_refusal_has_the_reason_and_a_suggestion(status: int, text: str, message: str) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text)

    with pytest.raises(RefusedError, match=message):
        asyncio.run(send_query(refuse))


def test_connection_error_names_host_and_port() -> None:
    async def connect() -> None:
        client = RemoteClient(RemoteCredentials(""), 5)
        try:
            # Nothing listens on port 1.
            await client.read_response("http://127.0.0.1:1/", "ASK {}", SPARQL_QUERY_MEDIA_TYPE)
        finally:
            await client.close()

    with pytest.raises(StoreUnavailableError, match=r"cannot connect to 127\.0\.0\.1, port 1: .*1"):
        asyncio.run(connect())


@pytest.mark.parametrize("status", [502, 503, 504])
def test_gateway_error_means_that_the_store_is_unavailable(status: int) -> None:
    async def respond(_: web.Request) -> web.Response:
        return web.Response(status=status)

    with pytest.raises(StoreUnavailableError):
        asyncio.run(send_query(respond))


# Replicas

ReplicaState = tuple[str, int, int]  # store ID, version, pending version


class ReplicaStatesClient:
    """A client that reads these states of replicas, by URL; None for an unavailable replica."""

    def __init__(self, **states: ReplicaState | None) -> None:
        self.states, self.urls = states, list[str]()

    async def read_response(self, url: str, *_: object) -> bytes:
        self.urls.append(url)
        replica_state = self.states[url]
        if replica_state is None:
            raise StoreUnavailableError("unavailable")
        # The format of the ledger, the state, the digest of the inference rules, and the ID of the write.
        text = f"1 {' '.join(map(str, replica_state))} rules by"
        state = {"state": {"type": "literal", "value": text}}
        return json.dumps({"head": {"vars": ["state"]}, "results": {"bindings": [state]}}).encode()


@pytest.mark.parametrize(
    ("state", "is_queried"),
    [
        (("store", 3, 0), True),
        (("store", 9, 0), True),
        (("store", 2, 0), False),
        (("store", 3, 4), False),
        (("other", 9, 0), False),
        (None, False),
    ],
    ids=["same version", "newer", "older", "unfinished write", "other store", "unavailable"],
)
def test_only_current_replicas_are_queried(state: ReplicaState | None, is_queried: bool) -> None:
    engine = SimpleNamespace(query_url="service", dialect=OXIGRAPH_DIALECT)
    sharing = SimpleNamespace(engine=engine, ledger=SimpleNamespace(state_query="?"))
    store: Any = SimpleNamespace(
        sharing=sharing, shared_position=StorePosition("store", version=3, write_id="me")
    )
    replicas, client = StoreReplicas(store, ["replica"]), ReplicaStatesClient(replica=state)
    urls = {asyncio.run(replicas.next_url(cast(RemoteClient, client))) for _ in range(6)}
    assert urls == ({"service", "replica"} if is_queried else {"service"})
    if state is None:
        assert client.urls == ["replica"]  # it is suspended after the first failure


def test_store_is_queried_if_a_replica_fails() -> None:
    async def run() -> bytes:
        async with make_workers(make_handler(RESULTS_TEMPLATE % b"")) as workers:
            workers.replicas = StoreReplicas(workers.store, ["http://127.0.0.1:1/"])
            workers.replicas.versions["http://127.0.0.1:1/"] = 3  # the version of the store, so it is queried
            bodies = [await (await workers.start_query(make_job(), "client")).read_all() for _ in range(3)]
            return b"".join(set(bodies))

    assert asyncio.run(run()) == RESULTS_TEMPLATE % b""

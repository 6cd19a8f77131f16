"""Queries handed on: no answer that is broken looks whole, and who goes away leaves nothing behind."""

import asyncio
import json
import threading
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
from wgig.sparql.workers.result import MAX_PIECES_AHEAD
from wgig.store.errors import StoreUnavailableError
from wgig.store.view import QueryDataset

pytestmark = pytest.mark.usefixtures("short_waits")

TAKING = replace(
    VIRTUOSO_DIALECT,
    rows_media_type=JSON_RESULTS.media_type,
    faithful_media_types=OXIGRAPH_DIALECT.faithful_media_types,
    shows_partial_updates=False,
)
Answer = Callable[[web.Request], Any]
ROWS = b'{"head":{"vars":["x"]},"results":{"bindings":[%s]}}'
ROW = b'{"x":{"type":"literal","value":"' + b"y" * 1000 + b'"}}'
LONG = ROWS % b",".join([ROW] * 2000)
TRIPLE = b"<urn:a> <urn:b> <urn:c> .\n"


def job(media_type: str = JSON_RESULTS.media_type, most: int = 10_000_000, rows: int = 0) -> QueryJob:
    return QueryJob(ParsedSparqlText("SELECT * {}"), media_type, QueryDataset(), "about:nothing", most, rows)


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[str]:
    """Where a service listens that answers so."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def looked() -> None:
    """Nothing was written."""


@asynccontextmanager
async def passing(
    answer: Answer, seconds: int = 5, queries: int = 2, dialect: ServiceDialect = OXIGRAPH_DIALECT
) -> AsyncIterator[RemoteQueryWorkers]:
    """What hands queries on to such a service."""
    async with served(answer) as url:
        engine = SimpleNamespace(
            credentials=RemoteCredentials(""), timeout_seconds=5, dialect=dialect, query_url=url
        )
        ledger = SimpleNamespace(graph="urn:state", state_query="SELECT ?state {}")
        ground = SimpleNamespace(unnamed_graph=SimpleNamespace(value="urn:unnamed"))
        sharing = SimpleNamespace(engine=engine, ledger=ledger, skolemizer=ground)
        store: Any = SimpleNamespace(
            sharing=sharing, version=1, announced_version=0, shared_position=StorePosition("store", 3, "me")
        )
        one = RemoteQueryWorkers(store, Settings(query_seconds=seconds, remote_queries=queries))
        one.follower.catch_up = looked  # type: ignore[method-assign]
        try:
            yield one
        finally:
            await one.close()
            one.threads.shutdown(wait=False)


def whole(body: bytes, **fields: str) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, headers=fields)

    return answer


async def fault_of(answer: Answer, asked: QueryJob, seconds: int = 5) -> QueryFault:
    """The fault of an answer."""
    async with passing(answer, seconds) as one:
        result = await one.ask(asked, "client")
        with pytest.raises(QueryFault) as caught:
            await result.read_all()
        return caught.value


@pytest.mark.parametrize("media_type", [JSON_RESULTS.media_type, CSV.media_type])
def test_half_an_answer_is_none(media_type: str) -> None:
    fault = asyncio.run(fault_of(whole(LONG[:-500]), job(media_type)))
    assert fault.kind == REMOTE_FAULT


def test_half_a_line_is_none() -> None:
    body = b"<urn:a> <urn:b> <urn:c> .\n<urn:a> <urn:b>"
    assert asyncio.run(fault_of(whole(body), job(N_TRIPLES.media_type))).kind == REMOTE_FAULT


@pytest.mark.parametrize("body", [b"", b"# Empty NT\n", b"<urn:a> <urn:b> <urn:c> .\n"])
def test_no_triples_are_an_answer(body: bytes) -> None:
    async def work() -> bytes:
        async with passing(whole(body)) as one:
            return await (await one.ask(job(N_TRIPLES.media_type), "client")).read_all()

    assert asyncio.run(work()) == body


@pytest.mark.parametrize("rows", [0, 10_000])
@pytest.mark.parametrize("media_type", [JSON_RESULTS.media_type, CSV.media_type])
def test_too_large_an_answer_is_given_up(media_type: str, rows: int) -> None:
    fault = asyncio.run(fault_of(whole(LONG), job(media_type, most=10_000, rows=rows)))
    assert fault.kind == SIZE_FAULT


def test_what_takes_too_long_is_given_up() -> None:
    async def answer(request: web.Request) -> web.Response:
        while request.transport:  # until who asks goes away
            await asyncio.sleep(0.01)
        return web.Response()

    assert asyncio.run(fault_of(answer, job(), seconds=1)).kind == TIME_FAULT


@pytest.mark.parametrize("media_type", [JSON_RESULTS.media_type, CSV.media_type])
def test_who_goes_away_in_the_middle_leaves_no_thread_and_no_place(media_type: str) -> None:
    async def work() -> None:
        async with passing(whole(LONG)) as one:
            for _ in range(6):  # as many as there are places, and more
                result = await one.ask(job(media_type), "client")
                await result.next_piece()
                while len(result.pieces) < MAX_PIECES_AHEAD:  # until the answer waits for who reads it
                    await asyncio.sleep(0)
                result.close()
                with pytest.raises(QueryFault) as caught:
                    await result.read_all()
                assert caught.value.kind == CANCELED_FAULT
                while one.queue_state.busy:
                    await asyncio.sleep(0)
            assert (one.queue_state.busy, one.queue_state.idle) == (0, 2)
            result = await one.ask(job(media_type), "client")
            assert len(await result.read_all()) > 1_000_000

    asyncio.run(asyncio.wait_for(work(), 20))
    assert not [one for one in threading.enumerate() if one.name.startswith("converting") and one.daemon]


def test_who_goes_away_at_once_leaves_its_place() -> None:
    async def work() -> None:
        async with passing(whole(LONG)) as one:
            result = await one.ask(job(), "client")
            result.close()  # before the query has begun
            while one.queue_state.busy:
                await asyncio.sleep(0)
            assert (one.queue_state.busy, one.queue_state.idle) == (0, 2)

    asyncio.run(asyncio.wait_for(work(), 20))


def test_a_slow_client_slows_the_answer() -> None:
    async def work() -> None:
        long = ROWS % b",".join([ROW] * 10_000)
        async with passing(whole(long)) as one:
            result = await one.ask(job(most=len(long)), "client")
            await asyncio.sleep(0.3)
            assert result.size < len(long) / 2
            assert await result.read_all() == long

    asyncio.run(work())


# Writes that are seen half done


HALVES = replace(OXIGRAPH_DIALECT, shows_partial_updates=True)


def disturbed(one: RemoteQueryWorkers, looks: int) -> None:
    """Let so many looks find that something announced was written."""

    async def now() -> None:
        nonlocal looks
        one.store.announced_version += looks > 0
        looks -= 1

    one.follower.catch_up = now  # type: ignore[method-assign]


def counting(*bodies: bytes) -> Answer:
    """Gives one body after the other, the last one again and again."""
    left = list(bodies)

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=left.pop(0) if len(left) > 1 else left[0])

    return answer


@pytest.mark.parametrize("dialect", [OXIGRAPH_DIALECT, HALVES])
def test_an_answer_from_the_middle_of_a_write_is_asked_for_again(
    dialect: ServiceDialect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wgig.remote.freshness.WRITE_NOTICE_SECONDS", 100)  # a busy machine looks twice

    async def work() -> bytes:
        async with passing(counting(b"half}", b"half}", b"whole}"), dialect=dialect) as one:
            disturbed(one, 2)
            return await (await one.ask(job(), "client")).read_all()

    assert asyncio.run(work()) == b"whole}"


@pytest.mark.parametrize("dialect", [OXIGRAPH_DIALECT, VIRTUOSO_DIALECT])
def test_what_a_service_does_not_do_for_now_is_asked_again(dialect: ServiceDialect) -> None:
    left = [f"Error: {dialect.retry_message}."] * 2

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=500, text=left.pop()) if left else web.Response(body=TRIPLE)

    async def work() -> bytes:
        async with passing(answer, dialect=dialect) as one:
            return await (await one.ask(job(N_TRIPLES.media_type), "client")).read_all()

    assert asyncio.run(work()) == TRIPLE


def test_a_long_answer_into_which_was_written_is_never_whole() -> None:
    async def work() -> str:
        async with passing(whole(LONG), dialect=HALVES) as one:
            result = await one.ask(job(), "client")
            await result.next_piece()
            one.store.announced_version += 1
            with pytest.raises(QueryFault) as caught:
                await result.read_all()
            return str(caught.value)

    assert "changed while the query ran" in asyncio.run(work())


@pytest.mark.parametrize("media_type", [JSON_RESULTS.media_type, CSV.media_type])
@pytest.mark.parametrize("body", [LONG, ROWS % ROW])
def test_an_answer_into_which_nobody_wrote_is_whole(body: bytes, media_type: str) -> None:
    async def work() -> tuple[bytes, bytes]:
        async with passing(whole(body), dialect=HALVES) as one, passing(whole(body)) as other:
            asked = job(media_type)
            return await (await one.ask(asked, "c")).read_all(), await (
                await other.ask(asked, "c")
            ).read_all()

    found, expected = asyncio.run(work())
    assert found == expected
    assert len(found) >= len(body) / 2


# Datasets

UNNAMED = QueryDataset(union=False)


def parameters(
    text: str, dataset: QueryDataset, dialect: ServiceDialect, graphs: list[str]
) -> list[tuple[str, str]]:
    """The dataset that a service is asked for, without the ends of the names."""
    sent: list[tuple[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        fields = (*request.query.items(), *(await request.post()).items())
        sent.extend((name.split("-")[0], str(value)) for name, value in fields if name != "query")
        return web.Response(body=ROWS % ROW)

    async def work() -> None:
        async with passing(answer, dialect=dialect) as one:
            one.store.graphs = lambda: graphs  # type: ignore[method-assign]
            await (
                await one.ask(job()._replace(query=ParsedSparqlText(text), dataset=dataset), "client")
            ).read_all()

    asyncio.run(work())
    return sorted(sent)


WITHIN, WITHOUT = "SELECT * { GRAPH <urn:c> { ?s ?p ?o } }", "SELECT * { ?s ?p ?o }"
ALONE = [("default", "urn:unnamed")]


@pytest.mark.parametrize(
    ("text", "dataset", "dialect", "wanted"),
    [
        (WITHOUT, QueryDataset(), OXIGRAPH_DIALECT, [("union", "")]),
        (WITHOUT, UNNAMED, OXIGRAPH_DIALECT, ALONE),
        (WITHIN, UNNAMED, OXIGRAPH_DIALECT, [*ALONE, ("named", "urn:a"), ("named", "urn:b")]),
        (WITHOUT, UNNAMED, TAKING, [*ALONE, ("named", "urn:state/none")]),
        (WITHIN, UNNAMED, TAKING, [*ALONE, *(("named", f"urn:{one}") for one in "abc")]),
        (WITHIN, QueryDataset(("urn:x",)), OXIGRAPH_DIALECT, [("default", "urn:x")]),
        (WITHIN, QueryDataset(("urn:x",)), TAKING, [("default", "urn:x"), ("named", "urn:state/none")]),
        (WITHIN, QueryDataset((), ("urn:x",)), TAKING, [("default", "urn:state/none"), ("named", "urn:x")]),
        ("SELECT * FROM <urn:y> {}", QueryDataset(), OXIGRAPH_DIALECT, []),
        (
            "SELECT * FROM <urn:y> {}",
            QueryDataset(),
            TAKING,
            [("default", "urn:y"), ("named", "urn:state/none")],
        ),
        (
            "SELECT * FROM NAMED <urn:y> {}",
            QueryDataset(("urn:x",)),
            TAKING,
            [("default", "urn:x"), ("named", "urn:state/none")],
        ),
    ],
)
def test_a_service_is_told_all_graphs_of_a_dataset(
    text: str, dataset: QueryDataset, dialect: ServiceDialect, wanted: list[tuple[str, str]]
) -> None:
    dataset = replace(dataset, union=dataset.union and "FROM" not in text and dataset == QueryDataset())
    assert parameters(text, dataset, dialect, ["urn:a", "urn:b"]) == wanted


def test_more_graphs_than_an_address_holds_are_told() -> None:
    graphs = [f"urn:{'long' * 100}:{number}" for number in range(900)]
    assert parameters(WITHIN, UNNAMED, OXIGRAPH_DIALECT, graphs) == [
        *ALONE,
        *sorted(("named", one) for one in graphs),
    ]


def test_where_a_graph_comes_while_a_service_answers_it_is_asked_again() -> None:
    async def work() -> bytes:
        async with passing(counting(b"half}", b"whole}")) as one:
            there = iter([["urn:a"], ["urn:a", "urn:b"]])
            graphs: list[str] = []
            one.store.graphs = lambda: next(there, graphs)  # type: ignore[method-assign]
            asked = job()._replace(query=ParsedSparqlText(WITHIN), dataset=UNNAMED)
            return await (await one.ask(asked, "client")).read_all()

    assert asyncio.run(work()) == b"whole}"


# The client


async def asked(answer: Answer) -> bytes:
    async with served(answer) as url:
        client = RemoteClient(RemoteCredentials(""), 5)
        try:
            return await client.read_answer(url, "ASK {}", SPARQL_QUERY_MEDIA_TYPE)
        finally:
            await client.close()


def test_nobody_is_sent_elsewhere() -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/":
            raise web.HTTPFound("/elsewhere")
        return web.Response(text="led astray")

    with pytest.raises(RefusedError) as caught:
        asyncio.run(asked(answer))
    assert caught.value.status == 302


@pytest.mark.parametrize(
    ("status", "said", "told"),
    [
        (
            401,
            "",
            r"\(401\): it does not say why. Check .* the file of WGIG_REMOTE_AUTH",
        ),
        (400, "Line 1: no.", r"\(400\): Line 1: no.$"),
    ],
)
def test_a_refusal_says_why_and_where_to_look(status: int, said: str, told: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=said)

    with pytest.raises(RefusedError, match=told):
        asyncio.run(asked(answer))


def test_where_nobody_listens_the_place_is_named() -> None:
    async def ask() -> None:
        client = RemoteClient(RemoteCredentials(""), 5)
        try:
            await client.read_answer("http://127.0.0.1:1/", "ASK {}", SPARQL_QUERY_MEDIA_TYPE)
        finally:
            await client.close()

    with pytest.raises(StoreUnavailableError, match=r"cannot connect to 127\.0\.0\.1, port 1: .*1"):
        asyncio.run(ask())


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_does_not_know_whether_it_was_done(status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    with pytest.raises(StoreUnavailableError):
        asyncio.run(asked(answer))


# Replicas


class Versions:
    """A client that is told the version of each replica; None: it does not answer."""

    def __init__(self, **versions: tuple[str, int, int] | None) -> None:
        self.versions, self.asked = versions, list[str]()

    async def read_answer(self, url: str, *_: object) -> bytes:
        self.asked.append(url)
        said = self.versions[url]
        if said is None:
            raise StoreUnavailableError("It is down.")
        text = f"1 {said[0]} {said[1]} {said[2]} rules by"
        state = {"state": {"type": "literal", "value": text}}
        return json.dumps({"head": {"vars": ["state"]}, "results": {"bindings": [state]}}).encode()


@pytest.mark.parametrize(
    ("said", "is_asked"),
    [
        (("store", 3, 0), True),
        (("store", 9, 0), True),
        (("store", 2, 0), False),
        (("store", 3, 4), False),
        (("other", 9, 0), False),
        (None, False),
    ],
)
def test_only_a_replica_that_is_as_far_is_asked(said: tuple[str, int, int] | None, is_asked: bool) -> None:
    engine = SimpleNamespace(query_url="home", dialect=OXIGRAPH_DIALECT)
    sharing = SimpleNamespace(engine=engine, ledger=SimpleNamespace(state_query="?"))
    store: Any = SimpleNamespace(sharing=sharing, shared_position=StorePosition("store", 3, "me"))
    replicas, client = StoreReplicas(store, ["replica"]), Versions(replica=said)
    found = {asyncio.run(replicas.next_url(cast(RemoteClient, client))) for _ in range(6)}
    assert found == ({"home", "replica"} if is_asked else {"home"})
    if said is None:
        assert client.asked == ["replica"]  # which is then left alone for a while


def test_where_a_replica_goes_down_the_store_itself_is_asked() -> None:
    async def work() -> bytes:
        async with passing(whole(ROWS % b"")) as one:
            one.replicas = StoreReplicas(one.store, ["http://127.0.0.1:1/"])
            one.replicas.versions["http://127.0.0.1:1/"] = 3
            bodies = [await (await one.ask(job(), "client")).read_all() for _ in range(3)]
            return b"".join(set(bodies))

    assert asyncio.run(work()) == ROWS % b""

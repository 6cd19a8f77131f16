"""Concurrent writes: those to different graphs are committed together, and everybody sees the same order."""

import asyncio
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import httpx2
import pytest
from wgig.app import create_app, make_service
from wgig.settings import Settings
from wgig.store import change_log
from wgig.store.change_log import ChangeLog, NewCommit, format_log_time
from wgig.store.inference import inference
from wgig.store.store import Store

TOKEN = "secret"
RULE = "CONSTRUCT { ?s a <urn:Animal> } WHERE { ?s a <urn:Cat> }"
WRITER_COUNT, WRITES_PER_WRITER = 20, 4


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "memory":
        return Store.in_memory([RULE])
    return Store.open(tmp_path, [RULE])


@pytest.fixture
def client(store: Store) -> httpx2.AsyncClient:
    app = create_app(make_service(Settings(token=TOKEN), store))
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app),
        base_url="http://localhost",
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/turtle"},
        timeout=60,
    )


async def put_all(client: httpx2.AsyncClient, contents: Sequence[tuple[str, str]]) -> list[httpx2.Response]:
    """The responses to concurrent PUTs of contents by graph."""
    puts = (client.put(f"/graphs?graph={graph}", content=content) for graph, content in contents)
    return list(await asyncio.gather(*puts))


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of commits that were logged together, in order."""
    sizes, append = list[int](), ChangeLog.append

    def record_size(log: ChangeLog, commits: Sequence[NewCommit]) -> object:
        sizes.append(len(commits))
        return append(log, commits)

    monkeypatch.setattr(ChangeLog, "append", record_size)
    return sizes


def test_writes_to_different_graphs_share_a_commit(
    client: httpx2.AsyncClient, store: Store, groups: list[int]
) -> None:
    contents = [(f"urn:g{number}", f"<urn:s{number}> a <urn:Cat> .") for number in range(10)]
    responses = asyncio.run(put_all(client, contents))
    assert {response.status_code for response in responses} == {201}
    assert (len(groups) < 10, sum(groups), store.log_version) == (True, 10, 10)
    assert len(list(store.triples("urn:inferred"))) == 10
    assert {entry.origin.title for entry in store.log.iter_entries()} == {
        f"PUT /graphs?graph=urn%3Ag{number}" for number in range(10)
    }


def test_writes_to_one_graph_are_committed_one_after_the_other(
    client: httpx2.AsyncClient, store: Store, groups: list[int]
) -> None:
    responses = asyncio.run(
        put_all(client, [("urn:g", f"<urn:s> <urn:p> {number} .") for number in range(5)])
    )
    assert sorted(response.status_code for response in responses) == [201, 204, 204, 204, 204]
    assert groups == [1] * 5
    assert len(list(store.triples("urn:g"))) == 1


def test_a_refused_write_does_not_affect_the_others_of_its_group(
    client: httpx2.AsyncClient, store: Store
) -> None:
    async def write() -> list[int]:
        results = await asyncio.gather(
            client.put("/graphs?graph=urn:a", content="<urn:s> <urn:p> 1 ."),
            client.put("/graphs?graph=urn:b", content="<urn:s> <urn:p> 1 .", headers={"If-Match": '"x"'}),
            client.delete("/graphs?graph=urn:c"),
            client.put("/graphs?graph=urn:d", content="<urn:s> <urn:p> 1 ."),
        )
        return [response.status_code for response in results]

    assert asyncio.run(write()) == [201, 412, 404, 201]
    assert [graph for graph in store.graphs() if graph.startswith("urn:")] == ["urn:a", "urn:d"]


def test_a_group_that_implies_too_much_is_committed_one_by_one(
    client: httpx2.AsyncClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "MAX_INFERRED_TRIPLES", 3)
    contents = [
        ("urn:a", "<urn:1> a <urn:Cat> ."),
        ("urn:b", "<urn:2> a <urn:Cat> . <urn:3> a <urn:Cat> . <urn:4> a <urn:Cat> . <urn:5> a <urn:Cat> ."),
        ("urn:c", "<urn:6> a <urn:Cat> . <urn:7> a <urn:Cat> ."),
    ]
    responses = asyncio.run(put_all(client, contents))
    assert [response.status_code for response in responses] == [201, 413, 201]
    assert len(list(store.triples("urn:inferred"))) == 3


async def read_text(client: httpx2.AsyncClient, path: str, accept: str) -> str:
    """The text of a response, empty if there is none at this path."""
    response = await client.get(path, headers={"Accept": accept})
    return response.text if response.status_code == 200 else ""


async def order_in_stream(client: httpx2.AsyncClient) -> list[tuple[str, str]]:
    """The number of the writer and the time of each version of its issue in the event stream."""
    root = await read_text(client, "/changes", "application/n-quads")
    (stream,) = set(re.findall(r"<http://localhost(/changes/\w+)/", root))
    members, times = dict[str, str](), dict[str, str]()
    for number in count(1):
        page = await read_text(client, f"{stream}/{number}", "application/n-quads")
        if not page:
            break
        members |= dict(re.findall(r"<(\S+)> <\S+#object> <\S+/id/issue/i(\d+)> \.", page))
        times |= dict(re.findall(r"<(\S+)> <\S+#published> \"(\S+?)Z\"", page))
    return [(writer, times[member]) for member, writer in members.items()]


async def order_in_history(client: httpx2.AsyncClient) -> list[tuple[str, str]]:
    """The number of the writer and the time of each recorded write, by SPARQL."""
    query = """SELECT ?graph ?at { GRAPH <https://w3id.org/wgig/graph/history> {
        ?version <http://www.w3.org/ns/prov#specializationOf> ?graph ;
          <http://www.w3.org/ns/prov#wasGeneratedBy>/<http://www.w3.org/ns/prov#endedAtTime> ?at } }
        ORDER BY ?at"""
    rows = await client.get("/sparql", params={"query": query}, headers={"Accept": "text/csv"})
    found = re.findall(r"urn%3Ag(\d+),(\S+?)Z", rows.text)
    return [
        (writer, datetime.fromisoformat(time).isoformat(timespec="microseconds")) for writer, time in found
    ]


async def order_of_versions(client: httpx2.AsyncClient, writer: int) -> list[str]:
    """The times of the versions of the graph of a writer (Memento)."""
    text = await read_text(client, f"/graphs?graph=urn:g{writer}&versions", "application/json")
    return [version["since"].removesuffix("+00:00") for version in json.loads(text)["versions"]]


def test_all_views_show_the_same_order(client: httpx2.AsyncClient) -> None:
    """The event stream, the feed, the versions of graphs and SPARQL, after 20 concurrent writers."""

    async def write(writer: int) -> None:
        for number in range(WRITES_PER_WRITER):
            issue = f"https://w3id.org/wgig/id/issue/i{writer}"
            content = f"<{issue}> <http://purl.org/dc/terms/title> 'v{number}' ."
            response = await client.put(f"/graphs?graph=urn:g{writer}", content=content)
            assert response.status_code in (201, 204)

    async def run() -> None:
        await read_text(client, "/changes", "application/n-quads")  # the stream begins
        await asyncio.gather(*map(write, range(WRITER_COUNT)))
        by_sparql = await order_in_history(client)
        assert len(by_sparql) == WRITER_COUNT * WRITES_PER_WRITER
        assert await order_in_stream(client) == by_sparql
        for writer in range(WRITER_COUNT):
            expected = [time for number, time in by_sparql if number == str(writer)]
            assert await order_of_versions(client, writer) == expected
        feed = await read_text(client, "/feed/issue.atom", "application/atom+xml")
        entries = re.findall(r"/id/issue/i(\d+)</id>", feed) or re.findall(r"/issue/i(\d+)\"", feed)
        last_times = dict(by_sparql)
        newest_first = sorted(last_times, key=lambda number: last_times[number], reverse=True)
        assert list(dict.fromkeys(entries)) == newest_first[: len(set(entries))]
        assert entries

    asyncio.run(run())


HOURS_BY_WRITE = (0, 1, 24, 25, 1, 2, -24, 3, 48, 4)  # as the clock is set back and forward between writes


def test_times_increase_in_all_views_although_the_clock_jumps(
    client: httpx2.AsyncClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)

    class Clock:
        @staticmethod
        def now(_: object) -> datetime:
            return now

        fromisoformat = datetime.fromisoformat

    monkeypatch.setattr(change_log, "datetime", Clock)

    async def run() -> None:
        nonlocal now
        await read_text(client, "/changes", "application/n-quads")  # the stream begins
        start = now
        for number, hours in enumerate(HOURS_BY_WRITE):
            now = start + timedelta(hours=hours)
            writer = number % 2
            content = (
                f"<https://w3id.org/wgig/id/issue/i{writer}> <http://purl.org/dc/terms/title> '{number}' ."
            )
            response = await client.put(f"/graphs?graph=urn:g{writer}", content=content)
            assert response.status_code in (201, 204)
        writers = [str(number % 2) for number in range(len(HOURS_BY_WRITE))]
        by_sparql = await order_in_history(client)
        times = [time for _, time in by_sparql]
        assert times == sorted(set(times))
        assert [writer for writer, _ in by_sparql] == writers
        assert await order_in_stream(client) == by_sparql
        for writer in range(2):
            assert await order_of_versions(client, writer) == times[writer::2]
        assert [format_log_time(entry.time) for entry in store.log.iter_entries()] == times
        feed = await read_text(client, "/feed/issue.atom", "application/atom+xml")
        updated = re.findall(r"<updated>(\S+?)Z</updated>", feed)[1:]  # the first is that of the feed
        assert [datetime.fromisoformat(time).isoformat(timespec="microseconds") for time in updated] == (
            times[:-3:-1]
        )

    asyncio.run(run())

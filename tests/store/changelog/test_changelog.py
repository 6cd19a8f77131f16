"""The event stream of the change log: the versions of all resources in order, in immutable pages."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import httpx
import pyoxigraph as ox
import pytest
from fastapi import FastAPI
from wgig.app import Service, create_app, make_service
from wgig.feeds import event_stream
from wgig.rdf.namespaces import PROV_ENDED_AT_TIME
from wgig.settings import Settings
from wgig.store.changelog import log, rescan
from wgig.store.changelog.queries import list_resources_below
from wgig.store.changelog.rescan import skolemize_quad
from wgig.store.changelog.sync import ChangeLogSync
from wgig.store.errors import StoreError
from wgig.store.store import Store
from wgig.store.view import select_solutions

from tests.fixtures.service import make_client, make_service_client
from tests.fixtures.triples import put_turtle

BASE = Settings.base
N_QUADS_HEADERS = {"Accept": "application/n-quads"}
ACTIVITY_STREAMS, TREE, LDES = (
    "https://www.w3.org/ns/activitystreams#",
    "https://w3id.org/tree#",
    "https://w3id.org/ldes#",
)
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
# A service that ends without waiting for its scan process, which is busy for 600 s.
SERVICE_SCRIPT = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from wgig.store.changelog.rescan import prepare_scan_process
if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, get_context("spawn"), initializer=prepare_scan_process)
    pool.submit(os.getpid).result()
    pool.submit(time.sleep, 600)
    os._exit(0)
"""
RULE = "CONSTRUCT { ?s a <x:B> } WHERE { ?s a <x:A> }"


class StreamMember(NamedTuple):
    """A version of a resource, as a client reads it."""

    iri: str
    activity: str
    published: str
    quads: frozenset[str]


@pytest.fixture
def service(store: Store) -> Service:
    return make_service(Settings(token="secret", write_profile="off"), store)


@pytest.fixture
def app(service: Service) -> FastAPI:
    return create_app(service)


@pytest.fixture
def client(app: FastAPI) -> httpx.Client:
    """A client that may write, of a service whose event stream has begun."""
    client = make_client(app, Authorization="Bearer secret")
    assert client.get("/changes").status_code == 200
    return client


@pytest.fixture
def reader(app: FastAPI) -> httpx.Client:
    """A client without a token."""
    return make_client(app)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of three members, and shelves (nodes that link to pages) of two pages."""
    monkeypatch.setattr(log, "MEMBERS_PER_PAGE", 3)
    monkeypatch.setattr(event_stream, "PAGES_PER_SHELF", 2)


def fetch_quads(client: httpx.Client, path: str) -> list[ox.Quad]:
    response = client.get(path, headers=N_QUADS_HEADERS)
    assert response.status_code == 200, response.text
    return list(ox.parse(response.content, ox.RdfFormat.N_QUADS))


def find_objects(quads: list[ox.Quad], predicate: str, subject: str = "") -> list[str]:
    return [
        term_value(quad.object)
        for quad in quads
        if quad.predicate.value == predicate and subject in ("", term_value(quad.subject))
    ]


def term_value(term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> str:
    assert not isinstance(term, ox.Triple)
    return term.value


def walk_pages(client: httpx.Client, path: str = "/changes") -> Iterator[list[ox.Quad]]:
    """The quads of a page, and of all pages that it links to."""
    quads = fetch_quads(client, path)
    yield quads
    for url in dict.fromkeys(find_objects(quads, f"{TREE}node")):
        yield from walk_pages(client, url.removeprefix("http://localhost"))


def read_members(client: httpx.Client) -> list[StreamMember]:
    """The members of all pages that the root links to."""
    members = []
    for quads in walk_pages(client):
        for member in find_objects(quads, f"{TREE}member"):
            (iri,) = find_objects(quads, f"{ACTIVITY_STREAMS}object", member)
            (published,) = find_objects(quads, f"{ACTIVITY_STREAMS}published", member)
            types = find_objects(quads, RDF_TYPE, member)
            (activity,) = (
                type_.removeprefix(ACTIVITY_STREAMS) for type_ in types if type_.startswith(ACTIVITY_STREAMS)
            )
            content = (quad for quad in quads if term_value(quad.subject) == member and not is_envelope(quad))
            lines = frozenset(f"{quad.predicate} {quad.object} {quad.graph_name}" for quad in content)
            members.append(StreamMember(iri, activity, published, lines))
    return members


def is_envelope(quad: ox.Quad) -> bool:
    """Whether a quad of a member is about the member instead of from the resource."""
    return isinstance(quad.graph_name, ox.DefaultGraph) and (
        quad.predicate.value.startswith(ACTIVITY_STREAMS)
        or term_value(quad.object).startswith(ACTIVITY_STREAMS)
    )


def replay_members(members: list[StreamMember]) -> dict[str, frozenset[str]]:
    """The last version of each resource that was not deleted, by IRI."""
    last_versions = {member.iri: member.quads for member in members}
    return {iri: quads for iri, quads in last_versions.items() if quads}


def read_resources(store: Store) -> dict[str, frozenset[str]]:
    """The quads of each resource in the store, by IRI."""
    resources: dict[str, set[str]] = {}
    for quad in (skolemize_quad(stored_quad, BASE) for stored_quad in store.match()):
        lines = resources.setdefault(term_value(quad.subject), set())
        lines.add(f"{quad.predicate} {quad.object} {quad.graph_name}")
    return {iri: frozenset(lines) for iri, lines in resources.items()}


def activities_of(members: list[StreamMember], iri: str) -> list[tuple[str, int]]:
    """The activities of a resource, each with the number of quads after it."""
    return [(member.activity, len(member.quads)) for member in members if member.iri == iri]


def test_each_write_adds_a_version_of_each_changed_resource(client: httpx.Client) -> None:
    put_turtle(client, "<x:a> <x:p> 1 . <x:b> <x:p> 1 .")
    put_turtle(client, "<x:a> <x:p> 1, 2 . <x:b> <x:p> 1 .")
    client.delete("/graph/one")
    members = read_members(client)
    assert activities_of(members, "x:a") == [("Create", 1), ("Update", 2), ("Delete", 0)]
    assert activities_of(members, "x:b") == [("Create", 1), ("Delete", 0)]


def test_a_version_has_the_graph_of_each_triple(client: httpx.Client, store: Store) -> None:
    put_turtle(client, "<x:a> <x:p> 1 .")
    put_turtle(client, "<x:a> <x:p> 1 .", "/graph/two")
    put_turtle(client, "<x:a> <x:p> 1 .", "/graphs?default")
    assert activities_of(read_members(client), "x:a") == [("Create", 1), ("Update", 2), ("Update", 3)]
    assert replay_members(read_members(client)) == read_resources(store)


@pytest.mark.usefixtures("small_pages")
def test_a_copy_made_from_the_stream_equals_the_store(client: httpx.Client, store: Store) -> None:
    put_turtle(client, "<x:a> <x:p> [ <x:q> ( 1 2 'three'@en ) ] . [] <x:r> <x:a> .")
    put_turtle(client, "<x:a> <x:p> [ <x:q> ( 1 2 ) ] . <x:c> <x:says> 'a \"quoted\" line\\nand one more' .")
    client.post("/update", data={"update": "INSERT DATA { <x:d> <x:p> 1 } ; DELETE WHERE { <x:c> ?p ?o }"})
    assert replay_members(read_members(client)) == read_resources(store)


def test_a_resource_from_before_the_stream_has_the_time_of_its_graph(store: Store) -> None:
    at = '"2005-07-18T10:00:00+00:00"^^<http://www.w3.org/2001/XMLSchema#dateTime>'
    store.update(
        f"""INSERT DATA {{ GRAPH <{BASE}graph/issues> {{ <x:a> <x:p> 1 }} GRAPH <x:g> {{ <x:b> <x:p> 1 }}
        GRAPH <{BASE}graph/catalog> {{ <{BASE}graph/issues> <http://purl.org/dc/terms/modified> {at} }} }}"""
    )
    times = {member.iri: member.published for member in read_members(make_service_client(Settings(), store))}
    assert times["x:a"] == "2005-07-18T10:00:00.000000Z"
    assert times["x:b"] > times["x:a"]


def test_a_version_has_the_recorded_time_of_its_write(client: httpx.Client, store: Store) -> None:
    put_turtle(client, "<x:a> <x:p> 1 .")
    query = f"SELECT ?at {{ GRAPH <{BASE}graph/history> {{ ?write <{PROV_ENDED_AT_TIME.value}> ?at }} }}"
    (at,) = (row["at"].value for row in select_solutions(store, query))
    times = {datetime.fromisoformat(member.published) for member in read_members(client)}
    assert times == {datetime.fromisoformat(at)}


@pytest.mark.usefixtures("small_pages")
def test_a_full_page_is_immutable_and_the_open_page_is_not_cached(
    client: httpx.Client, reader: httpx.Client
) -> None:
    put_turtle(client, " . ".join(f"<x:{number}> <x:p> 1" for number in range(7)) + " .")
    node_urls = [url for quads in walk_pages(client) for url in find_objects(quads, f"{TREE}node")]
    page_urls = [url for url in node_urls if "shelf" not in url]
    first, last = page_urls[0], page_urls[-1]
    before = reader.get(first)
    assert before.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert f"{LDES}immutable" in reader.get(first, headers=N_QUADS_HEADERS).text
    assert reader.get(last).headers["cache-control"] == "no-cache"
    put_turtle(client, "<x:1> <x:p> 2 . <x:9> <x:p> 2 .")
    after = reader.get(first)
    assert (after.content, after.headers["etag"]) == (before.content, before.headers["etag"])


@pytest.mark.usefixtures("small_pages")
def test_a_relation_has_the_time_limit_of_the_members_behind_it(client: httpx.Client) -> None:
    for number in range(4):
        put_turtle(client, f"<x:{number}> <x:p> 1 .")
    relation_count = 0
    for quads in walk_pages(client):
        for relation in find_objects(quads, f"{TREE}relation"):
            (type_,), (time,), (url,) = (
                find_objects(quads, iri, relation) for iri in (RDF_TYPE, f"{TREE}value", f"{TREE}node")
            )
            linked_pages = walk_pages(client, url.removeprefix("http://localhost"))
            times = [
                time for page in linked_pages for time in find_objects(page, f"{ACTIVITY_STREAMS}published")
            ]
            limit = min(times) if type_ == f"{TREE}GreaterThanOrEqualToRelation" else max(times)
            assert time == limit
            relation_count += 1
    assert relation_count > 4


def test_the_root_describes_the_stream_and_its_retention(client: httpx.Client) -> None:
    put_turtle(client, "<x:a> <x:p> 1 .")
    root = fetch_quads(client, "/changes")
    assert find_objects(root, f"{TREE}view", f"{BASE}changes") == ["http://localhost/changes"]
    assert find_objects(root, f"{LDES}timestampPath") == [f"{ACTIVITY_STREAMS}published"]
    assert find_objects(root, f"{LDES}versionOfPath") == [f"{ACTIVITY_STREAMS}object"]
    assert find_objects(root, f"{LDES}startingFrom") == [read_members(client)[0].published]


def test_a_page_in_trig_equals_that_in_n_quads(client: httpx.Client) -> None:
    put_turtle(client, "<x:a> <x:p> 1 .")
    last = [url for quads in walk_pages(client) for url in find_objects(quads, f"{TREE}node")][-1]
    response = client.get(last)
    assert response.headers["content-type"] == "application/trig"
    assert set(ox.parse(response.content, ox.RdfFormat.TRIG)) == set(
        ox.parse(client.get(last, headers=N_QUADS_HEADERS).content, ox.RdfFormat.N_QUADS)
    )


@pytest.mark.parametrize(
    ("path", "status", "message"),  # %s is the name of the stream
    [
        ("/changes/x/1", 404, "no page 'x/1'"),
        ("/changes/%s/0", 404, "no page"),
        ("/changes/%s/9", 404, "Its pages are"),
        ("/changes/%s/shelf-9", 404, "Its pages are"),
        ("/changes/%s/1/1", 404, "no page"),
        (f"/changes/%s/{'9' * 5000}", 404, "no page"),
        ("/changes?page=2", 400, "There is no parameter 'page' here."),
        ("/changes?_mediatype=text/csv", 406, "application/trig"),
    ],
)
def test_an_invalid_url_is_refused_with_an_explanation(
    client: httpx.Client, path: str, status: int, message: str
) -> None:
    put_turtle(client, "<x:a> <x:p> 1 .")
    match = re.search(r"pages are (\w+)/1", client.get("/changes/x/1").json()["detail"])
    assert match
    response = client.get(path.replace("%s", match[1]))
    assert response.status_code == status
    assert message in response.json()["detail"]


def open_log(store: Store) -> log.ChangeLog:
    """The change log of a store, in sync with it."""
    return asyncio.run(ChangeLogSync(store, BASE).get_current_log())


def last_activities(change_log: log.ChangeLog) -> dict[str, str]:
    """The last activity of each existing resource with an IRI such as x:a."""
    return {change.iri: change.activity for change in list_resources_below(change_log, "x:", (), 0, 100)}


@pytest.fixture
def disk_store(tmp_path: Path) -> Store:
    """A store on disk with inference, and so with a clean mark for each commit."""
    store = Store.open(tmp_path / "store", [RULE])
    store.update("INSERT DATA { <x:a> a <x:A> . <x:b> <x:p> 1 }")
    return store


def test_the_stream_continues_after_a_restart(disk_store: Store) -> None:
    first = open_log(disk_store)
    disk_store.update("INSERT DATA { <x:c> <x:p> 1 }")
    disk_store.update("INSERT DATA { <x:c> <x:p> 1 }")  # exists already
    with pytest.raises(RuntimeError):
        disk_store.update("INSERT { ?s ?p ?o } WHERE { BIND (<x:no-function>(1) AS ?s) }")
    stream = ChangeLogSync(disk_store, BASE)
    stream.open()
    assert stream.is_current
    assert (stream.log.log_id, stream.log.last_number) == (first.log_id, first.last_number)


def test_writes_without_the_log_are_found_at_the_start(disk_store: Store) -> None:
    open_log(disk_store)
    disk_store.projections.clear()  # the log gets no further commits
    disk_store.update("DELETE DATA { <x:b> <x:p> 1 } ; INSERT DATA { <x:c> a <x:A> . <x:a> <x:p> 2 }")
    assert last_activities(open_log(disk_store)) == {"x:a": "Update", "x:c": "Create"}


def test_a_large_store_is_scanned_by_a_separate_process(
    disk_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescan, "LARGE_STORE_BYTES", 0)
    monkeypatch.setattr(rescan, "scan_view", None)  # a scan in this process would fail
    assert last_activities(open_log(disk_store)) == {"x:a": "Create", "x:b": "Create"}


@pytest.mark.slow
def test_a_scan_process_ends_with_the_service(tmp_path: Path) -> None:
    script = tmp_path / "service.py"
    script.write_text(SERVICE_SCRIPT)
    # The output is read to its end, which comes when all processes that have it open have ended.
    subprocess.run([sys.executable, script], stdout=subprocess.PIPE, timeout=30, check=True)


def test_a_scan_that_was_overtaken_adds_nothing(disk_store: Store) -> None:
    change_log = open_log(disk_store)
    old_scan = change_log.begin_scan()
    change_log.begin_scan()
    with pytest.raises(log.OvertakenScanError):
        change_log.add_scanned(old_scan, [])
    with pytest.raises(log.OvertakenScanError):
        change_log.end_scan(old_scan, change_log.read_setting("newest"))
    assert last_activities(change_log) == {"x:a": "Create", "x:b": "Create"}


def test_members_with_the_same_number_after_a_power_cut_have_different_iris(tmp_path: Path) -> None:
    at = "2005-07-18T10:00:00.000000Z"
    fragments = []
    for iri in ("x:a", "x:b"):  # as if the power cut had removed the first of them from the log
        change_log = log.ChangeLog(tmp_path / f"{iri}.sqlite", BASE)
        change_log.log_id = "20050718T100000000000Z"
        change_log.add([log.ResourceState(iri, at, True, "<x:p> <x:o> .")], "")
        (fragment,) = re.findall(r"#(\S+)> \.", change_log.read_page(1)[0].splitlines()[0])
        fragments.append(fragment)
    assert len(set(fragments)) == 2


def test_times_do_not_decrease_if_the_clock_is_set_back_before_a_scan(tmp_path: Path) -> None:
    change_log = log.ChangeLog(tmp_path / "log.sqlite", BASE)
    newest, earlier = "2026-01-02T00:00:00.000000Z", "2026-01-01T00:00:00.000000Z"
    states = [log.ResourceState(f"x:{number}", newest, True, "<x:p> 1") for number in range(2)]
    change_log.add(states, "")
    scan = change_log.begin_scan()
    change_log.add_scanned(scan, [log.ResourceState("x:0", earlier, False, "<x:p> 2")])
    change_log.end_scan(scan, earlier)
    times = [time for (time,) in change_log.select_rows("SELECT at FROM members ORDER BY number")]
    assert len(times) == 4  # x:0 was changed, x:1 deleted
    assert times == sorted(times)


def test_a_bulk_load_causes_a_scan(disk_store: Store) -> None:
    stream = ChangeLogSync(disk_store, BASE)
    asyncio.run(stream.get_current_log())
    with (disk_store.folder or Path()).joinpath("more.nt").open("w+b") as file:
        file.write(b"<x:d> <x:p> <x:a> .\n")
        file.seek(0)
        disk_store.bulk_load(file, ox.RdfFormat.N_TRIPLES, "x:g")
    disk_store.infer()
    assert stream.is_pending
    assert last_activities(asyncio.run(stream.get_current_log()))["x:d"] == "Create"


def test_a_write_during_a_scan_is_logged(disk_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = ChangeLogSync(disk_store, BASE)
    end_scan = log.ChangeLog.end_scan

    def write_before_end(self: log.ChangeLog, number: int, now: str) -> None:
        disk_store.update("INSERT DATA { <x:late> <x:p> 1 }")
        end_scan(self, number, now)

    monkeypatch.setattr(log.ChangeLog, "end_scan", write_before_end)
    assert last_activities(asyncio.run(stream.get_current_log()))["x:late"] == "Create"


def test_a_write_succeeds_even_if_the_log_has_no_space(disk_store: Store) -> None:
    stream = ChangeLogSync(disk_store, BASE)
    change_log = asyncio.run(stream.get_current_log())
    ((page_count,),) = change_log.select_rows("PRAGMA page_count")
    change_log.select_rows(f"PRAGMA max_page_count = {page_count}")
    disk_store.update(f"INSERT DATA {{ <x:e> <x:p> '{'x' * 100_000}' }}")
    assert not stream.is_current
    with pytest.raises(StoreError, match="failed: database or disk is full"):
        asyncio.run(stream.get_current_log())
    change_log.select_rows("PRAGMA max_page_count = 1000000")
    assert last_activities(asyncio.run(stream.get_current_log()))["x:e"] == "Create"


@pytest.mark.usefixtures("small_pages")
def test_a_damaged_page_causes_a_new_stream(
    service: Service, client: httpx.Client, reader: httpx.Client, store: Store
) -> None:
    put_turtle(client, " . ".join(f"<x:{number}> <x:p> 1" for number in range(7)) + " .")
    first = service.projections.change_log.log
    assert first.log_id in reader.get("/changes", headers=N_QUADS_HEADERS).text
    with first.transaction():
        first.connection.execute("UPDATE pages SET body = x'00'")
    page = f"/changes/{first.log_id}/1"
    # The first request finds the damage, then a new stream begins, which does not have this page.
    assert (reader.get(page).status_code, reader.get(page).status_code) == (503, 404)
    assert first.log_id not in reader.get("/changes", headers=N_QUADS_HEADERS).text
    assert replay_members(read_members(reader)) == read_resources(store)


def test_inferred_triples_are_logged_with_the_write_that_causes_them(disk_store: Store) -> None:
    stream = ChangeLogSync(disk_store, BASE)
    asyncio.run(stream.get_current_log())
    before = stream.log.last_number
    disk_store.update("INSERT DATA { <x:f> a <x:A> }")
    text, _ = stream.log.read_page(stream.log.open_page_number)
    assert stream.log.last_number == before + 1
    assert "<x:B>" in text.partition("<x:f>")[2]


def test_a_version_with_changes_only_in_derived_graphs_is_postponed(disk_store: Store) -> None:
    stream = ChangeLogSync(disk_store, BASE)
    asyncio.run(stream.get_current_log())
    before = stream.log.last_number
    for number in (1, 2):
        disk_store.update(
            f"INSERT DATA {{ GRAPH <{BASE}graph/void> {{ <x:all> <x:triples> {number} }} "
            f"GRAPH <{BASE}graph/inferred> {{ <x:list> <x:of> <x:{number}> }} }}"
        )
    assert stream.log.last_number == before
    assert last_activities(asyncio.run(ChangeLogSync(disk_store, BASE).get_complete_log())).keys() >= {
        "x:all",
        "x:list",
    }
    assert stream.log.last_number == before + 2
    assert not stream.log.list_postponed()
    text, _ = stream.log.read_page(stream.log.open_page_number)
    assert '<x:triples> "1"' in text
    assert '<x:triples> "2"' in text


def test_the_store_has_a_new_version_if_postponed_versions_are_written(disk_store: Store) -> None:
    stream = ChangeLogSync(disk_store, BASE)
    asyncio.run(stream.get_complete_log())
    statement = f"{{ GRAPH <{BASE}graph/inferred> {{ <x:list> <x:of> <x:1> }} }}"
    for action in ("INSERT", "DELETE"):
        disk_store.update(f"{action} DATA {statement}")
        version = disk_store.version
        asyncio.run(stream.get_complete_log())
        assert disk_store.version == version + 1
        asyncio.run(stream.get_complete_log())
        assert disk_store.version == version + 1
    for action in ("INSERT", "DELETE"):
        disk_store.update(f"{action} DATA {statement}")
    version = disk_store.version
    asyncio.run(stream.get_complete_log())  # no resource has changed
    assert disk_store.version == version


def test_the_stream_has_changes_of_the_description_graphs(client: httpx.Client, store: Store) -> None:
    store.update(f"INSERT DATA {{ GRAPH <{BASE}graph/void> {{ <x:all> <x:triples> 1 }} }}")
    assert "x:all" in {member.iri for member in read_members(client)}


@pytest.mark.parametrize("line_break", ["\u2028", "\u2029", "\x85", "\x0b", "\x1c"])
def test_a_text_with_unusual_line_breaks_is_logged_completely(
    client: httpx.Client, store: Store, line_break: str
) -> None:
    put_turtle(client, f'<x:a> <x:p> "zebra 1 one{line_break}two" .')
    assert replay_members(read_members(client))["x:a"] == read_resources(store)["x:a"]


def test_a_write_that_the_log_fails_to_apply_is_logged_later(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail_unexpectedly(*_: object) -> None:
        raise KeyError("unforeseen")

    with monkeypatch.context() as patch:
        patch.setattr(ChangeLogSync, "add_states", fail_unexpectedly)
        put_turtle(client, "<x:a> <x:p> 1 .")
    assert "KeyError: 'unforeseen'" in caplog.text
    assert activities_of(read_members(client), "x:a") == [("Create", 1)]

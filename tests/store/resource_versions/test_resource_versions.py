"""The event stream: the versions of all resources in order, in immutable pages."""

import asyncio
import hashlib
import io
import re
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import httpx2
import pyoxigraph as ox
import pytest
from fastapi import FastAPI
from wgig import zstd
from wgig.app import Service, create_app, make_service
from wgig.feeds import event_stream
from wgig.rdf.namespaces import PROV_ENDED_AT_TIME
from wgig.settings import CHECKOUT_FOLDER, Settings
from wgig.store.change import Change
from wgig.store.errors import StoreError
from wgig.store.projection_runner import CommittedChange
from wgig.store.resource_versions import database, rescan
from wgig.store.resource_versions.database import ResourceVersions, UnusableVersionsError
from wgig.store.resource_versions.members import ResourceVersion, iter_member_states, serialize_members
from wgig.store.resource_versions.projection import ResourceVersionsProjection
from wgig.store.resource_versions.queries import (
    find_last_changes,
    find_next_resource,
    list_resources_below,
)
from wgig.store.resource_versions.states import skolemize_quad
from wgig.store.store import Store
from wgig.store.view import StoreView, select_solutions

from tests.fixtures.service import make_client, make_service_client
from tests.fixtures.triples import put_turtle

BASE = Settings.base
OLDER_STORES_FOLDER = CHECKOUT_FOLDER / "tests" / "upgrade" / "stores"
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
from wgig.store.resource_versions.rescan import prepare_scan_process
if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, get_context("spawn"), initializer=prepare_scan_process, initargs=(0,))
    pool.submit(os.getpid).result()
    pool.submit(time.sleep, 600)
    os._exit(0)
"""
TIME = "2005-07-18T10:00:00.000000Z"
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
def client(app: FastAPI) -> httpx2.Client:
    """A client that may write, of a service whose event stream has begun."""
    client = make_client(app, Authorization="Bearer secret")
    assert client.get("/changes").status_code == 200
    return client


@pytest.fixture
def reader(app: FastAPI) -> httpx2.Client:
    """A client without a token."""
    return make_client(app)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of three members, and shelves (nodes that link to pages) of two pages."""
    monkeypatch.setattr(database, "MEMBERS_PER_PAGE", 3)
    monkeypatch.setattr(event_stream, "PAGES_PER_SHELF", 2)


def fetch_quads(client: httpx2.Client, path: str) -> list[ox.Quad]:
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


def walk_pages(client: httpx2.Client, path: str = "/changes") -> Iterator[list[ox.Quad]]:
    """The quads of a page, and of all pages that it links to."""
    quads = fetch_quads(client, path)
    yield quads
    for url in dict.fromkeys(find_objects(quads, f"{TREE}node")):
        yield from walk_pages(client, url.removeprefix("http://localhost"))


def read_members(client: httpx2.Client) -> list[StreamMember]:
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


def test_each_write_adds_a_version_of_each_changed_resource(client: httpx2.Client) -> None:
    put_turtle(client, "<x:a> <x:p> 1 . <x:b> <x:p> 1 .")
    put_turtle(client, "<x:a> <x:p> 1, 2 . <x:b> <x:p> 1 .")
    client.delete("/graph/one")
    members = read_members(client)
    assert activities_of(members, "x:a") == [("Create", 1), ("Update", 2), ("Delete", 0)]
    assert activities_of(members, "x:b") == [("Create", 1), ("Delete", 0)]


def test_a_version_has_the_graph_of_each_triple(client: httpx2.Client, store: Store) -> None:
    put_turtle(client, "<x:a> <x:p> 1 .")
    put_turtle(client, "<x:a> <x:p> 1 .", "/graph/two")
    put_turtle(client, "<x:a> <x:p> 1 .", "/graphs?default")
    assert activities_of(read_members(client), "x:a") == [("Create", 1), ("Update", 2), ("Update", 3)]
    assert replay_members(read_members(client)) == read_resources(store)


@pytest.mark.usefixtures("small_pages")
def test_a_copy_made_from_the_stream_equals_the_store(client: httpx2.Client, store: Store) -> None:
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


def test_a_version_has_the_recorded_time_of_its_write(client: httpx2.Client, store: Store) -> None:
    put_turtle(client, "<x:a> <x:p> 1 .")
    query = f"SELECT ?at {{ GRAPH <{BASE}graph/history> {{ ?write <{PROV_ENDED_AT_TIME.value}> ?at }} }}"
    (at,) = (row["at"].value for row in select_solutions(store, query))
    times = {datetime.fromisoformat(member.published) for member in read_members(client)}
    assert times == {datetime.fromisoformat(at)}


@pytest.mark.usefixtures("small_pages")
def test_a_full_page_is_immutable_and_the_open_page_is_not_cached(
    client: httpx2.Client, reader: httpx2.Client
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
def test_a_relation_has_the_time_limit_of_the_members_behind_it(client: httpx2.Client) -> None:
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


def test_the_root_describes_the_stream_and_its_retention(client: httpx2.Client) -> None:
    put_turtle(client, "<x:a> <x:p> 1 .")
    root = fetch_quads(client, "/changes")
    assert find_objects(root, f"{TREE}view", f"{BASE}changes") == ["http://localhost/changes"]
    assert find_objects(root, f"{LDES}timestampPath") == [f"{ACTIVITY_STREAMS}published"]
    assert find_objects(root, f"{LDES}versionOfPath") == [f"{ACTIVITY_STREAMS}object"]
    assert find_objects(root, f"{LDES}startingFrom") == [read_members(client)[0].published]


def test_a_page_in_trig_equals_that_in_n_quads(client: httpx2.Client) -> None:
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
        ("/changes?page=2", 400, "There is no parameter 'page'."),
        ("/changes?_mediatype=text/csv", 406, "application/trig"),
    ],
)
def test_an_invalid_url_is_refused_with_an_explanation(
    client: httpx2.Client, path: str, status: int, message: str
) -> None:
    put_turtle(client, "<x:a> <x:p> 1 .")
    match = re.search(r"pages are (\w+)/1", client.get("/changes/x/1").json()["detail"])
    assert match
    response = client.get(path.replace("%s", match[1]))
    assert response.status_code == status
    assert message in response.json()["detail"]


def open_versions(store: Store) -> ResourceVersions:
    """The change log of a store, in sync with it."""
    return asyncio.run(ResourceVersionsProjection(store, BASE).get_versions())


def last_activities(versions: ResourceVersions) -> dict[str, str]:
    """The last activity of each existing resource with an IRI such as x:a."""
    return {change.iri: change.activity for change in list_resources_below(versions, "x:", (), 0, 100)}


@pytest.fixture
def disk_store(tmp_path: Path) -> Store:
    """A store on disk with inference."""
    store = Store.open(tmp_path / "store", [RULE], f"{BASE}graph/inferred")
    store.update("INSERT DATA { <x:a> a <x:A> . <x:b> <x:p> 1 }")
    return store


def test_a_database_that_the_disk_refuses_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="File exists"):
        ResourceVersions(tmp_path / "file" / "changes.sqlite", BASE)


def test_the_stream_continues_after_a_restart(disk_store: Store) -> None:
    first = open_versions(disk_store)
    disk_store.update("INSERT DATA { <x:c> <x:p> 1 }")
    disk_store.update("INSERT DATA { <x:c> <x:p> 1 }")  # exists already
    with pytest.raises(RuntimeError):
        disk_store.update("INSERT { ?s ?p ?o } WHERE { BIND (<x:no-function>(1) AS ?s) }")
    disk_store.runner.wait_until_applied(disk_store.runner.published_count)
    stream = ResourceVersionsProjection(disk_store, BASE)
    stream.open()
    assert stream.is_current
    assert (stream.versions.stream_id, stream.versions.last_number) == (first.stream_id, first.last_number)


def test_commits_that_the_database_lacks_are_replayed(
    disk_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_versions(disk_store)
    disk_store.runner.subscribers.clear()  # it gets no further commits
    disk_store.update("DELETE DATA { <x:b> <x:p> 1 } ; INSERT DATA { <x:c> a <x:A> . <x:a> <x:p> 2 }")
    monkeypatch.setattr(ResourceVersionsProjection, "rebuild", None)  # a scan would fail
    assert last_activities(open_versions(disk_store)) == {"x:a": "Update", "x:c": "Create"}


def test_a_large_store_is_scanned_by_a_separate_process(
    disk_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescan, "LARGE_STORE_BYTES", 0)
    monkeypatch.setattr(rescan, "scan_view", None)  # a scan in this process would fail
    assert last_activities(open_versions(disk_store)) == {"x:a": "Create", "x:b": "Create"}


def test_several_processes_read_a_large_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescan, "LARGE_STORE_BYTES", 0)
    monkeypatch.setattr(rescan, "SLICE_GRAPHS", 1)
    quads = ox.Store(str(tmp_path))
    quads.update("INSERT DATA { GRAPH <x:g> { <x:a> <x:p> <x:1> } GRAPH <x:h> { <x:a> <x:p> [] } }")
    quads.flush()
    versions = ResourceVersions(None, BASE)
    times, position = rescan.ScanTimes({"x:h": TIME}, TIME), rescan.LogPosition("log", 1)
    rescan.scan_view(versions, StoreView(ox.Store.read_only(str(tmp_path)), tmp_path), times, position)
    ((iri, _, lines),) = read_members_of_page(versions)
    assert iri == "x:a"
    assert lines[0].startswith(f"<x:p> <{BASE}.well-known/genid/")
    assert lines[1] == "<x:p> <x:1> <x:g> ."


@pytest.mark.slow
def test_a_scan_process_ends_with_the_service(tmp_path: Path) -> None:
    script = tmp_path / "service.py"
    script.write_text(SERVICE_SCRIPT)
    # The output is read to its end, which comes when all processes that have it open have ended.
    subprocess.run([sys.executable, script], stdout=subprocess.PIPE, timeout=30, check=True)


def test_a_scan_that_was_overtaken_adds_nothing(disk_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = open_versions(disk_store)
    add_differences = rescan.add_differences

    def begin_another_scan(*arguments: Any) -> None:
        add_differences(*arguments)
        versions.begin_scan()

    monkeypatch.setattr(rescan, "add_differences", begin_another_scan)
    with pytest.raises(rescan.OvertakenScanError):
        scan_quads(versions, "<x:c> <x:p> <x:1> .")
    assert last_activities(versions) == {"x:a": "Create", "x:b": "Create"}


def scan_quads(versions: ResourceVersions, n_quads: str, graph_times: dict[str, str] | None = None) -> None:
    """Scan a store that has these quads, at TIME."""
    quads = ox.Store()
    quads.load(n_quads.encode(), ox.RdfFormat.N_QUADS)
    times, position = rescan.ScanTimes(graph_times or {}, TIME), rescan.LogPosition("log", 1)
    rescan.scan_view(versions, StoreView(quads), times, position)


def test_members_with_the_same_number_after_a_loss_have_different_iris(tmp_path: Path) -> None:
    fragments = []
    for iri in ("x:a", "x:b"):  # as if the first of them had been lost, and could not be replayed
        versions = ResourceVersions(tmp_path / f"{iri}.sqlite", BASE)
        versions.stream_id = "20050718T100000000000Z"
        with versions.transaction():
            versions.add_change(TIME, {}, {iri: ["<x:p> <x:o> ."]})
        (fragment,) = re.findall(r"#(\S+)> \.", versions.read_page(1)[0].splitlines()[0])
        fragments.append(fragment)
    assert len(set(fragments)) == 2


def test_times_do_not_decrease_if_the_clock_is_set_back_before_a_scan(tmp_path: Path) -> None:
    versions = ResourceVersions(tmp_path / "versions.sqlite", BASE)
    newest = "2026-01-02T00:00:00.000000Z"
    with versions.transaction():
        versions.add_change(newest, {}, {f"x:{number}": ["<x:p> <x:o> ."] for number in range(2)})
    scan_quads(versions, "<x:0> <x:p> <x:q> <x:g> .", {"x:g": TIME})
    times = [time for (time,) in versions.select_rows("SELECT at FROM versions ORDER BY number")]
    assert len(times) == 4  # x:0 was changed, x:1 deleted
    assert times == sorted(times)


def test_a_commit_has_the_time_of_the_last_version_if_the_clock_was_set_back(disk_store: Store) -> None:
    stream = ResourceVersionsProjection(disk_store, BASE)
    versions = asyncio.run(stream.get_versions())
    newest = versions.read_setting("newest")
    stream.apply(make_commit(100, "<x:c> <x:p> <x:1> .", time=datetime(2005, 7, 18, tzinfo=UTC)))
    assert versions.read_setting("newest") == newest
    assert last_activities(versions)["x:c"] == "Create"


def make_commit(
    version: int, added: str, removed: str = "", time: datetime = datetime(2026, 1, 1, tzinfo=UTC)
) -> CommittedChange:
    """A commit of quads in N-Quads."""
    stated = Change(*(tuple(ox.parse(text, ox.RdfFormat.N_QUADS)) for text in (removed, added)))
    return CommittedChange(version, time, stated)


class LogOnlyStore:
    """A store that has only the id of its change log."""

    log = SimpleNamespace(epoch="log", erased_digests=[])
    folder = None


def follow_log(path: Path | None) -> ResourceVersionsProjection:
    """A projection that cannot read its store."""
    stream = ResourceVersionsProjection(cast(Store, LogOnlyStore()), BASE)
    stream.opened_versions = ResourceVersions(path, BASE)
    return stream


def read_members_of_page(versions: ResourceVersions, page: int = 1) -> list[tuple[str, int, list[str]]]:
    """The resource, the number and the lines of each member."""
    return list(iter_member_states(f"{BASE}changes", versions.read_page(page)[0]))


def test_a_commit_is_applied_without_reading_the_store() -> None:
    stream = follow_log(None)
    stream.apply(make_commit(1, "<x:b> <x:p> <x:1> .\n<x:a> <x:p> <x:1> <x:g> .\n_:c <x:p> _:c <x:g> ."))
    stream.apply(
        make_commit(2, "<x:a> <x:p> <x:2> <x:g> .", "<x:a> <x:p> <x:1> <x:g> .\n<x:b> <x:p> <x:1> .")
    )
    members = read_members_of_page(stream.versions)
    skolem_iri = members[0][0]
    assert skolem_iri.startswith(f"{BASE}.well-known/genid/")
    assert members == [
        (skolem_iri, 1, [f"<x:p> <{skolem_iri}> <x:g> ."]),
        ("x:a", 2, ["<x:p> <x:1> <x:g> ."]),
        ("x:b", 3, ["<x:p> <x:1> ."]),
        ("x:a", 4, ["<x:p> <x:2> <x:g> ."]),
        ("x:b", 5, []),
    ]


def test_quads_of_derived_graphs_are_in_no_version() -> None:
    stream = follow_log(None)
    inferred = f"<{BASE}graph/inferred>"
    stream.apply(make_commit(1, f"<x:a> <x:p> <x:1> {inferred} .\n<x:b> <x:p> <x:1> {inferred} ."))
    stream.apply(make_commit(2, f"<x:b> <x:p> {inferred} ."))
    assert read_members_of_page(stream.versions) == [("x:b", 1, [f"<x:p> {inferred} ."])]


def test_a_change_of_derived_graphs_makes_no_version(disk_store: Store) -> None:
    stream = ResourceVersionsProjection(disk_store, BASE)
    before = asyncio.run(stream.get_versions()).last_number
    disk_store.update(f"INSERT DATA {{ GRAPH <{BASE}graph/void> {{ <x:all> <x:triples> 1 }} }}")
    assert asyncio.run(stream.get_versions()).last_number == before
    disk_store.update("INSERT DATA { <x:f> a <x:A> }")  # a <x:B>, too
    versions = asyncio.run(stream.get_versions())
    assert versions.last_number == before + 1
    assert "<x:B>" not in versions.read_page(1)[0]
    stream.invalidate()
    assert asyncio.run(stream.get_versions()).last_number == before + 1


@pytest.mark.usefixtures("small_pages")
def test_replayed_commits_make_the_same_members(tmp_path: Path) -> None:
    commits = [make_commit(number, f"<x:{number % 4}> <x:p> <x:{number}> .") for number in range(1, 11)]
    stream = follow_log(tmp_path / "versions.sqlite")
    stream.apply_many(commits[:4])
    stream.versions.connection.execute("VACUUM INTO ?", (str(tmp_path / "older.sqlite"),))
    stream.apply_many(commits[4:])
    older_stream = follow_log(tmp_path / "older.sqlite")
    assert older_stream.versions.read_position("log") == 4
    for commit in commits:  # commits up to the position are ignored
        older_stream.apply(commit)
    pages = [
        [versions.read_page(number) for number in range(1, 5)]
        for versions in (stream.versions, older_stream.versions)
    ]
    assert pages[0] == pages[1]
    assert [is_closed for _, is_closed in pages[0]] == [True, True, True, False]
    assert (
        len(stream.versions.select_rows("SELECT number FROM versions")) == 4
    )  # the last one of each resource


@pytest.mark.usefixtures("small_pages")
def test_a_state_is_kept_after_its_page_was_closed() -> None:
    stream = follow_log(None)
    stream.apply(make_commit(1, "<x:a> <x:p> <x:1> ."))
    stream.apply_many([make_commit(number, f"<x:{number}> <x:p> <x:1> .") for number in range(2, 9)])
    stream.apply(make_commit(9, "<x:a> <x:p> <x:2> ."))
    assert read_members_of_page(stream.versions, 3)[-1] == ("x:a", 9, ["<x:p> <x:1> .", "<x:p> <x:2> ."])


def test_a_failed_commit_leaves_the_position(tmp_path: Path) -> None:
    stream = follow_log(tmp_path / "versions.sqlite")
    stream.apply(make_commit(1, "<x:a> <x:p> <x:1> ."))
    ((page_count,),) = stream.versions.select_rows("PRAGMA page_count")
    stream.versions.select_rows(f"PRAGMA max_page_count = {page_count}")
    random_text = "".join(f"{number**9:x}" for number in range(20_000))
    with pytest.raises(StoreError, match="database or disk is full"):
        stream.apply_many(
            [make_commit(2, "<x:b> <x:p> <x:1> ."), make_commit(3, f'<x:c> <x:p> "{random_text}" .')]
        )
    assert (stream.versions.read_position("log"), stream.versions.last_number) == (1, 1)


def test_the_position_in_another_log_is_unknown() -> None:
    stream = follow_log(None)
    stream.apply(make_commit(1, "<x:a> <x:p> <x:1> ."))
    assert stream.versions.read_position("other") is None


def test_a_resource_in_several_graphs_has_one_version_after_a_scan() -> None:
    versions = ResourceVersions(None, BASE)
    lines = [f"<x:p> <x:{number}> <x:g{number % 3}> ." for number in range(9)]
    scan_quads(
        versions, "".join(f"<x:a> {line}\n" for line in lines), {"x:g0": "2004-01-01T00:00:00.000000Z"}
    )
    assert read_members_of_page(versions) == [("x:a", 1, lines)]
    scan_quads(versions, "".join(f"<x:a> {line}\n" for line in lines[1:]))
    assert read_members_of_page(versions)[1:] == [("x:a", 2, lines[1:])]
    scan_quads(versions, "".join(f"<x:a> {line}\n" for line in lines[1:]))
    assert versions.last_number == 2


def test_a_large_graph_is_scanned_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescan, "SCAN_BATCH_QUADS", 2)
    monkeypatch.setattr(rescan, "MERGE_BATCH_RESOURCES", 2)
    versions = ResourceVersions(None, BASE)
    lines = [f"<x:p> <x:{number}> <x:g> ." for number in range(5)]
    for _ in range(2):
        scan_quads(versions, "".join(f"<x:{name}> {line}\n" for name in "edcba" for line in lines))
    assert read_members_of_page(versions) == [
        (f"x:{name}", "abcde".index(name) + 1, lines) for name in "abcde"
    ]


def test_a_bulk_load_causes_a_scan(disk_store: Store) -> None:
    stream = ResourceVersionsProjection(disk_store, BASE)
    asyncio.run(stream.get_versions())
    with (disk_store.folder or Path()).joinpath("more.nt").open("w+b") as file:
        file.write(b"<x:d> <x:p> <x:a> .\n")
        file.seek(0)
        disk_store.bulk_load(file, ox.RdfFormat.N_TRIPLES, "x:g")
    disk_store.finish_load()
    assert disk_store.runner.wait_until_applied(disk_store.runner.published_count)
    assert stream.is_pending
    assert last_activities(asyncio.run(stream.get_versions()))["x:d"] == "Create"


def load_triple(store: Store, name: str) -> None:
    """Load a file with a triple about a resource."""
    store.bulk_load(io.BytesIO(f"<x:{name}> <x:p> <x:a> .\n".encode()), ox.RdfFormat.N_TRIPLES, "x:g")


def test_a_scan_before_the_last_step_of_a_bulk_load_is_up_to_date_after_it(
    disk_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_triple(disk_store, "d")
    with disk_store.snapshot("scanned") as snapshot:
        ResourceVersionsProjection(disk_store, BASE).scan_loaded_quads(snapshot, disk_store.log_version)
    disk_store.finish_load()
    with monkeypatch.context() as patch:
        patch.setattr(ResourceVersionsProjection, "rebuild", None)  # another scan would fail
        assert last_activities(open_versions(disk_store))["x:d"] == "Create"
        disk_store.update("INSERT DATA { <x:e> <x:p> 1 }")
        assert last_activities(open_versions(disk_store))["x:e"] == "Create"
    disk_store.runner.subscribers.clear()
    load_triple(disk_store, "f")
    disk_store.finish_load()
    assert last_activities(open_versions(disk_store))["x:f"] == "Create"


def test_a_scan_before_another_file_of_a_bulk_load_is_repeated(disk_store: Store) -> None:
    load_triple(disk_store, "d")
    with disk_store.snapshot("scanned") as snapshot:
        ResourceVersionsProjection(disk_store, BASE).scan_loaded_quads(snapshot, disk_store.log_version)
    load_triple(disk_store, "e")
    disk_store.finish_load()
    assert last_activities(open_versions(disk_store))["x:e"] == "Create"


def test_a_write_during_a_scan_is_added(disk_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = ResourceVersionsProjection(disk_store, BASE)
    add_differences = rescan.add_differences

    def write_before(*arguments: Any) -> None:
        disk_store.update("INSERT DATA { <x:late> <x:p> 1 }")
        add_differences(*arguments)

    monkeypatch.setattr(rescan, "add_differences", write_before)
    assert last_activities(asyncio.run(stream.get_versions()))["x:late"] == "Create"


def test_a_write_succeeds_even_if_the_database_has_no_space(disk_store: Store) -> None:
    stream = ResourceVersionsProjection(disk_store, BASE)
    versions = asyncio.run(stream.get_versions())
    ((page_count,),) = versions.select_rows("PRAGMA page_count")
    versions.select_rows(f"PRAGMA max_page_count = {page_count}")
    random_text = "".join(f"{number**9:x}" for number in range(20_000))
    disk_store.update(f"INSERT DATA {{ <x:e> <x:p> '{random_text}' }}")
    with pytest.raises(StoreError, match="failed: database or disk is full"):
        asyncio.run(stream.get_versions())
    versions.select_rows("PRAGMA max_page_count = 1000000")
    assert last_activities(asyncio.run(stream.get_versions()))["x:e"] == "Create"


@pytest.mark.usefixtures("small_pages")
def test_a_damaged_page_causes_a_new_stream(
    service: Service, client: httpx2.Client, reader: httpx2.Client, store: Store
) -> None:
    put_turtle(client, " . ".join(f"<x:{number}> <x:p> 1" for number in range(7)) + " .")
    first = service.projections.resource_versions.versions
    assert first.stream_id in reader.get("/changes", headers=N_QUADS_HEADERS).text
    with first.transaction():
        first.connection.execute("UPDATE pages SET body = x'00'")
    page = f"/changes/{first.stream_id}/1"
    # The first request finds the damage, then a new stream begins, which does not have this page.
    assert (reader.get(page).status_code, reader.get(page).status_code) == (503, 404)
    assert first.stream_id not in reader.get("/changes", headers=N_QUADS_HEADERS).text
    assert replay_members(read_members(reader)) == read_resources(store)


OLDER_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pages (
    page INTEGER PRIMARY KEY, first TEXT NOT NULL, last TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS members (
    number INTEGER PRIMARY KEY, iri TEXT NOT NULL, at TEXT NOT NULL, what TEXT NOT NULL, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS things (
    iri TEXT PRIMARY KEY, kind TEXT NOT NULL, number INTEGER NOT NULL, at TEXT NOT NULL,
    known INTEGER NOT NULL, what TEXT NOT NULL, digest BLOB NOT NULL, look INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS found (
    iri TEXT PRIMARY KEY, at TEXT NOT NULL, known INTEGER NOT NULL, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS later (iri TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_kind ON things (kind, number, what);
"""
INFERRED_LINE = f"<x:p> <x:1> <{BASE}graph/inferred> ."
# On pages of three members: the activity and state of each resource. The last members are on the open page.
OLDER_MEMBERS = (
    ("x:a", "Create", f"{INFERRED_LINE}\n<x:q> <x:1> <x:g> ."),
    ("x:deleted", "Create", "<x:q> <x:1> <x:g> ."),
    ("x:derived", "Create", INFERRED_LINE),
    ("x:a", "Update", f"{INFERRED_LINE}\n<x:q> <x:2> <x:g> ."),
    ("x:deleted", "Delete", ""),
    ("x:b", "Create", "<x:q> <x:1> <x:g> ."),
    ("x:c", "Create", f"{INFERRED_LINE}\n<x:q> <x:1> <x:g> ."),
    ("x:derived-too", "Create", INFERRED_LINE),
)


@pytest.fixture
def older_file(tmp_path: Path) -> Path:
    """A database of the version of wgig that had derived quads in states, with pages of three members."""
    path, stream_id = tmp_path / "older.sqlite", "20260101T000000000000Z"
    members = [
        ResourceVersion(number, iri, TIME, activity, state)
        for number, (iri, activity, state) in enumerate(OLDER_MEMBERS, 1)
    ]
    connection = sqlite3.connect(path)
    connection.executescript(OLDER_SCHEMA)
    settings = {
        "name": stream_id,
        "form": f"{hashlib.sha256(OLDER_SCHEMA.encode()).hexdigest()} {BASE}",
        "mark": "x",
        "last": str(len(members)),
        "newest": TIME,
    }
    connection.executemany("INSERT INTO about VALUES (?, ?)", settings.items())
    for page in (1, 2):
        page_members = members[(page - 1) * 3 : page * 3]
        body = zstd.compress(
            serialize_members(f"{BASE}changes", f"{stream_id}/{page}", page_members).encode()
        )
        connection.execute("INSERT INTO pages VALUES (?, ?, ?, ?)", (page, TIME, TIME, body))
    connection.executemany("INSERT INTO members VALUES (?, ?, ?, ?, ?)", members[6:])
    connection.executemany(
        "INSERT OR REPLACE INTO things VALUES (?, '', ?, ?, 1, ?, x'00', 1)",
        [(member.iri, member.number, TIME, member.activity) for member in members],
    )
    connection.commit()
    connection.close()
    return path


@pytest.mark.usefixtures("small_pages")
def test_an_older_database_is_continued_without_versions_for_derived_quads(older_file: Path) -> None:
    connection = sqlite3.connect(older_file)
    (closed_page,) = connection.execute("SELECT body FROM pages WHERE page = 2").fetchone()
    connection.close()
    versions = ResourceVersions(older_file, BASE)
    assert versions.read_position("log") is None
    quads = "<x:a> <x:q> <x:2> <x:g> .\n<x:b> <x:q> <x:2> <x:g> .\n<x:c> <x:q> <x:1> <x:g> .\n"
    scan_quads(versions, f"{quads}<x:a> <x:p> <x:9> <{BASE}graph/inferred> .")
    assert versions.read_page(2) == (zstd.decompress(closed_page).decode(), True)
    # Only x:b has changed. The published members on the open page stay as they are.
    assert read_members_of_page(versions, 3) == [
        ("x:c", 7, [INFERRED_LINE, "<x:q> <x:1> <x:g> ."]),
        ("x:derived-too", 8, [INFERRED_LINE]),
        ("x:b", 9, ["<x:q> <x:2> <x:g> ."]),
    ]
    assert last_activities(versions) == {"x:a": "Update", "x:b": "Update", "x:c": "Create"}
    assert find_last_changes(versions, ["x:deleted"])["x:deleted"].activity == "Delete"
    assert versions.read_position("log") == 1
    with versions.transaction():
        versions.add_change(TIME, {}, {"x:c": ["<x:q> <x:2> <x:g> ."]})
    assert read_members_of_page(versions, 4) == [("x:c", 10, ["<x:q> <x:1> <x:g> .", "<x:q> <x:2> <x:g> ."])]
    assert [
        name for (name,) in versions.select_rows("SELECT name FROM sqlite_master WHERE type = 'table'")
    ] == [
        "about",
        "pages",
        "versions",
        "resources",
    ]


@pytest.mark.parametrize("name", ["4-last-without-layout", "5-journal-and-marks"])
def test_the_stream_of_an_older_store_continues_without_new_versions(tmp_path: Path, name: str) -> None:
    with tarfile.open(OLDER_STORES_FOLDER / f"{name}.tar.xz") as file:
        file.extractall(tmp_path, filter="data")
    versions = ResourceVersions(tmp_path / "store" / "aside" / "changes.sqlite", BASE)
    pages, last_number = versions.select_rows("SELECT * FROM pages"), versions.last_number
    assert pages
    view = StoreView(ox.Store.read_only(str(tmp_path / "store" / "quads")))
    rescan.scan_view(versions, view, rescan.ScanTimes({}, TIME), rescan.LogPosition("log", 1))
    assert (versions.select_rows("SELECT * FROM pages"), versions.last_number) == (pages, last_number)
    assert find_next_resource(versions, f"{BASE}id/", "")


def test_a_database_with_another_base_is_not_continued(older_file: Path) -> None:
    with pytest.raises(UnusableVersionsError, match="another base IRI"):
        ResourceVersions(older_file, "https://example.org/")

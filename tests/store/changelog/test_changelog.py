"""The event stream: every version of every thing, in order, in pages that never change once they are full."""

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

from tests.fixtures.service import client_of, service_of
from tests.fixtures.triples import put_turtle

BASE = Settings.base
NQ = {"Accept": "application/n-quads"}
AS, TREE, LDES = (
    "https://www.w3.org/ns/activitystreams#",
    "https://w3id.org/tree#",
    "https://w3id.org/ldes#",
)
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
APART = """
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


class Version(NamedTuple):
    """A version of a thing, as a client finds it."""

    thing: str
    what: str
    at: str
    quads: frozenset[str]


@pytest.fixture
def service(store: Store) -> Service:
    return make_service(Settings(token="secret", write_profile="off"), store)


@pytest.fixture
def app(service: Service) -> FastAPI:
    return create_app(service)


@pytest.fixture
def client(app: FastAPI) -> httpx.Client:
    """A client that may write, of a service whose stream has begun."""
    found = client_of(app, Authorization="Bearer secret")
    assert found.get("/changes").status_code == 200
    return found


@pytest.fixture
def reader(app: FastAPI) -> httpx.Client:
    """A client without a token."""
    return client_of(app)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of three members, and shelves of two pages."""
    monkeypatch.setattr(log, "MEMBERS_PER_PAGE", 3)
    monkeypatch.setattr(event_stream, "PAGES_PER_SHELF", 2)


def fetched(client: httpx.Client, path: str) -> list[ox.Quad]:
    answer = client.get(path, headers=NQ)
    assert answer.status_code == 200, answer.text
    return list(ox.parse(answer.content, ox.RdfFormat.N_QUADS))


def objects(quads: list[ox.Quad], predicate: str, subject: str = "") -> list[str]:
    return [
        value(quad.object)
        for quad in quads
        if quad.predicate.value == predicate and subject in ("", value(quad.subject))
    ]


def value(term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> str:
    assert not isinstance(term, ox.Triple)
    return term.value


def pages(client: httpx.Client, path: str = "/changes") -> Iterator[list[ox.Quad]]:
    """A node, and those that it leads to."""
    quads = fetched(client, path)
    yield quads
    for there in dict.fromkeys(objects(quads, f"{TREE}node")):
        yield from pages(client, there.removeprefix("http://localhost"))


def versions(client: httpx.Client) -> list[Version]:
    """All versions, as the root leads to them."""
    found = []
    for quads in pages(client):
        for member in objects(quads, f"{TREE}member"):
            (thing,) = objects(quads, f"{AS}object", member)
            (at,) = objects(quads, f"{AS}published", member)
            (what,) = (one.removeprefix(AS) for one in objects(quads, TYPE, member) if one.startswith(AS))
            own = (quad for quad in quads if value(quad.subject) == member and not is_envelope(quad))
            lines = frozenset(f"{quad.predicate} {quad.object} {quad.graph_name}" for quad in own)
            found.append(Version(thing, what, at, lines))
    return found


def is_envelope(quad: ox.Quad) -> bool:
    return isinstance(quad.graph_name, ox.DefaultGraph) and (
        quad.predicate.value.startswith(AS) or value(quad.object).startswith(AS)
    )


def copy_of(found: list[Version]) -> dict[str, frozenset[str]]:
    """What a client holds that replaces each thing by its next version."""
    copy = {one.thing: one.quads for one in found}
    return {thing: quads for thing, quads in copy.items() if quads}


def held(store: Store) -> dict[str, frozenset[str]]:
    """What the store holds."""
    things: dict[str, set[str]] = {}
    for quad in (skolemize_quad(one, BASE) for one in store.match()):
        things.setdefault(value(quad.subject), set()).add(f"{quad.predicate} {quad.object} {quad.graph_name}")
    return {thing: frozenset(quads) for thing, quads in things.items()}


def of(found: list[Version], thing: str) -> list[tuple[str, int]]:
    """What became of a thing, with the number of its statements."""
    return [(one.what, len(one.quads)) for one in found if one.thing == thing]


def test_each_write_makes_a_version_of_the_things_that_it_changes(client: httpx.Client) -> None:
    put_turtle(client, "<x:a> <x:p> 1 . <x:b> <x:p> 1 .")
    put_turtle(client, "<x:a> <x:p> 1, 2 . <x:b> <x:p> 1 .")
    client.delete("/graph/one")
    found = versions(client)
    assert of(found, "x:a") == [("Create", 1), ("Update", 2), ("Delete", 0)]
    assert of(found, "x:b") == [("Create", 1), ("Delete", 0)]


def test_a_thing_in_several_graphs_keeps_them_apart(client: httpx.Client, store: Store) -> None:
    put_turtle(client, "<x:a> <x:p> 1 .")
    put_turtle(client, "<x:a> <x:p> 1 .", "/graph/two")
    put_turtle(client, "<x:a> <x:p> 1 .", "/graphs?default")
    assert of(versions(client), "x:a") == [("Create", 1), ("Update", 2), ("Update", 3)]
    assert copy_of(versions(client)) == held(store)


@pytest.mark.usefixtures("small")
def test_a_copy_by_the_stream_is_what_the_store_holds(client: httpx.Client, store: Store) -> None:
    put_turtle(client, "<x:a> <x:p> [ <x:q> ( 1 2 'three'@en ) ] . [] <x:r> <x:a> .")
    put_turtle(client, "<x:a> <x:p> [ <x:q> ( 1 2 ) ] . <x:c> <x:says> 'a \"quoted\" line\\nand one more' .")
    client.post("/update", data={"update": "INSERT DATA { <x:d> <x:p> 1 } ; DELETE WHERE { <x:c> ?p ?o }"})
    assert copy_of(versions(client)) == held(store)


def test_what_was_there_at_the_beginning_has_the_time_of_its_graph(store: Store) -> None:
    at = '"2005-07-18T10:00:00+00:00"^^<http://www.w3.org/2001/XMLSchema#dateTime>'
    store.update(
        f"""INSERT DATA {{ GRAPH <{BASE}graph/issues> {{ <x:a> <x:p> 1 }} GRAPH <x:g> {{ <x:b> <x:p> 1 }}
        GRAPH <{BASE}graph/catalog> {{ <{BASE}graph/issues> <http://purl.org/dc/terms/modified> {at} }} }}"""
    )
    times = {one.thing: one.at for one in versions(service_of(Settings(), store))}
    assert times["x:a"] == "2005-07-18T10:00:00.000000Z"
    assert times["x:b"] > times["x:a"]


def test_a_version_has_the_time_of_its_write_on_record(client: httpx.Client, store: Store) -> None:
    put_turtle(client, "<x:a> <x:p> 1 .")
    query = f"SELECT ?at {{ GRAPH <{BASE}graph/history> {{ ?write <{PROV_ENDED_AT_TIME.value}> ?at }} }}"
    (at,) = (row["at"].value for row in select_solutions(store, query))
    found = {datetime.fromisoformat(one.at) for one in versions(client)}
    assert found == {datetime.fromisoformat(at)}


@pytest.mark.usefixtures("small")
def test_a_full_page_never_changes_and_the_open_one_is_asked_for_again(
    client: httpx.Client, reader: httpx.Client
) -> None:
    put_turtle(client, " . ".join(f"<x:{number}> <x:p> 1" for number in range(7)) + " .")
    every = [there for quads in pages(client) for there in objects(quads, f"{TREE}node")]
    full = [one for one in every if "shelf" not in one]
    first, last = full[0], full[-1]
    before = reader.get(first)
    assert before.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert f"{LDES}immutable" in reader.get(first, headers=NQ).text
    assert reader.get(last).headers["cache-control"] == "no-cache"
    put_turtle(client, "<x:1> <x:p> 2 . <x:9> <x:p> 2 .")
    after = reader.get(first)
    assert (after.content, after.headers["etag"]) == (before.content, before.headers["etag"])


@pytest.mark.usefixtures("small")
def test_a_relation_says_between_which_times_the_members_behind_it_are(client: httpx.Client) -> None:
    for number in range(4):
        put_turtle(client, f"<x:{number}> <x:p> 1 .")
    every = list(pages(client))
    checked = 0
    for quads in every:
        for relation in objects(quads, f"{TREE}relation"):
            (kind,), (time,), (there,) = (
                objects(quads, iri, relation) for iri in (TYPE, f"{TREE}value", f"{TREE}node")
            )
            behind = list(pages(client, there.removeprefix("http://localhost")))
            times = [at for one in behind for at in objects(one, f"{AS}published")]
            limit = min(times) if kind == f"{TREE}GreaterThanOrEqualToRelation" else max(times)
            assert time == limit
            checked += 1
    assert checked > 4


def test_the_root_says_how_to_read_the_stream_and_what_is_kept(client: httpx.Client) -> None:
    put_turtle(client, "<x:a> <x:p> 1 .")
    root = fetched(client, "/changes")
    assert objects(root, f"{TREE}view", f"{BASE}changes") == ["http://localhost/changes"]
    assert objects(root, f"{LDES}timestampPath") == [f"{AS}published"]
    assert objects(root, f"{LDES}versionOfPath") == [f"{AS}object"]
    assert objects(root, f"{LDES}startingFrom") == [versions(client)[0].at]


def test_trig_says_what_n_quads_say(client: httpx.Client) -> None:
    put_turtle(client, "<x:a> <x:p> 1 .")
    last = [there for quads in pages(client) for there in objects(quads, f"{TREE}node")][-1]
    answer = client.get(last)
    assert answer.headers["content-type"] == "application/trig"
    assert set(ox.parse(answer.content, ox.RdfFormat.TRIG)) == set(
        ox.parse(client.get(last, headers=NQ).content, ox.RdfFormat.N_QUADS)
    )


@pytest.mark.parametrize(
    ("path", "status", "said"),
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
def test_what_is_not_there_is_refused_in_words(
    client: httpx.Client, path: str, status: int, said: str
) -> None:
    put_turtle(client, "<x:a> <x:p> 1 .")
    found = re.search(r"pages are (\w+)/1", client.get("/changes/x/1").json()["detail"])
    assert found
    answer = client.get(path.replace("%s", found[1]))
    assert answer.status_code == status
    assert said in answer.json()["detail"]


def log_of(store: Store) -> log.ChangeLog:
    """The log of a stream that starts now."""
    return asyncio.run(ChangeLogSync(store, BASE).get_current_log())


def things(found: log.ChangeLog) -> dict[str, str]:
    """What became last of each thing called x:…"""
    return {one.iri: one.activity for one in list_resources_below(found, "x:", (), 0, 100)}


@pytest.fixture
def kept(tmp_path: Path) -> Store:
    """A store on disk that infers, and so knows of each write."""
    store = Store.open(tmp_path / "store", [RULE])
    store.update("INSERT DATA { <x:a> a <x:A> . <x:b> <x:p> 1 }")
    return store


def test_the_stream_goes_on_where_it_was_when_the_service_starts_anew(kept: Store) -> None:
    first = log_of(kept)
    kept.update("INSERT DATA { <x:c> <x:p> 1 }")
    kept.update("INSERT DATA { <x:c> <x:p> 1 }")  # which is there already
    with pytest.raises(RuntimeError):
        kept.update("INSERT { ?s ?p ?o } WHERE { BIND (<x:no-function>(1) AS ?s) }")
    stream = ChangeLogSync(kept, BASE)
    stream.open()
    assert stream.is_current
    assert (stream.log.log_id, stream.log.last_number) == (first.log_id, first.last_number)


def test_what_others_wrote_meanwhile_is_found_at_the_start(kept: Store) -> None:
    log_of(kept)
    kept.projections.clear()
    kept.update("DELETE DATA { <x:b> <x:p> 1 } ; INSERT DATA { <x:c> a <x:A> . <x:a> <x:p> 2 }")
    assert things(log_of(kept)) == {"x:a": "Update", "x:c": "Create"}


def test_a_large_store_is_looked_through_by_a_process_of_its_own(
    kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescan, "LARGE_STORE_BYTES", 0)
    monkeypatch.setattr(rescan, "scan_view", None)  # in this process
    assert things(log_of(kept)) == {"x:a": "Create", "x:b": "Create"}


@pytest.mark.slow
def test_a_look_from_a_process_of_its_own_ends_with_the_service(tmp_path: Path) -> None:
    script = tmp_path / "service.py"
    script.write_text(APART)
    # What it says is read to its end, which comes when all who could say more are gone.
    subprocess.run([sys.executable, script], stdout=subprocess.PIPE, timeout=30, check=True)


def test_a_look_that_was_left_over_adds_nothing(kept: Store) -> None:
    found = log_of(kept)
    old = found.begin_scan()
    found.begin_scan()
    with pytest.raises(log.OvertakenError):
        found.add_scanned(old, [])
    with pytest.raises(log.OvertakenError):
        found.end_scan(old, found.read_setting("newest"))
    assert things(found) == {"x:a": "Create", "x:b": "Create"}


def test_what_a_power_cut_took_gives_its_name_to_nothing_else(tmp_path: Path) -> None:
    at = "2005-07-18T10:00:00.000000Z"
    names = []
    for thing in ("x:a", "x:b"):  # as the log goes on without the first of them
        found = log.ChangeLog(tmp_path / f"{thing}.sqlite", BASE)
        found.log_id = "20050718T100000000000Z"
        found.add([log.ResourceState(thing, at, True, "<x:p> <x:o> .")], "")
        (name,) = re.findall(r"#(\S+)> \.", found.read_page(1)[0].splitlines()[0])
        names.append(name)
    assert len(set(names)) == 2


def test_a_load_too_large_to_be_told_is_looked_through(kept: Store) -> None:
    stream = ChangeLogSync(kept, BASE)
    asyncio.run(stream.get_current_log())
    with (kept.folder or Path()).joinpath("more.nt").open("w+b") as file:
        file.write(b"<x:d> <x:p> <x:a> .\n")
        file.seek(0)
        kept.bulk_load(file, ox.RdfFormat.N_TRIPLES, "x:g")
    kept.infer()
    assert stream.is_pending
    assert things(asyncio.run(stream.get_current_log()))["x:d"] == "Create"


def test_what_is_written_during_a_look_is_not_missed(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = ChangeLogSync(kept, BASE)
    end = log.ChangeLog.end_scan

    def late(self: log.ChangeLog, number: int, now: str) -> None:
        kept.update("INSERT DATA { <x:late> <x:p> 1 }")
        end(self, number, now)

    monkeypatch.setattr(log.ChangeLog, "end_scan", late)
    assert things(asyncio.run(stream.get_current_log()))["x:late"] == "Create"


def test_a_log_for_which_there_is_no_room_hinders_no_write(kept: Store) -> None:
    stream = ChangeLogSync(kept, BASE)
    found = asyncio.run(stream.get_current_log())
    ((pages,),) = found.select_rows("PRAGMA page_count")
    found.select_rows(f"PRAGMA max_page_count = {pages}")
    kept.update(f"INSERT DATA {{ <x:e> <x:p> '{'x' * 100_000}' }}")
    assert not stream.is_current
    with pytest.raises(StoreError, match="failed: database or disk is full"):
        asyncio.run(stream.get_current_log())
    found.select_rows("PRAGMA max_page_count = 1000000")
    assert things(asyncio.run(stream.get_current_log()))["x:e"] == "Create"


@pytest.mark.usefixtures("small")
def test_a_page_that_turns_out_to_be_damaged_ends_the_stream_and_begins_another(
    service: Service, client: httpx.Client, reader: httpx.Client, store: Store
) -> None:
    put_turtle(client, " . ".join(f"<x:{number}> <x:p> 1" for number in range(7)) + " .")
    first = service.projections.change_log.log
    assert first.log_id in reader.get("/changes", headers=NQ).text
    with first.transaction():
        first.connection.execute("UPDATE pages SET body = x'00'")
    page = f"/changes/{first.log_id}/1"
    assert (reader.get(page).status_code, reader.get(page).status_code) == (503, 404)
    assert first.log_id not in reader.get("/changes", headers=NQ).text
    assert copy_of(versions(reader)) == held(store)


def test_inferred_statements_are_told_with_the_write_that_they_follow_from(kept: Store) -> None:
    stream = ChangeLogSync(kept, BASE)
    asyncio.run(stream.get_current_log())
    before = stream.log.last_number
    kept.update("INSERT DATA { <x:f> a <x:A> }")
    text, _ = stream.log.read_page(stream.log.open_page_number)
    assert stream.log.last_number == before + 1
    assert "<x:B>" in text.partition("<x:f>")[2]


def test_a_thing_of_which_only_what_is_computed_changed_has_a_version_when_somebody_asks(kept: Store) -> None:
    stream = ChangeLogSync(kept, BASE)
    asyncio.run(stream.get_current_log())
    before = stream.log.last_number
    for number in (1, 2):
        kept.update(
            f"INSERT DATA {{ GRAPH <{BASE}graph/void> {{ <x:all> <x:triples> {number} }} "
            f"GRAPH <{BASE}graph/inferred> {{ <x:list> <x:of> <x:{number}> }} }}"
        )
    assert stream.log.last_number == before
    assert things(asyncio.run(ChangeLogSync(kept, BASE).get_complete_log())).keys() >= {"x:all", "x:list"}
    assert stream.log.last_number == before + 2
    assert not stream.log.list_postponed()
    text, _ = stream.log.read_page(stream.log.open_page_number)
    assert '<x:triples> "1"' in text
    assert '<x:triples> "2"' in text


def test_a_page_of_the_stream_shows_what_the_store_says_of_itself(client: httpx.Client, store: Store) -> None:
    store.update(f"INSERT DATA {{ GRAPH <{BASE}graph/void> {{ <x:all> <x:triples> 1 }} }}")
    assert "x:all" in {one.thing for one in versions(client)}


@pytest.mark.parametrize("cut", ["\u2028", "\u2029", "\x85", "\x0b", "\x1c"])
def test_a_text_with_any_kind_of_line_break_is_told_whole(
    client: httpx.Client, store: Store, cut: str
) -> None:
    put_turtle(client, f'<x:a> <x:p> "zebra 1 one{cut}two" .')
    assert copy_of(versions(client))["x:a"] == held(store)["x:a"]


def test_a_write_that_the_log_cannot_take_in_is_done_and_told_later(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def slip(*_: object) -> None:
        raise KeyError("unforeseen")

    with monkeypatch.context() as patch:
        patch.setattr(ChangeLogSync, "add_states", slip)
        put_turtle(client, "<x:a> <x:p> 1 .")
    assert "KeyError: 'unforeseen'" in caplog.text
    assert of(versions(client), "x:a") == [("Create", 1)]

"""A copy that applies each change of a store has the same quads and graphs after every write."""

import errno
import gc
import io
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest
import sqlalchemy
from wgig.graphs.description.derived import DescriptionGraphs
from wgig.rdf.sparql_lexer import SparqlText
from wgig.settings import Settings
from wgig.shacl.conformance_graph import ConformanceGraph
from wgig.store import change, transactions
from wgig.store.change import BeforeAfter, Change, combine_changes
from wgig.store.change_log import ChangeLog
from wgig.store.errors import DiskFullError, OutcomeUnknownError, StoreStoppedError
from wgig.store.folder import CHANGE_LOG_FILE
from wgig.store.store import Store
from wgig.store.update import TrialUpdate, find_target_graphs, parse_update_data
from wgig_client.namespaces import namespaces_by_prefix

from tests.fixtures.triples import parse_triples

pytestmark = pytest.mark.slow

NAMESPACES = namespaces_by_prefix(Settings.base)
RULE = "CONSTRUCT { ?x a <urn:Animal> } WHERE { ?x a <urn:Cat> }"
WRITE_COUNT = 60  # random writes


class ChangeReplica:
    """A copy of the quads and graphs of a store, kept up to date by its changes."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.quads = set(store._quads)
        self.graphs = set(store.graphs())
        self.changes: list[Change | None] = []
        store.on_commit = self.apply

    def apply(self, change: Change | None) -> None:
        self.changes.append(change)
        if change is None:
            self.quads, self.graphs = set(self.store._quads), set(self.store.graphs())
            return
        assert set(change.removed) <= self.quads
        assert not set(change.added) & self.quads
        assert set(change.dropped) <= self.graphs
        assert not set(change.created) & self.graphs
        self.quads = self.quads - set(change.removed) | set(change.added)
        self.graphs = self.graphs - set(change.dropped) | set(change.created)

    def equals_store(self) -> bool:
        return self.quads == set(self.store._quads) and self.graphs == set(self.store.graphs())


@pytest.fixture(params=["memory", "disk"])
def replica(request: pytest.FixtureRequest, tmp_path: Path) -> ChangeReplica:
    conformance = ConformanceGraph(Settings.base, Settings.shacl)
    descriptions = DescriptionGraphs(Settings.base)
    if request.param == "memory":
        store = Store.in_memory([RULE], computed_graphs=[conformance], describers=[descriptions])
    else:
        store = Store.open(tmp_path, [RULE], computed_graphs=[conformance], describers=[descriptions])
    return ChangeReplica(store)


TURTLE_SAMPLES = [
    "<urn:tom> a <urn:Cat> .",
    "<urn:tom> a <urn:Cat>, <urn:Animal> .",
    "<urn:tom> <urn:age> 07, 7, +7.0, '7'^^<urn:years> .",
    "[] a <urn:Cat> .",
    "_:x <urn:knows> _:y . _:y <urn:knows> _:x .",
    f"<{NAMESPACES['paper']}p> a <{NAMESPACES['wgig']}IssuePaper> .",
    f"<{NAMESPACES['paper']}p> a <{NAMESPACES['wgig']}IssuePaper> ; <{NAMESPACES['wgig']}category> 007 .",
    "",
]
GRAPHS = [None, "urn:a", "urn:b", f"{NAMESPACES['graph']}paper/p"]
UPDATES = [
    "INSERT DATA { GRAPH <urn:a> { <urn:kit> a <urn:Cat> . [] <urn:n> 01 } <urn:s> <urn:p> 1 }",
    "INSERT DATA { GRAPH <urn:a> { <urn:kit> a <urn:Cat> ; <urn:n> 01, 1 } }; insert data{<urn:s> <urn:p> 1}",
    "DELETE DATA { GRAPH <urn:a> { <urn:tom> a <urn:Cat> } GRAPH <urn:none> { <urn:s> <urn:p> 1 } }",
    "PREFIX u: <urn:> DELETE WHERE { GRAPH u:a { ?s a ?o } }",
    "WITH <urn:b> DELETE { ?s ?p ?o } INSERT { ?o2 ?p ?s } WHERE { ?s ?p ?o BIND(IRI(STR(?o)) AS ?o2) }",
    "INSERT { GRAPH ?g { <urn:new> a <urn:Cat> } } WHERE { GRAPH ?g { ?s a <urn:Cat> } }",
    "INSERT { GRAPH <urn:b> { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o } }",
    "BASE <urn:y/> PREFIX u: <urn:> CREATE SILENT GRAPH u:c; CREATE SILENT GRAPH <d>; DROP SILENT GRAPH u:b",
    "MOVE SILENT <urn:a> TO <urn:b>",
    "COPY SILENT <urn:b> TO <urn:c>; ADD SILENT DEFAULT TO <urn:a>",
    "CLEAR SILENT GRAPH <urn:b>; CLEAR DEFAULT",
    "DROP ALL",
    "DROP SILENT GRAPH <urn:inferred>",
    # The engine accepts keywords without a space after them.
    "CLEARNAMED",
    "PREFIX x: <urn:> PREFIX GRAPHx: <v:> INSERT DATA { GRAPHx:glued { <urn:s> <urn:p> 2 } }",
]


@pytest.mark.parametrize("seed", range(4))
def test_a_replica_equals_the_store_after_every_write(replica: ChangeReplica, seed: int) -> None:
    rng = random.Random(seed)

    def random_triples() -> list[ox.Triple]:
        return parse_triples("\n".join(rng.sample(TURTLE_SAMPLES, 2)))

    for _ in range(WRITE_COUNT):
        write_type = rng.choice(["replace", "add", "delete", "update"])
        graph, other_graph = rng.sample(GRAPHS, 2)
        if write_type == "update":
            replica.store.update(rng.choice(UPDATES))
        elif write_type == "delete":
            replica.store.apply(replica.store.compute_replacement(graph, None))
        elif write_type == "add":
            change = replica.store.compute_addition(graph, random_triples())
            replica.store.apply(change.combine(replica.store.compute_addition(other_graph, random_triples())))
        else:
            replica.store.replace({graph: random_triples(), other_graph: random_triples()})
        assert replica.equals_store()
    assert None not in replica.changes


def test_a_write_that_changes_nothing_is_not_reported(replica: ChangeReplica) -> None:
    # The store keeps 07 as 7.
    replica.store.apply(replica.store.compute_addition("urn:g", parse_triples("<urn:s> <urn:p> 07 .")))
    replica.store.apply(replica.store.compute_addition("urn:g", parse_triples("<urn:s> <urn:p> 7 .")))
    replica.store.replace({"urn:g": parse_triples("<urn:s> <urn:p> 7 .")})
    replica.store.apply(replica.store.compute_replacement("urn:other", None))
    assert len(replica.changes) == 2  # the second one is of the descriptions


def test_a_refused_write_is_not_reported(replica: ChangeReplica) -> None:
    with pytest.raises(RuntimeError):
        replica.store.update("INSERT DATA { <urn:s> <urn:p> 1 }; CREATE GRAPH <urn:g>; CREATE GRAPH <urn:g>")
    assert not replica.changes
    replica.store.apply(replica.store.compute_addition(None, parse_triples("<urn:s> <urn:p> 1 .")))
    assert replica.equals_store()
    assert len(replica.changes) == 2  # the second one is of the descriptions


def test_a_bulk_load_is_reported_as_an_unknown_change() -> None:
    replica = ChangeReplica(Store.in_memory())
    replica.store.bulk_load(io.BytesIO(b"<urn:s> <urn:p> 1 ."), ox.RdfFormat.TURTLE, None)
    replica.store.finish_load()
    assert replica.changes == [None]


def test_an_update_too_large_to_compare_is_an_unknown_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change, "MAX_COMPARED_QUADS", 2)
    replica = ChangeReplica(Store.in_memory([RULE]))
    replica.store.update("INSERT DATA { <urn:tom> a <urn:Cat> ; <urn:p> 1, 2, 3 }")
    assert replica.changes == [None]
    assert list(replica.store.triples("urn:inferred"))


def test_a_bulk_load_that_fails_leaves_no_trace() -> None:
    store = Store.in_memory()
    with pytest.raises(SyntaxError):
        store.bulk_load(io.BytesIO(b"oops"), ox.RdfFormat.TURTLE, None)
    assert (store.is_loading, store.log_version, len(list(store.match()))) == (False, 0, 0)


def test_an_update_whose_process_died_is_reported_when_it_is_tried_again(tmp_path: Path) -> None:
    store = Store.open(tmp_path)

    def run_twice(
        function: Callable[[Path, TrialUpdate], bytes | None], folder: Path, update: TrialUpdate
    ) -> bytes | None:
        function(folder, update)
        return function(folder, update)

    with pytest.raises(MemoryError):
        store.dry_run("INSERT { ?s ?p 2 } WHERE { ?s ?p 1 }", run=run_twice)


def test_a_change_is_reported_when_it_is_in_the_log_and_inferred(tmp_path: Path) -> None:
    store = Store.open(tmp_path, [RULE])
    states = list[tuple[int, int]]()
    store.on_commit = lambda _: states.append(
        (
            len(list(ChangeLog(tmp_path / CHANGE_LOG_FILE).iter_entries())),
            len(list(Store.open_read_only(tmp_path).match())),
        )
    )
    store.apply(store.compute_addition("urn:g", parse_triples("<urn:tom> a <urn:Cat> .")))
    assert states == [(1, 2)]


def test_a_commit_that_the_engine_refuses_stops_the_store_and_is_applied_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_with_full_disk(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store = Store.open(tmp_path, [RULE])
    with monkeypatch.context() as patched:
        patched.setattr(transactions, "apply_to_engine", fail_with_full_disk)
        with pytest.raises(OutcomeUnknownError, match="version 1"):
            store.update("INSERT DATA { <urn:tom> a <urn:Cat> }")
    with pytest.raises(StoreStoppedError, match="version 1"):
        store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    assert not list(store.match())
    del store
    gc.collect()  # the frames of the exception refer to the store, which is locked
    assert len(list(Store.open(tmp_path, [RULE]).match())) == 2


def test_a_commit_that_the_log_refuses_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_with_full_disk(*_: object) -> None:
        raise sqlalchemy.exc.OperationalError(
            "INSERT", {}, sqlite3.OperationalError("database or disk is full")
        )

    store = Store.open(tmp_path, [RULE])
    with monkeypatch.context() as patched:
        patched.setattr(store.log, "keep_contents", fail_with_full_disk)
        with pytest.raises(DiskFullError):
            store.update("INSERT DATA { <urn:tom> a <urn:Cat> }")
    assert not list(store.match())
    store.update("INSERT DATA { <urn:tom> a <urn:Cat> }")
    assert [entry.version for entry in store.log.iter_entries()] == [1]


def test_a_log_whose_sync_fails_leaves_the_outcome_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_with_disk_error(*_: object) -> None:
        raise sqlalchemy.exc.OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))

    store = Store.open(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(sqlalchemy.engine.RootTransaction, "commit", fail_with_disk_error)
        with pytest.raises(OutcomeUnknownError):
            store.update("INSERT DATA { <urn:tom> a <urn:Cat> }")
    with pytest.raises(StoreStoppedError):
        store.update("INSERT DATA { <urn:tom> a <urn:Cat> }")


def test_a_graph_that_is_named_by_a_blank_node_can_be_dropped() -> None:
    replica = ChangeReplica(Store.in_memory())
    replica.store.bulk_load(io.BytesIO(b"_:g { <urn:s> <urn:p> 1 }"), ox.RdfFormat.TRIG, None)
    replica.store.finish_load()
    replica.store.update("DROP ALL")
    assert replica.changes == [None, None]
    assert not list(replica.store.match())


@pytest.mark.parametrize(
    # All IRIs that may name a graph which the update writes; None if the text does not show them.
    ("text", "graphs"),
    [
        ("INSERT DATA { <urn:s> <urn:p> 1 }", {"urn:s", "urn:p"}),
        ("PREFIX u: <urn:> WITH u:g DELETE { ?s ?p ?o } WHERE { GRAPH ?h { ?s ?p ?o } }", {"urn:g"}),
        ("BASE <http://e.org/x/> DROP GRAPH <g>", {"http://e.org/x/g"}),
        ("DROP GRAPH <g>", {"http://b.org/g"}),
        ("PREFIX u: <urn:> DROP GRAPH u:g; PREFIX u: <urn:x:> DROP GRAPH u:g", None),
        (
            "INSERT {} WHERE { ?s ?p ?o }; WITH <urn:g> DELETE {} WHERE {}; DROP GRAPH <urn:h>",
            {"urn:g", "urn:h"},
        ),
        ("DELETE WHERE { GRAPH ?g { ?s ?p ?o } }", None),
        ("DELETE { GRAPH ?g { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o } }", None),
        ("DELETE{GRAPH?g{?s ?p ?o}}WHERE{GRAPH?g{?s ?p ?o}}", None),
        ("DROP ALL", None),
        ("CLEARNAMED", None),
        ("PREFIX x: <urn:> PREFIX GRAPHx: <v:> INSERT DATA { GRAPHx:g { <urn:s> <urn:p> 2 } }", None),
        ("DELETE { ?s ?p ?o } WHERE { ?s ?p ?o FILTER(?o <<urn:x>) }; DROP GRAPH <urn:g>", None),
        ("oops {", None),
        ("", set()),
    ],
)
def test_the_target_graphs_of_an_update_are_read_from_its_text(text: str, graphs: set[str] | None) -> None:
    assert find_target_graphs(SparqlText(text), "http://b.org/") == graphs


@pytest.mark.parametrize(
    # The number of quads; None if the update is not only data, or has blank nodes or RDF 1.2 syntax.
    ("text", "count"),
    [
        ("INSERT DATA { <urn:s> <urn:p> 1 }", 1),
        ("PREFIX u: <urn:> INSERT DATA {u:s u:p 1. GRAPH u:g {u:s u:p 1, 2}}; DELETE DATA {<s> a 'x'.};", 4),
        ("", 0),
        ("INSERT DATA { [] <urn:p> 1 }", None),
        ("INSERT DATA { <urn:s> <urn:p> _:b }", None),
        ("INSERT DATA { <urn:s> <urn:p> <urn:o> {| <urn:q> 1 |} }", None),
        ("INSERT DATA { <urn:s> <urn:p> <urn:o> ~ }", None),
        ("INSERT DATA { <urn:s> <urn:p> '\\u0022' }", None),
        ("INSERT DATA { <urn:s> <urn:p> 1 GRAPH <urn:g> { <urn:s> <urn:p> 1 } }", None),
        ("INSERT DATA { <urn:s> <urn:p> 1 } ; CLEAR DEFAULT", None),
        ("PREFIX x: <urn:> PREFIX GRAPHx: <v:> INSERT DATA { GRAPHx:g { <urn:s> <urn:p> 2 } }", None),
        ("INSERT { <urn:s> <urn:p> 1 } WHERE { <urn:s> <urn:p> 2 }", None),
    ],
)
def test_the_quads_of_an_update_of_only_data_are_read_from_its_text(text: str, count: int | None) -> None:
    quads = parse_update_data(SparqlText(text), "http://b.org/")
    assert (None if quads is None else len(quads)) == count


def test_a_change_can_be_split() -> None:
    quads = [ox.Quad(ox.NamedNode("x:a"), ox.NamedNode("x:p"), ox.Literal(number)) for number in range(5)]
    whole = Change(tuple(quads[:2]), tuple(quads[2:]), ("urn:dropped",), ("urn:created",))
    assert whole.split(5) == [whole]
    parts = whole.split(2)
    assert max(map(len, parts)) == 2
    combined = combine_changes(parts)
    assert (set(combined.removed), set(combined.added)) == (set(whole.removed), set(whole.added))
    assert (combined.dropped, combined.created) == (whole.dropped, whole.created)


def test_quads_are_found_before_and_after_a_change() -> None:
    subject, predicate = ox.NamedNode("x:a"), ox.NamedNode("x:p")
    unchanged, removed, added = (
        ox.Quad(subject, predicate, ox.NamedNode(f"x:{name}")) for name in ("unchanged", "removed", "added")
    )
    store = Store.in_memory()
    store.apply(Change(added=(unchanged, removed)))
    change = Change(removed=(removed,), added=(added,))
    store.apply(change)
    before_after = BeforeAfter(store.match, change)
    for pattern in ((None, None, None), (subject, None, None), (subject, predicate, None)):
        assert set(before_after.before(*pattern)) == {unchanged, removed}
        assert set(before_after.after(*pattern)) == {unchanged, added}
    assert list(before_after.before(None, None, removed.object)) == [removed]
    assert not list(before_after.after(None, None, removed.object))


def test_a_triple_that_is_added_to_another_graph_existed_before() -> None:
    subject, predicate, object_ = ox.NamedNode("x:a"), ox.NamedNode("x:p"), ox.NamedNode("x:b")
    unchanged, added = (ox.Quad(subject, predicate, object_, ox.NamedNode(graph)) for graph in ("x:g", "x:h"))
    store = Store.in_memory()
    store.apply(Change(added=(unchanged,), created=("x:g",)))
    change = Change(added=(added,), created=("x:h",))
    store.apply(change)
    assert list(BeforeAfter(store.match, change).before(subject, predicate, object_)) == [unchanged]

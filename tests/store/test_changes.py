"""Whoever hears the changes of a store and follows them has the same quads and graphs, at every moment."""

import errno
import io
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from wgig.graphs.description.derived import DescriptionGraphs
from wgig.rdf.namespaces import namespaces_by_prefix
from wgig.rdf.sparql_lexer import SparqlText
from wgig.settings import Settings
from wgig.shacl.conformance_graph import ConformanceGraph
from wgig.store import change
from wgig.store.change import BeforeAfter, Change
from wgig.store.commit import build_change_update
from wgig.store.errors import StoreError
from wgig.store.inference.inference import Inference
from wgig.store.store import Store
from wgig.store.update import find_target_graphs, parse_update_data

from tests.fixtures.triples import parse_triples

pytestmark = pytest.mark.slow

KNOWN = namespaces_by_prefix(Settings.base)
RULE = "CONSTRUCT { ?x a <urn:Animal> } WHERE { ?x a <urn:Cat> }"
WRITES = 60


class Copy:
    """What a store holds, by what it told."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.quads = set(store._quads)
        self.graphs = set(store.graphs())
        self.heard: list[Change | None] = []
        store.on_commit = self.hear

    def hear(self, change: Change | None) -> None:
        self.heard.append(change)
        if change is None:
            return
        assert set(change.removed) <= self.quads
        assert not set(change.added) & self.quads
        assert set(change.dropped) <= self.graphs
        assert not set(change.created) & self.graphs
        self.quads = self.quads - set(change.removed) | set(change.added)
        self.graphs = self.graphs - set(change.dropped) | set(change.created)

    def agrees(self) -> bool:
        return self.quads == set(self.store._quads) and self.graphs == set(self.store.graphs())


@pytest.fixture(params=["memory", "disk"])
def copy(request: pytest.FixtureRequest, tmp_path: Path) -> Copy:
    board, portrait = ConformanceGraph(Settings.base, Settings.shacl), DescriptionGraphs(Settings.base)
    if request.param == "memory":
        return Copy(Store.in_memory([RULE], first=[board], last=[portrait]))
    return Copy(Store.open(tmp_path, [RULE], first=[board], last=[portrait]))


STATED = [
    "<urn:tom> a <urn:Cat> .",
    "<urn:tom> a <urn:Cat>, <urn:Animal> .",
    "<urn:tom> <urn:age> 07, 7, +7.0, '7'^^<urn:years> .",
    "[] a <urn:Cat> .",
    "_:x <urn:knows> _:y . _:y <urn:knows> _:x .",
    f"<{KNOWN['paper']}p> a <{KNOWN['wgig']}IssuePaper> .",
    f"<{KNOWN['paper']}p> a <{KNOWN['wgig']}IssuePaper> ; <{KNOWN['wgig']}category> 007 .",
    "",
]
GRAPHS = [None, "urn:a", "urn:b", f"{KNOWN['graph']}paper/p"]
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
    "CLEARNAMED",
    "PREFIX x: <urn:> PREFIX GRAPHx: <v:> INSERT DATA { GRAPHx:glued { <urn:s> <urn:p> 2 } }",
]


@pytest.mark.parametrize("seed", range(4))
def test_a_copy_that_follows_is_the_same_after_every_write(copy: Copy, seed: int) -> None:
    chance = random.Random(seed)

    def content() -> list[ox.Triple]:
        return parse_triples("\n".join(chance.sample(STATED, 2)))

    for _ in range(WRITES):
        kind = chance.choice(["replace", "add", "delete", "update"])
        one, other = chance.sample(GRAPHS, 2)
        if kind == "update":
            copy.store.update(chance.choice(UPDATES))
        elif kind == "delete":
            copy.store.apply(copy.store.compute_replacement(one, None))
        elif kind == "add":
            change = copy.store.compute_addition(one, content())
            copy.store.apply(change.combine(copy.store.compute_addition(other, content())))
        else:
            copy.store.replace({one: content(), other: content()})
        assert copy.agrees()
    assert None not in copy.heard


def test_what_changes_nothing_is_not_told(copy: Copy) -> None:
    copy.store.apply(copy.store.compute_addition("urn:g", parse_triples("<urn:s> <urn:p> 07 .")))
    copy.store.apply(copy.store.compute_addition("urn:g", parse_triples("<urn:s> <urn:p> 7 .")))
    copy.store.replace({"urn:g": parse_triples("<urn:s> <urn:p> 7 .")})
    copy.store.apply(copy.store.compute_replacement("urn:other", None))
    assert len(copy.heard) == 1


def test_what_is_refused_is_not_told(copy: Copy) -> None:
    with pytest.raises(RuntimeError):
        copy.store.update("INSERT DATA { <urn:s> <urn:p> 1 }; CREATE GRAPH <urn:g>; CREATE GRAPH <urn:g>")
    assert not copy.heard
    copy.store.apply(copy.store.compute_addition(None, parse_triples("<urn:s> <urn:p> 1 .")))
    assert copy.agrees()
    assert len(copy.heard) == 1


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.update("INSERT DATA { <urn:s> <urn:p> 1, 2, 3 }"),
        lambda store: store.replace({None: parse_triples("<urn:s> <urn:p> 1, 2, 3 .")}),
        lambda store: store.apply(store.compute_addition(None, parse_triples("<urn:s> <urn:p> 1, 2, 3 ."))),
        lambda store: store.bulk_load(io.BytesIO(b"<urn:s> <urn:p> 1 ."), ox.RdfFormat.TURTLE, None),
    ],
    ids=["update", "replace", "apply", "bulk_load"],
)
def test_what_is_too_much_to_compare_is_told_as_unknown(
    write: Callable[[Store], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change, "MAX_COMPARED_QUADS", 2)
    copy = Copy(Store.in_memory())
    write(copy.store)
    assert copy.heard == [None]


def test_a_change_after_one_that_the_disk_cut_off_is_told_as_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Change | None) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    copy = Copy(Store.open(tmp_path, [RULE]))
    flush = copy.store._make_durable
    monkeypatch.setattr(copy.store, "_make_durable", full)
    with pytest.raises(StoreError, match="disk that is full"):
        copy.store.update("INSERT DATA { <urn:tom> a <urn:Cat> }")
    monkeypatch.setattr(copy.store, "_make_durable", flush)
    copy.store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    copy.store.update("INSERT DATA { <urn:s> <urn:p> 2 }")
    assert [change is None for change in copy.heard] == [True, False]
    assert list(copy.store.triples("urn:inferred"))


def test_a_change_is_told_when_it_is_on_disk_and_before_anybody_else_writes(tmp_path: Path) -> None:
    store = Store.open(tmp_path, [RULE])
    seen: list[tuple[bool, int]] = []
    store.on_commit = lambda _: seen.append(
        (
            Inference([RULE], "urn:inferred", tmp_path).is_due,
            len(list(Store.open_read_only(tmp_path).triples("urn:g"))),
        )
    )
    store.apply(store.compute_addition("urn:g", parse_triples("<urn:tom> a <urn:Cat> .")))
    assert seen == [(False, 1)]


def test_a_blank_node_that_names_a_graph_makes_the_change_unknown() -> None:
    copy = Copy(Store.in_memory())
    copy.store.bulk_load(io.BytesIO(b"_:g { <urn:s> <urn:p> 1 }"), ox.RdfFormat.TRIG, None)
    copy.store.update("DROP ALL")
    assert copy.heard == [None, None]


@pytest.mark.parametrize(
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
def test_the_text_of_an_update_tells_which_graphs_it_may_change(text: str, graphs: set[str] | None) -> None:
    assert find_target_graphs(SparqlText(text), "http://b.org/") == graphs


@pytest.mark.parametrize(
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
def test_the_text_of_an_update_that_is_mere_data_tells_the_quads(text: str, count: int | None) -> None:
    found = parse_update_data(SparqlText(text), "http://b.org/")
    assert (None if found is None else len(found)) == count


@pytest.mark.parametrize("made", ["urn:g", "urn:empty"])
def test_much_that_only_comes_needs_no_text_unless_a_graph_stays_empty(
    made: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = []

    def told(*asked: Any) -> str:
        texts.append(build_change_update(*asked))
        return texts[-1]

    monkeypatch.setattr("wgig.store.store.MAX_COMPARED_QUADS", 2)
    monkeypatch.setattr("wgig.store.store.build_change_update", told)
    store = Store.in_memory([RULE])
    change = store.compute_replacement(
        "urn:g", parse_triples("<urn:tom> a <urn:Cat> ; <urn:likes> [ <urn:is> 07 ] .")
    )
    store.apply(replace(change, created=(made,)))
    assert len(texts) == (made == "urn:empty")
    assert len(list(store.triples("urn:g"))) == 3
    assert set(store.graphs()) >= {"urn:g", made}
    assert store.compute_replacement("urn:g", store.triples("urn:g")) == Change()
    assert list(store.triples("urn:inferred"))


def test_the_store_is_seen_as_it_was_before_a_change_and_as_it_is() -> None:
    subject, predicate = ox.NamedNode("x:a"), ox.NamedNode("x:p")
    kept, gone, come = (ox.Quad(subject, predicate, ox.NamedNode(f"x:{one}")) for one in "kgc")
    store = Store.in_memory()
    store.apply(Change((), (kept, gone)))
    written = Change((gone,), (come,))
    store.apply(written)
    moments = BeforeAfter(store.match, written)
    for pattern in ((None, None, None), (subject, None, None), (subject, predicate, None)):
        assert set(moments.before(*pattern)) == {kept, gone}
        assert set(moments.after(*pattern)) == {kept, come}
    assert list(moments.before(None, None, gone.object)) == [gone]
    assert not list(moments.after(None, None, gone.object))


def test_a_statement_that_is_in_another_graph_as_well_was_there_before() -> None:
    subject, predicate, object_ = ox.NamedNode("x:a"), ox.NamedNode("x:p"), ox.NamedNode("x:b")
    kept, come = (ox.Quad(subject, predicate, object_, ox.NamedNode(one)) for one in ("x:g", "x:h"))
    store = Store.in_memory()
    store.apply(Change((), (kept,), (), ("x:g",)))
    written = Change((), (come,), (), ("x:h",))
    store.apply(written)
    assert list(BeforeAfter(store.match, written).before(subject, predicate, object_)) == [kept]

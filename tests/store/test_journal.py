"""A write that a crash interrupted is completed from the journal when the store is next opened.

The journal has the affected quads and the quads computed from them, both before the write, and a digest of
the rules.
"""

import errno
import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from wgig.graphs.description.derived import DescriptionGraphs
from wgig.rdf.namespaces import DCTERMS_MODIFIED, namespaces_by_prefix
from wgig.rdf.serialization import parse_graph_document
from wgig.rdf.shipped import read_inference_rules
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.shacl.conformance_graph import ConformanceGraph
from wgig.store import recovery
from wgig.store.change import Change, Contents, WriteScope, apply_change
from wgig.store.errors import InferenceTooLargeError, StoreError
from wgig.store.inference import inference
from wgig.store.inference.inference import Inference
from wgig.store.recovery import JournalEntry
from wgig.store.store import Store

from tests.fixtures.triples import parse_triples

pytestmark = pytest.mark.slow

BASE = Settings.base
NAMESPACES = namespaces_by_prefix(BASE)
KillDuringWrite = Callable[[str, Callable[[Store], None]], Path]
PREFIXES = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in NAMESPACES.items())
INFERRED_GRAPH = f"{NAMESPACES['graph']}inferred"
# The bundled rules, and one with a premise in the conformance graph.
LABEL_RULE = "CONSTRUCT { ?paper <urn:p> ?label } WHERE { ?s earl:subject ?paper ; rdfs:label ?label }"
RULES = [*read_inference_rules(), PREFIXES + LABEL_RULE]
SPAM_GRAPH = f"{NAMESPACES['graph']}paper/wp-spam"
OTHER_GRAPH = f"{NAMESPACES['graph']}paper/other"
NEW_PAPER = """
    paper:wp-spam a wgig:IssuePaper ; wgig:issue <urn:issue> ; wgig:assessment [ wgig:criterion <urn:b> ]
    ; wgig:issueDescription "Mail that nobody asked for."@en ."""

# The method of Inference before which the process is killed, by the last completed step of the write.
KILLED_METHODS = {
    "asserted": "infer",
    "conformance": "write_difference",
    "inferred": "describe",
    "described": "mark_clean",
}


def open_store(folder: Path) -> Store:
    conformance, descriptions = ConformanceGraph(BASE, Settings.shacl), DescriptionGraphs(BASE)
    return Store.open(folder, RULES, INFERRED_GRAPH, computed_graphs=[conformance], describers=[descriptions])


def quads_without_times(quads: ox.Store) -> set[ox.Quad]:
    """The quads, without the modification times in descriptions."""
    return {
        quad
        for quad in quads
        if quad.predicate != DCTERMS_MODIFIED or quad.graph_name not in DescriptionGraphs(BASE).graphs
    }


def parse_prefixed(text: str) -> list[ox.Triple]:
    return parse_triples(PREFIXES + text)


def recompute_quads(store: Store) -> set[ox.Quad]:
    """The asserted quads of a store, with all computed quads, computed from scratch."""
    conformance, descriptions = ConformanceGraph(BASE, Settings.shacl), DescriptionGraphs(BASE)
    computation = Inference(RULES, INFERRED_GRAPH, None, [conformance], [descriptions])
    computed_graphs = {conformance.graph, computation.graph, *descriptions.graphs}
    quads = ox.Store()
    quads.extend(quad for quad in store._quads if quad.graph_name not in computed_graphs)
    computation.apply(quads, None)
    return quads_without_times(quads)


@pytest.fixture
def kill_during_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KillDuringWrite:
    """A function that returns the folder of a store as a kill leaves it, after a step of a write."""
    store = open_store(tmp_path / "store")
    for graph, triples in (
        (
            f"{NAMESPACES['graph']}ontology",
            parse_graph_document((SHIPPED_FOLDER / "ontology/wgig.ttl").read_bytes(), "text/turtle"),
        ),
        (OTHER_GRAPH, parse_prefixed("paper:other a wgig:IssuePaper ; wgig:issue <urn:issue> .")),
        (
            SPAM_GRAPH,
            parse_graph_document((SHIPPED_FOLDER / "data/papers/wp-spam.ttl").read_bytes(), "text/turtle"),
        ),
    ):
        store.apply(store.compute_addition(graph, triples))

    def kill(step: str, write: Callable[[Store], None]) -> Path:
        method = getattr(Inference, KILLED_METHODS[step])

        def copy_store_first(*arguments: Any, **options: Any) -> Any:
            if not (tmp_path / "killed").exists():
                shutil.copytree(tmp_path / "store", tmp_path / "killed")
            return method(*arguments, **options)

        with monkeypatch.context() as patched:
            patched.setattr(Inference, KILLED_METHODS[step], copy_store_first)
            write(store)
        return tmp_path / "killed"

    return kill


@pytest.mark.parametrize("step", KILLED_METHODS)
@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.replace({SPAM_GRAPH: parse_prefixed(NEW_PAPER)}),
        lambda store: store.apply(store.compute_replacement(SPAM_GRAPH, None)),
        lambda store: store.replace(
            {f"{NAMESPACES['graph']}paper/new": parse_prefixed("paper:new a wgig:IssuePaper .")}
        ),
        lambda store: store.apply(
            store.compute_addition(SPAM_GRAPH, parse_prefixed(NEW_PAPER)).combine(
                store.compute_addition(None, parse_prefixed("<urn:c> a cito:Citation ."))
            )
        ),
        lambda store: store.update(
            f"DELETE WHERE {{ GRAPH <{SPAM_GRAPH}> {{ ?s <{NAMESPACES['wgig']}issue> ?o }} }}"
        ),
        lambda store: store.update("INSERT DATA { <urn:s> a <https://w3id.org/wgig/ontology#Milestone> }"),
    ],
    ids=["replaced graph", "deleted graph", "new graph", "two additions", "DELETE WHERE", "INSERT DATA"],
)
def test_a_write_that_a_kill_interrupted_is_completed_without_full_inference(
    kill_during_write: KillDuringWrite,
    step: str,
    write: Callable[[Store], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = kill_during_write(step, write)
    with monkeypatch.context() as patched:
        patched.delattr(Inference, "compute_full_difference")  # full inference would fail
        patched.delattr(DescriptionGraphs, "rebuild")
        store = open_store(folder)
    assert quads_without_times(store._quads) == recompute_quads(store)


def test_a_refused_write_that_a_kill_interrupted_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path / "store")
    store.apply(store.compute_addition(SPAM_GRAPH, parse_prefixed("paper:wp-spam a wgig:IssuePaper .")))
    before = quads_without_times(store._quads)

    def copy_store_first(change: Change, quads: ox.Store) -> None:
        shutil.copytree(tmp_path / "store", tmp_path / "killed")
        apply_change(change, quads)

    with monkeypatch.context() as patched:
        patched.setattr(inference, "apply_change", copy_store_first)
        patched.setattr(inference, "MAX_INFERRED_TRIPLES", 0)
        with pytest.raises(InferenceTooLargeError):
            store.apply(store.compute_replacement(SPAM_GRAPH, parse_prefixed(NEW_PAPER)))
    assert quads_without_times(store._quads) == before
    assert quads_without_times(open_store(tmp_path / "killed")._quads) == before


def test_a_damaged_journal_is_ignored(kill_during_write: KillDuringWrite) -> None:
    folder = kill_during_write(
        "asserted", lambda store: store.replace({SPAM_GRAPH: parse_prefixed(NEW_PAPER)})
    )
    (folder / recovery.JOURNAL_FILE).write_bytes((folder / recovery.JOURNAL_FILE).read_bytes()[:-5])
    store = open_store(folder)
    assert quads_without_times(store._quads) == recompute_quads(store)


JOURNAL_ENTRY = JournalEntry(
    WriteScope((ox.NamedNode("urn:g"), ox.DefaultGraph()), (), (ox.NamedNode("urn:h"),)),
    Contents(
        {ox.Quad(ox.BlankNode("b"), ox.NamedNode("urn:p"), ox.Literal("\u2028 a"), ox.DefaultGraph())},
        {"urn:g"},
    ),
    frozenset({ox.Quad(ox.NamedNode("urn:s"), ox.NamedNode("urn:p"), ox.Literal(1), ox.NamedNode("urn:g"))}),
    "any state",
)


def test_a_journal_is_read_only_with_the_same_digest(tmp_path: Path) -> None:
    assert recovery.read_journal(tmp_path, "a") is None
    recovery.write_journal(tmp_path, JOURNAL_ENTRY, "a")
    assert recovery.read_journal(tmp_path, "a") == JOURNAL_ENTRY
    assert recovery.read_journal(tmp_path, "b") is None


def test_a_long_journal_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "MAX_JOURNAL_QUADS", 1)
    recovery.write_journal(tmp_path, JOURNAL_ENTRY, "a")
    assert recovery.read_journal(tmp_path, "a") is None


@pytest.mark.parametrize(
    "write",
    [
        # The graphs that these writes affect are unknown.
        lambda store: store.update("DELETE WHERE { GRAPH ?g { ?s <urn:p> ?o } }"),
        lambda store: store.bulk_load(io.BytesIO(b"<urn:s> <urn:p> 1 ."), ox.RdfFormat.TURTLE, None),
    ],
)
def test_a_write_without_journal_removes_the_journal_of_an_earlier_write(
    tmp_path: Path, write: Callable[[Store], None]
) -> None:
    store = Store.open(tmp_path, ["CONSTRUCT { ?s a <urn:B> } WHERE { ?s a <urn:A> }"])
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    assert (tmp_path / recovery.JOURNAL_FILE).exists()
    write(store)
    assert not (tmp_path / recovery.JOURNAL_FILE).exists()


def test_a_write_that_cannot_be_journaled_fails_and_the_next_one_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_with_full_disk(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store, changes = Store.open(tmp_path, ["CONSTRUCT { ?s a <urn:B> } WHERE { ?s a <urn:A> }"]), list[Any]()
    store.on_commit = changes.append
    monkeypatch.setattr(recovery, "write_journal", fail_with_full_disk)
    with pytest.raises(StoreError):
        store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    assert not store  # it is empty
    monkeypatch.undo()
    store.update("INSERT DATA { <urn:s> <urn:p> 2 }")
    assert [len(change.added) for change in changes] == [1]

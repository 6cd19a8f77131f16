"""What a crash cut off is brought to its end at the next opening, from what was noted before the write."""

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
from wgig.store.change import Contents, WriteScope
from wgig.store.errors import StoreError
from wgig.store.inference.inference import Inference
from wgig.store.recovery import JournalEntry
from wgig.store.store import Store

from tests.fixtures.triples import parse_triples

pytestmark = pytest.mark.slow

BASE = Settings.base
KNOWN = namespaces_by_prefix(BASE)
PREFIXES = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in KNOWN.items())
INFERRED = f"{KNOWN['graph']}inferred"
# The shipped rules, and one that rests on the board.
SAYS = "CONSTRUCT { ?paper <urn:says> ?label } WHERE { ?one earl:subject ?paper ; rdfs:label ?label }"
RULES = [*read_inference_rules(), PREFIXES + SAYS]
SPAM = f"{KNOWN['graph']}paper/wp-spam"
OTHER = f"{KNOWN['graph']}paper/other"
NEW = """paper:wp-spam a wgig:IssuePaper ; wgig:issue <urn:issue> ; wgig:assessment [ wgig:criterion <urn:b> ]
    ; wgig:issueDescription "Mail that nobody asked for."@en ."""

# Before what the process ends: all is stated, the board is in line, only the mark is missing.
PLACES = {"stated": "infer", "board": "write", "inferred": "describe", "described": "mark_clean"}


def opened(folder: Path) -> Store:
    board, portrait = ConformanceGraph(BASE, Settings.shacl), DescriptionGraphs(BASE)
    return Store.open(folder, RULES, INFERRED, first=[board], last=[portrait])


def whatever_the_time(quads: ox.Store) -> set[ox.Quad]:
    """The quads but for when they changed last."""
    return {
        one
        for one in quads
        if one.predicate != DCTERMS_MODIFIED or one.graph_name not in DescriptionGraphs(BASE).graphs
    }


def turtle(text: str) -> list[ox.Triple]:
    return parse_triples(PREFIXES + text)


def looked_at_anew(store: Store) -> set[ox.Quad]:
    """All that is stated in a store, with all that is computed from it, computed from nothing."""
    board, portrait = ConformanceGraph(BASE, Settings.shacl), DescriptionGraphs(BASE)
    inference = Inference(RULES, INFERRED, None, [board], [portrait])
    computed = {board.graph, inference.graph, *portrait.graphs}
    quads = ox.Store()
    quads.extend(one for one in store._quads if one.graph_name not in computed)
    inference.apply(quads, None)
    return whatever_the_time(quads)


@pytest.fixture
def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[Store], None]], Path]:
    """The folder of a store as a kill leaves it at a place of a write."""
    store = opened(tmp_path / "store")
    for graph, triples in (
        (
            f"{KNOWN['graph']}ontology",
            parse_graph_document((SHIPPED_FOLDER / "ontology/wgig.ttl").read_bytes(), "text/turtle"),
        ),
        (OTHER, turtle("paper:other a wgig:IssuePaper ; wgig:issue <urn:issue> .")),
        (
            SPAM,
            parse_graph_document((SHIPPED_FOLDER / "data/papers/wp-spam.ttl").read_bytes(), "text/turtle"),
        ),
    ):
        store.apply(store.compute_addition(graph, triples))

    def kill(place: str, write: Callable[[Store], None]) -> Path:
        whole = getattr(Inference, PLACES[place])

        def copied_first(*given: Any) -> Any:
            if not (tmp_path / "killed").exists():
                shutil.copytree(tmp_path / "store", tmp_path / "killed")
            return whole(*given)

        with monkeypatch.context() as patched:
            patched.setattr(Inference, PLACES[place], copied_first)
            write(store)
        return tmp_path / "killed"

    return kill


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.replace({SPAM: turtle(NEW)}),
        lambda store: store.apply(store.compute_replacement(SPAM, None)),
        lambda store: store.replace({f"{KNOWN['graph']}paper/new": turtle("paper:new a wgig:IssuePaper .")}),
        lambda store: store.apply(
            store.compute_addition(SPAM, turtle(NEW)).combine(
                store.compute_addition(None, turtle("<urn:c> a cito:Citation ."))
            )
        ),
        lambda store: store.update(f"DELETE WHERE {{ GRAPH <{SPAM}> {{ ?s <{KNOWN['wgig']}issue> ?o }} }}"),
        lambda store: store.update("INSERT DATA { <urn:s> a <https://w3id.org/wgig/ontology#Milestone> }"),
    ],
    ids=["replace", "delete", "new", "more", "update", "data"],
)
def test_a_write_that_a_kill_cut_off_is_brought_to_its_end_without_looking_at_everything(
    killed: Callable[[str, Callable[[Store], None]], Path],
    place: str,
    write: Callable[[Store], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = killed(place, write)
    with monkeypatch.context() as patched:
        patched.delattr(Inference, "compare_anew")
        patched.delattr(DescriptionGraphs, "rebuild")
        store = opened(folder)
    assert whatever_the_time(store._quads) == looked_at_anew(store)


def test_a_note_that_is_damaged_counts_as_none(
    killed: Callable[[str, Callable[[Store], None]], Path],
) -> None:
    folder = killed("stated", lambda store: store.replace({SPAM: turtle(NEW)}))
    (folder / recovery.JOURNAL_FILE).write_bytes((folder / recovery.JOURNAL_FILE).read_bytes()[:-5])
    store = opened(folder)
    assert whatever_the_time(store._quads) == looked_at_anew(store)


NOTE = JournalEntry(
    WriteScope((ox.NamedNode("urn:g"), ox.DefaultGraph()), (), (ox.NamedNode("urn:h"),)),
    Contents(
        {ox.Quad(ox.BlankNode("b"), ox.NamedNode("urn:p"), ox.Literal("\u2028 a"), ox.DefaultGraph())},
        {"urn:g"},
    ),
    frozenset({ox.Quad(ox.NamedNode("urn:s"), ox.NamedNode("urn:p"), ox.Literal(1), ox.NamedNode("urn:g"))}),
    "described at noon",
)


def test_a_note_is_read_as_it_was_written_by_who_computes_in_the_same_way(tmp_path: Path) -> None:
    assert recovery.read_journal(tmp_path, "a") is None
    recovery.write_journal(tmp_path, NOTE, "a")
    assert recovery.read_journal(tmp_path, "a") == NOTE
    assert recovery.read_journal(tmp_path, "b") is None


def test_a_long_note_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "MAX_JOURNAL_QUADS", 1)
    recovery.write_journal(tmp_path, NOTE, "a")
    assert recovery.read_journal(tmp_path, "a") is None


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.update("DELETE WHERE { GRAPH ?g { ?s <urn:p> ?o } }"),
        lambda store: store.bulk_load(io.BytesIO(b"<urn:s> <urn:p> 1 ."), ox.RdfFormat.TURTLE, None),
    ],
)
def test_no_note_is_left_of_another_write(tmp_path: Path, write: Callable[[Store], None]) -> None:
    store = Store.open(tmp_path, ["CONSTRUCT { ?s a <urn:B> } WHERE { ?s a <urn:A> }"])
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    assert (tmp_path / recovery.JOURNAL_FILE).exists()
    write(store)
    assert not (tmp_path / recovery.JOURNAL_FILE).exists()


def test_a_write_of_which_no_note_can_be_taken_does_not_happen_and_the_next_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store, heard = Store.open(tmp_path, ["CONSTRUCT { ?s a <urn:B> } WHERE { ?s a <urn:A> }"]), list[Any]()
    store.on_commit = heard.append
    monkeypatch.setattr(recovery, "write_journal", full)
    with pytest.raises(StoreError):
        store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    assert not store
    monkeypatch.undo()
    store.update("INSERT DATA { <urn:s> <urn:p> 2 }")
    assert [len(change.added) for change in heard] == [1]

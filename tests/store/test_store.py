"""Writing, reading, and inference of a store in memory and on disk."""

import errno
import io
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.rdf.serialization import parse_graph_document
from wgig.store import transactions
from wgig.store.change_log import SourceFile
from wgig.store.errors import StoreError
from wgig.store.folder import CHANGE_LOG_FILE
from wgig.store.inference.inference import Inference
from wgig.store.position import EnginePosition
from wgig.store.store import Store
from wgig.store.view import QueryDataset

TURTLE, CSV = "text/turtle", "text/csv"  # media types
UNION_DATASET = QueryDataset()  # the default graph is the union of all graphs
RULE = "CONSTRUCT { ?x a <urn:Animal> } WHERE { ?x a <urn:Cat> }"
ANIMALS_QUERY = "SELECT ?x { GRAPH <urn:inferred> { ?x a <urn:Animal> } }"


def query_rows(store: Store, query: str, dataset: QueryDataset = UNION_DATASET) -> list[str]:
    out = io.BytesIO()
    store.query(query, CSV, out, dataset)
    return out.getvalue().decode().splitlines()[1:]


def test_a_write_is_there_after_the_store_is_reopened(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.update("INSERT DATA { GRAPH <urn:g> { <urn:s> <urn:p> 1 } }")
    del store
    assert query_rows(Store.open(tmp_path), "SELECT ?o { ?s ?p ?o }") == ["1"]


def test_a_graph_is_replaced_completely() -> None:
    store = Store.in_memory()
    store.replace({"urn:g": parse_graph_document(b"<urn:s> <urn:p> 1, 2 .", TURTLE)})
    store.replace({"urn:g": parse_graph_document(b"<urn:s> <urn:p> 3 .", TURTLE)})
    assert query_rows(store, "SELECT ?o { ?s ?p ?o }") == ["3"]


@pytest.mark.parametrize("graph", ["urn:g", None])
def test_only_the_named_graphs_are_replaced(graph: str | None) -> None:
    store = Store.in_memory()
    for text in (b"<urn:s> <urn:p> 1 .", b"<urn:s> <urn:p> 2 ."):
        store.replace(
            {
                "urn:kept": parse_graph_document(b"<urn:s> <urn:p> 3 .", TURTLE),
                graph: parse_graph_document(text, TURTLE),
            }
        )
    store.replace({graph: parse_graph_document(b"<urn:s> <urn:p> 4 .", TURTLE)})
    assert [triple.object.value for triple in store.triples(graph)] == ["4"]  # type: ignore[union-attr]
    assert [triple.object.value for triple in store.triples("urn:kept")] == ["3"]  # type: ignore[union-attr]


@pytest.mark.parametrize("before", [b"", b"<urn:s> <urn:p> 1 ."])
def test_a_write_that_fails_midway_changes_nothing(before: bytes) -> None:
    def iter_failing_triples() -> Iterator[ox.Triple]:
        yield from parse_graph_document(b"<urn:s> <urn:p> 2 .", TURTLE)
        raise ValueError("no more")

    store = Store.in_memory()
    store.replace({"urn:g": parse_graph_document(before, TURTLE)})
    with pytest.raises(ValueError, match="no more"):
        store.replace({"urn:g": iter_failing_triples()})
    assert set(store.triples("urn:g")) == set(parse_graph_document(before, TURTLE))


def test_an_update_that_fails_changes_nothing() -> None:
    store = Store.in_memory()
    with pytest.raises(RuntimeError):
        store.update("INSERT DATA { <urn:s> <urn:p> 1 }; CREATE GRAPH <urn:g>; CREATE GRAPH <urn:g>")
    assert not store


def test_a_graph_may_be_empty_and_can_be_dropped() -> None:
    store = Store.in_memory()
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    store.replace({"urn:g": parse_graph_document(b"", TURTLE)})
    assert store.has_graph("urn:g")
    store.apply(store.compute_replacement("urn:g", None))
    assert not store.has_graph("urn:g")


def test_equal_blank_node_labels_of_two_documents_are_two_nodes() -> None:
    store = Store.in_memory()
    for graph in ("urn:a", "urn:b"):
        store.apply(store.compute_addition(graph, parse_graph_document(b"_:x <urn:p> 1 .", TURTLE)))
    assert len(set(query_rows(store, "SELECT ?s { GRAPH ?g { ?s ?p ?o } }"))) == 2


def test_the_default_graph_is_the_union_unless_the_dataset_differs() -> None:
    store = Store.in_memory()
    store.apply(store.compute_addition("urn:g", parse_graph_document(b"<urn:s> <urn:p> 1 .", TURTLE)))
    assert query_rows(store, "SELECT ?o { ?s ?p ?o }") == ["1"]
    assert query_rows(store, "SELECT ?o { ?s ?p ?o }", QueryDataset(union=False)) == []
    assert query_rows(store, "SELECT ?o { ?s ?p ?o }", QueryDataset(default=("urn:other",))) == []


def test_a_store_can_be_read_while_a_writer_is_open(tmp_path: Path) -> None:
    writer = Store.open(tmp_path)
    writer.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    assert query_rows(Store.open_read_only(tmp_path), "SELECT ?o { ?s ?p ?o }") == ["1"]


def test_a_second_process_gets_an_error_that_the_store_is_in_use(tmp_path: Path) -> None:
    opened_store = Store.open(tmp_path)
    code = (
        f"from pathlib import Path; from wgig.store.store import Store; Store.open(Path({str(tmp_path)!r}))"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"NotWritableError: The store {tmp_path} is in use by another process; stop it" in process.stderr
    del opened_store


def test_a_folder_with_other_files_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "quads").mkdir()
    (tmp_path / "quads" / "letter.txt").write_text("dear")
    with pytest.raises(StoreError, match="not a store"):
        Store.open(tmp_path)
    assert [path.name for path in (tmp_path / "quads").iterdir()] == ["letter.txt"]


def test_a_file_instead_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")
    with pytest.raises(StoreError, match="is not a folder; give a folder with --store"):
        Store.open(tmp_path / "store")


def test_reading_a_missing_store_is_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not exist; create it: run wgig serve"):
        Store.open_read_only(tmp_path)


@pytest.fixture(params=["memory", "disk"])
def rule_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store with inference by RULE."""
    return Store.in_memory([RULE]) if request.param == "memory" else Store.open(tmp_path, [RULE])


def test_inferred_triples_appear_and_disappear_with_their_premises(rule_store: Store) -> None:
    rule_store.apply(
        rule_store.compute_addition(
            "urn:g", parse_graph_document(b"<urn:tom> a <urn:Cat> . <urn:kit> a <urn:Cat> .", TURTLE)
        )
    )
    assert sorted(query_rows(rule_store, ANIMALS_QUERY)) == ["urn:kit", "urn:tom"]
    rule_store.update("DELETE DATA { GRAPH <urn:g> { <urn:tom> a <urn:Cat> } }")
    assert query_rows(rule_store, ANIMALS_QUERY) == ["urn:kit"]


def test_asserted_triples_are_not_inferred_too(rule_store: Store) -> None:
    rule_store.apply(
        rule_store.compute_addition(
            "urn:g", parse_graph_document(b"<urn:tom> a <urn:Cat>, <urn:Animal> .", TURTLE)
        )
    )
    assert query_rows(rule_store, ANIMALS_QUERY) == []


def test_dropping_all_graphs_drops_the_inferred_graph(rule_store: Store) -> None:
    rule_store.apply(
        rule_store.compute_addition("urn:g", parse_graph_document(b"<urn:tom> a <urn:Cat> .", TURTLE))
    )
    rule_store.update("DROP ALL")
    assert rule_store.graphs() == []


def test_missing_inference_is_completed_when_the_store_is_opened(tmp_path: Path) -> None:
    without_rules = Store.open(tmp_path)
    without_rules.apply(
        without_rules.compute_addition("urn:g", parse_graph_document(b"<urn:tom> a <urn:Cat> .", TURTLE))
    )
    del without_rules
    assert query_rows(Store.open(tmp_path, [RULE]), ANIMALS_QUERY) == ["urn:tom"]


def test_changed_rules_are_applied_when_the_store_is_opened(tmp_path: Path) -> None:
    store = Store.open(tmp_path, [RULE])
    store.apply(store.compute_addition("urn:g", parse_graph_document(b"<urn:tom> a <urn:Cat> .", TURTLE)))
    del store
    assert query_rows(Store.open(tmp_path, [RULE.replace("Animal", "Pet")]), ANIMALS_QUERY) == []


def test_the_position_is_written_after_many_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed, has_flushed = list[int](), threading.Event()

    def write_position(position: EnginePosition, _: Path) -> None:
        flushed.append(position.version)
        has_flushed.set()

    store = Store.open(tmp_path)
    store.update_in_background()
    monkeypatch.setattr(transactions, "MAX_UNFLUSHED_QUADS", 3 * (1 + transactions.COMMIT_QUADS))
    monkeypatch.setattr(EnginePosition, "write", write_position)
    for number in range(3):
        store.update(f"INSERT DATA {{ <urn:s> <urn:p> {number} }}")
    assert has_flushed.wait(60)
    assert flushed == [3]


def test_a_failed_flush_is_ignored_and_leaves_the_position(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_with_full_disk(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store = Store.open(tmp_path)
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    store.flush()
    monkeypatch.setattr(EnginePosition, "write", fail_with_full_disk)
    store.update("INSERT DATA { <urn:s> <urn:p> 2 }")
    store.flush()
    position = EnginePosition.read(tmp_path)
    assert position
    assert position.version == 1


def test_a_log_of_another_store_is_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        store = Store.open(tmp_path / name)
        store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
        store.close()
        del store
    for path in (tmp_path / "one").glob(f"{CHANGE_LOG_FILE}*"):
        path.unlink()
    shutil.copy(tmp_path / "two" / CHANGE_LOG_FILE, tmp_path / "one")
    with pytest.raises(StoreError, match="belongs to a different store"):
        Store.open(tmp_path / "one")


def test_a_log_that_is_older_than_the_quads_is_refused(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    store.close()
    del store
    saved = (tmp_path / "store" / CHANGE_LOG_FILE).read_bytes()
    store = Store.open(tmp_path / "store")
    store.update("INSERT DATA { <urn:s> <urn:p> 2 }")
    store.close()
    del store
    for path in (tmp_path / "store").glob(f"{CHANGE_LOG_FILE}*"):
        path.unlink()
    (tmp_path / "store" / CHANGE_LOG_FILE).write_bytes(saved)
    with pytest.raises(StoreError, match="they have version 2, but the log ends at version 1"):
        Store.open(tmp_path / "store")


def test_an_interrupted_load_is_finished_when_the_store_is_opened(tmp_path: Path) -> None:
    store = Store.open(tmp_path, [RULE])
    file = SourceFile("cats.ttl", TURTLE, "ab" * 32)
    store.bulk_load(io.BytesIO(b"<urn:tom> a <urn:Cat> ."), ox.RdfFormat.TURTLE, None, file)
    del store
    messages = list[str]()
    store = Store.open(tmp_path, [RULE], print_message=messages.append)
    assert [message for message in messages if "Finishing the interrupted load" in message]
    assert query_rows(store, ANIMALS_QUERY) == ["urn:tom"]
    assert store.list_interrupted_files(None) == [file]
    assert store.list_interrupted_files("urn:other") == []  # it was not loaded into this graph
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    assert store.list_interrupted_files(None) == []


def test_a_load_that_is_interrupted_again_has_the_files_of_both_attempts(tmp_path: Path) -> None:
    files = [SourceFile(f"{name}.ttl", TURTLE, digit * 64) for name, digit in (("cats", "a"), ("dogs", "b"))]
    for file in files:
        store = Store.open(tmp_path, [RULE])
        store.bulk_load(io.BytesIO(b"[] a <urn:Cat> ."), ox.RdfFormat.TURTLE, None, file)
        del store
    store = Store.open(tmp_path, [RULE])
    assert sorted(store.list_interrupted_files(None), key=lambda file: file.name) == files
    store.mark_load_complete()
    assert store.list_interrupted_files(None) == []


class InterruptedSource(io.BytesIO):
    """A file whose reading is interrupted."""

    def read(self, _size: int | None = -1) -> bytes:
        """Raise KeyboardInterrupt, which a load does not handle, like a kill."""
        raise KeyboardInterrupt


def test_what_a_recovery_infers_is_not_taken_for_an_interrupted_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first recovery is interrupted, too, after it has added quads to the engine."""
    cats, dogs = (SourceFile(f"{name}.ttl", TURTLE, "ab" * 32) for name in ("cats", "dogs"))
    store = Store.open(tmp_path, [RULE])
    store.bulk_load(io.BytesIO(b"<urn:tom> a <urn:Cat> ."), ox.RdfFormat.TURTLE, None, cats)
    with pytest.raises(KeyboardInterrupt):
        store.bulk_load(InterruptedSource(), ox.RdfFormat.TURTLE, None, dogs)
    del store
    rebuild = Inference.rebuild

    def rebuild_and_fail(inference: Inference, quads: ox.Store) -> None:
        rebuild(inference, quads)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Inference, "rebuild", rebuild_and_fail)
        with pytest.raises(KeyboardInterrupt):
            Store.open(tmp_path, [RULE])
    store = Store.open(tmp_path, [RULE])
    assert query_rows(store, ANIMALS_QUERY) == ["urn:tom"]
    assert store.list_interrupted_files(None) == [cats]


@pytest.mark.parametrize(
    ("rdf_format", "data"),
    [
        (ox.RdfFormat.TURTLE, b""),
        (ox.RdfFormat.TURTLE, b"<urn:s> <urn:p> 1 ."),
        (ox.RdfFormat.N_TRIPLES, b"<urn:s> <urn:p> <urn:o> ."),
        (ox.RdfFormat.TRIG, b"<urn:s> <urn:p> 1 ."),
        (ox.RdfFormat.N_QUADS, b"<urn:s> <urn:p> <urn:o> ."),
        (ox.RdfFormat.JSON_LD, b'{"@id": "urn:s", "urn:p": 1}'),
    ],
)
@pytest.mark.parametrize("graph", ["urn:g", None])
def test_a_loaded_graph_has_only_the_triples_of_the_file(
    tmp_path: Path, rdf_format: ox.RdfFormat, data: bytes, graph: str | None
) -> None:
    store = Store.open(tmp_path)
    store.bulk_load(io.BytesIO(data), rdf_format, graph)
    assert [triple.subject for triple in store.triples(graph)] == ([ox.NamedNode("urn:s")] if data else [])
    assert store.size() == (len(data) > 0, bool(data and graph))


@pytest.mark.parametrize("name", ["TURTLE", "N_TRIPLES", "TRIG", "N_QUADS"])
@pytest.mark.parametrize("graph", ["urn:g", None])
def test_the_error_of_a_loaded_file_has_its_line(name: str, graph: str | None) -> None:
    store = Store.in_memory()
    file = io.BytesIO(b"<urn:s> <urn:p> <urn:line5> .\n<urn:s> <urn:p> oops: .")
    with pytest.raises(SyntaxError, match="line 2 ") as caught:
        store.bulk_load(file, getattr(ox.RdfFormat, name), graph)
    assert caught.value.lineno == 2
    assert not store


@pytest.mark.parametrize("is_killed", [True, False])
def test_a_large_addition_that_was_interrupted_is_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_killed: bool
) -> None:
    """The engine is left with a part of the quads, without those that follow from them."""
    monkeypatch.setattr(transactions, "MIN_BULK_QUADS", 2)
    store = Store.open(tmp_path, [RULE])
    triples = parse_graph_document(b"<urn:tom> a <urn:Cat> . <urn:kit> a <urn:Cat> .", TURTLE)
    if is_killed:
        with monkeypatch.context() as patched:
            patched.setattr(store, "flush", lambda: None)
            store.replace({"urn:g": triples})
        for quad in [quad for quad in store.match() if quad.subject == ox.NamedNode("urn:tom")]:
            store._quads.remove(quad)
    else:
        store.replace({"urn:g": triples})
    position = EnginePosition.read(tmp_path)
    assert position
    assert bool(position.rules) != is_killed
    del store
    assert sorted(query_rows(Store.open(tmp_path, [RULE]), ANIMALS_QUERY)) == ["urn:kit", "urn:tom"]

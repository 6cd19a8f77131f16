import errno
import io
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pyoxigraph as ox
import pytest
from wgig.rdf.serialization import parse_graph_document
from wgig.store import folder, recovery, snapshot, transactions
from wgig.store.change import WHOLE_STORE
from wgig.store.errors import StoreError
from wgig.store.inference import inference
from wgig.store.store import Store
from wgig.store.view import QueryDataset

TURTLE = "text/turtle"
CSV = "text/csv"
UNION = QueryDataset()
RULE = "CONSTRUCT { ?x a <urn:Animal> } WHERE { ?x a <urn:Cat> }"
CATS = "SELECT ?x { GRAPH <urn:inferred> { ?x a <urn:Animal> } }"


def answer(store: Store, query: str, dataset: QueryDataset = UNION) -> list[str]:
    out = io.BytesIO()
    store.query(query, CSV, out, dataset)
    return out.getvalue().decode().splitlines()[1:]


def test_what_was_written_is_there_after_opening_again(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.update("INSERT DATA { GRAPH <urn:g> { <urn:s> <urn:p> 1 } }")
    del store
    assert answer(Store.open(tmp_path), "SELECT ?o { ?s ?p ?o }") == ["1"]


def test_a_graph_is_replaced_whole() -> None:
    store = Store.in_memory()
    store.replace({"urn:g": parse_graph_document(b"<urn:s> <urn:p> 1, 2 .", TURTLE)})
    store.replace({"urn:g": parse_graph_document(b"<urn:s> <urn:p> 3 .", TURTLE)})
    assert answer(store, "SELECT ?o { ?s ?p ?o }") == ["3"]


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
    assert [one.object.value for one in store.triples(graph)] == ["4"]  # type: ignore[union-attr]
    assert [one.object.value for one in store.triples("urn:kept")] == ["3"]  # type: ignore[union-attr]


@pytest.mark.parametrize("before", [b"", b"<urn:s> <urn:p> 1 ."])
def test_a_write_that_breaks_off_leaves_what_was_there(before: bytes) -> None:
    def breaking_off() -> Iterator[ox.Triple]:
        yield from parse_graph_document(b"<urn:s> <urn:p> 2 .", TURTLE)
        raise ValueError("no more")

    store = Store.in_memory()
    store.replace({"urn:g": parse_graph_document(before, TURTLE)})
    with pytest.raises(ValueError, match="no more"):
        store.replace({"urn:g": breaking_off()})
    assert set(store.triples("urn:g")) == set(parse_graph_document(before, TURTLE))


def test_an_update_that_fails_changes_nothing() -> None:
    store = Store.in_memory()
    with pytest.raises(RuntimeError):
        store.update("INSERT DATA { <urn:s> <urn:p> 1 }; CREATE GRAPH <urn:g>; CREATE GRAPH <urn:g>")
    assert not store


def test_a_graph_may_be_empty_and_is_gone_when_deleted() -> None:
    store = Store.in_memory()
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    store.replace({"urn:g": parse_graph_document(b"", TURTLE)})
    assert store.has_graph("urn:g")
    store.apply(store.compute_replacement("urn:g", None))
    assert not store.has_graph("urn:g")


def test_equal_blank_node_labels_of_two_documents_stay_two_nodes() -> None:
    store = Store.in_memory()
    for graph in ("urn:a", "urn:b"):
        store.apply(store.compute_addition(graph, parse_graph_document(b"_:x <urn:p> 1 .", TURTLE)))
    assert len(set(answer(store, "SELECT ?s { GRAPH ?g { ?s ?p ?o } }"))) == 2


def test_the_default_graph_is_the_union_unless_asked_otherwise() -> None:
    store = Store.in_memory()
    store.apply(store.compute_addition("urn:g", parse_graph_document(b"<urn:s> <urn:p> 1 .", TURTLE)))
    assert answer(store, "SELECT ?o { ?s ?p ?o }") == ["1"]
    assert answer(store, "SELECT ?o { ?s ?p ?o }", QueryDataset(union=False)) == []
    assert answer(store, "SELECT ?o { ?s ?p ?o }", QueryDataset(default=("urn:other",))) == []


def test_a_snapshot_reads_beside_the_writer(tmp_path: Path) -> None:
    writer = Store.open(tmp_path)
    writer.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    assert answer(Store.open_read_only(tmp_path), "SELECT ?o { ?s ?p ?o }") == ["1"]


def test_a_second_process_is_told_that_the_store_is_in_use(tmp_path: Path) -> None:
    kept = Store.open(tmp_path)
    code = (
        f"from pathlib import Path; from wgig.store.store import Store; Store.open(Path({str(tmp_path)!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"NotWritableError: The store {tmp_path} is in use by another process; stop it" in done.stderr
    del kept


def test_a_folder_that_holds_something_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "quads").mkdir()
    (tmp_path / "quads" / "letter.txt").write_text("dear")
    with pytest.raises(StoreError, match="not a store"):
        Store.open(tmp_path)
    assert [path.name for path in (tmp_path / "quads").iterdir()] == ["letter.txt"]


def test_a_file_in_place_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")
    with pytest.raises(StoreError, match="is not a folder; give a folder with --store"):
        Store.open(tmp_path / "store")


def test_a_snapshot_of_nothing_says_how_to_make_a_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds no store; make one: wgig serve"):
        Store.open_read_only(tmp_path)


@pytest.fixture(params=["memory", "disk", "checkpoint"])
def ruled(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    if request.param == "checkpoint":  # as a store does that is too large for memory
        monkeypatch.setattr(snapshot, "MAX_IN_MEMORY_QUADS", -1)
    return Store.in_memory([RULE]) if request.param == "memory" else Store.open(tmp_path, [RULE])


def test_what_follows_comes_and_goes_with_what_is_stated(ruled: Store) -> None:
    ruled.apply(
        ruled.compute_addition(
            "urn:g", parse_graph_document(b"<urn:tom> a <urn:Cat> . <urn:kit> a <urn:Cat> .", TURTLE)
        )
    )
    assert sorted(answer(ruled, CATS)) == ["urn:kit", "urn:tom"]
    ruled.update("DELETE DATA { GRAPH <urn:g> { <urn:tom> a <urn:Cat> } }")
    assert answer(ruled, CATS) == ["urn:kit"]


def test_what_is_stated_is_not_inferred_too(ruled: Store) -> None:
    ruled.apply(
        ruled.compute_addition(
            "urn:g", parse_graph_document(b"<urn:tom> a <urn:Cat>, <urn:Animal> .", TURTLE)
        )
    )
    assert answer(ruled, CATS) == []


def test_nothing_remains_of_inference_when_all_is_dropped(ruled: Store) -> None:
    ruled.apply(ruled.compute_addition("urn:g", parse_graph_document(b"<urn:tom> a <urn:Cat> .", TURTLE)))
    ruled.update("DROP ALL")
    assert ruled.graphs() == []


def test_an_inference_that_a_crash_cut_off_is_made_good(tmp_path: Path) -> None:
    without_rules = Store.open(tmp_path)
    without_rules.apply(
        without_rules.compute_addition("urn:g", parse_graph_document(b"<urn:tom> a <urn:Cat> .", TURTLE))
    )
    del without_rules
    assert answer(Store.open(tmp_path, [RULE]), CATS) == ["urn:tom"]


def test_a_refused_change_leaves_nothing_to_make_good(tmp_path: Path) -> None:
    store = Store.open(tmp_path, [RULE])
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    with pytest.raises(SyntaxError):
        store.update("INSERT DATA { oops")
    with pytest.raises(SyntaxError):
        store.bulk_load(io.BytesIO(b"oops"), ox.RdfFormat.TURTLE, None)
    assert not inference.Inference([RULE], "urn:inferred", tmp_path).is_due


def test_a_write_that_the_disk_refused_is_looked_after_at_the_next_opening(tmp_path: Path) -> None:
    store = Store.open(tmp_path, [RULE])
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    with pytest.raises(StoreError), store._transaction(WHOLE_STORE):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert inference.Inference([RULE], "urn:inferred", tmp_path).is_due


def test_other_rules_than_last_time_are_applied_at_opening(tmp_path: Path) -> None:
    store = Store.open(tmp_path, [RULE])
    store.apply(store.compute_addition("urn:g", parse_graph_document(b"<urn:tom> a <urn:Cat> .", TURTLE)))
    del store
    assert answer(Store.open(tmp_path, [RULE.replace("Animal", "Pet")]), CATS) == []


def test_what_is_acknowledged_is_in_a_file_that_was_brought_to_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(folder, "sync_to_disk", synced.append)
    store = Store.open(tmp_path)
    store.update("INSERT DATA { <urn:s> <urn:p> 'needle in the log' }")
    assert [path for path in synced if path.is_file() and b"needle in the log" in path.read_bytes()]
    assert tmp_path / "quads" in synced
    synced.clear()
    store.update("INSERT DATA { <urn:s> <urn:p> 'thread in the log' }")
    assert [path for path in synced if path.is_file() and b"thread in the log" in path.read_bytes()]
    assert tmp_path / "quads" not in synced


def test_a_log_that_grew_long_is_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    class Thread:
        def __init__(self, target: Callable[[], None]) -> None:
            done.append(target.__name__)

        def start(self) -> None:
            pass

    monkeypatch.setattr(transactions, "MAX_ENGINE_LOG_QUADS", 2)
    monkeypatch.setattr(threading, "Thread", Thread)
    store = Store.open(tmp_path)
    for number in range(5):
        store.update(f"INSERT DATA {{ <urn:s> <urn:p> {number} }}")
        done.append(str(number))
    assert done == ["0", "_flush_engine", "1", "2", "_flush_engine", "3", "4"]


def test_a_log_that_cannot_be_flushed_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[bool] = []

    def full() -> None:
        flushed.append(True)
        raise OSError(errno.ENOSPC, "No space left on device")

    store = Store.in_memory()
    monkeypatch.setattr(store, "_quads", SimpleNamespace(flush=full))
    store._flush_engine()
    assert flushed


def test_that_a_write_is_coming_is_on_disk_before_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(tmp_path, [RULE])
    seen: list[tuple[Path, bool, bool]] = []
    due = inference.Inference([RULE], "urn:inferred", tmp_path)
    monkeypatch.setattr(recovery, "sync_to_disk", lambda path: seen.append((path, due.is_due, bool(store))))
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    assert seen == [(tmp_path, True, False)]

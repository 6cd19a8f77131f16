"""Shipped graphs are loaded into a store and updated, except those that a user has changed."""

from functools import partial
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig import seed
from wgig.rdf.serialization import parse_graph_document
from wgig.settings import Settings
from wgig.store.errors import StoreError
from wgig.store.store import Store

BASE = "https://w3id.org/wgig/"
GRAPH_BASE = f"{BASE}graph/"
# The files that the tests ship instead of the bundled ones: the content by path.
PACKAGE_FILES = {
    "data/issues.ttl": "<urn:spam> a <urn:Issue> .",
    "data/meetings.ttl": "<urn:first> a <urn:Meeting> .",
    "data/papers/wp-spam.ttl": "<urn:wp-spam> a <urn:Paper> .",
    "data/examples/tale.ttl": "<urn:tale> a <urn:Paper> .",
    "ontology/wgig.ttl": "<urn:Issue> <urn:isA> [ <urn:of> ( 1 2 ) ] .",
    "shapes/a.ttl": "_:x <urn:is> 1 .",
    "shapes/b.ttl": "_:x <urn:is> 2 .",
    "shapes/examples/ok-issue.ttl": "<urn:ok> a <urn:Issue> .",
}


@pytest.fixture
def package_folder(tmp_path: Path) -> Path:
    """A folder with PACKAGE_FILES."""
    for name, text in PACKAGE_FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.fixture
def store(package_folder: Path) -> Store:
    """A store with the graphs of PACKAGE_FILES."""
    store = Store.in_memory()
    assert seed.refresh_shipped_graphs(store, BASE, package_folder) == []
    return store


def test_each_data_file_and_paper_is_a_graph_and_examples_are_left_out(store: Store) -> None:
    names = ["catalog", "issues", "meetings", "ontology", "paper/wp-spam", "shapes"]
    assert store.graphs() == [GRAPH_BASE + name for name in names]


def test_blank_nodes_of_two_files_of_a_graph_are_not_merged(store: Store) -> None:
    assert len({triple.subject for triple in store.triples(f"{GRAPH_BASE}shapes")}) == 2


def test_unchanged_files_write_nothing(
    store: Store, package_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "replace", lambda _: pytest.fail("something was written"))
    assert seed.refresh_shipped_graphs(store, BASE, package_folder) == []


def test_a_literal_normalized_by_the_engine_is_not_a_change_by_a_user(
    store: Store, package_folder: Path
) -> None:
    for text in (
        '<urn:spam> <urn:is> 01, 1, "1"^^<http://www.w3.org/2001/XMLSchema#boolean> .',
        "<urn:s> a 1 .",
    ):
        (package_folder / "data/issues.ttl").write_text(text)
        assert seed.refresh_shipped_graphs(store, BASE, package_folder) == []


def test_a_newer_file_replaces_its_graph(store: Store, package_folder: Path) -> None:
    (package_folder / "data/issues.ttl").write_text("<urn:spam> a <urn:OldIssue> .")
    assert seed.refresh_shipped_graphs(store, BASE, package_folder) == []
    assert [str(triple.object) for triple in store.triples(f"{GRAPH_BASE}issues")] == ["<urn:OldIssue>"]


def test_a_graph_that_is_no_longer_shipped_is_removed(store: Store, package_folder: Path) -> None:
    (package_folder / "data/papers/wp-spam.ttl").unlink()
    assert seed.refresh_shipped_graphs(store, BASE, package_folder) == []
    assert store.graphs() == [
        GRAPH_BASE + name for name in ("catalog", "issues", "meetings", "ontology", "shapes")
    ]
    assert f"{GRAPH_BASE}paper/wp-spam" not in seed.read_shipped_records(store, BASE)


def test_a_changed_graph_that_is_no_longer_shipped_is_kept(store: Store, package_folder: Path) -> None:
    store.apply(
        store.compute_addition(
            f"{GRAPH_BASE}paper/wp-spam", parse_graph_document(b"<urn:mine> a <urn:Paper> .", "text/turtle")
        )
    )
    (package_folder / "data/papers/wp-spam.ttl").unlink()
    assert seed.refresh_shipped_graphs(store, BASE, package_folder) == []
    assert len(set(store.triples(f"{GRAPH_BASE}paper/wp-spam"))) == 2


@pytest.mark.parametrize("graph", ["issues", "ontology"])
def test_a_changed_graph_is_kept_and_reported(store: Store, package_folder: Path, graph: str) -> None:
    store.apply(
        store.compute_addition(
            GRAPH_BASE + graph, parse_graph_document(b"<urn:mine> a <urn:Issue> .", "text/turtle")
        )
    )
    changed_triples = set(store.triples(GRAPH_BASE + graph))
    for path in (package_folder / "data/issues.ttl", package_folder / "ontology/wgig.ttl"):
        path.write_text("<urn:new> a <urn:Thing> .")
    assert seed.refresh_shipped_graphs(store, BASE, package_folder) == [GRAPH_BASE + graph]
    assert set(store.triples(GRAPH_BASE + graph)) == changed_triples


def test_a_changed_graph_can_be_replaced_by_the_shipped_one(store: Store, package_folder: Path) -> None:
    store.apply(
        store.compute_addition(
            f"{GRAPH_BASE}issues", parse_graph_document(b"<urn:mine> a <urn:Issue> .", "text/turtle")
        )
    )
    seed.replace_shipped_graphs(store, BASE, {f"{GRAPH_BASE}issues": [package_folder / "data/issues.ttl"]})
    assert [str(triple.subject) for triple in store.triples(f"{GRAPH_BASE}issues")] == ["<urn:spam>"]


def test_a_users_graph_with_the_name_of_a_shipped_one_is_kept(package_folder: Path) -> None:
    store = Store.in_memory()
    store.apply(
        store.compute_addition(
            f"{GRAPH_BASE}issues", parse_graph_document(b"<urn:mine> a <urn:Issue> .", "text/turtle")
        )
    )
    assert seed.refresh_shipped_graphs(store, BASE, package_folder) == [f"{GRAPH_BASE}issues"]


def test_the_catalog_has_the_digests_of_shipped_graphs(store: Store) -> None:
    record = seed.read_shipped_records(store, BASE)[f"{GRAPH_BASE}shapes"]
    assert (len(record.files_digest), len(record.stored_digest)) == (64, 64)


def test_the_digest_of_triples_ignores_order_and_blank_node_labels() -> None:
    def digest_turtle(turtle: str) -> str:
        return seed.digest_triples(quad.triple for quad in ox.parse(turtle, ox.RdfFormat.TURTLE))

    assert digest_turtle("_:a <urn:p> 1 . <urn:s> <urn:p> 2 .") == digest_turtle(
        "<urn:s> <urn:p> 2 . _:b <urn:p> 1 ."
    )
    assert digest_turtle("<urn:s> <urn:p> 1 .") != digest_turtle("<urn:s> <urn:p> 2 .")


def test_opening_the_store_reports_the_kept_graphs(
    tmp_path: Path, package_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, messages = Settings(store=tmp_path / "store"), list[str]()
    store = Store.open(settings.store)
    seed.refresh_shipped_graphs(store, BASE, package_folder)
    store.apply(
        store.compute_addition(
            f"{GRAPH_BASE}issues", parse_graph_document(b"<urn:mine> a <urn:Issue> .", "text/turtle")
        )
    )
    (package_folder / "data/issues.ttl").write_text("<urn:new> a <urn:Issue> .")
    monkeypatch.setattr(
        seed, "refresh_shipped_graphs", partial(seed.refresh_shipped_graphs, folder=package_folder)
    )
    del store
    seed.open_filled_store(settings, messages.append)
    assert messages == [
        f"Running inference in {settings.store} because the rules changed ...",
        "You changed 1 of the shipped graphs, and the package has newer ones; yours are kept. "
        "To load the shipped ones: wgig load --shipped issues",
    ]


def test_an_older_package_keeps_the_graphs_of_a_newer_one(
    store: Store, package_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (package_folder / "data/issues.ttl").write_text("<urn:spam> a <urn:NewIssue> .")
    messages = list[str]()
    monkeypatch.setattr(
        seed, "refresh_shipped_graphs", partial(seed.refresh_shipped_graphs, folder=package_folder)
    )
    with monkeypatch.context() as older_package:
        older_package.setattr(seed, "__version__", "0.0.10")
        seed.fill_store(store, Settings(), messages.append)
    message_starts = [line.partition(";")[0] for line in messages]
    assert message_starts == [
        "The shipped graphs in the store are from the newer version 0.1.0 of wgig and are kept"
    ]
    assert "NewIssue" not in str(list(store.triples(f"{GRAPH_BASE}issues")))
    seed.fill_store(store, Settings(), messages.append)
    assert "NewIssue" in str(list(store.triples(f"{GRAPH_BASE}issues")))


def test_a_store_that_could_not_be_filled_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_with_full_disk(*_: object) -> list[str]:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(seed, "refresh_shipped_graphs", fail_with_full_disk)
    with pytest.raises(StoreError, match="full"):
        seed.open_store_snapshot(Settings(store=tmp_path), list[str]().append)


def test_a_snapshot_can_be_opened_beside_a_writer(tmp_path: Path) -> None:
    settings, messages = Settings(store=tmp_path), list[str]()
    writer_store = Store.open(tmp_path)
    writer_store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    snapshot = seed.open_store_snapshot(settings, messages.append)
    assert (len(list(snapshot.match())), messages) == (1, [])
    del writer_store


def test_a_store_is_filled_with_the_shipped_graphs_once(tmp_path: Path) -> None:
    settings, messages = Settings(store=tmp_path), list[str]()
    store = seed.open_filled_store(settings, messages.append)
    graphs = store.graphs()
    del store
    assert seed.open_filled_store(settings, messages.append).graphs() == graphs
    assert f"{GRAPH_BASE}inferred" in graphs
    assert len(messages) == 1  # that the store is filled


@pytest.mark.parametrize(
    ("remote", "store_text"),
    [("", "the store here with"), ("http://engine/", "the shared store at http://engine/ with")],
)
def test_filling_reports_the_store(remote: str, store_text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seed, "refresh_shipped_graphs", lambda *_: [])
    messages: list[str] = []
    seed.fill_store(Store.in_memory(), Settings(store=Path("here"), remote_query=remote), messages.append)
    assert messages == [f"Filling {store_text} the shipped graphs ..."]

from functools import partial
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig import seed
from wgig.graphs.description.derived import DescriptionGraphs
from wgig.rdf import shipped
from wgig.rdf.serialization import parse_graph_document
from wgig.settings import Settings
from wgig.shacl.conformance_graph import ConformanceGraph
from wgig.store.errors import StoreError
from wgig.store.store import Store

BASE = "https://w3id.org/wgig/"
GRAPH = f"{BASE}graph/"
FILES = {
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
def package(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.fixture
def store(package: Path) -> Store:
    filled = Store.in_memory()
    assert seed.refresh_shipped_graphs(filled, BASE, package) == []
    return filled


def test_each_area_and_paper_is_a_graph_and_examples_are_none(store: Store) -> None:
    names = ["catalog", "issues", "meetings", "ontology", "paper/wp-spam", "shapes"]
    assert store.graphs() == [GRAPH + name for name in names]


def test_blank_nodes_of_two_files_of_a_graph_stay_apart(store: Store) -> None:
    assert len({triple.subject for triple in store.triples(f"{GRAPH}shapes")}) == 2


def test_unchanged_files_write_nothing(store: Store, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "replace", lambda _: pytest.fail("something was written"))
    assert seed.refresh_shipped_graphs(store, BASE, package) == []


def test_a_value_that_the_engine_writes_in_its_own_way_is_no_change_by_a_user(
    store: Store, package: Path
) -> None:
    for text in (
        '<urn:spam> <urn:is> 01, 1, "1"^^<http://www.w3.org/2001/XMLSchema#boolean> .',
        "<urn:s> a 1 .",
    ):
        (package / "data/issues.ttl").write_text(text)
        assert seed.refresh_shipped_graphs(store, BASE, package) == []


def test_a_newer_file_replaces_its_graph(store: Store, package: Path) -> None:
    (package / "data/issues.ttl").write_text("<urn:spam> a <urn:OldIssue> .")
    assert seed.refresh_shipped_graphs(store, BASE, package) == []
    assert [str(triple.object) for triple in store.triples(f"{GRAPH}issues")] == ["<urn:OldIssue>"]


def test_a_graph_that_is_shipped_no_more_goes(store: Store, package: Path) -> None:
    (package / "data/papers/wp-spam.ttl").unlink()
    assert seed.refresh_shipped_graphs(store, BASE, package) == []
    assert store.graphs() == [
        GRAPH + name for name in ("catalog", "issues", "meetings", "ontology", "shapes")
    ]
    assert f"{GRAPH}paper/wp-spam" not in seed.read_shipped_records(store, BASE)


def test_a_graph_that_is_shipped_no_more_stays_where_a_user_changed_it(store: Store, package: Path) -> None:
    store.apply(
        store.compute_addition(
            f"{GRAPH}paper/wp-spam", parse_graph_document(b"<urn:mine> a <urn:Paper> .", "text/turtle")
        )
    )
    (package / "data/papers/wp-spam.ttl").unlink()
    assert seed.refresh_shipped_graphs(store, BASE, package) == []
    assert len(set(store.triples(f"{GRAPH}paper/wp-spam"))) == 2


@pytest.mark.parametrize("graph", ["issues", "ontology"])
def test_a_graph_that_a_user_changed_is_kept_and_named(store: Store, package: Path, graph: str) -> None:
    store.apply(
        store.compute_addition(
            GRAPH + graph, parse_graph_document(b"<urn:mine> a <urn:Issue> .", "text/turtle")
        )
    )
    mine = set(store.triples(GRAPH + graph))
    for path in (package / "data/issues.ttl", package / "ontology/wgig.ttl"):
        path.write_text("<urn:new> a <urn:Thing> .")
    assert seed.refresh_shipped_graphs(store, BASE, package) == [GRAPH + graph]
    assert set(store.triples(GRAPH + graph)) == mine


def test_the_shipped_graph_can_be_taken_after_all(store: Store, package: Path) -> None:
    store.apply(
        store.compute_addition(
            f"{GRAPH}issues", parse_graph_document(b"<urn:mine> a <urn:Issue> .", "text/turtle")
        )
    )
    seed.replace_shipped_graphs(store, BASE, {f"{GRAPH}issues": [package / "data/issues.ttl"]})
    assert [str(triple.subject) for triple in store.triples(f"{GRAPH}issues")] == ["<urn:spam>"]


def test_a_users_graph_under_a_shipped_name_is_kept(package: Path) -> None:
    store = Store.in_memory()
    store.apply(
        store.compute_addition(
            f"{GRAPH}issues", parse_graph_document(b"<urn:mine> a <urn:Issue> .", "text/turtle")
        )
    )
    assert seed.refresh_shipped_graphs(store, BASE, package) == [f"{GRAPH}issues"]


def test_the_catalog_tells_version_and_digests(store: Store) -> None:
    record = seed.read_shipped_records(store, BASE)[f"{GRAPH}shapes"]
    assert (len(record.files_digest), len(record.stored_digest)) == (64, 64)


def test_the_digest_of_triples_knows_no_order_and_no_blank_node_names() -> None:
    def digest(turtle: str) -> str:
        return seed.digest_triples(quad.triple for quad in ox.parse(turtle, ox.RdfFormat.TURTLE))

    assert digest("_:a <urn:p> 1 . <urn:s> <urn:p> 2 .") == digest("<urn:s> <urn:p> 2 . _:b <urn:p> 1 .")
    assert digest("<urn:s> <urn:p> 1 .") != digest("<urn:s> <urn:p> 2 .")


def test_who_opens_the_store_is_told_what_was_kept(
    tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, said = Settings(store=tmp_path / "store"), list[str]()
    store = Store.open(settings.store)
    seed.refresh_shipped_graphs(store, BASE, package)
    store.apply(
        store.compute_addition(
            f"{GRAPH}issues", parse_graph_document(b"<urn:mine> a <urn:Issue> .", "text/turtle")
        )
    )
    (package / "data/issues.ttl").write_text("<urn:new> a <urn:Issue> .")
    monkeypatch.setattr(seed, "refresh_shipped_graphs", partial(seed.refresh_shipped_graphs, folder=package))
    del store
    seed.open_filled_store(settings, said.append)
    assert said == [
        f"Running inference in {settings.store}: the last write was interrupted or rules changed ...",
        "You changed 1 of the shipped graphs, and the package has newer ones; yours are kept. "
        "To load the shipped ones: wgig load --shipped issues",
    ]


def test_an_older_package_leaves_the_graphs_of_a_newer_one(
    store: Store, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (package / "data/issues.ttl").write_text("<urn:spam> a <urn:NewIssue> .")
    said = list[str]()
    monkeypatch.setattr(seed, "refresh_shipped_graphs", partial(seed.refresh_shipped_graphs, folder=package))
    with monkeypatch.context() as older:
        older.setattr(seed, "__version__", "0.0.10")
        seed.fill_store(store, Settings(), said.append)
    begins = [line.partition(";")[0] for line in said]
    assert begins == ["The shipped graphs in the store are from wgig 0.1.0 and are kept"]
    assert "NewIssue" not in str(list(store.triples(f"{GRAPH}issues")))
    seed.fill_store(store, Settings(), said.append)
    assert "NewIssue" in str(list(store.triples(f"{GRAPH}issues")))


def test_a_store_that_could_not_be_filled_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> list[str]:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(seed, "refresh_shipped_graphs", full)
    with pytest.raises(StoreError, match="full"):
        seed.open_store_snapshot(Settings(store=tmp_path), list[str]().append)


@pytest.mark.parametrize(("settled", "told"), [(True, 0), (False, 1)])
def test_who_reads_beside_a_writer_is_told_what_may_be_missing(
    tmp_path: Path, settled: bool, told: int
) -> None:
    settings, said = Settings(store=tmp_path), list[str]()
    board = ConformanceGraph(settings.base, settings.shacl)
    portrait = DescriptionGraphs(settings.base)
    kept = Store.open(
        tmp_path, shipped.read_inference_rules(), f"{GRAPH}inferred", first=[board], last=[portrait]
    )
    if not settled:
        (tmp_path / "inferred-by").unlink()
    seed.open_store_snapshot(settings, said.append)
    assert ["may be incomplete" in sentence for sentence in said] == [True] * told
    del kept


def test_the_real_graphs_fill_a_store_once(tmp_path: Path) -> None:
    settings, said = Settings(store=tmp_path), list[str]()
    first = seed.open_filled_store(settings, said.append)
    graphs = first.graphs()
    del first
    assert seed.open_filled_store(settings, said.append).graphs() == graphs
    assert f"{GRAPH}inferred" in graphs
    assert len(said) == 1


@pytest.mark.parametrize(
    ("remote", "place"),
    [("", "the store here with"), ("http://engine/", "the shared store at http://engine/ with")],
)
def test_it_says_where_the_shipped_graphs_go(
    remote: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seed, "refresh_shipped_graphs", lambda *_: [])
    said: list[str] = []
    seed.fill_store(Store.in_memory(), Settings(store=Path("here"), remote_query=remote), said.append)
    assert said == [f"Filling {place} the shipped graphs ..."]

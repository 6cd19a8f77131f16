"""The in-memory index of lists: equal to a new index after each change, and to the query of each list."""

import io
import json
import random
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from wgig.lists.definitions import LIST_DEFINITIONS
from wgig.lists.facets import build_facet_table, build_facets, build_facets_query, build_tallied_facets
from wgig.lists.fields import ListField
from wgig.lists.indexed_list import IndexedList, ListOrder
from wgig.lists.list_index import INDEXED_LISTS, ListIndex, ListReader, RowReader
from wgig.lists.list_selection import select_list_items
from wgig.lists.query import build_list_query, parse_list_request
from wgig.lists.results import parse_list_page
from wgig.rdf.formats import TSV
from wgig.rdf.namespaces import RDF_TYPE_IRI, expand_curie
from wgig.rdf.values import is_resource_type
from wgig.settings import Settings
from wgig.store.change import Change
from wgig.store.store import Store
from wgig.store.view import StoreView, parse_tsv_rows

from tests.fixtures.service import make_service_client
from tests.fixtures.stores import copy_as_killed

BASE = Settings.base
WGIG = f"{BASE}ontology#"
PAPERS = [ox.NamedNode(f"{BASE}id/paper/p{number}") for number in range(3)]
ASSERTIONS = [ox.NamedNode(f"{BASE}id/assertion/p{number}") for number in range(2)]
PARTS: list[Any] = [ox.NamedNode(f"{BASE}id/paper/p0/assessment"), ox.BlankNode("part")]
AGENTS = [ox.NamedNode(f"{BASE}id/agent/{name}") for name in ("a", "b")]
SEATS = [ox.NamedNode(f"{BASE}id/membership/{name}") for name in ("a", "b")]
ISSUES = [ox.NamedNode(f"{BASE}id/issue/{name}") for name in ("a", "b")]
CRITERIA = [ox.NamedNode(f"{BASE}id/principle/{name}") for name in ("a", "b")]
PLACES = [ox.NamedNode(f"{BASE}id/place/{name}") for name in ("a", "b")]
GROUPS = [ox.NamedNode(f"{BASE}id/stakeholder-group/{name}") for name in ("a", "b")]
GRAPHS: list[Any] = [ox.NamedNode("urn:graph:1"), ox.NamedNode("urn:graph:2"), ox.DefaultGraph()]
TEXTS = [ox.Literal("Spam"), ox.Literal("ab", language="en"), ox.Literal("b", language="fr"), ox.Literal("B")]
DAYS = [ox.Literal("2005-02-01"), ox.Literal("2004"), ox.Literal("2005-03")]
CLASSES = [
    expand_curie(name, BASE)
    for name in ("wgig:IssuePaper", "wgig:Meeting", "foaf:Person", "earl:Assertion", "wgig:Issue")
]
# By subjects and prefixed property: the objects of random statements.
STATEMENTS: list[tuple[list[Any], str, list[Any]]] = [
    ([*PAPERS, *AGENTS, *ASSERTIONS], "rdf:type", CLASSES),
    ([*PAPERS, *AGENTS, *ISSUES, *PLACES, *ASSERTIONS], "rdfs:label", TEXTS),
    ([*PAPERS, *AGENTS], "foaf:name", TEXTS),
    (PAPERS, "dcterms:title", TEXTS),
    (PAPERS, "wgig:issue", [*ISSUES, ox.Literal("no issue")]),
    (PAPERS, "wgig:posted", DAYS),
    (PAPERS, "schema:startDate", DAYS),
    (PAPERS, "wgig:round", [ox.Literal(1), ox.Literal(2), ox.Literal("x")]),
    ([*PAPERS, *AGENTS, *ASSERTIONS], "wgig:illustrative", [ox.Literal(True), ox.Literal(False)]),
    (PAPERS, "schema:creativeWorkStatus", [ox.Literal("draft"), ISSUES[0]]),
    (PAPERS, "wgig:assessment", PARTS),
    (PARTS, "wgig:criterion", CRITERIA),
    (PAPERS, "wgig:drafter", AGENTS),
    (SEATS, "org:member", AGENTS),
    ([*SEATS, *AGENTS], "wgig:stakeholderGroup", GROUPS),
    ([*SEATS, *AGENTS], "wgig:country", PLACES),
    (PLACES, "dcterms:isPartOf", PLACES),
    (ASSERTIONS, "earl:subject", PAPERS),
    (ASSERTIONS, "wgig:partsMet", [ox.Literal(3), ox.Literal(20)]),
    (ASSERTIONS, "wgig:partsAsked", [ox.Literal(28)]),
]
ORDERS: dict[str, list[ListOrder]] = {
    "papers": [(("issue", True), ("label", False)), (("round", True),), (("drafter", False), ("id", True))],
    "timeline": [(("when", True), ("label", True))],
    "stakeholders": [(("country", False),), (("region", True), ("label", False))],
    "conformance": [(("earl:subject", False),), (("partsMet", True),)],
}

# By list: in one of how many requests facets are compared with those of the query, which may take seconds.
REQUESTS_PER_FACETS_QUERY = {"stakeholders": 6}


def make_random_quad(rng: random.Random) -> ox.Quad:
    """A quad that may change a list."""
    subjects, name, objects = rng.choice(STATEMENTS)
    return ox.Quad(rng.choice(subjects), expand_curie(name, BASE), rng.choice(objects), rng.choice(GRAPHS))


def read_index_content(lists: Mapping[str, IndexedList]) -> dict[str, Any]:
    """The values of all items by field, and their IRIs in each of the ORDERS, by list."""
    return {
        name: (
            {
                iri: {field: items.values_of(number, field) for field in items.columns}
                for iri, number in items.number_by_iri.items()
            },
            {field: dict(items.count_values(field, None)) for field in items.columns},
            [
                [items.iris[number] for number in items.sort_numbers(order)]
                for order in (*ORDERS[name], tuple((field, False) for field in items.definition.sort))
            ],
        )
        for name, items in lists.items()
    }


def read_content(index: ListIndex) -> dict[str, Any]:
    """What `read_index_content` returns."""
    return index.query_sync(read_index_content)


@pytest.mark.parametrize("moved_items", [0, 20])  # items that are moved in an order, without sorting all
@pytest.mark.parametrize("seed", range(12))
def test_index_equals_a_new_index_after_each_change(
    seed: int, moved_items: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wgig.lists.indexed_list.MAX_MOVED_ITEMS", moved_items)
    rng, store = random.Random(seed), Store.in_memory()
    index, sizes = ListIndex(store, BASE), list[int]()
    fill_at_random(store, rng)
    for _ in range(60):
        change_at_random(store, rng)
        if rng.randrange(3):
            continue  # several changes before the next use
        assert read_content(index) == read_content(ListIndex(store, BASE))
        sizes += map(len, index.lists.values())
    assert sum(sizes) > 10


def fill_at_random(store: Store, rng: random.Random) -> None:
    """Add quads, among them the classes of most resources."""
    types = {
        ox.Quad(node, expand_curie("rdf:type"), class_, GRAPHS[0])
        for nodes, class_ in ((PAPERS, CLASSES[0]), (AGENTS, CLASSES[2]), (ASSERTIONS, CLASSES[3]))
        for node in nodes
    }
    store.apply(Change(added=tuple(types.union(make_random_quad(rng) for _ in range(60)))))


def change_at_random(store: Store, rng: random.Random) -> None:
    """Remove and add a few quads."""
    quads = list(store.match())
    removed = tuple(set(rng.sample(quads, min(len(quads), rng.randrange(3)))))
    added = tuple({make_random_quad(rng) for _ in range(rng.randrange(9))}.difference(quads))
    store.apply(Change(removed=removed, added=added))


def make_random_request(
    rng: random.Random, name: str, lists: Mapping[str, IndexedList]
) -> list[tuple[str, str]]:
    """The parameters of a request for a list, with values of its items or others."""
    definition, pairs = LIST_DEFINITIONS[name], list[tuple[str, str]]()
    classes = [class_.rpartition(":")[2] for class_ in definition.classes]
    for field in rng.sample(definition.fields, rng.randrange(4)):
        known = [value for values, _ in lists[name].count_values(field.name, None) for value in values]
        pairs += [(field.name, text) for text in choose_texts(rng, field, known, classes) if text]
    names = ["id", *definition.by_name]
    sort = ",".join(rng.choice(["", "-"]) + rng.choice(names) for _ in range(rng.randrange(1, 4)))
    pairs += rng.choice([[], [("sort", sort)], [("sort", sort)]])
    pairs += rng.choice([[], [], [("q", rng.choice(["a", "B", "paper", "2"]))]])
    pairs += rng.choice([[], [], [("year", "2005")]]) if definition.date_fields else []
    return [*pairs, ("size", str(rng.choice([1, 3, 500])))]


def choose_texts(rng: random.Random, field: ListField, known: list[str], classes: list[str]) -> list[str]:
    """Values of the filter by a field; `classes` are the names of the classes of the list."""
    texts = []
    for _ in range(rng.randrange(1, 3)):
        value = rng.choice(known) if known else ""
        if field.type == "class":
            texts.append(rng.choice(classes))
        elif rng.randrange(4) == 0:
            texts.append("none")
        elif field.type == "text":
            texts.append(value[1:5])
        elif field.type == "date":
            texts.append(rng.choice(["2005", "2005-02", "..2005-02", "2004..2005", "2005-02..", "2004"]))
        elif field.type == "integer":
            texts.append(rng.choice(["1", "2", "2..", "..20", "28"]))
        elif not is_resource_type(field.type) or value.startswith("http"):
            texts.append(value)
    return texts


def select(store: Store, query: str) -> bytes:
    """The result of a query in TSV."""
    out = io.BytesIO()
    store.query(query, TSV.media_type, out)
    return out.getvalue()


def assert_equals_query(
    store: Store, index: ListIndex, name: str, pairs: list[tuple[str, str]], has_facets: bool = True
) -> int:
    """The number of items that a request matches; fails if the index selects others than the query.

    If `has_facets`, the values of facets are compared, too.
    """
    list_request = parse_list_request(LIST_DEFINITIONS[name], pairs, BASE)
    expected = parse_list_page(select(store, build_list_query(list_request, BASE)))
    selection = index.query_sync(select_list_items, list_request, BASE, has_facets=True)
    assert (selection.total, [item.iri for item in selection.items]) == (
        expected.total,
        [*expected.resources],
    ), (name, pairs)
    if not has_facets:
        return expected.total
    table = build_facet_table(
        list_request, parse_tsv_rows(select(store, build_facets_query(list_request, BASE))), {}, BASE
    )
    expected_facets = build_facets(list_request, table, {}, lambda _: {}, BASE)
    assert build_tallied_facets(list_request, selection.tallies, {}, BASE) == expected_facets, (name, pairs)
    return expected.total


@pytest.mark.parametrize("name", INDEXED_LISTS)
def test_random_requests_of_shipped_lists_select_the_items_and_facets_of_the_query(
    filled_store: Store, name: str
) -> None:
    rng, index = random.Random(name), ListIndex(filled_store, BASE)
    lists = index.query_sync(lambda lists: lists)
    totals = [
        assert_equals_query(
            filled_store,
            index,
            name,
            make_random_request(rng, name, lists),
            has_facets=number % REQUESTS_PER_FACETS_QUERY.get(name, 1) == 0,
        )
        for number in range(30)
    ]
    assert len(set(totals)) > 2


@pytest.mark.parametrize("seed", range(8))
def test_random_requests_of_random_lists_select_the_items_and_facets_of_the_query(seed: int) -> None:
    rng, store = random.Random(seed), Store.in_memory()
    index = ListIndex(store, BASE)
    fill_at_random(store, rng)
    for _ in range(30):
        change_at_random(store, rng)
        name = rng.choice(INDEXED_LISTS)
        assert_equals_query(
            store, index, name, make_random_request(rng, name, index.query_sync(lambda lists: lists))
        )


def test_order_by_issue_follows_the_names_of_issues() -> None:
    store = Store.in_memory()
    index, graph = ListIndex(store, BASE), ox.NamedNode("urn:graph")
    rdf_type, label = ox.NamedNode(RDF_TYPE_IRI), expand_curie("rdfs:label")
    quads = [
        quad
        for paper, issue in zip(PAPERS, ISSUES, strict=False)
        for quad in (
            ox.Quad(paper, rdf_type, CLASSES[0], graph),
            ox.Quad(paper, ox.NamedNode(f"{WGIG}issue"), issue, graph),
        )
    ]
    store.apply(Change(added=tuple(quads)))

    def list_iris(lists: Mapping[str, IndexedList]) -> list[str]:
        papers = lists["papers"]
        return [papers.iris[number] for number in papers.sort_numbers((("issue", False),))]

    first, second = (paper.value for paper in PAPERS[:2])
    assert index.query_sync(list_iris) == [first, second]
    store.apply(Change(added=(ox.Quad(ISSUES[1], label, ox.Literal("Spam"), graph),)))
    assert index.query_sync(list_iris) == [second, first]
    store.apply(Change(added=(ox.Quad(ISSUES[0], label, ox.Literal("access"), graph),)))
    assert index.query_sync(list_iris) == [first, second]


def count_papers(lists: Mapping[str, IndexedList]) -> int:
    """The number of papers."""
    return len(lists["papers"])


def test_index_is_rebuilt_after_a_bulk_load() -> None:
    store = Store.in_memory()
    index = ListIndex(store, BASE)
    assert index.query_sync(count_papers) == 0
    store.bulk_load(
        io.BytesIO(f"<{PAPERS[0].value}> a <{WGIG}IssuePaper> .".encode()),
        ox.RdfFormat.TURTLE,
        None,
    )
    store.finish_load()
    assert index.query_sync(count_papers) == 1


@pytest.mark.parametrize("limit", ["MAX_CHANGED_QUADS", "MAX_READ_VALUES"])
def test_everything_is_read_again_after_very_many_changes(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"wgig.lists.list_index.{limit}", 1)
    rng, store = random.Random(1), Store.in_memory()
    index = ListIndex(store, BASE)
    index.query_sync(count_papers)
    for _ in range(5):
        store.apply(Change(added=tuple({make_random_quad(rng) for _ in range(20)}.difference(store.match()))))
        assert read_content(index) == read_content(ListIndex(store, BASE))


@pytest.mark.parametrize("is_deleted_first", [True, False])
def test_index_equals_the_store_after_writes_during_the_build_that_cancel_each_other_out(
    monkeypatch: pytest.MonkeyPatch, is_deleted_first: bool
) -> None:
    paper = [ox.Triple(PAPERS[0], ox.NamedNode(RDF_TYPE_IRI), CLASSES[0])]
    before, during = (paper, None) if is_deleted_first else (None, paper)
    store = Store.in_memory()
    store.replace({"urn:graph:1": before})
    index, read_all = ListIndex(store, BASE), ListReader.read_all

    def read_between_writes(reader: ListReader, view: StoreView, items: IndexedList) -> None:
        store.replace({"urn:graph:1": during})
        read_all(reader, view, items)
        store.replace({"urn:graph:1": before})

    monkeypatch.setattr(ListReader, "read_all", read_between_writes)
    assert index.query_sync(count_papers) == is_deleted_first


@pytest.mark.parametrize("size", [1, 7, 100])
def test_rows_are_read_whole_from_parts_of_a_result(size: int) -> None:
    rows = list[bytes]()
    result, reader = b'?id\t?value\n<urn:a>\t1\n<urn:b>\t"x"@en\n', RowReader(rows.append)
    for start in range(0, len(result), size):
        reader.write(result[start : start + size])
    assert rows == [b"<urn:a>\t1", b'<urn:b>\t"x"@en']


@pytest.mark.parametrize(
    "path", ["/timeline", "/papers.json?sort=-posted,id", "/stakeholders.csv?region=Europe"]
)
def test_a_query_answers_while_the_index_is_being_built(
    filled_store: Store, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = make_service_client(Settings(), filled_store).get(path, headers={"Accept": "text/html"})
    is_answered = threading.Event()
    rebuild = ListIndex.rebuild

    def rebuild_later(index: ListIndex, view: StoreView, version: int) -> None:
        is_answered.wait()
        rebuild(index, view, version)

    monkeypatch.setattr(ListIndex, "rebuild", rebuild_later)
    monkeypatch.setattr("wgig.lists.routes.LIST_INDEX_WAIT_SECONDS", 0)
    client = make_service_client(Settings(), filled_store)
    try:
        response = client.get(path, headers={"Accept": "text/html"})
    finally:
        is_answered.set()
    assert response.status_code == expected.status_code == 200
    assert response.text == expected.text


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """The folder of a store that was closed, and the content of the index that was saved then."""
    rng, store = random.Random(1), Store.open(tmp_path / "first")
    index = ListIndex(store, BASE)
    fill_at_random(store, rng)
    content = read_content(index)
    for _ in range(20):
        change_at_random(store, rng)
        content = read_content(index)
    change_at_random(store, rng)  # read when the index is saved
    store.close()
    index.save()
    saved_content = read_index_content(index.lists)
    assert saved_content != content
    assert any(items.unused_numbers for items in index.lists.values())
    # Its own folder can only be opened again by another process.
    return copy_as_killed(store, tmp_path / "second"), saved_content


def test_saved_lists_are_used_by_the_next_start_and_follow_the_commits(
    saved: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, content = saved
    store, rng = Store.open(folder), random.Random(2)
    index = ListIndex(store, BASE)
    with monkeypatch.context() as patch:
        patch.delattr(ListReader, "read_all")  # which a build would call
        assert read_content(index) == content
    for _ in range(10):
        change_at_random(store, rng)
        assert read_content(index) == read_content(ListIndex(store, BASE))


def remove_line(lines: list[bytes]) -> list[bytes]:
    """Without the last part."""
    return lines[:-1]


def repeat_line(lines: list[bytes]) -> list[bytes]:
    """With a part too many."""
    return [*lines, lines[-1]]


def cut_line(lines: list[bytes]) -> list[bytes]:
    """With half of the last part."""
    return [*lines[:-1], lines[-1][: len(lines[-1]) // 2]]


def change_code(lines: list[bytes]) -> list[bytes]:
    """With codes that have no values."""
    return [*lines[:-1], json.dumps([999 for _ in json.loads(lines[-1])]).encode()]


def add_code(lines: list[bytes]) -> list[bytes]:
    """With the values of an item that does not exist."""
    return [*lines[:-1], json.dumps([*json.loads(lines[-1]), 0]).encode()]


def change_format(lines: list[bytes]) -> list[bytes]:
    """With the state of lists with other fields."""
    return [lines[0].replace(b"partsMet", b"partsLost"), *lines[1:]]


@pytest.mark.parametrize("change", [remove_line, repeat_line, cut_line, change_code, add_code, change_format])
def test_damaged_lists_are_not_used(
    saved: tuple[Path, dict[str, Any]], change: Callable[[list[bytes]], list[bytes]]
) -> None:
    folder, content = saved
    index = ListIndex(Store.open(folder), BASE)
    assert index.saved_file
    lines = index.saved_file.read_bytes().splitlines(keepends=True)
    index.saved_file.write_bytes(b"".join(change(lines)))
    index.read_file()
    assert index.saved_content is None
    assert read_content(index) == content


def test_lists_are_not_saved_again_if_nothing_was_written(saved: tuple[Path, dict[str, Any]]) -> None:
    store = Store.open(saved[0])
    index = ListIndex(store, BASE)
    index.open()
    store.close()
    assert index.saved_file
    index.saved_file.unlink()
    index.save()
    assert not index.saved_file.exists()

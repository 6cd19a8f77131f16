"""Checks of a graph page by page find what a check of the whole graph finds, with few triples in memory."""

from collections.abc import Callable, Collection, Iterator
from typing import Any

import pyoxigraph as ox
import pytest
from wgig.problems import Problem
from wgig.rdf.formats import TURTLE
from wgig.settings import Settings
from wgig.shacl.documents import read_rdf
from wgig.shacl.engines import ENGINE_NAMES
from wgig.shacl.findings import Report
from wgig.store.view import StoreView
from wgig.validation.check import check_data
from wgig.validation.graph_pages import StoreGraphSource, check_graph
from wgig.validation.shapes_graph import ShapesSource

from tests.fixtures.shapes import PERSON_DATA, PERSON_SHAPES, PREFIXES, make_source

# All kinds of targets and paths, nested shapes, classes with subclasses, and closed shapes.
SHAPES = f"""{PERSON_SHAPES}
ex:Linked a sh:NodeShape ;
  sh:targetSubjectsOf ex:knows , ex:next ; sh:targetObjectsOf ex:knows , ex:name ; sh:nodeKind sh:IRI ;
  sh:property [ sh:path [ sh:zeroOrMorePath ex:next ] ; sh:maxCount 3 ] ;
  sh:property [ sh:path [ sh:alternativePath ( ex:next [ sh:inversePath ex:next ] ) ] ; sh:minCount 1 ] ;
  sh:property [ sh:path ex:next ; sh:disjoint ex:name ; sh:equals ex:follower ] .
ex:Place a rdfs:Class , sh:NodeShape ;
  sh:closed true ;
  sh:property [ sh:path ex:address ; sh:property [ sh:path ex:code ; sh:minCount 1 ] ] ;
  sh:property [ sh:path ex:near ; sh:node [ sh:property [ sh:path ex:near ; sh:class ex:Place ] ] ] .
ex:Named sh:targetNode ex:absent , ex:bob , "text" ; sh:class ex:Place .
"""
DATA = f"""{PERSON_DATA}
ex:Town rdfs:subClassOf ex:Place .
ex:t1 a ex:Town ; ex:address [ ex:code 1 ] , [ ex:street "x" ] ; ex:near ex:t2 .
ex:t2 a ex:Place ; ex:near ex:bob , ex:t1 .
[] a ex:Place ; ex:foo 1 ; ex:near ex:t2 .
ex:n1 ex:next ex:n2 ; ex:follower ex:n2 . ex:n2 ex:next ex:n3 . ex:n3 ex:next ex:n4 . ex:n4 ex:next ex:n1 .
"""


def load_store(data: str) -> StoreView:
    store = ox.Store()
    store.bulk_load(data.encode(), ox.RdfFormat.TURTLE)
    return StoreView(store)


def call_directly(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)


def list_findings(report: Report) -> list[tuple[str, str, str]]:
    """Code, focus node and value of each finding; blank nodes have no name."""

    def describe(term: Any) -> str:
        return "[]" if isinstance(term, ox.BlankNode) else str(term)

    return sorted((f.rule.code, describe(f.focus), describe(f.value)) for f in report.findings)


@pytest.mark.parametrize("page_nodes", [1, 3, 1000])
@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_pages_have_the_findings_of_the_whole_graph(engine: str, page_nodes: int) -> None:
    settings, sources = Settings(shacl=engine), make_source(SHAPES)
    whole = check_data(read_rdf("d.ttl", DATA.encode(), TURTLE, 1000), sources, settings)
    source = StoreGraphSource(load_store(DATA), None, "graph", page_nodes)
    counts: list[int] = []
    paged = check_graph(source, sources, settings, call_directly, counts.append)
    assert list_findings(paged) == list_findings(whole)
    assert len(paged.findings) > 15
    assert paged.papers[0].focus_nodes == whole.papers[0].focus_nodes <= counts[-1]
    assert counts == sorted(counts)


class CountingSource(StoreGraphSource):
    """Keeps the largest number of nodes about which triples were requested at once."""

    largest_request = 0

    def fetch_outgoing(
        self, nodes: Collection[Any], properties: frozenset[str] | None
    ) -> Iterator[ox.Triple]:
        CountingSource.largest_request = max(CountingSource.largest_request, len(nodes))
        return super().fetch_outgoing(nodes, properties)


def test_a_page_is_all_that_is_in_memory() -> None:
    data = PREFIXES + "".join(f"ex:n{n} a ex:Person ; ex:name {n} .\n" for n in range(500))
    source = CountingSource(load_store(data), None, "graph", 20)
    sizes: list[int] = []

    def call_counting(function: Callable[..., Any], *args: Any) -> Any:
        sizes.extend(len(arg) for arg in args if isinstance(arg, list))
        return function(*args)

    report = check_graph(source, make_source(PERSON_SHAPES), Settings(), call_counting, lambda _: None)
    assert (report.papers[0].focus_nodes, len(report.findings)) == (500, 500)
    assert max(sizes) <= 40
    assert CountingSource.largest_request <= 60  # the nodes, their class and their names


def test_a_page_with_too_many_triples_is_split() -> None:
    names = " , ".join(f'"name {n}"' for n in range(50))
    data = PREFIXES + "".join(f"ex:n{n} a ex:Person ; ex:name {names} .\n" for n in range(10))
    settings = Settings(paper_triples=100)
    source = StoreGraphSource(load_store(data), None, "graph")
    report = check_graph(source, make_source(PERSON_SHAPES), settings, call_directly, lambda _: None)
    assert len(report.findings) == 10
    with pytest.raises(Problem, match="the shapes need more than") as caught:
        check_graph(
            source, make_source(PERSON_SHAPES), Settings(paper_triples=60), call_directly, lambda _: None
        )
    assert caught.value.status == 413


def test_one_graph_of_a_store_is_checked_without_the_others() -> None:
    store = ox.Store()
    for number in range(2):
        text = f'{PREFIXES} ex:n{number} a ex:Person ; ex:name "a" , "b" .'
        store.load(text.encode(), ox.RdfFormat.TURTLE, to_graph=ox.NamedNode(f"http://example.org/g{number}"))
    source = StoreGraphSource(StoreView(store), ox.NamedNode("http://example.org/g1"), "g1")
    report = check_graph(source, make_source(PERSON_SHAPES), Settings(), call_directly, lambda _: None)
    assert [finding.focus.value for finding in report.findings] == ["http://example.org/n1"]


QUERY_SHAPES = f"""{PREFIXES}
ex:S sh:targetClass ex:Person ; sh:sparql [
  sh:select "SELECT $this {{ $this <http://example.org/name> ?name FILTER(ISNUMERIC(?name)) }}" ] .
"""


def check_query_shapes(**settings: Any) -> Report:
    source = StoreGraphSource(load_store(DATA), None, "graph")
    sources: tuple[ShapesSource, ...] = make_source(QUERY_SHAPES)
    return check_graph(source, sources, Settings(**settings), call_directly, lambda _: None)


def test_with_a_query_the_whole_graph_is_read_up_to_the_limit() -> None:
    report = check_query_shapes()
    assert [finding.focus.value for finding in report.findings] == ["http://example.org/bob"]
    assert report.papers[0].focus_nodes == 3
    with pytest.raises(Problem, match="has a query, which needs the whole graph"):
        check_query_shapes(paper_triples=20)

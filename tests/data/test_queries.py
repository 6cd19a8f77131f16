"""Each example query has its expected result (tests/data/answers), which a person has checked."""

import re
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.settings import SHIPPED_FOLDER
from wgig.sparql.examples import list_example_queries

# Queries whose result is the same if several graphs have the same statements.
QUERIES_OVER_SEVERAL_GRAPHS = (
    "definitions",
    "judgments",
    "mechanisms-and-judgments",
    "needs-and-answers",
    "outcomes-and-evidence",
)
RESULTS_FOLDER = Path(__file__).parent / "answers"
QUERY_NAMES = sorted(path.stem for path in SHIPPED_FOLDER.glob("data/queries/*.rq"))


def test_there_are_seventeen_competency_questions_and_five_queries_of_pages_and_services() -> None:
    assert len(QUERY_NAMES) == 17 + 5


def test_every_expected_result_belongs_to_a_query() -> None:
    assert sorted(path.stem for path in RESULTS_FOLDER.iterdir()) == QUERY_NAMES


@pytest.mark.parametrize("name", QUERY_NAMES)
def test_query_is_described(name: str) -> None:
    example = next(query for query in list_example_queries() if query.name == name)
    assert example.title
    assert example.question.endswith("?")


def run_shipped_query(store: ox.Store, path: str) -> list[str]:
    """The lines of the CSV result of a query, by its path below data/."""
    query = (SHIPPED_FOLDER / "data" / path).read_text(encoding="utf-8")
    solutions = store.query(query, use_default_graph_as_union=True)
    assert isinstance(solutions, ox.QuerySolutions)
    result = solutions.serialize(format=ox.QueryResultsFormat.CSV)
    assert result is not None
    return result.decode().splitlines()


def read_expected_result(name: str) -> list[str]:
    """The lines of the expected CSV result of an example query."""
    return (RESULTS_FOLDER / f"{name}.csv").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", QUERY_NAMES)
def test_query_has_the_expected_result(name: str, store_with_shapes: ox.Store) -> None:
    command = f"wgig query --name {name} --format csv > tests/data/answers/{name}.csv"
    assert run_shipped_query(store_with_shapes, f"queries/{name}.rq") == read_expected_result(name), (
        f"If the new result is correct: {command}"
    )


@pytest.fixture(scope="module")
def store_with_copies(shipped_store: ox.Store) -> ox.Store:
    """The shipped store, with a copy of all statements in another graph, and five copies of the judgments."""
    store = ox.Store()
    store.extend(shipped_store)
    copies = {f"https://example.org/copy-of-judgments/{number}": "/judgments" for number in range(5)}
    for copy, suffix in {"https://example.org/copy": "", **copies}.items():
        store.extend(
            ox.Quad(quad.subject, quad.predicate, quad.object, ox.NamedNode(copy))
            for quad in shipped_store
            if str(quad.graph_name).strip("<>").endswith(suffix)
        )
    return store


@pytest.mark.parametrize("name", QUERIES_OVER_SEVERAL_GRAPHS)
def test_query_has_the_same_result_if_several_graphs_have_the_same_judgment(
    name: str, store_with_copies: ox.Store
) -> None:
    assert run_shipped_query(store_with_copies, f"queries/{name}.rq") == read_expected_result(name)


@pytest.mark.parametrize("name", ["judgments", "mechanisms", "recommendations"])
def test_table_has_the_same_rows_if_several_graphs_have_the_same_judgment(
    name: str, shipped_store: ox.Store, store_with_copies: ox.Store
) -> None:
    rows, rows_with_copies = (
        [sorted(re.split('[,|"]', line)) for line in run_shipped_query(store, f"tables/{name}.rq")]
        for store in (shipped_store, store_with_copies)
    )
    assert rows == rows_with_copies

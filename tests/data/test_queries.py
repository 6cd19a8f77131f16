"""Each example query has its expected result (tests/data/answers), which a person has checked."""

from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.settings import SHIPPED_FOLDER
from wgig.sparql.examples import list_example_queries

RESULTS_FOLDER = Path(__file__).parent / "answers"
QUERY_NAMES = sorted(path.stem for path in SHIPPED_FOLDER.glob("data/queries/*.rq"))


def test_there_are_twelve_competency_questions_and_four_queries_of_pages_and_services() -> None:
    assert len(QUERY_NAMES) == 12 + 4


def test_every_expected_result_belongs_to_a_query() -> None:
    assert sorted(path.stem for path in RESULTS_FOLDER.iterdir()) == QUERY_NAMES


@pytest.mark.parametrize("name", QUERY_NAMES)
def test_query_is_described(name: str) -> None:
    example = next(query for query in list_example_queries() if query.name == name)
    assert example.title
    assert example.question.endswith("?")


@pytest.mark.parametrize("name", QUERY_NAMES)
def test_query_has_the_expected_result(name: str, shipped_store: ox.Store) -> None:
    query = (SHIPPED_FOLDER / "data/queries" / f"{name}.rq").read_text(encoding="utf-8")
    solutions = shipped_store.query(query, use_default_graph_as_union=True)
    assert isinstance(solutions, ox.QuerySolutions)
    result = solutions.serialize(format=ox.QueryResultsFormat.CSV)
    assert result is not None
    expected_result = (RESULTS_FOLDER / f"{name}.csv").read_text(encoding="utf-8")
    command = f"wgig query --name {name} --format csv > tests/data/answers/{name}.csv"
    assert result.decode().splitlines() == expected_result.splitlines(), (
        f"If the new result is correct: {command}"
    )

"""Each example query answers as it did when its answer was checked against the facts by eye."""

from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.settings import SHIPPED_FOLDER
from wgig.sparql.examples import list_example_queries

ANSWERS = Path(__file__).parent / "answers"
NAMES = sorted(path.stem for path in SHIPPED_FOLDER.glob("data/queries/*.rq"))


def test_there_are_twelve_competency_questions_and_four_that_pages_and_services_ask() -> None:
    assert len(NAMES) == 12 + 4


def test_every_kept_answer_belongs_to_a_query() -> None:
    assert sorted(path.stem for path in ANSWERS.iterdir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_query_is_described(name: str) -> None:
    example = next(one for one in list_example_queries() if one.name == name)
    assert example.title
    assert example.question.endswith("?")


@pytest.mark.parametrize("name", NAMES)
def test_query_answers_as_kept(name: str, shipped: ox.Store) -> None:
    query = (SHIPPED_FOLDER / "data/queries" / f"{name}.rq").read_text(encoding="utf-8")
    results = shipped.query(query, use_default_graph_as_union=True)
    assert isinstance(results, ox.QuerySolutions)
    answer = results.serialize(format=ox.QueryResultsFormat.CSV)
    assert answer is not None
    kept = (ANSWERS / f"{name}.csv").read_text(encoding="utf-8")
    renew = f"wgig query --name {name} --format csv > tests/data/answers/{name}.csv"
    assert answer.decode().splitlines() == kept.splitlines(), f"If it is right by the facts: {renew}"

"""What is asked is the same work for all servers, and answers are compared by what they say."""

import pyoxigraph as ox
import pytest

from bench.data import generate
from bench.serving.queries import QUESTIONS, TURTLE, Question, rows

PAPERS = 100
BY_NAME = pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.name)


@pytest.fixture(scope="module")
def store() -> ox.Store:
    found = ox.Store()
    for quads in generate.papers(PAPERS, 1):
        found.load(quads, ox.RdfFormat.N_QUADS)
    return found


def answered(store: ox.Store, question: Question, number: int) -> list[tuple[str, ...]]:
    results = store.query(question.text(number, PAPERS), use_default_graph_as_union=True)
    if isinstance(results, ox.QueryTriples):
        return rows(question, results.serialize(format=ox.RdfFormat.TURTLE) or b"")
    return rows(question, results.serialize(format=ox.QueryResultsFormat.JSON) or b"")


@pytest.mark.parametrize("question", [one for one in QUESTIONS if not one.page], ids=lambda one: one.name)
def test_a_question_has_another_text_each_time_and_as_much_to_answer(
    store: ox.Store, question: Question
) -> None:
    assert question.text(1, PAPERS) != question.text(1 + PAPERS, PAPERS)
    assert question.text(1, PAPERS) == question.text(1, PAPERS)
    assert answered(store, question, 1) == answered(store, question, 1 + PAPERS) != []


@BY_NAME
def test_only_questions_about_a_paper_have_another_answer_for_another_one(
    store: ox.Store, question: Question
) -> None:
    of_a_paper = "PAPER" in question.query and question.name != "ASK"
    assert (answered(store, question, 1) != answered(store, question, 2)) == of_a_paper


def test_answers_are_compared_without_the_types_of_literals() -> None:
    table, graph = Question("", ""), Question("", "", accept=TURTLE)
    assert rows(table, b'{"head": {}, "boolean": true}') == [("true",)]
    assert rows(table, b'{"head": {"vars": ["a"]}, "results": {"bindings": [{"a": {"value": "1"}}]}}') == [
        ("true",)
    ]
    assert rows(graph, b"<a:b> <a:c> true .") == rows(graph, b"<a:b> <a:c> 1 .")
    with pytest.raises(SyntaxError):
        rows(graph, b"no Turtle")

"""All variants of a query are the same work, and results are compared by their values."""

import pyoxigraph as ox
import pytest

from bench.data import generate
from bench.serving.queries import QUESTIONS, TURTLE, Question, parse_rows

PAPERS = 100  # variants n and n + PAPERS of a query are about the same paper
each_question = pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)


@pytest.fixture(scope="module")
def store() -> ox.Store:
    store = ox.Store()
    for quads in generate.generate_papers(PAPERS, 1):
        store.load(quads, ox.RdfFormat.N_QUADS)
    return store


def query_rows(store: ox.Store, question: Question, number: int) -> list[tuple[str, ...]]:
    results = store.query(question.text(number, PAPERS), use_default_graph_as_union=True)
    if isinstance(results, ox.QueryTriples):
        return parse_rows(question, results.serialize(format=ox.RdfFormat.TURTLE) or b"")
    return parse_rows(question, results.serialize(format=ox.QueryResultsFormat.JSON) or b"")


@pytest.mark.parametrize(
    "question",
    [question for question in QUESTIONS if not question.page],
    ids=lambda question: question.name,
)
def test_variants_of_a_query_have_different_texts_and_the_same_result(
    store: ox.Store, question: Question
) -> None:
    assert question.text(1, PAPERS) != question.text(1 + PAPERS, PAPERS)
    assert question.text(1, PAPERS) == question.text(1, PAPERS)
    assert query_rows(store, question, 1) == query_rows(store, question, 1 + PAPERS) != []


@each_question
def test_only_the_results_of_queries_about_a_paper_depend_on_the_paper(
    store: ox.Store, question: Question
) -> None:
    depends_on_paper = (
        "PAPER" in question.query and "ASK" not in question.name
    )  # it is the same for each paper
    assert (query_rows(store, question, 1) != query_rows(store, question, 2)) == depends_on_paper


def test_results_are_compared_without_datatypes_and_1_is_true() -> None:
    table, graph = Question("", ""), Question("", "", accept=TURTLE)  # name and query are not used
    assert parse_rows(table, b'{"head": {}, "boolean": true}') == [("true",)]
    bindings = b'{"head": {"vars": ["a"]}, "results": {"bindings": [{"a": {"value": "1"}}]}}'
    assert parse_rows(table, bindings) == [("true",)]
    assert parse_rows(graph, b"<a:b> <a:c> true .") == parse_rows(graph, b"<a:b> <a:c> 1 .")
    with pytest.raises(SyntaxError):
        parse_rows(graph, b"no Turtle")

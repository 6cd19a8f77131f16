"""The dataset of an update request becomes part of its text."""

import pytest
from wgig.problems import Problem
from wgig.sparql.request import add_using_clauses
from wgig.store.store import Store


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "INSERT { ?s ?p 1 } WHERE { ?s ?p ?o }",
            "INSERT { ?s ?p 1 } USING <g:1> USING NAMED <g:2> WHERE { ?s ?p ?o }",
        ),
        ("DELETE WHERE { ?s ?p ?o }", "DELETE { ?s ?p ?o } USING <g:1> USING NAMED <g:2> WHERE { ?s ?p ?o }"),
        ("INSERT DATA { <a:a> <a:b> 'WHERE' }", "INSERT DATA { <a:a> <a:b> 'WHERE' }"),
        (
            "INSERT {} WHERE { { SELECT * WHERE { ?s ?p ?o } } }",
            "INSERT {} USING <g:1> USING NAMED <g:2> WHERE { { SELECT * WHERE { ?s ?p ?o } } }",
        ),
    ],
)
def test_each_where_gets_the_clauses(text: str, expected: str) -> None:
    written = add_using_clauses(text, ["g:1"], ["g:2"])
    assert written.split() == expected.split()
    Store.in_memory().update(written)


@pytest.mark.parametrize(
    "text", ["WITH <g:3> DELETE { ?s ?p 1 } WHERE {}", "DELETE { ?s ?p 1 } using <g:3> WHERE {}"]
)
def test_two_datasets_at_once_are_refused(text: str) -> None:
    with pytest.raises(Problem, match="Give the dataset in one of the two"):
        add_using_clauses(text, ["g:1"], [])


def test_without_a_dataset_the_text_stays() -> None:
    assert (
        add_using_clauses("WITH <g:3> DELETE { ?s ?p 1 } WHERE {}", [], [])
        == "WITH <g:3> DELETE { ?s ?p 1 } WHERE {}"
    )

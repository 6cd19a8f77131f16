"""The parameter `check`: problems in the text of a query, which is not run."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from wgig.sparql.request import LONG_QUERY_CHARS

WGIG_PREFIX = "PREFIX wgig: <https://w3id.org/wgig/ontology#>\n"
Checker = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def check(filled_client: httpx2.Client) -> Checker:
    """A function that returns the problems in a query."""

    def check_text(text: str) -> list[dict[str, Any]]:
        response = filled_client.post("/sparql", data={"query": text, "check": ""})
        assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
        problems: list[dict[str, Any]] = response.json()["problems"]
        return problems

    return check_text


def apply_edit(text: str, edit: dict[str, Any]) -> str:
    """The text after the edit of a problem."""
    return f"{text[: edit['start']]}{edit['text']}{text[edit['end'] :]}"


def test_a_syntax_error_has_a_position_and_an_edit(check: Checker) -> None:
    (problem,) = check("SELECT ?a, ?b { ?a ?p ?b }")
    assert problem == {
        "severity": "error",
        "message": "The variables of SELECT are separated by spaces, not commas. Remove the comma.",
        "line": 1,
        "column": 10,
        "edit": {"start": 9, "end": 10, "text": ""},
    }


@pytest.mark.parametrize(
    ("text", "edited_text"),
    [
        ("ASK { ?x a wgig:Isue }", "ASK { ?x a wgig:Issue }"),
        (
            "ASK { ?x a <https://w3id.org/wgig/ontology#Isue> }",
            "ASK { ?x a <https://w3id.org/wgig/ontology#Issue> }",
        ),
        ("SELECT ?lable { ?x wgig:category ?label }", "SELECT ?label { ?x wgig:category ?label }"),
    ],
)
def test_a_probable_mistake_has_an_edit(check: Checker, text: str, edited_text: str) -> None:
    (problem,) = check(WGIG_PREFIX + text)
    assert problem["severity"] == "warning"
    assert apply_edit(WGIG_PREFIX + text, problem["edit"]) == WGIG_PREFIX + edited_text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The query is empty."),
        ("ASK { ?x skos:note ?y }", "The prefix skos: is not declared."),
        ("SELECT ?x { ?x ?p ?y } GROUP BY ?p", "which is not in GROUP BY"),
        ("ASK { SERVICE <https://example.org/> { ?s ?p ?o } }", "SERVICE and LOAD are refused"),
        ("CLEAR ALL", "CLEAR starts an update, not a query."),
    ],
)
def test_an_error_that_is_not_one_of_the_grammar_is_found(check: Checker, text: str, message: str) -> None:
    (problem,) = check(text)
    assert message in problem["message"]


def test_a_query_without_problems_is_not_run(check: Checker) -> None:
    endless = " ".join(f"?a{number} ?b{number} ?c{number} ." for number in range(9))
    assert check(f"SELECT (COUNT(*) AS ?n) {{ {endless} }}") == []


def test_a_long_query_is_checked(check: Checker) -> None:
    text = f"SELECT ?x {{ VALUES ?x {{ {'1 ' * LONG_QUERY_CHARS} }}"
    (problem,) = check(text)
    assert problem["message"] == "This { is never closed. Add a }."
    assert check(f"{text} }}") == []


@pytest.mark.parametrize(
    ("data", "status"),
    [({}, 400), ({"query": "x" * 1_000_000}, 413), ({"query": "ASK {}", "_mediatype": "text/csv"}, 406)],
)
def test_a_request_that_is_no_check_of_one_query_is_refused(
    filled_client: httpx2.Client, data: dict[str, str], status: int
) -> None:
    assert filled_client.post("/sparql", data={**data, "check": ""}).status_code == status

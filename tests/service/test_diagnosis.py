"""Syntax errors in plain words, with their place."""

from io import BytesIO

import pytest
from wgig.admission import admit
from wgig.diagnosis import diagnose
from wgig.problems import Problem
from wgig.settings import Settings
from wgig.store import Store


def problem(text: str) -> Problem:
    try:
        admitted = admit(text, Settings())
        Store.in_memory().query(admitted, "text/csv", BytesIO())
    except Problem as refused:
        return refused
    except SyntaxError as error:
        return diagnose(admitted, error)
    raise AssertionError("it parses")


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("SELECT *\nWHERE { ?s ?p ?o }\nORDR BY ?s", 3, 1, "SPARQL has no word ORDR. Did you mean ORDER?"),
        ("SELECT label { ?s ?p ?label }", 1, 8, "write ?label"),
        ("ASK { ?s ?p ?o", 1, 5, "This { is never closed. Add a }."),
        ("ASK { ?s ?p ?o }}", 1, 17, "This } closes nothing."),
        ("SELECT ?s { ?s ?p ?o )", 1, 22, "This ) stands where } is missing."),
        ("ASK { ?s ?p 'open }", 1, 13, "A string begins here and does not end"),
        ("ASK { ?s ?p <http://[> }", 1, 13, "absolute IRI"),
        ("SELECT ?a ?a { ?s ?p ?a }", 1, 25, "A variable is named twice"),
        ("SELECT ?p { ?s ?p ?o } GROUP BY ?s", 1, 33, "a variable that the groups do not have"),
        ("ASK { ?s ?p 'é' 'x' }", 1, 17, "'x' or what follows it does not fit"),
        ("SELECT ?s WHERE ?s ?p ?o", 1, 17, "?s does not fit here"),
        ("SELECT ?s", 1, 10, "The text ends too early."),
    ],
)
def test_the_fault_is_named_with_its_place(text: str, line: int, column: int, says: str) -> None:
    found = problem(text)
    assert says in found.detail
    assert found.status == 400
    assert found.members["line"] == line
    assert found.members["column"] == column


def test_the_line_is_shown_with_a_caret_under_the_column() -> None:
    assert problem("ASK {\n\t?s ?p ?o ]\n}").members["excerpt"] == "\t?s ?p ?o ]\n\t         ^"


def test_a_long_line_is_shown_in_part() -> None:
    shown = problem(f"ASK {{ {'?s ?p ?o . ' * 100} ] }}").members["excerpt"].split("\n")
    assert len(shown[0]) <= 120
    assert shown[0][len(shown[1]) - 1] == "]"

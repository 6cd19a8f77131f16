"""Syntax errors in plain words, with their place."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from wgig.problems import Problem
from wgig.rdf.sparql_lexer import get_query_form
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.sparql.admission import admit_sparql_text
from wgig.sparql.language.diagnosis import diagnose_syntax_error, read_syntax_mistakes
from wgig.sparql.language.parser import ParsedSparqlText
from wgig.store.store import Store

HERE = "▸"
PREFIX = "PREFIX wgig: <https://w3id.org/wgig/ontology#>\n"
REFUSED = SyntaxError("error at 1:1: expected OPTIONAL")


def problem(text: str) -> Problem:
    source = ParsedSparqlText(text)
    try:
        admitted = admit_sparql_text(source, Settings())
        get_query_form(source)
        Store.in_memory().query(admitted.engine_text, "text/csv", BytesIO())
    except Problem as refused:
        return refused
    except SyntaxError as error:
        return diagnose_syntax_error(admitted, error)
    raise AssertionError("it parses")


def table() -> Iterator[tuple[str, str]]:
    """The texts of the table, each with what is said of it."""
    lines = Path(__file__).with_name("slips.txt").read_text("utf-8").splitlines()[2:]
    for text, says in zip(lines[::3], lines[1::3], strict=True):
        spelt = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
        yield (PREFIX + spelt if "wgig" in text and not re.match("▸?@?prefix", text, re.I) else spelt), says


@pytest.mark.parametrize(("text", "says"), list(table()))
def test_a_slip_is_named_with_its_place_and_its_mend(text: str, says: str) -> None:
    found = problem(text.replace(HERE, ""))
    before = text[: text.index(HERE)]
    assert found.detail.partition(": ")[2] == says
    assert found.status == 400
    assert found.members["line"] == before.count("\n") + 1
    assert found.members["column"] == len(before) - before.rfind("\n")
    assert found.members["suggestion"]


def test_there_are_slips_enough() -> None:
    assert len(list(table())) > 200
    assert len(read_syntax_mistakes()) > 100


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("SELECT *\nWHERE { ?s ?p ?o }\nORDR BY ?s", 3, 1, "SPARQL has no word ORDR. Did you mean ORDER?"),
        ("ASK {\n  ?s ?p 'x' # all of them\n  ?q ?r }", 3, 3, "Put a dot before ?q"),
        ("ASK {\r\n\t?s ?p\r\n}", 3, 1, "The statement lacks its value"),
        ("# ASK\nASK { ?s ?p ?o }\n}", 3, 1, "This } closes nothing."),
    ],
)
def test_lines_are_counted_as_an_editor_does(text: str, line: int, column: int, says: str) -> None:
    found = problem(text)
    assert says in found.detail
    assert (found.members["line"], found.members["column"]) == (line, column)


def test_the_line_is_shown_with_a_caret_under_the_column() -> None:
    assert problem("ASK {\n\t?s ?p ?o ]\n}").members["excerpt"] == "\t?s ?p ?o ]\n\t         ^"


def test_a_long_line_is_shown_in_part() -> None:
    shown = problem(f"ASK {{ {'?s ?p ?o . ' * 100} ] }}").members["excerpt"].split("\n")
    assert len(shown[0]) <= 120
    assert shown[0][len(shown[1]) - 1] == "]"


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("INSERT DATA { <x:a> <x:b> ?c }", 27, "INSERT DATA takes no variables"),
        ("DELETE { _:a <x:b> 1 } WHERE { ?s ?p ?o }", 10, "DELETE cannot name blank nodes"),
        ("INSERT { <x:a> <x:b> 1 }", 25, "The text ends too early. Expected: USING or WHERE."),
        ("CLEAR <x:g>", 7, "Expected: ALL, DEFAULT, GRAPH, NAMED or SILENT."),
        ("CREATE GRAPH <x:g> <x:h>", 20, "<x:h> is not allowed here. Expected: ;."),
    ],
)
def test_updates_are_diagnosed_too(text: str, column: int, says: str) -> None:
    with pytest.raises(SyntaxError) as refused:
        Store.in_memory().update(text)
    found = diagnose_syntax_error(ParsedSparqlText(text), refused.value)
    assert says in found.detail
    assert found.members["column"] == column


def test_what_fits_the_grammar_keeps_the_reason_of_the_engine() -> None:
    found = problem("ASK { <x:a> <x:b>/<x:c> <x:d> ~ <x:e> }")
    assert "Reifiers are not allowed on property paths" in found.detail


@pytest.mark.parametrize(
    "path", sorted((SHIPPED_FOLDER / "data" / "queries").glob("*.rq")), ids=lambda path: path.stem
)
def test_a_query_that_runs_is_never_found_at_fault(path: Path) -> None:
    query = ParsedSparqlText(path.read_text("utf-8"))
    assert "The engine cannot parse this" in diagnose_syntax_error(query, REFUSED).detail


LONG = [
    f"SELECT * {{ {'?s ?p ?o . ' * 9000} ] }}",
    f"SELECT * {{ FILTER({'?a+1*?b<3&&' * 9000} AND ) }}",
    f"SELECT * {{ {'{' * 99}{'?s ?p ?o . ' * 9000}{'}' * 99} }}",
    f"ASK {'{' * 50_000}",
    f"ASK {{ FILTER {'(' * 50_000}",
    f"SELECT {'?x ' * 30_000} {{}}",
    f"SELECT {' '.join(f'?x{i}' for i in range(14_000))} {{}} GROUP BY ?a",
    f"SELECT * {{ VALUES ({' '.join(f'?x{i}' for i in range(14_000))}) {{ (1) }} }}",
    f"SELECT * {{ {'BIND(1 AS ?x) ' * 7000} }}",
    f"ASK {{ FILTER( {'?a<?b>' * 16_000}",
    f"ASK {{ ?s ?p <{'a ' * 50_000}",
]


@pytest.mark.parametrize("text", LONG, ids=range(len(LONG)))
def test_a_long_text_is_diagnosed_soon(text: str) -> None:
    assert diagnose_syntax_error(ParsedSparqlText(text), REFUSED).detail

"""Diagnosis of syntax errors: cause, suggestion, line and column.

The file slips.txt has queries with syntax errors, each with the expected message.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from wgig.problems import Problem
from wgig.rdf.sparql_lexer import get_query_form
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.sparql.admission import admit_sparql_text
from wgig.sparql.language.diagnosis import diagnose_syntax_error, find_syntax_problem, read_syntax_mistakes
from wgig.sparql.language.parser import ParsedSparqlText
from wgig.store.store import Store

ERROR_MARK = "▸"  # before the error in a text of slips.txt
PREFIX = "PREFIX wgig: <https://w3id.org/wgig/ontology#>\n"
ENGINE_ERROR = SyntaxError("error at 1:1: expected OPTIONAL")  # a message of the engine without a cause


def diagnose(text: str) -> Problem:
    """The Problem for a query with a syntax error."""
    source = ParsedSparqlText(text)
    try:
        admitted = admit_sparql_text(source, Settings())
        get_query_form(source)
        Store.in_memory().query(admitted.engine_text, "text/csv", BytesIO())
    except Problem as problem:
        return problem
    except SyntaxError as error:
        return diagnose_syntax_error(admitted, error)
    raise AssertionError("the query has no syntax error")


def read_error_table() -> Iterator[tuple[str, str]]:
    """The queries of slips.txt with the expected messages. The prefix wgig is declared if it is used."""
    # After two lines of introduction, the file repeats query, message and blank line.
    lines = Path(__file__).with_name("slips.txt").read_text("utf-8").splitlines()[2:]
    for line, message in zip(lines[::3], lines[1::3], strict=True):
        text = re.sub(r"\\u([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), line)
        needs_prefix = "wgig" in line and not re.match("▸?@?prefix", line, re.I)
        yield PREFIX + text if needs_prefix else text, message


@pytest.mark.parametrize(("text", "message"), list(read_error_table()))
def test_syntax_error_has_message_position_and_suggestion(text: str, message: str) -> None:
    problem = diagnose(text.replace(ERROR_MARK, ""))
    before = text[: text.index(ERROR_MARK)]
    assert problem.detail.partition(": ")[2] == message  # after the position
    assert problem.status == 400
    assert problem.members["line"] == before.count("\n") + 1
    assert problem.members["column"] == len(before) - before.rfind("\n")
    assert problem.members["suggestion"]


def test_table_covers_many_mistakes() -> None:
    assert len(list(read_error_table())) > 200
    assert len(read_syntax_mistakes()) > 100


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("SELECT *\nWHERE { ?s ?p ?o }\nORDR BY ?s", 3, 1, "SPARQL has no word ORDR. Did you mean ORDER?"),
        ("ASK {\n  ?s ?p 'x' # all of them\n  ?q ?r }", 3, 3, "Put a dot before ?q"),
        ("ASK {\r\n\t?s ?p\r\n}", 3, 1, "The statement has no value"),
        ("# ASK\nASK { ?s ?p ?o }\n}", 3, 1, "This } has no opening bracket."),
    ],
)
def test_line_and_column_are_those_of_an_editor(text: str, line: int, column: int, message: str) -> None:
    problem = diagnose(text)
    assert message in problem.detail
    assert (problem.members["line"], problem.members["column"]) == (line, column)


def test_excerpt_has_a_caret_under_the_column() -> None:
    assert diagnose("ASK {\n\t?s ?p ?o ]\n}").members["excerpt"] == "\t?s ?p ?o ]\n\t         ^"


def test_excerpt_of_a_long_line_is_cut() -> None:
    line, caret_line = diagnose(f"ASK {{ {'?s ?p ?o . ' * 100} ] }}").members["excerpt"].split("\n")
    assert len(line) <= 120
    assert line[len(caret_line) - 1] == "]"


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("INSERT DATA { <x:a> <x:b> ?c }", 27, "INSERT DATA cannot contain variables"),
        ("DELETE { _:a <x:b> 1 } WHERE { ?s ?p ?o }", 10, "DELETE cannot contain blank nodes"),
        ("INSERT { <x:a> <x:b> 1 }", 25, "The text is incomplete. Expected: USING or WHERE."),
        ("CLEAR <x:g>", 7, "Expected: ALL, DEFAULT, GRAPH, NAMED or SILENT."),
        ("CREATE GRAPH <x:g> <x:h>", 20, "<x:h> is not allowed here. Expected: ;."),
    ],
)
def test_syntax_error_in_an_update_is_diagnosed(text: str, column: int, message: str) -> None:
    with pytest.raises(SyntaxError) as caught:
        Store.in_memory().update(text)
    problem = diagnose_syntax_error(ParsedSparqlText(text), caught.value)
    assert message in problem.detail
    assert problem.members["column"] == column


def test_error_outside_the_grammar_has_the_message_of_the_engine() -> None:
    problem = diagnose("ASK { <x:a> <x:b>/<x:c> <x:d> ~ <x:e> }")
    assert "Reifiers are not allowed on property paths" in problem.detail


@pytest.mark.parametrize(
    "path", sorted((SHIPPED_FOLDER / "data" / "queries").glob("*.rq")), ids=lambda path: path.stem
)
def test_no_mistake_is_found_in_a_valid_query(path: Path) -> None:
    query = ParsedSparqlText(path.read_text("utf-8"))
    assert "The engine cannot parse this" in diagnose_syntax_error(query, ENGINE_ERROR).detail


# Texts of about 100,000 characters, for which a diagnosis in quadratic time would take minutes.
LONG_TEXTS = [
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


@pytest.mark.parametrize("text", LONG_TEXTS, ids=range(len(LONG_TEXTS)))
def test_long_text_is_diagnosed(text: str) -> None:
    assert diagnose_syntax_error(ParsedSparqlText(text), ENGINE_ERROR).detail


def apply_edit(text: str, edit: dict[str, Any]) -> str:
    """The text after the edit of a Problem."""
    return f"{text[: edit['start']]}{edit['text']}{text[edit['end'] :]}"


@pytest.mark.parametrize(("text", "message"), list(read_error_table()))
def test_edit_removes_the_error(text: str, message: str) -> None:
    text = text.replace(ERROR_MARK, "")
    edit = diagnose(text).members.get("edit")
    next_problem = edit and find_syntax_problem(ParsedSparqlText(apply_edit(text, edit)))
    assert not next_problem or next_problem.detail.partition(": ")[2] != message


@pytest.mark.parametrize(
    ("text", "edited_text"),
    [
        (
            "SELECT ?s COUNT(?o) { ?s ?p ?o } GROUP BY ?s",
            "SELECT ?s (COUNT(?o) AS ?n) { ?s ?p ?o } GROUP BY ?s",
        ),
        ("SELECT MIN(?o) AS ?m { ?s ?p ?o }", "SELECT (MIN(?o) AS ?m) { ?s ?p ?o }"),
        ("SELECT ?a, ?b { ?a ?p ?b }", "SELECT ?a ?b { ?a ?p ?b }"),
        ("SELECT label { ?x ?p ?label }", "SELECT ?label { ?x ?p ?label }"),
        ("SELCT ?x { ?x ?p ?o }", "SELECT ?x { ?x ?p ?o }"),
        ("ASK { ?x ?p ?o } LIMT 1", "ASK { ?x ?p ?o } LIMIT 1"),
        ("ASK { ?x ?p ?o FILTER(?o <> 1) }", "ASK { ?x ?p ?o FILTER(?o != 1) }"),
        ("ASK { ?x ?p “a” }", 'ASK { ?x ?p "a" }'),
        ("ASK { ?x ?p ?o ?x ?q ?r }", "ASK { ?x ?p ?o . ?x ?q ?r }"),
        ("ASK { ?x ?p ?o", "ASK { ?x ?p ?o }"),
        ("ASK { ?x ?p [ ?q ?r }", "ASK { ?x ?p [ ?q ?r ] }"),
        (
            "# mine\nASK { ?x skos:note ?o }",
            "# mine\nPREFIX skos: <http://www.w3.org/2004/02/skos/core#>\nASK { ?x skos:note ?o }",
        ),
        (f"{PREFIX}ASK {{ ?x wgg:note ?o }}", f"{PREFIX}ASK {{ ?x wgig:note ?o }}"),
    ],
)
def test_edit_is_what_the_suggestion_says(text: str, edited_text: str) -> None:
    assert apply_edit(text, diagnose(text).members["edit"]) == edited_text


def test_most_suggestions_to_remove_or_replace_a_token_have_an_edit() -> None:
    mistakes = [
        mistake
        for mistake in read_syntax_mistakes()
        if re.match(r"(Remove (it|the comma)|Use [A-Z]+|Double the sign)\.$", mistake.suggestion)
    ]
    assert len(mistakes) > 10
    assert [mistake.cause for mistake in mistakes if not mistake.fix] == []

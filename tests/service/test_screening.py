"""What needs no closer look is what a closer look leaves as it is."""

from pathlib import Path

import pytest
from wgig.admission import ROOM, admit
from wgig.problems import Problem
from wgig.screening import form_of
from wgig.settings import SHIPPED, Settings
from wgig.sparql import form, names_dataset

SUITES = Path(__file__).parents[3] / "shared" / "w3c" / "sparql"
NESTING = Settings.query_nesting
TEXTS = [
    *(path.read_text("utf-8") for path in sorted((SHIPPED / "data" / "queries").glob("*.rq"))),
    *(path.read_text("utf-8", "replace") for path in sorted(SUITES.rglob("*.rq"))),
]


def admitted(text: str) -> str:
    """The text as a closer look leaves it; as it is, too, where it finds what the engine finds as well."""
    try:
        return admit(text, Settings())
    except Problem as problem:
        found = problem.slug == "syntax" and "brackets are open" not in problem.detail
        return text + ROOM if found else problem.detail


def test_what_passes_is_left_as_it_is_by_a_closer_look() -> None:
    passed = [text for text in TEXTS if form_of(text, NESTING)]
    assert len(passed) > len(TEXTS) / 3
    for text in passed:
        assert form_of(text, NESTING) == form(text)
        assert not names_dataset(text)
        assert admitted(text) == text + ROOM


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ASK {}", "ASK"),
        ("#c\nPREFIX a: <x:b#> BASE <x:c>prefix : <x:d>select * { ?s a a:b FILTER(?s = <x:y>) }", "SELECT"),
        ("DESCRIBE <x:a#b>", "DESCRIBE"),
        ("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o FILTER(?s = <x:a#b>) }", "CONSTRUCT"),
        ("", ""),
        ("SELECTED", ""),
        ("INSERT DATA { <x:a> <x:b> <x:c> }", ""),
        ("SELECT * FROM <x:g> { ?s ?p ?o }", ""),
        ("ASK { seRvIce <x:y> {} }", ""),
        ("ASK { trueSERVICE<x:y>{} }", ""),
        ("ASK { VALUES (?x ?y) { (1 <x:a#b>) } }", ""),
        ("ASK { VALUES (?x ?y) { (?z #,\n <x:a#b>) } }", ""),
        ("ASK { FILTER(" + "(" * NESTING + "1" + ")" * NESTING + ") }", ""),
        ("ASK { FILTER(" + "!" * NESTING + "true) }", ""),
    ],
)
def test_what_passes_and_what_does_not(text: str, found: str) -> None:
    assert form_of(text, NESTING) == found


def test_it_takes_time_that_grows_with_the_text() -> None:
    for piece in ("#", "<", " ", "PREFIX a:", "(<a", "\n#\r", "!", ". #"):
        assert form_of(piece * 50_000, NESTING) == ""
        assert form_of("ASK {" + piece * 50_000, 10**9) in ("", "ASK")

"""Which SPARQL texts may run, and how the engine reads them.

What needs no closer look is what a closer look leaves as it is.
"""

import re
from io import BytesIO

import pytest
from wgig.http.outbound import OUTBOUND_SCHEME
from wgig.problems import Problem
from wgig.rdf.sparql_lexer import SparqlText, get_query_form, has_dataset_clause, tokenize_sparql
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.sparql.admission import admit_sparql_text, simple_query_form
from wgig.sparql.language.parser import ParsedSparqlText
from wgig.store.store import Store

from tests.fixtures.shared_facts import find_shared

SETTINGS = Settings(query_nesting=10)
LONG = '"""'


def admitted_text(text: str, settings: Settings) -> str:
    """The text as it may run."""
    return admit_sparql_text(ParsedSparqlText(text), settings).text


# The engine makes a request for each of these where nothing holds it back.
CALLS = [
    "SELECT * { SERVICE <http://x/> {} }",
    "SELECT * { sErViCe#comment\n<http://x/> {} }",
    "SELECT * { ?s ?p trueSERVICE<http://x/>{} }",
    "SELECT * { ?s ?p 1SERVICE<http://x/>{} }",
    "SELECT * { ?s ?p ?o . SERVICE ?o {} }",
    "PREFIX service: <x:y> PREFIX : <http://x/> SELECT * { service:x {} }",
    "LOAD <http://x/>",
    "CLEAR ALL; LOAD SILENT",
    "LOADSILENT<http://x/>",
    "LOAD SILENT ?x",
    "PREFIX load: <x:y> PREFIX : <http://x/> load:x",
    "PREFIX loadsilent: <x:y> PREFIX : <http://x/> CLEAR ALL; loadsilent:x",
]
GLUED_TO_UNDECLARED = [
    "PREFIX e: <http://x/> SELECT * { SERVICEe:x {} }",
    "PREFIXe: <http://x/> SELECT * { SERVICEe:x {} }",
]
NO_CALLS = [
    "SELECT * { ?s ?p 'SERVICE <x:y> {}' } # SERVICE <x:y> {}",
    "SELECT * { ?s ?p <http://SERVICE/LOAD> }",
    "SELECT ?service { ?service ?load _:SERVICE }",
    "PREFIX service: <x:y> SELECT * { ?s service:LOAD ?o . ?o service:SERVICE {| ?p ?o |} }",
    f"SELECT * {{ ?s ?p {LONG}\nSERVICE <x:y> {{}}{LONG} }}",
    "PREFIX load: <x:y> PREFIX : <x:z> INSERT DATA { :a :b 1 ; load:c 2 }",
]


@pytest.mark.parametrize("text", CALLS)
def test_outbound_calls_are_refused(text: str) -> None:
    with pytest.raises(Problem, match="SERVICE and LOAD are refused") as caught:
        admitted_text(text, SETTINGS)
    assert caught.value.status == 403


@pytest.mark.parametrize("text", CALLS)
def test_a_call_is_marked_where_its_target_is_allowed_and_stands_for_itself(text: str) -> None:
    settings = Settings(allow="http://x/")
    if not re.search(r"\b1?(SERVICE|sErViCe|LOAD)\b\s*(#comment\s)?<", text):
        with pytest.raises(Problem, match="operator of this service allows in WGIG_ALLOW"):
            admitted_text(text, settings)
    else:
        assert admitted_text(text, settings) == text.replace("<http", "<outside:http")


@pytest.mark.parametrize("target", ["<http://x/>", "p:x", "#comment\n<http://x/>"])
def test_a_silent_load_fails_in_silence_and_asks_nobody(target: str) -> None:
    text = f"PREFIX p: <http://x/> LOAD SILENT {target} INTO GRAPH <x:g>; INSERT DATA {{ <x:s> <x:p> 1 }}"
    admitted = admitted_text(text, SETTINGS)
    assert "LOAD SILENT" in admitted
    assert admitted.count("http://x/") == 1
    store = Store.in_memory()
    store.update(admitted)
    assert store.graphs() == []


@pytest.mark.parametrize("call", ["SELECT * {{ SERVICE <{}> {{}} }}", "LOAD <{}>"])
@pytest.mark.parametrize(
    "target",
    [
        r"http://x/\u0061",
        r"\u0068ttp://x/a",
        r"http://\U00000078/a",
        r"http://x/b/..\u002Fa",
        r"http://x/\u0062",
    ],
)
def test_an_address_is_held_against_the_list_as_the_engine_reads_it(call: str, target: str) -> None:
    text, allow = call.format(target), Settings(allow="http://x/a")
    if target.endswith(("..\\u002Fa", "62")):
        with pytest.raises(Problem, match=r"<http://x/b.*> is refused"):
            admitted_text(text, allow)
    else:
        assert admitted_text(text, allow) == call.format(f"{OUTBOUND_SCHEME}http://x/a")


@pytest.mark.parametrize(
    "escape", [r"\u003E", r"\u005Cu0041", r"\u0020", r"\u0022", r"\U00110000", r"\uD800", r"\u007B"]
)
def test_an_escape_that_makes_an_address_something_else_is_refused(escape: str) -> None:
    with pytest.raises(Problem, match="is refused") as caught:
        admitted_text(f"SELECT * {{ SERVICE <http://x/{escape}> {{}} }}", Settings(allow="http://x/"))
    assert caught.value.status == 403


@pytest.mark.parametrize(
    "text", ["SELECT * { SERVICE p:a {} }", "LOAD p:a", "CLEAR ALL; LOAD p:a INTO GRAPH <x:g>"]
)
def test_a_prefixed_name_is_no_address_whatever_its_prefix_says(text: str) -> None:
    with pytest.raises(Problem, match="need an absolute IRI"):
        admitted_text(rf"PREFIX p: <http://\u0078/> {text}", Settings(allow="http://x/"))


def test_who_is_refused_is_not_told_what_is_allowed() -> None:
    with pytest.raises(Problem) as caught:
        admitted_text(
            "SELECT * { SERVICE <http://y/> {} }", Settings(allow="http://10.0.0.1/secret http://x/")
        )
    assert "SERVICE <http://y/> is refused" in caught.value.detail
    assert "WGIG_ALLOW" in caught.value.detail
    assert "10.0.0.1" not in str(caught.value.document(Settings.base, ""))


@pytest.mark.parametrize("text", GLUED_TO_UNDECLARED)
def test_a_keyword_glued_to_a_name_is_an_undeclared_prefix(text: str) -> None:
    with pytest.raises(Problem, match="is not declared"):
        admitted_text(text, SETTINGS)


@pytest.mark.parametrize("text", NO_CALLS)
def test_the_words_may_stand_in_strings_comments_and_names(text: str) -> None:
    assert admitted_text(text, SETTINGS) == text


@pytest.mark.parametrize("operand", ["?a", "1", "'a'", "true", "NOW()", "EXISTS {}", "'a'@en", "<x:y>"])
def test_a_comparison_cannot_hide_what_follows_it(operand: str) -> None:
    text = f"SELECT * {{ FILTER({operand}<?b#>{LONG}\n) SERVICE <x:y> {{}} }} #{LONG}\n"
    with pytest.raises(SyntaxError):
        Store.in_memory().query(admitted_text(text, SETTINGS), "text/csv", BytesIO())


def test_iris_in_lists_mean_the_same_after_admission() -> None:
    text = admitted_text("SELECT * { VALUES (?a ?b) { (<x:a#1> <x:b#'2'>) } }", SETTINGS)
    out = BytesIO()
    Store.in_memory().query(text, "text/csv", out)
    assert out.getvalue().splitlines()[1] == b"x:a#1,x:b#'2'"


@pytest.mark.parametrize(
    "text",
    ["ASK " + "{" * 11 + "}" * 11, "ASK { FILTER(" + "!" * 9 + "true) }", "ASK{?s ?p " + "<<(" * 5 + "1"],
)
def test_deep_nesting_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(Problem, match=r"Line 1, column .* brackets are open"):
        admitted_text(text, SETTINGS)


def test_brackets_in_strings_and_iris_do_not_count() -> None:
    admitted_text("ASK { ?s ?p '((((((((((((', <x:((((((((((((> }", SETTINGS)


def test_brackets_that_the_engine_would_find_in_an_iri_are_taken_away() -> None:
    assert "((" not in admitted_text("ASK { FILTER(?a<((((((((((((1))))))))))))>2) }", SETTINGS)[13:]


def test_a_known_prefix_comes_with_its_declaration() -> None:
    with pytest.raises(Problem) as caught:
        admitted_text("SELECT *\n{ ?s skos:prefLabel ?o }", SETTINGS)
    assert caught.value.members["line"] == 2
    assert caught.value.members["column"] == 6
    assert "PREFIX skos: <http://www.w3.org/2004/02/skos/core#>" in caught.value.members["suggestion"]


def test_a_misspelt_prefix_is_recognized() -> None:
    with pytest.raises(Problem, match="Did you mean things:"):
        admitted_text("PREFIX things: <x:y> ASK { ?s thing:a ?o }", SETTINGS)


SUITES = find_shared("w3c", "sparql")
NESTING = Settings.query_nesting
TEXTS = [
    *(path.read_text("utf-8") for path in sorted((SHIPPED_FOLDER / "data" / "queries").glob("*.rq"))),
    *(path.read_text("utf-8", "replace") for path in sorted(SUITES.rglob("*.rq") if SUITES else ())),
]


def closely_read(text: str) -> str:
    """The text as a closer look leaves it; as it is, too, where it finds what the engine finds as well."""
    try:
        return admitted_text(text, Settings())
    except Problem as problem:
        found = problem.slug == "syntax" and "brackets are open" not in problem.detail
        return text if found else problem.detail


def test_what_passes_is_left_as_it_is_by_a_closer_look() -> None:
    passed = [text for text in TEXTS if simple_query_form(text, NESTING)]
    assert len(passed) > len(TEXTS) / 3
    for text in passed:
        assert simple_query_form(text, NESTING) == get_query_form(SparqlText(text))
        assert not has_dataset_clause(tokenize_sparql(text))
        assert closely_read(text) == text


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
    assert simple_query_form(text, NESTING) == found


def test_it_takes_time_that_grows_with_the_text() -> None:
    for piece in ("#", "<", " ", "PREFIX a:", "(<a", "\n#\r", "!", ". #"):
        assert simple_query_form(piece * 50_000, NESTING) == ""
        assert simple_query_form("ASK {" + piece * 50_000, 10**9) in ("", "ASK")

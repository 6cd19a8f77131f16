"""Admission of SPARQL texts: refused calls, rewritten IRIs, nesting, undeclared prefixes, the fast path."""

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
LONG_QUOTE = '"""'


def admit(text: str, settings: Settings) -> str:
    return admit_sparql_text(ParsedSparqlText(text), settings).text


# Without admission, the engine would make a request for each of these.
REFUSED_CALLS = [
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
KEYWORDS_JOINED_TO_NAMES = [
    "PREFIX e: <http://x/> SELECT * { SERVICEe:x {} }",
    "PREFIXe: <http://x/> SELECT * { SERVICEe:x {} }",
]
TEXTS_WITHOUT_CALLS = [
    "SELECT * { ?s ?p 'SERVICE <x:y> {}' } # SERVICE <x:y> {}",
    "SELECT * { ?s ?p <http://SERVICE/LOAD> }",
    "SELECT ?service { ?service ?load _:SERVICE }",
    "PREFIX service: <x:y> SELECT * { ?s service:LOAD ?o . ?o service:SERVICE {| ?p ?o |} }",
    f"SELECT * {{ ?s ?p {LONG_QUOTE}\nSERVICE <x:y> {{}}{LONG_QUOTE} }}",
    "PREFIX load: <x:y> PREFIX : <x:z> INSERT DATA { :a :b 1 ; load:c 2 }",
]


@pytest.mark.parametrize("text", REFUSED_CALLS)
def test_outbound_call_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="SERVICE and LOAD are refused") as caught:
        admit(text, SETTINGS)
    assert caught.value.status == 403


@pytest.mark.parametrize("text", REFUSED_CALLS)
def test_call_to_an_allowed_target_gets_the_outbound_scheme(text: str) -> None:
    settings = Settings(allow="http://x/")
    if not re.search(r"\b1?(SERVICE|sErViCe|LOAD)\b\s*(#comment\s)?<", text):
        with pytest.raises(Problem, match="operator of this service allows in WGIG_ALLOW"):
            admit(text, settings)
    else:
        assert admit(text, settings) == text.replace("<http", "<outside:http")


@pytest.mark.parametrize("target", ["<http://x/>", "p:x", "#comment\n<http://x/>"])
def test_silent_load_of_a_refused_target_fails_silently(target: str) -> None:
    text = f"PREFIX p: <http://x/> LOAD SILENT {target} INTO GRAPH <x:g>; INSERT DATA {{ <x:s> <x:p> 1 }}"
    admitted = admit(text, SETTINGS)
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
def test_target_is_unescaped_before_the_check(call: str, target: str) -> None:
    text, settings = call.format(target), Settings(allow="http://x/a")
    if target.endswith(("..\\u002Fa", "62")):
        with pytest.raises(Problem, match=r"<http://x/b.*> is refused"):
            admit(text, settings)
    else:
        assert admit(text, settings) == call.format(f"{OUTBOUND_SCHEME}http://x/a")


@pytest.mark.parametrize(
    "escape", [r"\u003E", r"\u005Cu0041", r"\u0020", r"\u0022", r"\U00110000", r"\uD800", r"\u007B"]
)
def test_target_with_an_escape_of_an_invalid_character_is_refused(escape: str) -> None:
    with pytest.raises(Problem, match="is refused") as caught:
        admit(f"SELECT * {{ SERVICE <http://x/{escape}> {{}} }}", Settings(allow="http://x/"))
    assert caught.value.status == 403


@pytest.mark.parametrize(
    "text", ["SELECT * { SERVICE p:a {} }", "LOAD p:a", "CLEAR ALL; LOAD p:a INTO GRAPH <x:g>"]
)
def test_prefixed_name_is_the_address_that_it_stands_for(text: str) -> None:
    prologue = r"PREFIX p: <http://\u0078/>"
    assert "http://x/a>" in admit(f"{prologue} {text}", Settings(allow="http://x/"))
    with pytest.raises(Problem, match="<http://x/a> is refused"):
        admit(f"{prologue} {text}", Settings(allow="http://y/"))


def test_refusal_does_not_list_the_allowed_targets() -> None:
    with pytest.raises(Problem) as caught:
        admit("SELECT * { SERVICE <http://y/> {} }", Settings(allow="http://10.0.0.1/secret http://x/"))
    assert "SERVICE <http://y/> is refused" in caught.value.detail
    assert "WGIG_ALLOW" in caught.value.detail
    assert "10.0.0.1" not in str(caught.value.document(Settings.base, ""))


@pytest.mark.parametrize("text", KEYWORDS_JOINED_TO_NAMES)
def test_keyword_joined_to_a_name_is_an_undeclared_prefix(text: str) -> None:
    with pytest.raises(Problem, match="is not declared"):
        admit(text, SETTINGS)


@pytest.mark.parametrize("text", TEXTS_WITHOUT_CALLS)
def test_keywords_are_allowed_in_strings_comments_and_names(text: str) -> None:
    assert admit(text, SETTINGS) == text


@pytest.mark.parametrize("operand", ["?a", "1", "'a'", "true", "NOW()", "EXISTS {}", "'a'@en", "<x:y>"])
def test_call_after_a_comparison_is_not_hidden_from_the_check(operand: str) -> None:
    text = f"SELECT * {{ FILTER({operand}<?b#>{LONG_QUOTE}\n) SERVICE <x:y> {{}} }} #{LONG_QUOTE}\n"
    with pytest.raises(SyntaxError):
        Store.in_memory().query(admit(text, SETTINGS), "text/csv", BytesIO())


def test_iris_in_lists_are_the_same_after_admission() -> None:
    text = admit("SELECT * { VALUES (?a ?b) { (<x:a#1> <x:b#'2'>) } }", SETTINGS)
    out = BytesIO()
    Store.in_memory().query(text, "text/csv", out)
    assert out.getvalue().splitlines()[1] == b"x:a#1,x:b#'2'"


@pytest.mark.parametrize(
    "text",
    ["ASK " + "{" * 11 + "}" * 11, "ASK { FILTER(" + "!" * 9 + "true) }", "ASK{?s ?p " + "<<(" * 5 + "1"],
)
def test_deep_nesting_is_refused_with_its_position(text: str) -> None:
    with pytest.raises(Problem, match=r"Line 1, column .* brackets are open"):
        admit(text, SETTINGS)


def test_brackets_in_strings_and_iris_do_not_count_as_nesting() -> None:
    admit("ASK { ?s ?p '((((((((((((', <x:((((((((((((> }", SETTINGS)


def test_brackets_in_a_misread_iri_are_escaped() -> None:
    assert "((" not in admit("ASK { FILTER(?a<((((((((((((1))))))))))))>2) }", SETTINGS)[13:]


def test_undeclared_known_prefix_gets_its_declaration_as_suggestion() -> None:
    with pytest.raises(Problem) as caught:
        admit("SELECT *\n{ ?s skos:prefLabel ?o }", SETTINGS)
    assert caught.value.members["line"] == 2
    assert caught.value.members["column"] == 6
    assert "PREFIX skos: <http://www.w3.org/2004/02/skos/core#>" in caught.value.members["suggestion"]


def test_misspelled_prefix_gets_a_suggestion() -> None:
    with pytest.raises(Problem, match="Did you mean things:"):
        admit("PREFIX things: <x:y> ASK { ?s thing:a ?o }", SETTINGS)


W3C_SUITES_FOLDER = find_shared("w3c", "sparql")
MAX_NESTING = Settings.query_nesting
TEXTS = [
    *(path.read_text("utf-8") for path in sorted((SHIPPED_FOLDER / "data" / "queries").glob("*.rq"))),
    *(
        path.read_text("utf-8", "replace")
        for path in sorted(W3C_SUITES_FOLDER.rglob("*.rq") if W3C_SUITES_FOLDER else ())
    ),
]


def analyze_fully(text: str) -> str:
    """The text after the full analysis, or why it is refused.

    A text with a syntax error is returned unchanged, because the engine refuses it, too.
    """
    try:
        return admit(text, Settings())
    except Problem as problem:
        is_syntax_error = problem.slug == "syntax" and "brackets are open" not in problem.detail
        return text if is_syntax_error else problem.detail


def test_full_analysis_does_not_change_texts_of_the_fast_path() -> None:
    simple_texts = [text for text in TEXTS if simple_query_form(text, MAX_NESTING)]
    assert len(simple_texts) > len(TEXTS) / 3
    for text in simple_texts:
        assert simple_query_form(text, MAX_NESTING) == get_query_form(SparqlText(text))
        assert not has_dataset_clause(tokenize_sparql(text))
        assert analyze_fully(text) == text


@pytest.mark.parametrize(
    ("text", "form"),
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
        ("ASK { FILTER(" + "(" * MAX_NESTING + "1" + ")" * MAX_NESTING + ") }", ""),
        ("ASK { FILTER(" + "!" * MAX_NESTING + "true) }", ""),
    ],
)
def test_fast_path_returns_the_form_of_simple_queries(text: str, form: str) -> None:
    assert simple_query_form(text, MAX_NESTING) == form


def test_fast_path_handles_repetitive_texts_in_linear_time() -> None:
    for repeated in ("#", "<", " ", "PREFIX a:", "(<a", "\n#\r", "!", ". #"):
        assert simple_query_form(repeated * 50_000, MAX_NESTING) == ""
        assert simple_query_form("ASK {" + repeated * 50_000, 10**9) in ("", "ASK")

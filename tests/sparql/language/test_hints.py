"""What is said of a query that runs and probably does not mean what it says."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote

import httpx
import pytest
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.sparql.examples import read_example_query
from wgig.sparql.language.hints import (
    MAX_HINTED_QUERY_CHARS,
    QueryHint,
    build_warning_field,
    differ_by_one_edit,
    find_query_hints,
)
from wgig.sparql.language.parser import ParsedSparqlText
from wgig.sparql.language.unknown_terms import MAX_STORE_LOOKUPS
from wgig.store.store import Store

from tests.fixtures.service import service_of

BASE = Settings.base
PROLOGUE = """
PREFIX category: <https://w3id.org/wgig/id/category/> PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX issue: <https://w3id.org/wgig/id/issue/> PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX wgig: <https://w3id.org/wgig/ontology#>
"""
HERE = "▸"

SAID = [
    # variables
    ("SELECT ▸?lable { ?x skos:prefLabel ?label }", "No pattern binds ?lable. Did you mean ?label?"),
    ("SELECT ?x { ?x a wgig:Issue FILTER(▸?y > 3) }", "No pattern binds ?y."),
    ("SELECT ?x { ?x a wgig:Issue } ORDER BY ▸?label", "No pattern binds ?label."),
    ("SELECT ?x { ?x a wgig:Issue } GROUP BY ?x HAVING(COUNT(▸?y) > 1)", "No pattern binds ?y."),
    ("SELECT (STR(▸?y) AS ?z) { ?x a wgig:Issue }", "No pattern binds ?y."),
    ("SELECT ?x { ?x a wgig:Issue { FILTER(▸?x > 3) } }", "?x has no value here; the pattern that binds"),
    ("SELECT ?x { BIND(▸?y AS ?z) ?x skos:prefLabel ?y }", "?y has no value here"),
    ("SELECT ?x { { SELECT ?x { ?x skos:prefLabel ?y } } FILTER(▸?y = 1) }", "?y has no value here"),
    ("CONSTRUCT { ?x skos:note ▸?y } WHERE { ?x a wgig:Issue }", "No pattern binds ?y."),
    ("DESCRIBE ▸?x { ?y a wgig:Issue }", "No pattern binds ?x."),
    ("SELECT * { ?issue wgig:category ?c . ▸?isuse skos:prefLabel ?l }", "Did you mean ?issue?"),
    # paths
    ("SELECT ?x { ?x a wgig:Issue ; (skos:prefLabel▸|skos:altLabel) ?y }", "counts once here, not twice."),
    # terms
    ("SELECT ?x { ?x ▸wgig:catgory ?c }", "wgig:catgory is the property of no statement in the graph. "),
    ("SELECT ?x { ?x ▸issue:spam ?c }", "issue:spam is the property of no statement in the graph."),
    ("SELECT ?x { ?x a wgig:Issue OPTIONAL { ?x ▸wgig:catgory ?c } }", "Did you mean wgig:category?"),
    ("SELECT ?x { ?x a ▸wgig:Isue }", "is the class of nothing in the graph. Did you mean wgig:Issue?"),
    ("SELECT ?x { ▸issue:spamm wgig:category ?x }", "does not occur in the graph. Did you mean issue:spam?"),
    ("SELECT ?x { ?x wgig:category/▸skos:prefLable ?y }", "Did you mean skos:prefLabel?"),
    ("SELECT ?x { ?x ^▸wgig:catgory ?y }", "Did you mean wgig:category?"),
    ("SELECT ?x { ?x wgig:category [ ▸skos:prefLable ?y ] }", "Did you mean skos:prefLabel?"),
    ("SELECT ?x { VALUES ?x { ▸issue:spamm } ?x a wgig:Issue }", "Did you mean issue:spam?"),
    ("SELECT ?x { ?x a wgig:Issue FILTER(?x = ▸issue:spamm) }", "Did you mean issue:spam?"),
    (
        "SELECT ?x { ?x a wgig:Issue MINUS { ?x ▸wgig:noSuch ?y } }",
        "wgig:noSuch does not occur in the graph.",
    ),
    ("SELECT * { GRAPH ▸<https://w3id.org/wgig/graph/tset> { ?s ?p ?o } }", "There is no graph"),
    ("SELECT * FROM ▸<https://w3id.org/wgig/graph/tset> { ?s ?p ?o }", "There is no graph"),
    # literals
    ('SELECT ?x { ?x skos:prefLabel ▸"Spam" }', 'No skos:prefLabel is "Spam"; the graph has "Spam"@en.'),
    ('SELECT ?x { ?x wgig:round ▸"2" }', 'the graph has "2"^^<http://www.w3.org/2001/XMLSchema#integer>.'),
    (
        'SELECT ?x { ?x dcterms:source ▸"http://example.org/inventory" }',
        "has <http://example.org/inventory>.",
    ),
    ('SELECT ?x { ▸"Spam" ?p ?x }', "A literal is never a subject, so this pattern finds nothing."),
]

SILENT = [
    "ASK {}",
    "SELECT * { ?s ?p ?o }",
    "SELECT ?x ?l { ?x a wgig:Issue ; skos:prefLabel ?l FILTER(LANG(?l) = 'en') } ORDER BY ?l",
    'SELECT ?x { ?x skos:prefLabel "Spam"@en }',
    "SELECT ?c (COUNT(?x) AS ?n) { ?x wgig:category ?c } GROUP BY ?c HAVING(?n > 1) ORDER BY ?n",
    "SELECT ?x { ?x wgig:category ?c OPTIONAL { ?x skos:definition ?d FILTER(?c != ?d) } }",
    "SELECT ?x { ?x wgig:category ?c FILTER NOT EXISTS { ?y wgig:category ?c FILTER(?y != ?x) } }",
    "SELECT ?x ?y { ?x wgig:category ?c } VALUES ?y { 1 }",
    "SELECT ?x { ?x a wgig:Issue MINUS { ?x wgig:illustrative true } }",  # declared, and not used
    "SELECT ?x { ?x a wgig:Issue OPTIONAL { ?x wgig:verdict/skos:prefLabel ?v } }",  # declared, and not used
    "CONSTRUCT { ?x wgig:myOwn ?c } WHERE { ?x wgig:category ?c }",
    "SELECT ?date1 ?date2 ?source ?sources { ?date1 ?date2 ?source . ?s ?p ?sources }",
    "SELECT ?x { ?x a wgig:Issue BIND(issue:spam AS ?y) FILTER(?y != 'a'^^wgig:t) }",
]


def found(text: str, store: Store) -> list[QueryHint]:
    return find_query_hints(ParsedSparqlText(PROLOGUE + text), store, BASE)


@pytest.mark.parametrize(("text", "says"), SAID, ids=range(len(SAID)))
def test_what_is_probably_not_meant_is_said_with_its_place(text: str, says: str, small_store: Store) -> None:
    (hint, *_) = found(text.replace(HERE, ""), small_store)
    assert says in hint.sentence
    assert (hint.line, hint.column) == (PROLOGUE.count("\n") + 1, text.index(HERE) + 1)


@pytest.mark.parametrize("text", SILENT, ids=range(len(SILENT)))
def test_nothing_is_said_of_what_is_meant(text: str, small_store: Store) -> None:
    assert found(text, small_store) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "SELECT ?x { ?x wgig:verdict ?v }",
            "wgig:verdict is declared, but is the property of no statement in",
        ),
        ("SELECT ?x { ?x a wgig:Swot }", "wgig:Swot is declared, but is the class of nothing in the graph."),
    ],
)
def test_a_term_that_is_declared_and_not_used_is_told_and_no_slip(
    text: str, says: str, small_store: Store
) -> None:
    (hint,) = found(text, small_store)
    assert says in hint.sentence
    assert "Did you mean" not in hint.sentence


def test_the_coverage_matrix_is_not_doubted_over_the_shipped_graph(filled_store: Store) -> None:
    query = ParsedSparqlText(read_example_query("coverage-matrix").text)
    assert find_query_hints(query, filled_store, BASE) == []


@pytest.mark.parametrize(
    "path", sorted((SHIPPED_FOLDER / "data/queries").glob("*.rq")), ids=lambda path: path.stem
)
def test_no_variable_of_an_example_lacks_a_value(path: Path, small_store: Store) -> None:
    query = ParsedSparqlText(path.read_text("utf-8"))
    said = [hint.sentence for hint in find_query_hints(query, small_store, BASE)]
    assert not [one for one in said if "a value" in one or "has no value" in one or "alone" in one]


@pytest.mark.parametrize(
    ("one", "other", "slip"),
    [
        ("label", "lable", True),
        ("label", "labe", True),
        ("label", "labels", True),
        ("label", "laxel", True),
        ("label", "label", False),
        ("label", "tables", False),
        ("label", "ballot", False),
    ],
)
def test_names_are_one_slip_apart(one: str, other: str, slip: bool) -> None:
    assert differ_by_one_edit(one, other) is differ_by_one_edit(other, one) is slip


def test_nothing_is_said_of_terms_where_there_is_no_graph() -> None:
    assert found("SELECT ?x { ?x a wgig:Isue }", Store.in_memory()) == []


def test_a_long_query_is_left_alone(small_store: Store) -> None:
    assert found(f"SELECT ?y {{ ?x a wgig:Issue }} #{'x' * MAX_HINTED_QUERY_CHARS}", small_store) == []


def test_the_store_is_asked_a_few_times_at_most() -> None:
    asked = []

    class Counted(Store):
        def has_statement(self, *terms: object) -> bool:
            asked.append(terms)
            return False

        def __bool__(self) -> bool:
            return True

    store = Counted.in_memory()
    found("SELECT * {" + " ".join(f"?x <x:{number}> 'text' ." for number in range(150)) + "}", store)
    assert 0 < len(asked) <= MAX_STORE_LOOKUPS


def test_the_field_is_a_list_of_display_strings() -> None:
    fields = build_warning_field(
        [QueryHint('No "é" is 100 % ?x.', 1, 2), QueryHint("Ü" * 1000, 3, 4), QueryHint("Last.", 5, 6)]
    )
    assert fields == {
        "WGIG-Warning": '%"No %22%c3%a9%22 is 100 %25 ?x.";line=1;column=2, %"Last.";line=5;column=6'
    }
    assert build_warning_field([]) == {}


def test_a_response_carries_the_hints_and_scripts_may_read_them(get: Callable[..., httpx.Response]) -> None:
    query = "SELECT%20%3Fy%20{%20%3Fx%20a%20%3Chttps://w3id.org/wgig/ontology%23Isue%3E%20}"
    answer = get(f"/sparql?query={query}", accept="text/csv")
    assert answer.status_code == 200
    sentences = re.findall(r'%"([^"]*)";line=1;column=(\d+)', answer.headers["wgig-warning"])
    assert [(unquote(sentence).partition(".")[0], column) for sentence, column in sentences] == [
        ("No pattern binds ?y", "8"),
        ("wgig:Isue is the class of nothing in the graph", "18"),
    ]
    assert "WGIG-Warning" in answer.headers["access-control-expose-headers"]


def test_a_page_shows_the_hints(get: Callable[..., httpx.Response]) -> None:
    page = get("/sparql?query=SELECT%20%3Fy%20{%20%3Fx%20a%20%3Cx:%26amp;%3E%20}", accept="text/html")
    assert re.search("Line 1, column 8: <span[^>]*>No pattern binds [?]y[.]", page.text)
    assert "x:&amp;amp; is the class of nothing" in page.text


@pytest.mark.parametrize(
    ("query", "media_type"),
    [
        ("SELECT ?x ?y { ?x a <x:C> }", "application/sparql-results+json"),
        ("SELECT ?x ?y { ?x a <x:C> }", "application/sparql-results+xml"),
        ("SELECT ?x ?y { ?x a <x:C> }", "text/csv"),
        ("SELECT ?x ?y { ?x a <x:C> }", "text/tab-separated-values"),
        ("CONSTRUCT { ?x a ?x } WHERE { ?x a <x:C> }", "text/turtle"),
        ("CONSTRUCT { ?x a ?x } WHERE { ?x a <x:C> }", "application/n-triples"),
        ("CONSTRUCT { ?x a ?x } WHERE { ?x a <x:C> }", "application/ld+json"),
        ("CONSTRUCT { ?x a ?x } WHERE { ?x a <x:C> }", "application/rdf+xml"),
    ],
)
def test_an_answer_with_nothing_in_it_gives_reason_to_doubt(
    get: Callable[..., httpx.Response], query: str, media_type: str
) -> None:
    assert "wgig-warning" in get(f"/sparql?query={quote(query)}", accept=media_type).headers
    found = query.replace("<x:C>", "?c")
    assert "wgig-warning" not in get(f"/sparql?query={quote(found)}", accept=media_type).headers


def test_who_wants_to_know_is_told_whatever_the_query_finds(get: Callable[..., httpx.Response]) -> None:
    path = f"/sparql?query={quote('SELECT ?y { ?x ?p ?o } LIMIT 1')}"
    for media_type in ("application/sparql-results+json", "text/csv"):
        assert "wgig-warning" not in get(path, accept=media_type).headers
        assert "?y" in get(f"{path}&hints", accept=media_type).headers["wgig-warning"]
    assert get(f"{path}&hints=no", accept="text/csv").status_code == 400


def test_a_yes_is_no_reason_to_doubt(get: Callable[..., httpx.Response]) -> None:
    for query, doubted in (("ASK{?x?p?o%20FILTER(!BOUND(?y))}", False), ("ASK{?x?p?o%20FILTER(?y)}", True)):
        for accept in ("application/sparql-results+json", "application/sparql-results+xml"):
            assert ("wgig-warning" in get(f"/sparql?query={query}", accept=accept).headers) is doubted


def test_programs_may_be_left_without(small_store: Store) -> None:
    client = service_of(Settings(warnings="pages"), small_store)
    query = {"query": "SELECT ?y { ?x a <x:C> }"}
    assert "wgig-warning" not in client.get("/sparql", params=query).headers
    assert "No pattern binds ?y." in client.get("/sparql", params=query, headers={"Accept": "text/html"}).text


def test_what_is_meant_has_no_field(closed: httpx.Client) -> None:
    assert "wgig-warning" not in closed.get("/sparql", params={"query": "ASK {}"}).headers

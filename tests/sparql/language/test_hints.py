"""Hints on probable mistakes in valid queries, and the header and page that show them."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote

import httpx2
import pyoxigraph as ox
import pytest
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.sparql.language import hints
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

from tests.fixtures.service import make_service_client

BASE = Settings.base
PROLOGUE = """
PREFIX category: <https://w3id.org/wgig/id/category/> PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX issue: <https://w3id.org/wgig/id/issue/> PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX wgig: <https://w3id.org/wgig/ontology#>
"""
HINT_MARK = "▸"  # before the position of the hint

QUERIES_WITH_HINT = [
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
    ("SELECT ?x { ?x a wgig:Issue ; (skos:prefLabel▸|skos:altLabel) ?y }", "counts once, not twice."),
    # terms
    ("SELECT ?x { ?x ▸wgig:catgory ?c }", "No statement in the graph has the property wgig:catgory. "),
    ("SELECT ?x { ?x ▸issue:spam ?c }", "No statement in the graph has the property issue:spam."),
    ("SELECT ?x { ?x a wgig:Issue OPTIONAL { ?x ▸wgig:catgory ?c } }", "Did you mean wgig:category?"),
    ("SELECT ?x { ?x a ▸wgig:Isue }", "Nothing in the graph is a wgig:Isue. Did you mean wgig:Issue?"),
    ("SELECT ?x { ?x ▸wgig:Category ?y }", "Did you mean wgig:category?"),
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
    (
        'SELECT ?x { ?x skos:prefLabel ▸"Spam" }',
        'No skos:prefLabel has the value "Spam"; the graph has "Spam"@en.',
    ),
    ('SELECT ?x { ?x wgig:round ▸"2" }', 'the graph has "2"^^<http://www.w3.org/2001/XMLSchema#integer>.'),
    (
        'SELECT ?x { ?x dcterms:source ▸"http://example.org/inventory" }',
        "has <http://example.org/inventory>.",
    ),
    ('SELECT ?x { ▸"Spam" ?p ?x }', "A literal cannot be a subject, so this pattern finds nothing."),
]

QUERIES_WITHOUT_HINT = [
    "ASK {}",
    "SELECT * { ?s ?p ?o }",
    "SELECT ?x ?l { ?x a wgig:Issue ; skos:prefLabel ?l FILTER(LANG(?l) = 'en') } ORDER BY ?l",
    'SELECT ?x { ?x skos:prefLabel "Spam"@en }',
    "SELECT ?c (COUNT(?x) AS ?n) { ?x wgig:category ?c } GROUP BY ?c HAVING(?n > 1) ORDER BY ?n",
    "SELECT ?x { ?x wgig:category ?c OPTIONAL { ?x skos:definition ?d FILTER(?c != ?d) } }",
    "SELECT ?x { ?x wgig:category ?c FILTER NOT EXISTS { ?y wgig:category ?c FILTER(?y != ?x) } }",
    "SELECT ?x ?y { ?x wgig:category ?c } VALUES ?y { 1 }",
    "SELECT ?x { ?x a wgig:Issue MINUS { ?x wgig:illustrative true } }",  # declared but unused
    "SELECT ?x { ?x a wgig:Issue OPTIONAL { ?x wgig:verdict/skos:prefLabel ?v } }",  # declared but unused
    "CONSTRUCT { ?x wgig:myOwn ?c } WHERE { ?x wgig:category ?c }",
    "SELECT ?date1 ?date2 ?source ?sources { ?date1 ?date2 ?source . ?s ?p ?sources }",
    "SELECT ?x { ?x a wgig:Issue BIND(issue:spam AS ?y) FILTER(?y != 'a'^^wgig:t) }",
]


def find_hints(text: str, store: Store) -> list[QueryHint]:
    return find_query_hints(ParsedSparqlText(PROLOGUE + text), store, BASE)


@pytest.mark.parametrize(("text", "message"), QUERIES_WITH_HINT, ids=range(len(QUERIES_WITH_HINT)))
def test_probable_mistake_gets_a_hint_with_its_position(text: str, message: str, small_store: Store) -> None:
    (hint, *_) = find_hints(text.replace(HINT_MARK, ""), small_store)
    assert message in hint.sentence
    assert (hint.line, hint.column) == (PROLOGUE.count("\n") + 1, text.index(HINT_MARK) + 1)


@pytest.mark.parametrize(
    ("text", "message", "new_name"),
    [
        (
            "SELECT ?x { ?x a wgig:Member }",
            "Nothing in the graph is a wgig:Member. Did you mean org:Membership?",
            "<http://www.w3.org/ns/org#Membership>",
        ),
        (  # the definition of wgig:country has the word
            "SELECT ?y { ?x wgig:region ?y }",
            "No statement in the graph has the property wgig:region. Did you mean wgig:country?",
            "wgig:country",
        ),
    ],
)
def test_suggestion_for_a_class_is_a_class_and_for_a_property_a_property(
    text: str, message: str, new_name: str
) -> None:
    store = Store.in_memory()
    store.update(
        f"PREFIX org: <http://www.w3.org/ns/org#> {PROLOGUE} INSERT DATA {{ "
        "[] a org:Membership ; org:member wgig:byMember ; wgig:country issue:x ; wgig:relation wgig:Region }"
    )
    (hint,) = find_hints(text, store)
    assert hint.sentence == message
    assert hint.edit
    assert hint.edit.text == new_name


@pytest.mark.parametrize("text", QUERIES_WITHOUT_HINT, ids=range(len(QUERIES_WITHOUT_HINT)))
def test_correct_query_gets_no_hint(text: str, small_store: Store) -> None:
    assert find_hints(text, small_store) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "SELECT ?x { ?x wgig:verdict ?v }",
            "No statement in the graph has the property wgig:verdict. It is declared in the ontology.",
        ),
        (
            "SELECT ?x { ?x a wgig:Swot }",
            "Nothing in the graph is a wgig:Swot. It is declared in the ontology.",
        ),
    ],
)
def test_declared_but_unused_term_gets_a_hint_without_suggestion(
    text: str, message: str, small_store: Store
) -> None:
    (hint,) = find_hints(text, small_store)
    assert message in hint.sentence
    assert "Did you mean" not in hint.sentence


# By example query, a property without statements, as the text of no bundled paper was seen.
UNUSED_PROPERTIES = {
    "papers-missing-an-assessment": "wgig:partMissing",
    "papers-missing-sections": "wgig:partMissing",
    "what-papers-lack": "wgig:breaks",
}


@pytest.mark.parametrize(
    "path", sorted((SHIPPED_FOLDER / "data/queries").glob("*.rq")), ids=lambda path: path.stem
)
def test_example_query_over_the_bundled_data_has_no_wrong_hint(
    path: Path, filled_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints, "MAX_HINTED_QUERY_CHARS", 2 * MAX_HINTED_QUERY_CHARS)
    query = ParsedSparqlText(path.read_text("utf-8"))
    # The first write creates the graph of who-wrote-what. Terms get no hints if the store is empty.
    store = Store.in_memory() if path.stem == "who-wrote-what" else filled_store
    unused_property = UNUSED_PROPERTIES.get(path.stem)
    assert [hint.sentence for hint in find_query_hints(query, store, BASE)] == (
        [f"No statement in the graph has the property {unused_property}. It is declared in the ontology."]
        if unused_property
        else []
    )


@pytest.mark.parametrize(
    ("name", "other_name", "is_one_edit"),
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
def test_names_are_compared_by_edits(name: str, other_name: str, is_one_edit: bool) -> None:
    assert differ_by_one_edit(name, other_name) is differ_by_one_edit(other_name, name) is is_one_edit


def test_terms_get_no_hint_if_the_store_is_empty() -> None:
    assert find_hints("SELECT ?x { ?x a wgig:Isue }", Store.in_memory()) == []


def test_long_query_gets_no_hint(small_store: Store) -> None:
    assert find_hints(f"SELECT ?y {{ ?x a wgig:Issue }} #{'x' * MAX_HINTED_QUERY_CHARS}", small_store) == []


def test_number_of_store_lookups_is_limited() -> None:
    lookups = []

    class RecordingStore(Store):
        def has_statement(self, *terms: object) -> bool:
            lookups.append(terms)
            return False

        def __bool__(self) -> bool:
            return True  # an empty store would get no hints

    store = RecordingStore.in_memory()
    find_hints("SELECT * {" + " ".join(f"?x <x:{number}> 'text' ." for number in range(150)) + "}", store)
    assert 0 < len(lookups) <= MAX_STORE_LOOKUPS


def test_header_is_a_list_of_display_strings_without_too_long_ones() -> None:
    # Display strings: RFC 9651, section 3.3.8.
    fields = build_warning_field(
        [QueryHint('No "é" is 100 % ?x.', 1, 2), QueryHint("Ü" * 1000, 3, 4), QueryHint("Last.", 5, 6)]
    )
    assert fields == {
        "WGIG-Warning": '%"No %22%c3%a9%22 is 100 %25 ?x.";line=1;column=2, %"Last.";line=5;column=6'
    }
    assert build_warning_field([]) == {}


def test_response_has_the_hints_in_a_header_that_scripts_may_read(
    get: Callable[..., httpx2.Response],
) -> None:
    query = "SELECT%20%3Fy%20{%20%3Fx%20a%20%3Chttps://w3id.org/wgig/ontology%23Isue%3E%20}"
    response = get(f"/sparql?query={query}&hints", accept="text/csv")
    assert response.status_code == 200
    sentences = re.findall(r'%"([^"]*)";line=1;column=(\d+)', response.headers["wgig-warning"])
    assert [(unquote(sentence).partition(".")[0], column) for sentence, column in sentences] == [
        ("No pattern binds ?y", "8"),
        ("Nothing in the graph is a wgig:Isue", "18"),
    ]
    assert "WGIG-Warning" in response.headers["access-control-expose-headers"]


def test_page_shows_the_hints(get: Callable[..., httpx2.Response]) -> None:
    # SELECT ?y { ?x a <x:&amp;> }
    page = get("/sparql?query=SELECT%20%3Fy%20{%20%3Fx%20a%20%3Cx:%26amp;%3E%20}", accept="text/html")
    assert re.search("Line 1, column 8: <span[^>]*>No pattern binds [?]y[.]", page.text)
    assert "Nothing in the graph is a x:&amp;amp;" in page.text


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
def test_only_empty_result_has_hints_by_a_setting_and_else_a_note(
    small_store: Store, query: str, media_type: str
) -> None:
    headers = {"Accept": media_type}
    for warnings, sentence in (("empty", "No"), ("pages", "The result is empty. Add the parameter hints")):
        client = make_service_client(Settings(warnings=warnings), small_store)
        warning = client.get("/sparql", params={"query": query}, headers=headers).headers["wgig-warning"]
        assert warning.startswith(f'%"{sentence}')
        matching_query = query.replace("<x:C>", "?c")
        response = client.get("/sparql", params={"query": matching_query}, headers=headers)
        assert "wgig-warning" not in response.headers


def test_hints_parameter_requests_hints_for_any_result(get: Callable[..., httpx2.Response]) -> None:
    path = f"/sparql?query={quote('SELECT ?y { ?x ?p ?o } LIMIT 1')}"
    for media_type in ("application/sparql-results+json", "text/csv"):
        assert "wgig-warning" not in get(path, accept=media_type).headers
        assert "?y" in get(f"{path}&hints", accept=media_type).headers["wgig-warning"]
    assert get(f"{path}&hints=no", accept="text/csv").status_code == 400


def test_ask_gets_hints_only_if_its_result_is_false_and_a_setting_says_so(small_store: Store) -> None:
    for query, is_false in (("ASK{?x?p?o FILTER(!BOUND(?y))}", False), ("ASK{?x?p?o FILTER(?y)}", True)):
        for accept in ("application/sparql-results+json", "application/sparql-results+xml"):
            for warnings in ("empty", "pages"):
                client = make_service_client(Settings(warnings=warnings), small_store)
                response = client.get("/sparql", params={"query": query}, headers={"Accept": accept})
                assert ("wgig-warning" in response.headers) is (is_false and warnings == "empty")


def test_setting_restricts_hints_to_pages(small_store: Store) -> None:
    client = make_service_client(Settings(warnings="pages"), small_store)
    query = {"query": "SELECT ?y { ?x a <x:C> }"}
    assert "No pattern" not in client.get("/sparql", params=query).headers["wgig-warning"]
    assert "No pattern binds ?y." in client.get("/sparql", params=query, headers={"Accept": "text/html"}).text


def test_response_to_a_correct_query_has_no_hints_header(read_only_client: httpx2.Client) -> None:
    assert "wgig-warning" not in read_only_client.get("/sparql", params={"query": "ASK {}"}).headers


def test_labels_in_several_languages_get_a_hint_that_keeps_english() -> None:
    store = Store.in_memory()
    label = "<http://www.w3.org/2004/02/skos/core#prefLabel>"
    content = f'<x:a> a <x:C> ; {label} "A"@en , "B"@fr . <x:b> a <x:D> ; {label} "C"@en , "D" .'
    triples = [quad.triple for quad in ox.parse(content, ox.RdfFormat.TURTLE)]
    store.apply(store.compute_addition(f"{BASE}graph/labels", triples))
    text = "SELECT ?x ?name { ?x a <x:C> OPTIONAL { ?x skos:prefLabel ?name } } ORDER BY ?name"
    (hint,) = find_hints(text, store)
    assert "?name has labels in 2 languages" in hint.sentence
    assert hint.edit
    fixed_text = (PROLOGUE + text)[: hint.edit.start] + hint.edit.text + (PROLOGUE + text)[hint.edit.end :]
    assert 'OPTIONAL { ?x skos:prefLabel ?name FILTER(LANG(?name) = "en") }' in fixed_text
    assert find_query_hints(ParsedSparqlText(fixed_text), store, BASE) == []
    for correct_text in (text.replace("x:C", "x:D"), text.replace("SELECT ?x ?name", "SELECT ?x")):
        assert find_hints(correct_text, store) == []

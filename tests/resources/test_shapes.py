"""The pages of shapes and rules, /shapes/<name>: reason, example papers, and the shape in RDF.

The diff of a rule shows the change between an example paper that passes ("+") and one that fails ("-").
"""

import re

import httpx2
import pyoxigraph as ox
import pytest
from wgig.rdf.serialization import parse_graph_document
from wgig.resources.shapes import (
    GAP_MARK,
    PASSING_MARK,
    SHARED_MARK,
    diff_rule_example,
    example_papers_by_name,
    read_shape_sources,
)
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.shacl.rules import MESSAGE_LANGUAGES, rules_by_code
from wgig.store.store import Store

from tests.fixtures.service import make_service_client

HTML_HEADERS = {"accept": "text/html"}
MEDIA_TYPES_BY_SUFFIX = {"ttl": "text/turtle", "nt": "application/n-triples", "jsonld": "application/ld+json"}
SHAPES_NAMESPACE = "https://w3id.org/wgig/shapes#"


@pytest.fixture(scope="module")
def client() -> httpx2.Client:
    """A client of a service whose store has the shapes."""
    files = sorted((SHIPPED_FOLDER / "shapes").glob("*.ttl"))
    shapes = [triple for file in files for triple in parse_graph_document(file.read_bytes(), "text/turtle")]
    store = Store.in_memory()
    store.apply(store.compute_addition(f"{Settings.base}graph/shapes", shapes))
    return make_service_client(Settings(), store)


def attribute_values(page: str, name: str) -> list[str]:
    """The values of an attribute in a page."""
    return re.findall(rf' {name}="([^"]*)"', page)


@pytest.mark.parametrize("language", MESSAGE_LANGUAGES)
def test_name_of_rule_is_in_language_of_page(client: httpx2.Client, language: str) -> None:
    rule = rules_by_code()["WGIG-3-SWOT-MISSING"]
    page = client.get(f"/shapes/{rule.code}", headers={**HTML_HEADERS, "accept-language": language}).text
    name = rule.name[language][:1].upper() + rule.name[language][1:]
    assert re.search(rf"<h1>[^<]+[:：] ?{re.escape(name)} ?[(（]", page)  # "Rule" and "required"
    rules_page = client.get("/shapes", headers={**HTML_HEADERS, "accept-language": language}).text
    assert re.search(rf">{re.escape(name)} ?[(（]", rules_page)


@pytest.mark.parametrize("code", ["WGIG-0-TITLE-MISSING", "WGIG-0-TERM-UNKNOWN"])
def test_reason_of_rule_is_in_language_of_page(client: httpx2.Client, code: str) -> None:
    reasons = set()
    for language in MESSAGE_LANGUAGES:
        page = client.get(f"/shapes/{code}", headers={**HTML_HEADERS, "accept-language": language}).text
        assert f"<strong>{rules_by_code()[code].message[language]}</strong>" in page
        reasons |= {*re.findall(r'<p class="lead">([^<]+)</p>', page)}
    assert len(reasons) == len(MESSAGE_LANGUAGES)
    assert rules_by_code()[code].reason in reasons


@pytest.mark.parametrize("code", ["WGIG-7B-MISSING", "WGIG-0-LATE", "WGIG-0-TERM-UNKNOWN"])
def test_page_of_rule_is_complete(client: httpx2.Client, code: str) -> None:
    response = client.get(f"/shapes/{code}", headers=HTML_HEADERS)
    page, rule = response.text, rules_by_code()[code]
    assert {*MESSAGE_LANGUAGES} <= {*attribute_values(page, "lang")}
    assert "rtl" in attribute_values(page, "dir")
    assert f"/doc/profile/{rule.profile}" in attribute_values(page, "href")
    assert f"/shapes/examples/bad-{code}.ttl" in attribute_values(page, "href")
    for heading in (
        "The message in other languages",
        "How to fix it",
        "A paper that fails",
        "The rule in SHACL",
    ):
        assert heading in response.text
    assert f"shape:{code}\n" in response.text
    assert not attribute_values(page, "style")


def test_every_rule_has_page_and_diff(client: httpx2.Client) -> None:
    for code in rules_by_code():
        assert client.get(f"/shapes/{code}", headers=HTML_HEADERS).status_code == 200
        diff = diff_rule_example(code)
        assert diff is not None, code
        assert {line.mark for line in diff.lines} - {SHARED_MARK, GAP_MARK}, "no line differs"


def test_diff_shows_error() -> None:
    diff = diff_rule_example("WGIG-0-LATE")
    assert diff is not None
    texts = {line.mark: line.text for line in diff.lines if "wgig:posted" in line.text}
    assert '"2005-01-26"' in texts["-"]  # one day late
    assert '"2005-01-20"' in texts["+"]
    assert diff_rule_example("WGIG-NOTHING") is None


def test_diff_shows_only_error() -> None:
    for code in ("WGIG-0-LATE", "WGIG-0-WAIVER-MISSING", "WGIG-7-MECHANISM-UNKNOWN"):
        diff = diff_rule_example(code)
        assert diff is not None
        assert diff.passing == "ok-final.ttl"
        passing_lines = [line.text for line in diff.lines if line.mark == PASSING_MARK]
        assert len(passing_lines) <= 1, code  # an error is one change of the passing example


@pytest.mark.parametrize(("suffix", "media_type"), MEDIA_TYPES_BY_SUFFIX.items())
def test_shape_is_available_in_rdf(client: httpx2.Client, suffix: str, media_type: str) -> None:
    by_suffix = client.get(f"/shapes/WGIG-0-LATE.{suffix}")
    by_header = client.get("/shapes/WGIG-0-LATE", headers={"accept": media_type})
    assert by_suffix.content == by_header.content
    assert by_header.headers["content-location"] == f"/shapes/WGIG-0-LATE.{suffix}"
    triples = [
        quad.triple for quad in ox.parse(by_suffix.content, format=ox.RdfFormat.from_media_type(media_type))
    ]
    subjects = {triple.subject.value for triple in triples if isinstance(triple.subject, ox.NamedNode)}
    assert subjects == {f"{SHAPES_NAMESPACE}WGIG-0-LATE", f"{SHAPES_NAMESPACE}section-0"}
    # Blank nodes in RDF lists of the shape are included.
    assert [triple for triple in triples if triple.predicate.value.endswith("maxInclusive")]


def test_shape_includes_its_property_shapes(client: httpx2.Client) -> None:
    page = client.get("/shapes/CitationShape", headers=HTML_HEADERS)
    assert "Use wgig:basis to say where the citation was seen." in page.text
    assert "CitationShape-basis" in client.get("/shapes/CitationShape.ttl").text


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("wgig-7b-mising", "WGIG-7B-MISSING"),
        ("citationshape", "CitationShape"),
        ("WGIG-0-LATER", "WGIG-0-LATE"),
    ],
)
def test_misspelled_name_gets_suggestion(client: httpx2.Client, name: str, suggestion: str) -> None:
    response = client.get(f"/shapes/{name}")
    assert (response.status_code, response.json()["suggestion"]) == (404, suggestion)


def test_unknown_name_is_not_found(client: httpx2.Client) -> None:
    example_names = ("examples/nothing.ttl", "examples/..%2f..%2fpaper.ttl")
    for name in ("zzz", "x" * 5000, "a%20b", "%3Cb%3E", *example_names):
        assert client.get(f"/shapes/{name}").status_code == 404, name


def test_shape_without_message_links_the_rules_that_use_it(client: httpx2.Client) -> None:
    page = client.get("/shapes/of-its-own-paper", headers=HTML_HEADERS).text
    assert "This rule has no message of its own." in page
    assert {"/shapes/WGIG-7A-TWICE", "/shapes/AssessmentShape-seen"} <= {*attribute_values(page, "href")}


def test_list_is_filtered_by_words_without_scripts(client: httpx2.Client) -> None:
    page = client.get("/shapes?q=VERDICT+one", headers=HTML_HEADERS).text
    assert re.findall(r'<li id="([^"]+)" data-filtered>', page) == ["WGIG-7-VERDICT-TWICE"]
    assert re.search(r" data-count>1 of \d\d<", page)
    page = client.get("/shapes?q=xyzzy", headers=HTML_HEADERS).text
    assert "Nothing here contains “xyzzy”." in page
    assert re.search(r'<a class="everywhere" href="/search\?q=xyzzy">', page)
    assert not re.search(r"data-filtered>", page)


def test_no_two_rules_have_the_same_name(client: httpx2.Client) -> None:
    page = client.get("/shapes", headers=HTML_HEADERS).text
    names = re.findall(r'<a href="/shapes/[^"]+"(?: lang="en" dir="ltr")?>([^<]+)</a>', page)
    assert len(names) > 170
    assert [name for name in names if names.count(name) > 1] == []


def test_example_is_served_unchanged(client: httpx2.Client) -> None:
    response = client.get("/shapes/examples/ok-complete.ttl")
    assert response.headers["content-type"] == "text/turtle; charset=utf-8"
    assert response.content == example_papers_by_name()["ok-complete.ttl"].read_bytes()


def test_list_links_every_rule_and_has_unique_anchors(client: httpx2.Client) -> None:
    page = client.get("/shapes", headers=HTML_HEADERS).text
    assert {*rules_by_code()} <= {*attribute_values(page, "id")}
    assert {f"/shapes/{code}" for code in rules_by_code()} <= {*attribute_values(page, "href")}
    assert "CitationShape" in attribute_values(page, "id")
    assert len(attribute_values(page, "id")) == len({*attribute_values(page, "id")})


def test_turtle_source_of_every_rule_is_found() -> None:
    assert rules_by_code().keys() <= read_shape_sources().keys()
    for source in read_shape_sources().values():
        assert source.endswith(".")  # the whole Turtle statement


def test_profile_of_check_has_description(client: httpx2.Client) -> None:
    assert client.get("/id/profile/draft").headers["location"] == "/doc/profile/draft"
    page = client.get("/doc/profile/draft", headers=HTML_HEADERS)
    assert page.status_code == 200
    assert "Nothing needs to be complete yet." in page.text

"""/shapes/<name>: each rule has a page with its reason, its examples, and its shape as data."""

import re

import httpx
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

from tests.fixtures.service import service_of

PAGE = {"accept": "text/html"}
FORMATS = {"ttl": "text/turtle", "nt": "application/n-triples", "jsonld": "application/ld+json"}
IRI = "https://w3id.org/wgig/shapes#"


@pytest.fixture(scope="module")
def service() -> httpx.Client:
    """A client of a service that holds the shapes."""
    files = sorted((SHIPPED_FOLDER / "shapes").glob("*.ttl"))
    shapes = [triple for file in files for triple in parse_graph_document(file.read_bytes(), "text/turtle")]
    store = Store.in_memory()
    store.apply(store.compute_addition(f"{Settings.base}graph/shapes", shapes))
    return service_of(Settings(), store)


def values(page: str, name: str) -> list[str]:
    """The values of an attribute in a page."""
    return re.findall(rf' {name}="([^"]*)"', page)


@pytest.mark.parametrize("language", MESSAGE_LANGUAGES)
def test_a_rule_is_called_in_the_language_of_the_page(service: httpx.Client, language: str) -> None:
    rule = rules_by_code()["WGIG-3-SWOT-MISSING"]
    page = service.get(f"/shapes/{rule.code}", headers={**PAGE, "accept-language": language}).text
    title = re.search(rf'<h1 lang="{language}" dir="auto">([^<]+)</h1>', page)
    assert title
    assert title[1].casefold() == rule.name[language].casefold()
    assert rule.name[language] in service.get("/shapes", headers={**PAGE, "accept-language": language}).text


@pytest.mark.parametrize("code", ["WGIG-0-TITLE-MISSING", "WGIG-0-TERM-UNKNOWN"])
def test_the_reason_of_a_rule_is_in_the_language_of_the_page(service: httpx.Client, code: str) -> None:
    leads = set()
    for language in MESSAGE_LANGUAGES:
        page = service.get(f"/shapes/{code}", headers={**PAGE, "accept-language": language}).text
        leads |= {*re.findall(r'<p class="lead">([^<]+)</p>', page)}
    assert len(leads) == len(MESSAGE_LANGUAGES)
    assert rules_by_code()[code].reason in leads


@pytest.mark.parametrize("code", ["WGIG-7B-MISSING", "WGIG-0-LATE", "WGIG-0-TERM-UNKNOWN"])
def test_the_page_of_a_rule_says_all_of_it(service: httpx.Client, code: str) -> None:
    answer = service.get(f"/shapes/{code}", headers=PAGE)
    page, rule = answer.text, rules_by_code()[code]
    assert {*MESSAGE_LANGUAGES} <= {*values(page, "lang")}
    assert "rtl" in values(page, "dir")
    assert f"/doc/profile/{rule.profile}" in values(page, "href")
    assert f"/shapes/examples/bad-{code}.ttl" in values(page, "href")
    for heading in ("What it says to an author", "How to mend it", "A paper that fails", "In SHACL"):
        assert heading in answer.text
    assert f"shape:{code}\n" in answer.text
    assert not values(page, "style")


def test_every_rule_has_a_page_and_a_contrast(service: httpx.Client) -> None:
    for code in rules_by_code():
        assert service.get(f"/shapes/{code}", headers=PAGE).status_code == 200
        shown = diff_rule_example(code)
        assert shown is not None, code
        assert {line.mark for line in shown.lines} - {SHARED_MARK, GAP_MARK}


def test_a_contrast_shows_what_is_wrong() -> None:
    shown = diff_rule_example("WGIG-0-LATE")
    assert shown is not None
    texts = {line.mark: line.text for line in shown.lines if "wgig:posted" in line.text}
    assert '"2005-01-26"' in texts["-"]
    assert '"2005-01-20"' in texts["+"]
    assert diff_rule_example("WGIG-NOTHING") is None


def test_a_contrast_shows_nothing_beside_what_is_wrong() -> None:
    for code in ("WGIG-0-LATE", "WGIG-0-WAIVER-MISSING", "WGIG-7-MECHANISM-UNKNOWN"):
        shown = diff_rule_example(code)
        assert shown is not None
        assert shown.passing == "ok-final.ttl"
        lost = [line.text for line in shown.lines if line.mark == PASSING_MARK]
        assert len(lost) <= 1, code


@pytest.mark.parametrize(("suffix", "media_type"), FORMATS.items())
def test_a_shape_is_data_too(service: httpx.Client, suffix: str, media_type: str) -> None:
    by_suffix = service.get(f"/shapes/WGIG-0-LATE.{suffix}")
    by_header = service.get("/shapes/WGIG-0-LATE", headers={"accept": media_type})
    assert by_suffix.content == by_header.content
    assert by_header.headers["content-location"] == f"/shapes/WGIG-0-LATE.{suffix}"
    triples = [
        quad.triple for quad in ox.parse(by_suffix.content, format=ox.RdfFormat.from_media_type(media_type))
    ]
    about = {one.subject.value for one in triples if isinstance(one.subject, ox.NamedNode)}
    assert about == {f"{IRI}WGIG-0-LATE", f"{IRI}section-0"}
    # The members of its lists belong to it.
    assert [one for one in triples if one.predicate.value.endswith("maxInclusive")]


def test_a_shape_comes_with_the_shapes_that_it_is_made_of(service: httpx.Client) -> None:
    page = service.get("/shapes/CitationShape", headers=PAGE)
    assert "Say in wgig:basis where the citation was seen." in page.text
    assert "CitationShape-basis" in service.get("/shapes/CitationShape.ttl").text


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("wgig-7b-mising", "WGIG-7B-MISSING"),
        ("citationshape", "CitationShape"),
        ("WGIG-0-LATER", "WGIG-0-LATE"),
    ],
)
def test_a_name_that_is_nearly_right_is_told_the_right_one(
    service: httpx.Client, name: str, near: str
) -> None:
    answer = service.get(f"/shapes/{name}")
    assert (answer.status_code, answer.json()["suggestion"]) == (404, near)


def test_other_names_are_not_found(service: httpx.Client) -> None:
    examples = ("examples/nothing.ttl", "examples/..%2f..%2fpaper.ttl")
    for name in ("zzz", "x" * 5000, "a%20b", "%3Cb%3E", *examples):
        assert service.get(f"/shapes/{name}").status_code == 404, name


def test_examples_are_served_as_they_are(service: httpx.Client) -> None:
    answer = service.get("/shapes/examples/ok-complete.ttl")
    assert answer.headers["content-type"] == "text/turtle; charset=utf-8"
    assert answer.content == example_papers_by_name()["ok-complete.ttl"].read_bytes()


def test_the_list_leads_to_every_rule_and_keeps_its_anchors(service: httpx.Client) -> None:
    page = service.get("/shapes", headers=PAGE).text
    assert {*rules_by_code()} <= {*values(page, "id")}
    assert {f"/shapes/{code}" for code in rules_by_code()} <= {*values(page, "href")}
    assert "CitationShape" in values(page, "id")
    assert len(values(page, "id")) == len({*values(page, "id")})


def test_every_shape_is_there_as_it_was_written() -> None:
    assert rules_by_code().keys() <= read_shape_sources().keys()
    for text in read_shape_sources().values():
        assert text.endswith(".")


def test_a_profile_has_a_description(service: httpx.Client) -> None:
    assert service.get("/id/profile/draft").headers["location"] == "/doc/profile/draft"
    page = service.get("/doc/profile/draft", headers=PAGE)
    assert page.status_code == 200
    assert "Nothing needs to be there yet." in page.text

"""References to documents themselves, and the formats of all references: text, BibTeX, CSL-JSON, RIS."""

import re
from html import unescape
from typing import Any

import httpx2
import jsonschema
import pytest
from pybtex.database import parse_string  # type: ignore[import-untyped]
from wgig.graphs.citation.references import DOCUMENT_TYPE, REFERENCE_SERIALIZERS, Reference, serialize_ris
from wgig.settings import Settings

BASE = Settings.base
TEXT = {"type": "string", "minLength": 1}
TEXT_NAMES = ("id", "title", "container-title", "version", "number", "locator", "URL", "note")
# What CSL-JSON 1.0.2 allows of the variables that this service uses.
CSL_SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["id", "type"],
        "additionalProperties": False,
        "properties": {
            **dict.fromkeys(TEXT_NAMES, TEXT),
            "type": {"enum": ["dataset", "document"]},
            "author": {
                "type": "array",
                "items": {"type": "object", "required": ["literal"], "properties": {"literal": TEXT}},
            },
            "issued": {
                "type": "object",
                "required": ["date-parts"],
                "additionalProperties": False,
                "properties": {
                    "date-parts": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 2,
                        "items": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": 3,
                            "items": {"type": "integer"},
                        },
                    }
                },
            },
        },
    },
}


def cite(client: httpx2.Client, name: str, suffix: str, *, work: bool = True) -> httpx2.Response:
    """The citation of a resource in a format."""
    query = f"iri={BASE}id/{name}&_mediatype={suffix}{'&work' if work else ''}"
    response = client.get(f"/cite?{query}")
    assert response.status_code == 200, response.text
    return response


def cite_as_csl(client: httpx2.Client, name: str) -> Any:
    (item,) = cite(client, name, "json").json()
    return item


def test_a_document_is_cited_with_its_own_date_and_number(filled_client: httpx2.Client) -> None:
    item = cite_as_csl(filled_client, "document/tunis-agenda")
    assert item["title"] == "Tunis Agenda for the Information Society"
    assert item["number"] == "WSIS-05/TUNIS/DOC/6(Rev.1)-E"
    assert item["issued"] == {"date-parts": [[2005, 11, 18]]}
    assert "author" not in item  # the graph states none
    assert "locator" not in item


def test_a_document_is_cited_with_its_author(filled_client: httpx2.Client) -> None:
    assert cite_as_csl(filled_client, "document/report")["author"] == [
        {"literal": "Working Group on Internet Governance"}
    ]


def test_a_paragraph_is_cited_as_part_of_its_document(filled_client: httpx2.Client) -> None:
    item = cite_as_csl(filled_client, "document/declaration/48")
    assert item["locator"] == "48"
    assert "Declaration of Principles" in item["title"]
    assert item["URL"] == "http://www.itu.int/net/wsis/docs/geneva/official/dop.html"
    assert item["issued"] == {"date-parts": [[2003, 12, 12]]}
    text = cite(filled_client, "document/declaration/48", "txt").text
    assert "2003-12-12, paragraph 48. <http://www.itu.int/" in text
    assert text.count("\n") == 1


def test_a_paper_whose_text_has_no_page_is_listed(filled_client: httpx2.Client) -> None:
    item = cite_as_csl(filled_client, "paper/wp-spam")
    assert item["URL"] == f"{BASE}id/paper/wp-spam"
    assert item["note"] == "Listed in http://www.wgig.org/working-papers.html"
    assert item["issued"] == {"date-parts": [[2005, 2]]}  # the day is that of the whole set
    text = cite(filled_client, "paper/wp-spam", "txt").text
    assert "Listed in <http://www.wgig.org/working-papers.html>." in text
    page = filled_client.get(f"/cite?iri={BASE}id/paper/wp-spam&work", headers={"Accept": "text/html"}).text
    assert "<h1>Cite the original: Spam (issue paper)</h1>" in page
    assert "We do not know the author." in page
    assert "We know of no page with the text." in page


@pytest.mark.parametrize("name", ["issue/spam", "meeting/m1"])
def test_what_is_no_document_cannot_be_cited_as_one(filled_client: httpx2.Client, name: str) -> None:
    response = filled_client.get(f"/cite?iri={BASE}id/{name}&work")
    assert (response.status_code, "is not a document" in response.json()["detail"]) == (404, True)


@pytest.mark.parametrize(
    "query", ["work", "work&query=ASK%20{}", f"work&iri={BASE}id/document/report&version=1"]
)
def test_work_needs_an_iri_alone(filled_client: httpx2.Client, query: str) -> None:
    response = filled_client.get(f"/cite?{query}")
    assert (response.status_code, "give iri" in response.json()["detail"]) == (400, True)


@pytest.mark.parametrize("work", [True, False])
@pytest.mark.parametrize(
    "name", ["document/report", "document/tunis-agenda/41", "document/declaration", "paper/wp-spam"]
)
def test_csl_json_is_valid(filled_client: httpx2.Client, name: str, work: bool) -> None:
    jsonschema.validate(cite(filled_client, name, "json", work=work).json(), CSL_SCHEMA)


@pytest.mark.parametrize("name", ["document/report", "document/tunis-agenda/41"])
def test_bibtex_of_a_document_can_be_parsed(filled_client: httpx2.Client, name: str) -> None:
    (entry,) = parse_string(cite(filled_client, name, "bib").text, "bibtex").entries.values()
    assert (entry.fields["year"], "url" in entry.fields) == ("2005", True)


def parse_ris(text: str) -> list[tuple[str, str]]:
    """The tags and values of the lines of a record."""
    lines = [
        re.fullmatch(r"([A-Z][A-Z0-9])  - (.*)", line) for line in text.removesuffix("\r\n").split("\r\n")
    ]
    return [(match[1], match[2]) for match in lines if match or pytest.fail(text)]


def test_ris_has_a_tag_on_each_line(filled_client: httpx2.Client) -> None:
    for work, kind in ((True, "GEN"), (False, "DATA")):
        response = cite(filled_client, "document/tunis-agenda/41", "ris", work=work)
        assert response.headers["content-type"].startswith("application/x-research-info-systems")
        fields = parse_ris(response.text)
        assert (fields[0], fields[-1]) == (("TY", kind), ("ER", ""))
    assert ("DA", "2005/11/18") in parse_ris(cite(filled_client, "document/tunis-agenda", "ris").text)


def test_a_hostile_text_stays_in_its_field() -> None:
    hostile = "a\r\nER  - \r\nTY  - BOOK\n}}@misc{x,"
    reference = Reference("x", DOCUMENT_TYPE, hostile, authors=(hostile,), number=hostile)
    assert [tag for tag, _ in parse_ris(serialize_ris(reference).decode())].count("TY") == 1
    for serialize in REFERENCE_SERIALIZERS.values():
        assert serialize(reference)


def test_the_page_shows_the_text_and_offers_all_formats(filled_client: httpx2.Client) -> None:
    for work in ("", "&work"):
        path = f"/cite?iri={BASE}id/document/report{work}"
        page = filled_client.get(path, headers={"Accept": "text/html"}).text
        assert filled_client.get(path, headers={"Accept": "text/plain"}).text.strip() in unescape(page)
        downloads = [unescape(path) for path in re.findall(r'<a href="([^"]+)" download>', page)]
        assert len(downloads) == len(REFERENCE_SERIALIZERS)
        assert page.count("data-copies=") == 1
        assert ("as long as the service keeps it" in page) == (not work)
        for download, format_ in zip(downloads, REFERENCE_SERIALIZERS, strict=True):
            assert filled_client.get(download).headers["content-type"].startswith(format_.media_type)


def test_the_citation_of_a_page_leads_to_the_original_and_back(filled_client: httpx2.Client) -> None:
    def get_page(path: str) -> str:
        return filled_client.get(path, headers={"Accept": "text/html"}).text

    def find_link(page: str, text: str) -> str:
        return unescape(re.findall(rf'<a href="([^"]+)"[^>]*>{text}</a>', page)[0])

    page = get_page(f"/cite?iri={BASE}id/document/report")
    assert "<h1>Cite the page:" in page
    original = get_page(find_link(page, "The original"))
    assert "<h1>Cite the original:" in original
    assert "<h1>Cite the page:" in get_page(find_link(original, "This page"))
    issue_page = get_page(f"/cite?iri={BASE}id/issue/spam")
    assert "The original" not in issue_page
    assert 'href="/doc/issue/spam#sources"' in issue_page


def test_the_checksum_is_once_in_each_citation(filled_client: httpx2.Client) -> None:
    digest = re.findall("sha256=([0-9a-f]{64})", cite(filled_client, "issue/spam", "txt", work=False).text)[0]
    for suffix in ("txt", "bib", "json", "ris"):
        assert cite(filled_client, "issue/spam", suffix, work=False).text.count(digest) == 1

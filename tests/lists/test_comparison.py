"""/compare: passages of four texts on an issue, or on the matters of a paragraph, side by side."""

import html
import re
from typing import Any

import httpx2
import jsonschema
import pytest
from wgig.lists.comparison import MAX_COMPARED_PASSAGES, find_source_host
from wgig.lists.schemas import ComparisonDocument
from wgig.settings import Settings

from tests.fixtures.schemas import build_response_schema

BASE = Settings.base
DOC = f"{BASE}id/document/"
HTML_HEADERS = {"Accept": "text/html"}
PREFIXES = (
    f"@prefix : <{BASE}ontology#> . @prefix doc: <{DOC}> . @prefix issue: <{BASE}id/issue/> . "
    "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix cito: <http://purl.org/spar/cito/> . "
    "@prefix dcterms: <http://purl.org/dc/terms/> . "
)


def get_relations(document: dict[str, Any]) -> dict[str, tuple[list[str], list[str]]]:
    """The relations and the names of the shared topics of each passage, by the path of its IRI."""
    return {
        passage["id"].removeprefix(DOC): (
            passage["relations"],
            [topic["id"].rpartition("/")[2] for topic in passage["topics"]],
        )
        for text in document["documents"]
        for passage in text["passages"]
    }


def test_passages_on_an_issue_are_found_in_each_text(shipped_client: httpx2.Client) -> None:
    document = shipped_client.get("/compare?issue=spam").json()
    jsonschema.validate(document, build_response_schema(ComparisonDocument))
    assert document["chosen"] == {"id": f"{BASE}id/issue/spam", "label": {"en": ["Spam"]}}
    names = [text["id"].removeprefix(DOC) for text in document["documents"]]
    assert names == ["declaration", "plan-of-action", "report", "tunis-agenda"]
    assert {*get_relations(document)} == {
        "declaration/37",
        "plan-of-action/C5",
        "plan-of-action/12.d",
        "report/p13.b",
        "report/p18",
        "report/p80",
        "tunis-agenda/41",
    }
    assert document["issues"] == []


def test_a_paragraph_is_compared_by_citations_and_topics(shipped_client: httpx2.Client) -> None:
    document = shipped_client.get("/compare?paragraph=declaration/48").json()
    relations = get_relations(document)
    assert relations["report/p4"] == (["cites"], [])
    assert relations["report/p35"] == ([], ["multilateralism", "transparency"])
    assert relations["tunis-agenda/29"][0] == ["cites"]
    assert not [name for name in relations if name.startswith("declaration/")]  # its own text
    report = document["documents"][2]
    assert report["passages"][0]["id"] == f"{DOC}report/p4"  # a direct relation comes first
    assert report["total"] == len(report["passages"])


def test_a_paragraph_is_compared_by_answers_in_both_directions(shipped_client: httpx2.Client) -> None:
    answered = get_relations(shipped_client.get("/compare?paragraph=report/p18").json())
    assert answered["tunis-agenda/41"] == (["answers"], ["spam"])
    answering = get_relations(shipped_client.get("/compare?paragraph=tunis-agenda/41").json())
    assert answering["report/p18"] == (["answeredBy"], ["spam"])


def test_without_a_choice_the_issues_have_their_numbers_of_passages(shipped_client: httpx2.Client) -> None:
    document = shipped_client.get("/compare").json()
    jsonschema.validate(document, build_response_schema(ComparisonDocument))
    spam = next(issue for issue in document["issues"] if issue["id"].endswith("/spam"))
    assert [*spam["passages"].values()] == [1, 2, 3, 1]
    page = shipped_client.get("/compare", headers=HTML_HEADERS).text
    assert len({*re.findall(r'<th scope="row"><a href="(/compare\?issue=[^"#]+)"', page)}) == 35
    assert len(document["issues"]) == 35
    assert '<a href="/compare?issue=spam#text-2">2</a>' in page  # a number leads to its column
    assert "none known" in page


def test_the_page_marks_summaries_and_links_to_the_texts(shipped_client: httpx2.Client) -> None:
    page = shipped_client.get("/compare?paragraph=declaration/48", headers=HTML_HEADERS).text
    cards = re.findall(r'<div class="card[^"]*">(.*?)</div>', page, re.DOTALL)
    assert len(cards) == 9
    assert all("Our summary:" in card and "Read it at <a href=" in card for card in cards)
    chosen = re.findall(r'<div class="card chosen">\s*<h3><a href="([^"]+)"', page)
    assert chosen == ["/doc/document/declaration/48"]
    assert "We have seen 30 of the 67 paragraphs in our data in full." in page
    assert "Cites the chosen passage." in page
    for path in {html.unescape(path) for path in re.findall(r'href="(/doc/[^"]+)"', page)}:
        assert shipped_client.get(path).status_code == 200, path


def test_pages_of_issues_and_paragraphs_lead_to_the_comparison(shipped_client: httpx2.Client) -> None:
    for path, target in (
        ("/doc/issue/spam", "/compare?issue=spam"),
        ("/doc/document/declaration/48", "/compare?paragraph=declaration/48"),
        ("/doc/document/background-report/101", "/compare?paragraph=background-report/101"),
    ):
        assert f'href="{target}"' in shipped_client.get(path, headers=HTML_HEADERS).text
        assert shipped_client.get(target, headers=HTML_HEADERS).status_code == 200


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("issue=spam&paragraph=declaration/48", "not both"),
        ("issue=spamm", "Did you mean spam?"),
        ("paragraph=declaration/480", "Did you mean 48?"),
        ("paragraph=issue:spam", "which is a resource of the kind issue"),
    ],
)
def test_an_unknown_or_ambiguous_choice_is_refused(
    shipped_client: httpx2.Client, query: str, detail: str
) -> None:
    response = shipped_client.get(f"/compare?{query}")
    assert response.status_code == 400
    assert detail in response.json()["detail"]


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("issue=&paragraph=", "issue", "Choose an issue or a paragraph."),
        ("issue=spam&paragraph=declaration/48", "issue", "Choose an issue or a paragraph, not both."),
        ("issue=nope", "issue", "We do not know the issue “<bdi>nope</bdi>”."),
        (
            "paragraph=declaration/480",
            "paragraph",
            "We do not know the paragraph “<bdi>declaration/480</bdi>”.",
        ),
    ],
)
def test_a_wrong_choice_is_reported_at_its_field(
    shipped_client: httpx2.Client, query: str, field: str, message: str
) -> None:
    response = shipped_client.get(f"/compare?{query}", headers=HTML_HEADERS)
    assert response.status_code == 400
    assert f'<a href="#{field}">{message}' in response.text
    assert f'id="said-{field}"' in response.text


def test_an_issue_without_passages_leads_to_its_judgments(shipped_client: httpx2.Client) -> None:
    page = shipped_client.get("/compare?issue=voip", headers=HTML_HEADERS).text
    assert re.search(r'<a href="/judgments\?issue=issue%3Avoip">See 2 judgments on', page)
    assert shipped_client.get("/judgments?issue=issue:voip").json()["total"] == 2


def test_more_passages_than_fit_are_counted(writable_client: httpx2.Client) -> None:
    count = MAX_COMPARED_PASSAGES + 2
    parts = [f"<{DOC}report/{number}> :partOf doc:report ; :bearsOn issue:x ." for number in range(count)]
    data = f'{PREFIXES} issue:x a :Issue ; rdfs:label "X"@en . {" ".join(parts)}'
    response = writable_client.put("/graph/x", content=data, headers={"Content-Type": "text/turtle"})
    assert response.is_success, response.text
    report = writable_client.get("/compare?issue=x").json()["documents"][2]
    assert (report["total"], len(report["passages"])) == (count, MAX_COMPARED_PASSAGES)
    page = writable_client.get("/compare?issue=x", headers=HTML_HEADERS).text
    assert "2 more passages are not shown." in page
    assert page.count("We know of no passage about <bdi>X</bdi>.") == 3


def test_the_host_of_a_source_is_shown_without_www() -> None:
    assert find_source_host("https://www.itu.int/x", BASE) == "itu.int"
    assert find_source_host("http://itu.int:x@example.org:80/?@y", BASE) == "example.org"
    assert find_source_host(f"{DOC}summary/4", BASE) == ""
    assert find_source_host("urn:x", BASE) == ""

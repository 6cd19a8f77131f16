"""The page of a difference: statements by resource and property, with labels; JSON has the N-Triples."""

import re
from html import unescape

import httpx2
import pytest
from wgig.graphs import routes
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import make_writer_client
from tests.fixtures.triples import put_turtle

BASE = Settings.base
PREFIXES = f"""
@prefix issue: <{BASE}id/issue/> . @prefix paper: <{BASE}id/paper/> . @prefix wgig: <{BASE}ontology#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix dcterms: <http://purl.org/dc/terms/> .
"""


@pytest.fixture
def client() -> httpx2.Client:
    """A client with a write token, of a service with an empty store."""
    return make_writer_client(Store.in_memory(), write_profile="off")


def put_data(client: httpx2.Client, content: str) -> None:
    put_turtle(client, PREFIXES + content)


def get_difference(client: httpx2.Client, about: str = "") -> str:
    """The page with the changes of the last version of the graph."""
    versions = client.get("/graph/one?versions", headers={"Accept": "application/json"}).json()["versions"]
    path = versions[-1]["version"].replace("version=", "changes=")
    response = client.get(f"{path}{about}", headers={"Accept": "text/html"})
    assert response.status_code == 200
    return response.text.partition("<footer")[0]


def read_text(html: str) -> str:
    """The text of the page, with single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", unescape(html)).split())


def test_a_first_version_is_named_with_its_day(client: httpx2.Client) -> None:
    put_data(client, 'issue:spam rdfs:label "Spam" ; dcterms:source <http://example.org/x> .')
    text = read_text(get_difference(client))
    assert re.search(r"First version, \d{1,2} \w+ \d{4} ?: 2 facts added\.", text)
    assert "by the operator" in text
    assert "compared with" not in text.lower()


def test_statements_are_grouped_by_resource_with_labels(client: httpx2.Client) -> None:
    put_data(client, 'wgig:category rdfs:label "category" . issue:spam a wgig:Issue ; rdfs:label "Spam" .')
    put_data(
        client,
        """wgig:category rdfs:label "category" . issue:worms rdfs:label "Worms" .
        issue:spam a wgig:Issue ; rdfs:label "Junk mail" ; wgig:category issue:worms .""",
    )
    html = get_difference(client)
    headings = [read_text(heading) for heading in re.findall(r"<h2 id=\"resource.*?</h2>", html)]
    assert headings == ["Junk mail Issues", "Worms Issues"]
    assert '<a href="/doc/issue/spam">Junk mail</a>' in html
    text = read_text(html)
    assert "label − removed: Spam + added: Junk mail" in text
    assert "category + added: Worms" in text
    assert ": 3 facts added, 1 removed." in text
    assert "Compared with the version before it (" in text
    assert "&lt;https" not in html


def test_parts_follow_the_resource_with_most_statements(client: httpx2.Client) -> None:
    put_data(
        client,
        """issue:a rdfs:label "A" . paper:x rdfs:label "X" . paper:x\\/swot rdfs:label "Swot" .
        paper:x\\/assessment\\/1 rdfs:label "First" . _:part rdfs:label "Part" .""",
    )
    html = get_difference(client)
    headings = [read_text(heading) for heading in re.findall(r"<h2 id=\"resource.*?</h2>", html)]
    assert [heading.split()[0] for heading in headings] == ["X", "First", "Swot", "A", "Unnamed"]


def test_a_resource_that_is_gone_is_named_without_a_link(client: httpx2.Client) -> None:
    put_data(client, 'issue:spam rdfs:label "Spam" . issue:worms rdfs:label "Worms" .')
    put_data(client, 'issue:spam rdfs:label "Spam" .')
    html = get_difference(client)
    assert "Worms Issues deleted" in read_text(html)
    assert "/doc/issue/worms" not in html


def test_only_the_changes_of_one_resource_are_shown(client: httpx2.Client) -> None:
    put_data(client, 'issue:spam rdfs:label "Spam" . issue:worms rdfs:label "Worms" .')
    html = get_difference(client, f"&about={BASE}id/issue/spam")
    assert "Worms" not in html
    assert "Only changes to Spam are shown." in read_text(html)
    all_changes = unescape(re.findall(r'<a href="([^"]+)">Show all changes', html)[0])
    assert "Worms" in client.get(all_changes, headers={"Accept": "text/html"}).text


def test_a_long_difference_is_cut_with_a_link_to_json(
    client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "MAX_SHOWN_CHANGE_STATEMENTS", 3)
    put_data(client, " ".join(f'issue:i{n} rdfs:label "Issue {n}" .' for n in range(5)))
    html = get_difference(client)
    assert html.count("<ins>") == 3
    json_path = unescape(re.findall(r'<a href="([^"]+)">Download all of them', html)[0])
    assert len(client.get(json_path).json()["added"]) == 5


def test_hostile_statements_are_escaped(client: httpx2.Client) -> None:
    put_data(
        client,
        """issue:spam rdfs:label "<script>alert(1)</script>" ; <javascript:alert(1)> <javascript:alert(2)> .
        <javascript:alert(3)> rdfs:label "</h2><img src=x>" .""",
    )
    html = get_difference(client)
    assert not re.search(r"<script>|<img|href=\"javascript", html)


def test_a_statement_with_a_line_separator_is_one_statement(client: httpx2.Client) -> None:
    put_data(client, 'issue:spam rdfs:label "One\u2028two\x0cthree" .')
    html = get_difference(client)
    assert "1 fact added" in html
    assert html.count("<ins>") == 1


def test_the_title_has_the_time_and_whether_it_is_about_one_resource(client: httpx2.Client) -> None:
    put_data(client, 'issue:spam rdfs:label "Spam" .')
    whole, partial = (
        re.findall(r"<title>(.*?) ·", get_difference(client, about), re.DOTALL)
        for about in ("", f"&about={BASE}id/issue/spam")
    )
    assert re.fullmatch(r"What changed in \S.*, \d{1,2} \w+ \d{4}, \d\d:\d\d.*", whole[0])
    assert partial == [f"{whole[0]}, only this resource"]

"""The page of /validate: its form, the report beside the text, in the language of its reader."""

import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import httpx
import pyoxigraph as ox
import pytest
from bs4 import BeautifulSoup
from wgig.i18n import PAGE_LANGUAGES
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.sent_papers import BAD, GOOD, TURTLE
from tests.fixtures.service import service_of

PAGE = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Reader(HTMLParser):
    """The elements of a page, each of which is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "input", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def values(self, name: str) -> list[str | None]:
        return [attributes[name] for _, attributes in self.elements if name in attributes]


def test_the_form_works_without_scripts(service: httpx.Client) -> None:
    page = Reader(service.get("/validate?profile=final&lang=ru", headers=PAGE).text)
    forms = [one for tag, one in page.elements if tag == "form" and one.get("role") != "search"]
    assert forms == [
        {
            "action": "/validate",
            "method": "post",
            "enctype": "multipart/form-data",
            "id": "paper-form",
            "class": "check",
        }
    ]
    names = [name for name in page.values("name") if name not in ("viewport", "color-scheme", "q")]
    assert names == ["paper", "format", "files", "lang", *["profile"] * 3, *["do"] * len(PAGE_LANGUAGES)]
    fields = {attributes["id"] for tag, attributes in page.elements if tag in ("input", "select", "textarea")}
    assert fields == set(page.values("for"))
    assert [one["value"] for tag, one in page.elements if tag == "input" and "checked" in one] == ["final"]


def test_the_report_stands_beside_the_text(service: httpx.Client) -> None:
    wrong = BAD.replace(b"wgig:round ", b"wgig:rond ")
    number = next(n for n, line in enumerate(wrong.split(b"\n"), 1) if b"wgig:rond" in line)
    fields = {"paper": wrong.decode(), "format": "ttl"}
    answer = service.post("/validate", data=fields, headers=PAGE)
    page = Reader(answer.text)
    assert answer.status_code == 200
    assert f"#file-1-line-{number}" in page.values("href")
    assert f"file-1-line-{number}" in page.values("id")
    assert "/shapes/WGIG-0-TERM-UNKNOWN" in page.values("href")
    assert "wgig:rond" in answer.text.partition("<textarea")[2].partition("</textarea>")[0]


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"paper": "<a:a>\n<a:b>", "format": "ttl"}, 400, "The text does not parse"),
        ({"paper": "", "format": "ttl"}, 400, "No paper was sent."),
        ({"paper": "x", "format": "exe"}, 415, "Neither media type nor extension"),
        ({"paper": "x", "profile": "perfect"}, 400, "There is no profile &#39;perfect&#39;."),
        ({"paper": "<script>alert(1)</script>", "format": "ttl"}, 400, "&lt;script&gt;alert(1)"),
    ],
)
def test_a_page_says_what_is_wrong_above_the_form(
    service: httpx.Client, fields: dict[str, str], status: int, sentence: str
) -> None:
    answer = service.post("/validate", data=fields, headers=PAGE)
    page = Reader(answer.text)
    assert answer.status_code == status
    assert sentence in answer.text
    assert "alert" in page.values("role")
    assert "<title>Error: " in answer.text
    assert "<script" not in answer.text


@pytest.mark.parametrize("body", [BAD, GOOD, b"<a:a>"])
def test_pages_are_in_order(service: httpx.Client, body: bytes) -> None:
    text = service.post("/validate", content=body, headers={**TURTLE, **PAGE}).text
    page = Reader(text)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {str(one)[1:] for one in page.values("href") if str(one).startswith("#")} <= {*ids}
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert not [tag for tag, _ in page.elements if tag in ("script", "style")]
    assert not page.values("style")


def test_a_policy_lets_the_form_go_home_only(service: httpx.Client) -> None:
    assert "form-action 'self'" in service.get("/validate").headers["content-security-policy"]


BOARD = """
@prefix dcterms: <http://purl.org/dc/terms/> . @prefix earl: <http://www.w3.org/ns/earl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix wgig: <https://w3id.org/wgig/ontology#> .
@prefix : <https://w3id.org/wgig/id/assertion/> .
@prefix form: <https://w3id.org/wgig/id/document/form/issue-paper/> .
:a rdfs:label "Spam, profile hopeless, profile complete: failed"@en ; earl:subject <p/a> ; wgig:partsMet 1 ;
   wgig:partsAsked 28 ; earl:result <r/failed> .
:a0 dcterms:isPartOf :a ; earl:test form:0 ; earl:result <r/missing> .
:a6 dcterms:isPartOf :a ; earl:test form:6 ; earl:result <r/faulty> .
:a7 dcterms:isPartOf :a ; earl:test form:7 ; earl:result <r/passed> .
:b rdfs:label "Made up, profile complete: passed"@en ; earl:subject <p/b> ; wgig:partsMet 28 ;
   wgig:partsAsked 28 ; earl:result <r/passed> ; wgig:illustrative true .
:b0 dcterms:isPartOf :b ; earl:test form:0 ; earl:result <r/passed> .
"""


def test_the_board_shows_how_the_known_papers_stand() -> None:
    store = Store.in_memory()
    triples = [one.triple for one in ox.parse(BOARD, format=ox.RdfFormat.TURTLE, base_iri=Settings.base)]
    store.apply(store.compute_addition(f"{Settings.base}graph/conformance", triples))
    text = service_of(Settings(), store).get("/validate").text
    real, made_up = text.index("1 of 28"), text.index("28 of 28")
    assert text.index("Papers of the first round") < real < text.index("Illustrative papers") < made_up
    assert '<a href="/doc/assertion/a">Spam, profile hopeless</a>' in text
    assert re.findall('class="unseen">(.*?)<', text) == ["lacking", "there, with faults", "there", "there"]
    assert "The known papers" not in service_of(Settings(), Store.in_memory()).get("/validate").text


def test_the_form_speaks_the_language_of_who_asks_also_from_a_cache(closed: httpx.Client) -> None:
    pages = [closed.get("/validate", headers={"Accept-Language": one}) for one in ("fr", "zh", "fr", "zh")]
    assert "Accept-Language" in pages[0].headers["vary"]
    assert pages[0].text == pages[2].text != pages[1].text == pages[3].text


def test_a_report_is_in_the_language_of_its_page_unless_another_is_chosen(closed: httpx.Client) -> None:
    for chosen, report in (("", "fr"), ("ar", "ar")):
        fields = {"paper": BAD.decode(), "format": "ttl", "lang": chosen}
        page = closed.post("/validate", data=fields, headers={**PAGE, "Accept-Language": "fr, en"})
        assert '<html lang="fr"' in page.text
        assert f'<div class="report" lang="{report}"' in page.text
        assert page.headers["content-language"] == "fr"


def switched(client: httpx.Client, page: httpx.Response, tongue: str, **typed: str) -> httpx.Response:
    """The page after its form is sent by a language in the footer, with what is typed in its fields."""
    root = BeautifulSoup(page.text, "html.parser")
    button = root.select_one(f'footer button[form="paper-form"][lang="{tongue}"]')
    assert button
    assert root.select_one("form#paper-form")
    fields: dict[str, Any] = {"paper": root.select("#paper")[0].get_text().removeprefix("\n")}
    fields["profile"] = root.select("[name=profile][checked]")[0]["value"]
    fields |= {"lang": root.select("#lang [selected]")[0]["value"], **typed}
    if button.has_attr("name"):
        fields[str(button["name"])] = button["value"]
    files = {"files": ("", b"", "application/octet-stream")}
    return client.post(str(button["formaction"]), data=fields, files=files, headers=PAGE)


def test_what_is_pasted_stays_in_another_language(closed: httpx.Client) -> None:
    form = closed.get("/validate", headers=PAGE)
    typed = {"paper": "Not\r\nchecked", "format": "ttl", "profile": "final"}
    page = switched(closed, form, "fr", **typed)
    assert page.status_code == 200
    root = BeautifulSoup(page.text, "html.parser")
    assert root.html
    assert root.html["lang"] == "fr"
    assert ">\nNot\r\nchecked</textarea>" in page.text
    assert root.select('[value="ttl"][selected]')
    assert root.select('[value="final"][checked]')
    assert not root.select(".report, #problem")


def test_an_empty_form_is_shown_in_another_language(closed: httpx.Client) -> None:
    page = switched(closed, closed.get("/validate", headers=PAGE), "fr")
    assert page.status_code == 200
    assert 'id="problem"' not in page.text


@pytest.mark.parametrize(("chosen", "report"), [("", "fr"), ("ar", "ar")])
def test_a_report_comes_again_in_another_language(closed: httpx.Client, chosen: str, report: str) -> None:
    fields = {"paper": BAD.decode(), "format": "ttl", "lang": chosen}
    before = closed.post("/validate", data=fields, headers=PAGE)
    page = switched(closed, before, "fr", format="ttl")
    assert '<html lang="fr"' in page.text
    assert f'<div class="report" lang="{report}"' in page.text


def test_a_report_on_files_gives_way_to_the_form_in_another_language(closed: httpx.Client) -> None:
    files = [("files", ("one.ttl", GOOD)), ("files", ("two.ttl", BAD))]
    before = closed.post("/validate", files=files, headers=PAGE)
    assert 'class="report"' in before.text
    page = switched(closed, before, "fr")
    assert (page.status_code, 'class="report"' in page.text) == (200, False)


def test_a_program_is_told_that_it_cannot_have_the_form_alone(closed: httpx.Client) -> None:
    answer = closed.post("/validate", data={"paper": "x", "do": "show"})
    assert answer.status_code == 400
    assert "'do'" in answer.json()["detail"]


def test_why_a_file_is_not_checked_is_marked_as_english(closed: httpx.Client) -> None:
    fields = {"paper": "no Turtle", "format": "ttl"}
    page = closed.post("/validate", data=fields, headers={**PAGE, "Accept-Language": "fr"})
    assert '<p><span lang="en" dir="ltr">' in page.text.partition('id="problem"')[2]

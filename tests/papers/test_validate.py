"""/validate: papers in, reports out; what is refused, and with which sentence."""

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import httpx
import pyoxigraph as ox
import pytest
from bs4 import BeautifulSoup
from wgig.app import create_app, make_service
from wgig.http.bodies import ContentType
from wgig.http.work_queue import WorkQueue
from wgig.i18n import PAGE_LANGUAGES
from wgig.papers import uploads, validate
from wgig.problems import Problem
from wgig.rdf.namespaces import namespaces_by_prefix
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.store.store import Store

from tests.fixtures.service import client_of, service_of

EXAMPLES = SHIPPED_FOLDER / "shapes" / "examples" / "issue-paper"
GOOD = (EXAMPLES / "ok-complete.ttl").read_bytes()
BAD = (EXAMPLES / "bad-WGIG-7B-MISSING.ttl").read_bytes()
MARKDOWN = (SHIPPED_FOLDER / "data" / "examples" / "community-networks.md").read_bytes()
TURTLE = {"content-type": "text/turtle"}
PAGE = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
START = (
    "@prefix wgig: <https://w3id.org/wgig/ontology#> . @prefix dcterms: <http://purl.org/dc/terms/> .\n"
    "<x> a wgig:IssuePaper"
)
GRAPHS = ["text/turtle", "application/n-triples", "application/ld+json", "application/rdf+xml"]


@pytest.fixture(scope="module")
def service() -> httpx.Client:
    """A client of an empty service with the settings as they come."""
    return service_of(Settings(), Store.in_memory())


@pytest.fixture(scope="module")
def small() -> httpx.Client:
    """A client of a service with small limits."""
    return service_of(Settings(paper_bytes=20_000, body_bytes=50_000, paper_triples=400), Store.in_memory())


def sent(service: httpx.Client, body: str | bytes, media_type: str = "text/turtle") -> httpx.Response:
    return service.post("/validate", content=body, headers={"content-type": media_type})


def codes(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [
        finding["code"]
        for file in answer.json()["files"]
        for paper in file["papers"]
        for finding in paper["findings"]
    ]


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


def test_a_report_is_an_answer_whether_or_not_the_paper_conforms(service: httpx.Client) -> None:
    good, bad = sent(service, GOOD), sent(service, BAD)
    assert (good.status_code, good.json()["conforms"]) == (200, True)
    assert (bad.status_code, bad.json()["conforms"], codes(bad)) == (200, False, ["WGIG-7B-MISSING"])
    waived = good.json()["files"][0]["papers"][0]["findings"]
    assert [one["waived"] for one in waived] == ["Unwanted mail costs most where lines are slow."]
    assert bad.headers["content-type"] == "application/json"
    assert bad.headers["cache-control"] == "no-store"
    assert bad.headers["link"] == '<https://w3id.org/wgig/id/profile/complete>; rel="profile"'


@pytest.mark.parametrize("media_type", GRAPHS)
def test_a_report_can_be_had_as_shacl(service: httpx.Client, media_type: str) -> None:
    answer = service.post("/validate", content=BAD, headers={**TURTLE, "accept": media_type})
    triples = list(ox.parse(answer.content, format=ox.RdfFormat.from_media_type(media_type)))
    conforms = [one.object for one in triples if one.predicate.value.endswith("shacl#conforms")]
    assert conforms == [ox.Literal(False)]


def test_a_report_can_be_had_in_the_forms_of_tools(service: httpx.Client) -> None:
    def form(media_type: str) -> str:
        answer = service.post("/validate", content=BAD, headers={**TURTLE, "accept": media_type})
        assert answer.headers["content-type"].partition(";")[0] == media_type
        return answer.text

    assert [row["code"] for row in csv.DictReader(io.StringIO(form("text/csv")))] == ["WGIG-7B-MISSING"]
    results = json.loads(form("application/sarif+json"))["runs"][0]["results"]
    assert [one["ruleId"] for one in results] == ["WGIG-7B-MISSING"]
    assert len(list(ElementTree.fromstring(form("application/junit+xml")).iter("failure"))) == 1
    assert "WGIG-7B-MISSING" in form("text/plain")


def rdf(media_type: str) -> bytes:
    quads = list(ox.parse(BAD, format=ox.RdfFormat.TURTLE))
    format_ = ox.RdfFormat.from_media_type(media_type)
    assert format_ is not None
    return ox.serialize(quads, format=format_, prefixes=namespaces_by_prefix(Settings.base)) or b""


@pytest.mark.parametrize(
    "media_type", [*GRAPHS, "application/trig", "application/n-quads", "application/json"]
)
def test_a_paper_may_be_sent_in_every_syntax_of_rdf(service: httpx.Client, media_type: str) -> None:
    assert codes(sent(service, rdf(media_type), media_type)) == ["WGIG-7B-MISSING"]


def test_a_paper_may_be_sent_as_markdown(service: httpx.Client) -> None:
    assert sent(service, MARKDOWN, "text/markdown; charset=utf-8").json()["conforms"]


def test_a_paper_may_be_sent_compressed(service: httpx.Client) -> None:
    headers = {**TURTLE, "content-encoding": "gzip"}
    answer = service.post("/validate", content=gzip.compress(BAD), headers=headers)
    assert codes(answer) == ["WGIG-7B-MISSING"]


def test_the_profile_is_chosen_by_name_or_iri(service: httpx.Client) -> None:
    for asked in ("final", "https://w3id.org/wgig/id/profile/final"):
        answer = service.post("/validate", params={"profile": asked}, content=GOOD, headers=TURTLE)
        assert answer.json()["profile"] == "final"
        assert answer.headers["link"].startswith("<https://w3id.org/wgig/id/profile/final>")


@pytest.mark.parametrize(
    ("asked", "accepted", "spoken"),
    [
        ("", "fr-CA, en;q=0.5", "fr"),
        ("", "de, *;q=0.1", "en"),
        ("", "en;q=0.2, zh-Hans-CN;q=0.8", "zh"),
        ("", "ru, en-US, en", "ru"),
        ("ar", "fr", "ar"),
        ("es-MX", "", "es"),
    ],
)
def test_the_language_is_asked_for_or_liked(
    service: httpx.Client, asked: str, accepted: str, spoken: str
) -> None:
    headers = {**TURTLE, "accept-language": accepted}
    answer = service.post("/validate", params={"lang": asked}, content=BAD, headers=headers)
    assert answer.headers["content-language"] == spoken
    assert "Accept-Language" in answer.headers["vary"]
    message = answer.json()["files"][0]["papers"][0]["findings"][0]["message"]
    in_english = codes_message(service)
    assert (message == in_english) == (spoken == "en")


def codes_message(service: httpx.Client) -> str:
    found: str = sent(service, BAD).json()["files"][0]["papers"][0]["findings"][0]["message"]
    return found


@pytest.mark.parametrize(
    ("parameters", "accept", "status", "sentence"),
    [
        ({}, "image/png", 406, "application/sarif+json"),
        ({"_mediatype": "image/png"}, "*/*", 406, "application/json"),
        (
            {"profil": "final"},
            "*/*",
            400,
            "Did you mean profile? There are: profile, lang,",
        ),
        ({"profile": "perfect"}, "*/*", 400, "There is no profile 'perfect'. Take one of: draft,"),
        ({"profile": ["final", "draft"]}, "*/*", 400, "The parameter profile is given 2 times."),
        ({"lang": "tlh"}, "*/*", 400, "There is no report in 'tlh'. Take one of: ar, en,"),
    ],
)
def test_what_cannot_be_answered_is_refused_before_the_body_is_read(
    service: httpx.Client, parameters: dict[str, str | list[str]], accept: str, status: int, sentence: str
) -> None:
    def unread() -> Iterator[bytes]:
        yield b"not even \xff Turtle"

    headers = {"accept": accept, "content-type": "no type at all"}
    answer = service.post("/validate", params=parameters, content=unread(), headers=headers)
    assert answer.status_code == status
    assert sentence in answer.json()["detail"]


def test_a_file_that_does_not_parse_is_refused_with_line_and_column(service: httpx.Client) -> None:
    answer = sent(service, f"{START} ;\n  dcterms:title Spam .\n")
    problem = answer.json()
    assert (answer.status_code, problem["line"], problem["column"]) == (400, 3, 17)
    assert "dcterms:title Spam" in problem["excerpt"]


def test_a_file_without_a_paper_is_not_said_to_conform(service: httpx.Client) -> None:
    answer = sent(service, "<a:a> <a:b> <a:c> .")
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("No paper found in this file")


@pytest.mark.parametrize("media_type", ["text/html", "application/pdf", "text/turtle; charset=latin1", "?"])
def test_a_type_that_no_paper_has_is_refused_with_those_that_may_be_sent(
    service: httpx.Client, media_type: str
) -> None:
    answer = sent(service, GOOD, media_type)
    assert answer.status_code == 415
    assert {"text/markdown", "text/turtle", "multipart/form-data"} <= set(
        answer.headers["accept-post"].split(", ")
    )


def test_only_sending_and_reading_are_possible(service: httpx.Client) -> None:
    assert service.put("/validate", content=GOOD).status_code == 405


def test_too_much_is_refused(small: httpx.Client) -> None:
    assert sent(small, b"#" * 20_001).status_code == 413
    bomb = gzip.compress(b"#" * 1_000_000)
    headers = {**TURTLE, "content-encoding": "gzip"}
    assert small.post("/validate", content=bomb, headers=headers).status_code == 413
    many = sent(small, START + "".join(f" ; <p> {number}" for number in range(500)) + " .")
    assert (many.status_code, "More than 400 statements" in many.json()["detail"]) == (413, True)
    long = {"files": ("long.ttl", b"#" * 20_001, "text/turtle")}
    assert small.post("/validate", files=long).status_code == 413
    files = [("files", (f"{number}.ttl", GOOD, "text/turtle")) for number in range(3)]
    outcomes = small.post("/validate", files=files).json()["files"]
    assert [one.get("problem", {}).get("status") for one in outcomes] == [None, None, 413]


def test_too_many_files_or_papers_are_refused(service: httpx.Client) -> None:
    files = [
        ("files", (f"{number}.ttl", b"", "text/turtle")) for number in range(uploads.MAX_UPLOAD_FILES + 1)
    ]
    assert service.post("/validate", files=files).status_code == 413
    papers = "".join(f"<x{number}> a wgig:IssuePaper . " for number in range(validate.MAX_CHECKED_PAPERS))
    answer = sent(service, f"{START} . {papers}")
    assert (answer.status_code, "More than 100 papers" in answer.json()["detail"]) == (413, True)


def test_several_files_are_reported_in_their_order(service: httpx.Client) -> None:
    files = [
        ("files", ("good.ttl", GOOD, "text/turtle")),
        ("files", ("by-ending.ttl", BAD, "application/octet-stream")),
        ("files", ("paper.md", MARKDOWN, "text/plain")),
        ("files", ("broken.ttl", b"<a:a>", "text/turtle")),
        ("files", ("empty.ttl", b"", "text/turtle")),
        ("files", ("notes.txt", b"x", "text/plain")),
    ]
    answer = service.post("/validate", files=files)
    report = answer.json()
    assert (answer.status_code, report["conforms"]) == (200, False)
    assert [(one["name"], one["conforms"]) for one in report["files"]] == [
        ("good.ttl", True),
        ("by-ending.ttl", False),
        ("paper.md", True),
        ("broken.ttl", False),
        ("empty.ttl", False),
        ("notes.txt", False),
    ]
    assert [one["problem"]["status"] for one in report["files"][3:]] == [400, 422, 415]


def test_a_path_as_the_name_of_a_file_is_only_a_name(service: httpx.Client) -> None:
    files = {"files": ("../../etc/passwd.ttl", GOOD, "text/turtle")}
    assert service.post("/validate", files=files).json()["files"][0]["name"] == "../../etc/passwd.ttl"


@pytest.mark.parametrize("parts", [False, True])
def test_a_text_may_be_pasted_in_a_form(service: httpx.Client, parts: bool) -> None:
    fields = {"paper": BAD.decode(), "format": "ttl", "profile": "draft", "lang": "fr"}
    nothing = [("files", ("", b"", "application/octet-stream"))]  # what a browser sends for no file
    answer = (
        service.post("/validate", data=fields, files=nothing)
        if parts
        else service.post("/validate", data=fields)
    )
    assert (answer.json()["profile"], answer.headers["content-language"]) == ("draft", "fr")
    assert answer.json()["files"][0]["name"] == "paper.ttl"


def test_the_address_beats_the_form(service: httpx.Client) -> None:
    fields = {"paper": BAD.decode(), "format": "text/turtle", "profile": "draft"}
    assert service.post("/validate?profile=final", data=fields).json()["profile"] == "final"


def test_a_form_without_a_paper_is_told_what_to_send(service: httpx.Client) -> None:
    for fields in ({"paper": " "}, {"papers": "x"}):
        answer = service.post("/validate", data=fields)
        assert (answer.status_code, "No paper was sent." in answer.json()["detail"]) == (400, True)
    cut = service.post(
        "/validate", content=b"--b\r\nx", headers={"content-type": "multipart/form-data; boundary=b"}
    )
    assert cut.status_code == 400


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("text/turtle", START + " ; wgig:issue " + "[ wgig:issue " * 20_000),
        ("text/turtle", "(" * 200_000),
        ("text/turtle", "[" * 200_000),
        ("text/turtle", "<a:a> <a:b> " + "<<( <a:a> <a:b> " * 20_000),
        ("application/n-triples", "<a:a> <a:b> " + "<<( <a:a> <a:b> " * 20_000),
        ("application/ld+json", "[" * 200_000),
        ("application/ld+json", '{"a:b":' * 50_000 + "1" + "}" * 50_000),
        ("application/rdf+xml", "<a>" * 50_000),
        ("application/rdf+xml", "<a><b>" * 5_000 + "</b></a>" * 5_000),
    ],
)
def test_deep_nesting_is_refused_before_it_costs_anything(
    service: httpx.Client, media_type: str, body: str
) -> None:
    answer = sent(service, body, media_type)
    problem = answer.json()
    assert (answer.status_code, problem["line"] >= 1, problem["column"] > 1) == (400, True, True)
    assert "more than" in problem["detail"]


def test_brackets_in_texts_are_only_text(service: httpx.Client) -> None:
    text = "(" * 1000 + '\\"' + "[" * 1000
    body = (
        f'{START} ; dcterms:title "{text}", """\n"{text}"{{ """, \'{text}\' . <{"(" * 200}> <p> 1 . # {text}'
    )
    assert "WGIG-1-ISSUE-MISSING" in codes(sent(service, body))


def test_an_entity_in_an_entity_is_refused(service: httpx.Client) -> None:
    laughs = "".join(f'<!ENTITY l{n + 1} "&l{n};&l{n};">' for n in range(30))
    body = f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><x>&l30;</x>'
    answer = sent(service, body, "application/rdf+xml")
    assert (answer.status_code, "entity" in answer.json()["detail"]) == (400, True)


def test_a_remote_context_is_not_fetched(service: httpx.Client) -> None:
    body = '{"@context": "http://localhost:9/context.jsonld", "@id": "x", "@type": "IssuePaper"}'
    answer = sent(service, body, "application/ld+json")
    assert answer.status_code == 400
    assert "contexts are not fetched here" in answer.json()["detail"]


def test_shapes_and_imports_in_a_file_are_not_followed(service: httpx.Client) -> None:
    shapes = f"""{START} ; dcterms:title "{"a" * 40}!"@en .
        @prefix sh: <http://www.w3.org/ns/shacl#> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
        <http://example.org/> a owl:Ontology ; owl:imports <http://localhost:9/more.ttl> .
        <http://example.org/s> a sh:NodeShape ; sh:targetClass wgig:IssuePaper ;
            sh:shapesGraph <http://example.org/> ;
            sh:property [ sh:path dcterms:title ; sh:pattern "(a+)+$" ; sh:minCount 7 ] ."""
    plain = f'{START} ; dcterms:title "{"a" * 40}!"@en .'
    assert codes(sent(service, shapes)) == codes(sent(service, plain))


def test_more_findings_than_fit_are_counted(service: httpx.Client) -> None:
    drafters = ", ".join(f"<nobody-{number}>" for number in range(3000))
    paper = sent(service, f"{START} ; wgig:drafter {drafters} .").json()["files"][0]["papers"][0]
    assert (len(paper["findings"]), paper["leftOut"] > 2000) == (1000, True)


def test_a_line_without_end_is_shown_in_part(service: httpx.Client) -> None:
    answer = sent(service, f'{START} ; wgig:rond "{"x" * 1_000_000}" .')
    assert "WGIG-0-TERM-UNKNOWN" in codes(answer)
    lines = [one["excerpt"] for one in answer.json()["files"][0]["papers"][0]["findings"]]
    assert max(map(len, lines)) < 1000


def test_a_service_at_work_says_when_to_come_again() -> None:
    full = WorkQueue(at_once=1, waiting=0, patience=0)
    service = make_service(Settings(), Store.in_memory(), checks=full)
    answer = sent(client_of(create_app(service)), GOOD)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


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
        ({"paper": "x", "format": "exe"}, 415, "Neither its type nor its name"),
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


@pytest.mark.parametrize(
    ("text", "format_"),
    [
        ("---\npaper: x\n---\n\nBase of power: prefix it.", "md"),
        ("# A title", "md"),
        ("# A comment\n@prefix a: <urn:a> .\na:b a a:c .", "ttl"),
        ("PREFIX a: <urn:a>\na:b a a:c .", "ttl"),
        ("<urn:a> a <urn:b> .", "ttl"),
        ("<urn:a> <urn:b> <urn:c> .", "ttl"),
        ('\n{ "@id": "urn:a" }', "jsonld"),
        ('[ { "@id": "urn:a" } ]', "jsonld"),
        ('<?xml version="1.0"?><rdf:RDF/>', "rdf"),
        ("<rdf:RDF/>", "rdf"),
    ],
)
def test_a_pasted_text_is_known_by_its_looks(text: str, format_: str) -> None:
    assert uploads.guess_text_format(text).suffix == format_


def test_files_of_a_body_without_a_name_are_called_papers() -> None:
    given = ContentType("text/markdown", {})
    assert uploads.parse_uploads(given, b"x")[1][0].name == "paper.md"
    with pytest.raises(Problem):
        uploads.parse_uploads(ContentType("application/x-www-form-urlencoded", {}), b"")


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

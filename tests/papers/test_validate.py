"""Papers are checked at /validate by programs, within limits."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from xml.etree import ElementTree

import httpx
import pyoxigraph as ox
import pytest
from wgig.app import create_app, make_service
from wgig.http.work_queue import WorkQueue
from wgig.rdf.namespaces import namespaces_by_prefix
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.sent_papers import BAD, GOOD, MARKDOWN, START, TURTLE, sent
from tests.fixtures.service import client_of, service_of

GRAPHS = ["text/turtle", "application/n-triples", "application/ld+json", "application/rdf+xml"]


@pytest.fixture(scope="module")
def small() -> httpx.Client:
    """A client of a service with small limits."""
    return service_of(Settings(paper_bytes=20_000, body_bytes=50_000, paper_triples=400), Store.in_memory())


def codes(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [
        finding["code"]
        for file in answer.json()["files"]
        for paper in file["papers"]
        for finding in paper["findings"]
    ]


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
        ({"profile": "perfect"}, "*/*", 400, "There is no profile 'perfect'. Use one of: draft,"),
        ({"profile": ["final", "draft"]}, "*/*", 400, "The parameter profile is given 2 times."),
        ({"lang": "tlh"}, "*/*", 400, "There is no report in 'tlh'. Use one of: ar, en,"),
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
    assert (many.status_code, "More than 400 triples" in many.json()["detail"]) == (413, True)
    long = {"files": ("long.ttl", b"#" * 20_001, "text/turtle")}
    assert small.post("/validate", files=long).status_code == 413
    files = [("files", (f"{number}.ttl", GOOD, "text/turtle")) for number in range(3)]
    outcomes = small.post("/validate", files=files).json()["files"]
    assert [one.get("problem", {}).get("status") for one in outcomes] == [None, None, 413]


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
    full = WorkQueue(max_running=1, max_waiting=0, timeout_seconds=0)
    service = make_service(Settings(), Store.in_memory(), checks=full)
    answer = sent(client_of(create_app(service)), GOOD)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")

"""POST /validate by programs: report formats, input formats, and limits."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from xml.etree import ElementTree

import httpx2
import pyoxigraph as ox
import pytest
from wgig.app import create_app, make_service
from wgig.http.work_queue import WorkQueue
from wgig.settings import Settings
from wgig.store.store import Store
from wgig_client.namespaces import namespaces_by_prefix

from tests.fixtures.sent_papers import (
    COMPLETE_PAPER,
    INCOMPLETE_PAPER,
    MARKDOWN_PAPER,
    PAPER_START,
    TURTLE_HEADERS,
    post_paper,
)
from tests.fixtures.service import make_client, make_service_client

VIOLATED_RULE = "WGIG-7B-MISSING"  # by INCOMPLETE_PAPER
RDF_MEDIA_TYPES = ["text/turtle", "application/n-triples", "application/ld+json", "application/rdf+xml"]


@pytest.fixture(scope="module")
def limited_client() -> httpx2.Client:
    """A client of a service with small limits."""
    return make_service_client(
        Settings(paper_bytes=20_000, body_bytes=50_000, paper_triples=400), Store.in_memory()
    )


def finding_codes(response: httpx2.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [
        finding["code"]
        for file in response.json()["files"]
        for paper in file["papers"]
        for finding in paper["findings"]
    ]


def test_status_is_200_whether_or_not_the_paper_conforms(client: httpx2.Client) -> None:
    complete, incomplete = (post_paper(client, paper) for paper in (COMPLETE_PAPER, INCOMPLETE_PAPER))
    assert (complete.status_code, complete.json()["conforms"]) == (200, True)
    assert (incomplete.status_code, incomplete.json()["conforms"]) == (200, False)
    assert finding_codes(incomplete) == [VIOLATED_RULE]
    findings = complete.json()["files"][0]["papers"][0]["findings"]
    assert [finding["waived"] for finding in findings] == ["Unwanted mail costs most where lines are slow."]
    assert incomplete.headers["content-type"] == "application/json"
    assert incomplete.headers["cache-control"] == "no-store"
    assert incomplete.headers["link"] == '<https://w3id.org/wgig/id/profile/complete>; rel="profile"'


@pytest.mark.parametrize("media_type", RDF_MEDIA_TYPES)
def test_report_may_be_requested_as_rdf(client: httpx2.Client, media_type: str) -> None:
    response = client.post(
        "/validate", content=INCOMPLETE_PAPER, headers={**TURTLE_HEADERS, "accept": media_type}
    )
    triples = list(ox.parse(response.content, format=ox.RdfFormat.from_media_type(media_type)))
    conforms = [triple.object for triple in triples if triple.predicate.value.endswith("shacl#conforms")]
    assert conforms == [ox.Literal(False)]


def test_report_may_be_requested_in_formats_of_tools(client: httpx2.Client) -> None:
    def get_report(media_type: str) -> str:
        response = client.post(
            "/validate", content=INCOMPLETE_PAPER, headers={**TURTLE_HEADERS, "accept": media_type}
        )
        assert response.headers["content-type"].partition(";")[0] == media_type
        return response.text

    assert [row["code"] for row in csv.DictReader(io.StringIO(get_report("text/csv")))] == [VIOLATED_RULE]
    results = json.loads(get_report("application/sarif+json"))["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == [VIOLATED_RULE]
    assert len(list(ElementTree.fromstring(get_report("application/junit+xml")).iter("failure"))) == 1
    assert VIOLATED_RULE in get_report("text/plain")


def convert_incomplete_paper(media_type: str) -> bytes:
    quads = list(ox.parse(INCOMPLETE_PAPER, format=ox.RdfFormat.TURTLE))
    format_ = ox.RdfFormat.from_media_type(media_type)
    assert format_ is not None
    return ox.serialize(quads, format=format_, prefixes=namespaces_by_prefix(Settings.base)) or b""


@pytest.mark.parametrize(
    "media_type", [*RDF_MEDIA_TYPES, "application/trig", "application/n-quads", "application/json"]
)
def test_paper_may_be_sent_in_every_rdf_format(client: httpx2.Client, media_type: str) -> None:
    assert finding_codes(post_paper(client, convert_incomplete_paper(media_type), media_type)) == [
        VIOLATED_RULE
    ]


def test_paper_may_be_sent_as_markdown(client: httpx2.Client) -> None:
    assert post_paper(client, MARKDOWN_PAPER, "text/markdown; charset=utf-8").json()["conforms"]


def test_paper_may_be_sent_compressed(client: httpx2.Client) -> None:
    headers = {**TURTLE_HEADERS, "content-encoding": "gzip"}
    response = client.post("/validate", content=gzip.compress(INCOMPLETE_PAPER), headers=headers)
    assert finding_codes(response) == [VIOLATED_RULE]


def test_profile_may_be_a_name_or_iri(client: httpx2.Client) -> None:
    for profile in ("final", "https://w3id.org/wgig/id/profile/final"):
        response = client.post(
            "/validate", params={"profile": profile}, content=COMPLETE_PAPER, headers=TURTLE_HEADERS
        )
        assert response.json()["profile"] == "final"
        assert response.headers["link"].startswith("<https://w3id.org/wgig/id/profile/final>")


@pytest.mark.parametrize(
    ("lang", "accept_language", "language"),
    [
        ("", "fr-CA, en;q=0.5", "fr"),
        ("", "de, *;q=0.1", "en"),
        ("", "en;q=0.2, zh-Hans-CN;q=0.8", "zh"),
        ("", "ru, en-US, en", "ru"),
        ("ar", "fr", "ar"),
        ("es-MX", "", "es"),
    ],
)
def test_language_is_that_of_the_parameter_or_accepted(
    client: httpx2.Client, lang: str, accept_language: str, language: str
) -> None:
    headers = {**TURTLE_HEADERS, "accept-language": accept_language}
    response = client.post("/validate", params={"lang": lang}, content=INCOMPLETE_PAPER, headers=headers)
    assert response.headers["content-language"] == language
    assert {"Accept-Language", "Cookie"} <= set(response.headers["vary"].split(", "))
    assert (first_message(response) == first_message(post_paper(client, INCOMPLETE_PAPER))) == (
        language == "en"
    )


def first_message(response: httpx2.Response) -> str:
    message: str = response.json()["files"][0]["papers"][0]["findings"][0]["message"]
    return message


@pytest.mark.parametrize(
    ("parameters", "accept", "status", "sentence"),
    [
        ({}, "image/png", 406, "application/sarif+json"),
        ({"_mediatype": "image/png"}, "*/*", 406, "application/json"),
        (
            {"profil": "final"},
            "*/*",
            400,
            "Did you mean profile? The parameters are: profile, lang,",
        ),
        ({"profile": "perfect"}, "*/*", 400, "There is no profile 'perfect'. Use one of: draft,"),
        ({"profile": ["final", "draft"]}, "*/*", 400, "The parameter profile was sent 2 times."),
        ({"lang": "tlh"}, "*/*", 400, "There is no report in 'tlh'. Use one of: ar, en,"),
    ],
)
def test_invalid_parameter_is_refused_before_the_body_is_read(
    client: httpx2.Client, parameters: dict[str, str | list[str]], accept: str, status: int, sentence: str
) -> None:
    def iter_body() -> Iterator[bytes]:
        yield b"not even \xff Turtle"

    headers = {"accept": accept, "content-type": "no type at all"}
    response = client.post("/validate", params=parameters, content=iter_body(), headers=headers)
    assert response.status_code == status
    assert sentence in response.json()["detail"]


def test_file_that_does_not_parse_is_refused_with_line_and_column(client: httpx2.Client) -> None:
    response = post_paper(client, f"{PAPER_START} ;\n  dcterms:title Spam .\n")
    problem = response.json()
    assert (response.status_code, problem["line"], problem["column"]) == (400, 3, 17)
    assert "`Spam` is not a value." in problem["detail"]
    assert "dcterms:title Spam" in problem["excerpt"]


def test_file_without_a_paper_is_refused(client: httpx2.Client) -> None:
    response = post_paper(client, "<a:a> <a:b> <a:c> .")
    assert response.status_code == 422
    assert response.json()["detail"].startswith("No paper found in this file")


@pytest.mark.parametrize("media_type", ["text/html", "application/pdf", "text/turtle; charset=latin1", "?"])
def test_unsupported_media_type_is_refused_with_accept_post(client: httpx2.Client, media_type: str) -> None:
    response = post_paper(client, COMPLETE_PAPER, media_type)
    assert response.status_code == 415
    assert {"text/markdown", "text/turtle", "multipart/form-data"} <= set(
        response.headers["accept-post"].split(", ")
    )


def test_put_is_not_allowed(client: httpx2.Client) -> None:
    assert client.put("/validate", content=COMPLETE_PAPER).status_code == 405


def test_too_large_request_is_refused(limited_client: httpx2.Client) -> None:
    assert post_paper(limited_client, b"#" * 20_001).status_code == 413
    compressed = gzip.compress(b"#" * 1_000_000)
    headers = {**TURTLE_HEADERS, "content-encoding": "gzip"}
    assert limited_client.post("/validate", content=compressed, headers=headers).status_code == 413
    many_triples = post_paper(
        limited_client, PAPER_START + "".join(f" ; <p> {number}" for number in range(500)) + " ."
    )
    assert many_triples.status_code == 413
    assert "More than 400 triples" in many_triples.json()["detail"]
    long_file = {"files": ("long.ttl", b"#" * 20_001, "text/turtle")}
    assert limited_client.post("/validate", files=long_file).status_code == 413
    files = [("files", (f"{number}.ttl", COMPLETE_PAPER, "text/turtle")) for number in range(3)]
    reports = limited_client.post("/validate", files=files).json()["files"]
    # Two papers together have fewer than 400 triples, three have more.
    assert [report.get("problem", {}).get("status") for report in reports] == [None, None, 413]


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("text/turtle", PAPER_START + " ; wgig:issue " + "[ wgig:issue " * 20_000),
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
def test_deep_nesting_is_refused(client: httpx2.Client, media_type: str, body: str) -> None:
    response = post_paper(client, body, media_type)
    problem = response.json()
    assert (response.status_code, problem["line"] >= 1, problem["column"] > 1) == (400, True, True)
    assert "More than" in problem["detail"]


def test_brackets_in_strings_are_not_nesting(client: httpx2.Client) -> None:
    text = "(" * 1000 + '\\"' + "[" * 1000
    literals = f'"{text}", """\n"{text}"{{ """, \'{text}\''
    body = f"{PAPER_START} ; dcterms:title {literals} . <{'(' * 200}> <p> 1 . # {text}"
    assert "WGIG-1-ISSUE-MISSING" in finding_codes(post_paper(client, body))


def test_nested_entities_are_refused(client: httpx2.Client) -> None:
    declarations = "".join(f'<!ENTITY l{n + 1} "&l{n};&l{n};">' for n in range(30))
    body = f'<!DOCTYPE x [<!ENTITY l0 "ha">{declarations}]><x>&l30;</x>'
    response = post_paper(client, body, "application/rdf+xml")
    assert (response.status_code, "entity" in response.json()["detail"]) == (400, True)


def test_remote_json_ld_context_is_not_fetched(client: httpx2.Client) -> None:
    body = '{"@context": "http://localhost:9/context.jsonld", "@id": "x", "@type": "IssuePaper"}'
    response = post_paper(client, body, "application/ld+json")
    assert response.status_code == 400
    assert "contexts are not fetched" in response.json()["detail"]


def test_shapes_and_imports_in_a_file_are_ignored(client: httpx2.Client) -> None:
    paper_with_shapes = f"""{PAPER_START} ; dcterms:title "{"a" * 40}!"@en .
        @prefix sh: <http://www.w3.org/ns/shacl#> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
        <http://example.org/> a owl:Ontology ; owl:imports <http://localhost:9/more.ttl> .
        <http://example.org/s> a sh:NodeShape ; sh:targetClass wgig:IssuePaper ;
            sh:shapesGraph <http://example.org/> ;
            sh:property [ sh:path dcterms:title ; sh:pattern "(a+)+$" ; sh:minCount 7 ] ."""
    paper = f'{PAPER_START} ; dcterms:title "{"a" * 40}!"@en .'
    assert finding_codes(post_paper(client, paper_with_shapes)) == finding_codes(post_paper(client, paper))


def test_findings_beyond_the_limit_are_counted(client: httpx2.Client) -> None:
    drafters = ", ".join(f"<nobody-{number}>" for number in range(3000))
    paper = post_paper(client, f"{PAPER_START} ; wgig:drafter {drafters} .").json()["files"][0]["papers"][0]
    assert (len(paper["findings"]), paper["leftOut"] > 2000) == (1000, True)


def test_excerpt_of_a_long_line_is_shortened(client: httpx2.Client) -> None:
    response = post_paper(client, f'{PAPER_START} ; wgig:rond "{"x" * 1_000_000}" .')
    assert "WGIG-0-TERM-UNKNOWN" in finding_codes(response)
    excerpts = [finding["excerpt"] for finding in response.json()["files"][0]["papers"][0]["findings"]]
    assert max(map(len, excerpts)) < 1000


def test_busy_service_responds_with_503_and_retry_after() -> None:
    full_queue = WorkQueue(max_running=1, max_waiting=0, timeout_seconds=0)
    service = make_service(Settings(), Store.in_memory(), checks=full_queue)
    response = post_paper(make_client(create_app(service)), COMPLETE_PAPER)
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")

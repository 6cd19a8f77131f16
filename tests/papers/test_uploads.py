"""Papers are sent as several files, pasted in a form, or without a name."""

import httpx
import pytest
from wgig.http.bodies import ContentType
from wgig.papers import uploads, validate
from wgig.problems import Problem

from tests.fixtures.sent_papers import BAD, GOOD, MARKDOWN, START, sent


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

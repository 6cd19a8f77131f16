"""Uploads of papers: several files, a text in a form, or a body without a file name."""

import httpx2
import pytest
from wgig.http.bodies import ContentType
from wgig.papers import uploads, validate
from wgig.problems import Problem

from tests.fixtures.sent_papers import (
    COMPLETE_PAPER,
    INCOMPLETE_PAPER,
    MARKDOWN_PAPER,
    PAPER_START,
    post_paper,
)


def test_too_many_files_or_papers_are_refused(client: httpx2.Client) -> None:
    files = [
        ("files", (f"{number}.ttl", b"", "text/turtle")) for number in range(uploads.MAX_UPLOAD_FILES + 1)
    ]
    assert client.post("/validate", files=files).status_code == 413
    # PAPER_START is one paper more.
    papers = "".join(f"<x{number}> a wgig:IssuePaper . " for number in range(validate.MAX_CHECKED_PAPERS))
    response = post_paper(client, f"{PAPER_START} . {papers}")
    assert (response.status_code, "More than 100 papers" in response.json()["detail"]) == (413, True)


def test_files_are_reported_in_order(client: httpx2.Client) -> None:
    files = [
        ("files", ("good.ttl", COMPLETE_PAPER, "text/turtle")),
        ("files", ("by-extension.ttl", INCOMPLETE_PAPER, "application/octet-stream")),
        ("files", ("paper.md", MARKDOWN_PAPER, "text/plain")),
        ("files", ("broken.ttl", b"<a:a>", "text/turtle")),
        ("files", ("empty.ttl", b"", "text/turtle")),
        ("files", ("notes.txt", b"x", "text/plain")),
    ]
    response = client.post("/validate", files=files)
    report = response.json()
    assert (response.status_code, report["conforms"]) == (200, False)
    assert [(file["name"], file["conforms"]) for file in report["files"]] == [
        ("good.ttl", True),
        ("by-extension.ttl", False),
        ("paper.md", True),
        ("broken.ttl", False),
        ("empty.ttl", False),
        ("notes.txt", False),
    ]
    assert [file["problem"]["status"] for file in report["files"][3:]] == [400, 422, 415]


def test_path_as_a_file_name_is_only_a_name(client: httpx2.Client) -> None:
    files = {"files": ("../../etc/passwd.ttl", COMPLETE_PAPER, "text/turtle")}
    assert client.post("/validate", files=files).json()["files"][0]["name"] == "../../etc/passwd.ttl"


@pytest.mark.parametrize("is_multipart", [False, True])
def test_text_may_be_sent_in_a_form(client: httpx2.Client, is_multipart: bool) -> None:
    fields = {"paper": INCOMPLETE_PAPER.decode(), "format": "ttl", "profile": "draft", "lang": "fr"}
    files = [("files", ("", b"", "application/octet-stream"))]  # as browsers send it without a chosen file
    response = (
        client.post("/validate", data=fields, files=files)
        if is_multipart
        else client.post("/validate", data=fields)
    )
    assert (response.json()["profile"], response.headers["content-language"]) == ("draft", "fr")
    assert response.json()["files"][0]["name"] == "paper.ttl"


@pytest.mark.parametrize(
    ("name", "reported_name"),
    [("my.ttl", "my.ttl"), ("my.docx", "my.ttl"), ("my", "my.ttl"), ("", "paper.ttl")],
)
def test_text_in_a_form_keeps_the_name_of_its_file(
    client: httpx2.Client, name: str, reported_name: str
) -> None:
    fields = {"paper": INCOMPLETE_PAPER.decode(), "format": "ttl", "name": name}
    assert client.post("/validate", data=fields).json()["files"][0]["name"] == reported_name


def test_query_parameter_overrides_the_form_field(client: httpx2.Client) -> None:
    fields = {"paper": INCOMPLETE_PAPER.decode(), "format": "text/turtle", "profile": "draft"}
    assert client.post("/validate?profile=final", data=fields).json()["profile"] == "final"


def test_form_without_a_paper_is_refused(client: httpx2.Client) -> None:
    for fields in ({"paper": " "}, {"papers": "x"}):  # a blank text, and a misspelled field
        response = client.post("/validate", data=fields)
        assert (response.status_code, "No paper was sent." in response.json()["detail"]) == (400, True)
    truncated = client.post(
        "/validate", content=b"--b\r\nx", headers={"content-type": "multipart/form-data; boundary=b"}
    )
    assert truncated.status_code == 400


@pytest.mark.parametrize(
    ("text", "format_"),
    [
        # "Base" and "prefix" are keywords in Turtle.
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
def test_format_of_a_pasted_text_is_guessed(text: str, format_: str) -> None:
    assert uploads.guess_text_format(text).suffix == format_


def test_file_without_a_name_is_named_paper() -> None:
    _, (file,) = uploads.parse_uploads(ContentType("text/markdown", {}), b"x")
    assert file.name == "paper.md"


def test_empty_form_is_refused() -> None:
    with pytest.raises(Problem, match="No paper was sent"):
        uploads.parse_uploads(ContentType("application/x-www-form-urlencoded", {}), b"")

"""Uploads of papers: several files, a text in a form, or a body without a file name."""

from typing import Any

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
from tests.fixtures.shapes import PERSON_DATA, PERSON_FINDINGS, PERSON_SHAPES, PREFIXES


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


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"files": [("data", ("d.ttl", PERSON_DATA)), ("shapes", ("s.ttl", PERSON_SHAPES))]}),
        pytest.param({"files": [("files", ("d.ttl", PERSON_DATA)), ("shapes", ("", PERSON_SHAPES))]}),
        pytest.param({"data": {"paper": PERSON_DATA, "shapes": PERSON_SHAPES}}),
    ],
    ids=["files", "file and text", "texts"],
)
def test_shapes_may_be_files_or_texts(client: httpx2.Client, fields: dict[str, Any]) -> None:
    response = client.post("/validate", **fields)
    (file,) = response.json()["files"]
    assert (response.status_code, file["papers"]) == (200, [])
    assert [(f["code"], f["line"], f["severity"]) for f in file["findings"]] == PERSON_FINDINGS
    assert "profile" not in response.headers.get("link", "")


def test_several_files_with_shapes_are_one_shapes_graph(client: httpx2.Client) -> None:
    target, rule = PERSON_SHAPES.split("sh:property [ sh:path ex:name")
    second = f"{PREFIXES} ex:PersonShape sh:property [ sh:path ex:name {rule}"
    files = [
        ("data", ("1.ttl", PERSON_DATA)),
        ("shapes", ("1.ttl", target.rstrip().removesuffix(";") + ".")),
        ("data", ("2.ttl", f"{PREFIXES} ex:a a ex:Person ; ex:name 'A' .")),
        ("shapes", ("2.ttl", second)),
    ]
    report = client.post("/validate", files=files).json()
    assert [(file["name"], file["conforms"]) for file in report["files"]] == [
        ("1.ttl", False),
        ("2.ttl", True),
    ]
    assert len(report["files"][0]["findings"]) == 3


def test_markdown_papers_may_be_checked_by_shapes(client: httpx2.Client) -> None:
    shapes = (
        f"{PREFIXES} ex:S sh:targetClass <https://w3id.org/wgig/ontology#IssuePaper> ;"
        " sh:property [ sh:path <http://purl.org/dc/terms/title> ; sh:maxLength 3 ] ."
    )
    files = {"data": ("paper.md", MARKDOWN_PAPER), "shapes": ("s.ttl", shapes.encode())}
    (file,) = client.post("/validate", files=files).json()["files"]
    assert [finding["code"] for finding in file["findings"]] == ["S/title/maxLength"]
    assert file["findings"][0]["line"]


def test_shapes_alone_are_no_data(client: httpx2.Client) -> None:
    response = client.post("/validate", files={"shapes": ("s.ttl", PERSON_SHAPES)})
    assert (response.status_code, response.json()["detail"].partition(".")[0]) == (400, "No paper was sent")


def test_a_problem_of_the_shapes_is_that_of_the_request(client: httpx2.Client) -> None:
    files = [("data", ("d.ttl", PERSON_DATA)), ("shapes", ("s.ttl", "<a:a> <a:b>"))]
    response = client.post("/validate", files=files)
    problem = response.json()
    assert response.status_code == 400
    assert problem["detail"].startswith("s.ttl:1:")
    assert (problem["shapes"]["name"], problem["shapes"]["line"]) == ("s.ttl", 1)
    word_files = [files[0], ("shapes", ("s.docx", "x"))]
    assert client.post("/validate", files=word_files).status_code == 415
    many = [("data", (f"{number}.ttl", PERSON_DATA)) for number in range(3)]
    report = client.post("/validate", files=[*many, ("shapes", ("s.ttl", PERSON_SHAPES))]).json()
    assert len(report["files"]) == 3

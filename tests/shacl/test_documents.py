"""A file is read as what it is, or refused with a sentence that says where and how to mend it."""

import json
import re
import socket
from collections.abc import Callable
from typing import NoReturn

import httpx
import pyoxigraph as ox
import pytest
from wgig.papers.readers import read_paper_document
from wgig.problems import Problem
from wgig.rdf import jsonld_context, parsing
from wgig.rdf.formats import (
    JSON_LD,
    MARKDOWN,
    N_TRIPLES,
    RDF_XML,
    TRIG,
    TURTLE,
    WORD_DOCUMENT,
    Format,
    format_of_file,
)
from wgig.rdf.jsonld_context import CONTEXT_IRI
from wgig.shacl.documents import Document
from wgig.text import TextLines

PAPER = "<https://w3id.org/wgig/id/paper/x>"
TITLE = "<http://purl.org/dc/terms/title>"


def refused(data: bytes | str, format_: Format = TURTLE) -> Problem:
    """The refusal of a file."""
    with pytest.raises(Problem) as caught:
        read_paper_document("paper", data.encode() if isinstance(data, str) else data, format_)
    return caught.value


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("paper.ttl", TURTLE),
        ("a.b.TRIG", TRIG),
        ("x.nt", N_TRIPLES),
        ("x.json", JSON_LD),
        ("x.owl", RDF_XML),
        ("x.md", MARKDOWN),
        ("x.markdown", MARKDOWN),
        ("x.docx", WORD_DOCUMENT),
        ("ttl.txt", None),
        ("", None),
    ],
)
def test_the_ending_of_a_name_tells_the_format(name: str, format_: Format | None) -> None:
    assert format_of_file(name) == format_


def test_a_document_knows_its_triples_and_their_spots_in_one_order() -> None:
    text = f'{PAPER}\n  {TITLE} "a"@en ,\n    "b"@fr .'
    found = read_paper_document("x", text.encode(), TURTLE)
    assert [one.object.value for one in found.triples if isinstance(one.object, ox.Literal)] == ["a", "b"]
    assert [text[spot[2] :][:3] for spot in found.spots] == ['"a"', '"b"']


def test_a_relative_name_is_that_of_a_paper() -> None:
    for text, format_ in (
        (f'<x> {TITLE} "a" .', TURTLE),
        ('{"@id": "x", "http://purl.org/dc/terms/title": "a"}', JSON_LD),
    ):
        assert str(read_paper_document("x", text.encode(), format_).triples[0].subject) == PAPER


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    found = read_paper_document("x", f'\ufeff{PAPER} {TITLE} "a" .'.encode(), TURTLE)
    assert (found.text[0], found.spots[0][0]) == ("<", 0)


def test_a_file_with_nothing_in_it_holds_no_triples() -> None:
    assert not read_paper_document("x", b"", TURTLE).triples


@pytest.mark.parametrize(
    ("data", "format_", "sentence", "line", "column"),
    [
        (f'{PAPER} {TITLE}\n "caf\u00e9" .'.encode("latin-1"), TURTLE, "not valid UTF-8", 2, 6),
        (f'{PAPER} {TITLE} "a" .'.encode("utf-16"), TURTLE, "not valid UTF-8", 1, 1),
        (f'{PAPER} {TITLE} "a" .'.encode("utf-16-le"), TURTLE, "NUL", 1, 2),
        (f'{PAPER}\n{TITLE} "a\0" .'.encode(), TURTLE, "NUL", 2, 36),
        (f'{PAPER}\n{TITLE} "a'.encode(), TURTLE, "not valid Turtle: .*end of file", 2, 34),
        (f"{PAPER}\n  dcterms:title 1 .".encode(), TURTLE, "not valid Turtle: .*prefix", 2, 3),
        (f"{PAPER}\n  <http://a b> 1 .".encode(), TURTLE, "not valid Turtle: .*IRI", 2, 3),
        (f'{PAPER} {TITLE} "a"@englishlanguage .'.encode(), TURTLE, "not valid Turtle: .*subtag", 1, 73),
        (f'{PAPER}\r{TITLE}\r\n"caf\u00e9" .'.encode("latin-1"), TURTLE, "not valid UTF-8", 3, 5),
        (f"{PAPER}\r  dcterms:title 1 .".encode(), TURTLE, "not valid Turtle: .*prefix", 2, 3),
        (f"{PAPER}\r{TITLE} {'[' * 101}".encode(), TURTLE, "brackets are open", 2, 134),
        (b'{"@id": "x",\r "@type": ', JSON_LD, "not valid JSON-LD: .*end of file", 2, 11),
        (b"", JSON_LD, "not valid JSON-LD: .*end of file", 1, 1),
        (b'{"@id": "x",\n "@type": ', JSON_LD, "not valid JSON-LD: .*end of file", 2, 11),
        (b"<html>\n<p></html>", RDF_XML, "not valid RDF/XML", 2, 6),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    data: bytes, format_: Format, sentence: str, line: int, column: int
) -> None:
    problem = refused(data, format_)
    assert problem.status == 400
    assert re.search(sentence, problem.detail)
    assert (problem.members.get("line"), problem.members.get("column")) == (line, column)


@pytest.mark.parametrize(
    "text",
    [
        f'{PAPER} {TITLE} <<( {PAPER} {TITLE} "a" )>> .',
        f'<< {PAPER} {TITLE} "a" >> {TITLE} "b" .',
        f'{PAPER} {TITLE} "a" {{| {TITLE} "b" |}} .',
        f'{PAPER} {TITLE} "a"@ar--rtl .',
    ],
)
def test_what_only_rdf_1_2_can_say_is_refused(text: str) -> None:
    problem = refused(text)
    assert problem.status == 400
    assert "RDF 1.2" in problem.detail


def test_a_direction_in_json_ld_is_refused_too() -> None:
    value = '{"@value": "a", "@language": "ar", "@direction": "rtl"}'
    assert (
        "direction" in refused(f'{{"@id": "x", "http://purl.org/dc/terms/title": {value}}}', JSON_LD).detail
    )


@pytest.mark.parametrize(
    "context", ['"http://127.0.0.1:9/context"', '{"@import": "http://127.0.0.1:9/context"}', '["context"]']
)
def test_a_remote_context_is_refused_and_nothing_is_fetched(
    context: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_: object) -> NoReturn:
        raise AssertionError("something is fetched")

    monkeypatch.setattr(socket.socket, "connect", connect)
    problem = refused(f'{{"@context": {context}, "@id": "x"}}', JSON_LD)
    assert "contexts are not fetched here" in problem.detail
    assert CONTEXT_IRI in problem.detail


NODE = {
    "id": "x",
    "type": "IssuePaper",
    "issue": ["http://a/i", {"id": "http://a/j", "type": "Issue"}],
    "round": "2",
    "rationale": {"en": "why", "fr": "pourquoi"},
}
ELSEWHERE = {
    "id": CONTEXT_IRI,
    CONTEXT_IRI: CONTEXT_IRI,
    "see": [CONTEXT_IRI, {"@value": CONTEXT_IRI}],
    "issue": CONTEXT_IRI,
    "@type": [CONTEXT_IRI],
}


def json_ld(document: object) -> Document:
    """A document in JSON-LD, written as one line."""
    return read_paper_document("x", json.dumps(document).encode(), JSON_LD)


def statements(document: Document) -> list[tuple[str, ...]]:
    """The statements in their order, each with what is written at its places up to the end of a string."""
    assert len(document.spots) == len(document.triples)
    return [
        (str(triple), *(document.text[at:].split('"')[1] for at in spot))
        for triple, spot in zip(document.triples, document.spots, strict=True)
    ]


@pytest.mark.parametrize(
    "around",
    [
        lambda context: {"@context": context} | NODE,
        lambda context: NODE | {"@context": context},
        lambda context: {"@context": [context]} | NODE,
        lambda context: {"@context": [{"round": "http://a/r"}, context, {"issue": "http://a/i"}]} | NODE,
        lambda context: {"@context": {"p": "http://a/p"}, "@id": "y", "p": {"@context": context} | NODE},
        lambda context: [{"@context": context} | NODE, {"@context": [context, {"round": None}]} | NODE, NODE],
        lambda context: (
            {
                "@context": [
                    {"see": CONTEXT_IRI},
                    context,
                    {"any": {"@id": CONTEXT_IRI}, CONTEXT_IRI: CONTEXT_IRI},
                ]
            }
            | ELSEWHERE
        ),
    ],
    ids=["first", "last", "array", "among others", "nested", "twice", "elsewhere"],
)
def test_our_context_is_known_by_its_iri(
    around: Callable[[object], object], get: Callable[[str], httpx.Response]
) -> None:
    by_hand = json_ld(around(get("/context.jsonld").json()["@context"]))
    assert len(by_hand.triples) >= 5
    assert statements(json_ld(around(CONTEXT_IRI))) == statements(by_hand)


def test_our_context_may_belong_to_a_term_alone() -> None:
    term = {"@id": "http://a/p", "@context": CONTEXT_IRI}
    found = json_ld({"@context": {"p": term}, "@id": "x", "p": {"type": "IssuePaper"}, "type": "Issue"})
    assert [str(one.object) for one in found.triples[1:]] == ["<https://w3id.org/wgig/ontology#IssuePaper>"]


@pytest.mark.parametrize(
    ("plain", "escaped"), [("@", "\\u0040"), ("/", "\\/"), ("context.jsonld", "\\u0063ontext\\u002ejsonld")]
)
def test_an_escape_does_not_hide_our_context(plain: str, escaped: str) -> None:
    text = json.dumps({"@context": [CONTEXT_IRI]} | NODE)
    found = read_paper_document("x", text.replace(plain, escaped).encode(), JSON_LD)
    assert escaped in found.text
    assert (
        len(found.spots)
        == len(found.triples)
        == len(read_paper_document("x", text.encode(), JSON_LD).triples)
    )


def test_our_context_does_not_count_as_terms_of_the_document() -> None:
    terms = {f"t{number}": f"http://a/{number}" for number in range(parsing.MAX_CONTEXT_TERMS)}
    assert json_ld({"@context": [CONTEXT_IRI, terms]} | NODE).triples


def test_our_context_may_be_named_so_many_times() -> None:
    nodes = [
        {"@context": [CONTEXT_IRI, {"p": "http://a/p"}]} | NODE
        for _ in range(jsonld_context.MAX_CONTEXT_MENTIONS + 1)
    ]
    found = json_ld(nodes[1:])
    assert len(found.spots) == len(found.triples)
    problem = refused(json.dumps(nodes, indent=0), JSON_LD)
    assert "more than 50 times" in problem.detail
    assert problem.members["excerpt"].split("\n")[0] == f'"{CONTEXT_IRI}",'


@pytest.mark.parametrize(
    "more", ['"http://127.0.0.1:9/context"', '{"@import": %s}', '"context.jsonld"', "[%s]"]
)
def test_our_context_makes_no_other_known(more: str) -> None:
    named = json.dumps(CONTEXT_IRI)
    assert refused(f'{{"@context": [{named}, {more.replace("%s", named)}], "@id": "x"}}', JSON_LD)


@pytest.mark.parametrize(
    "text",
    [
        '{"@context": %s, "@id": "x", "issue": "a" ‸"b"}',
        '{"@context": %s, "@id": "x"}‸]',
        '[{"@context": %s, "@id": "é"}, {"issue": "a" ‸"b"}]',
        '[{"@context": [%s, %s]},\n {"@id": "é", "@context": %s}, {"issue": ‸]',
        '[{"@context": [%s, %s]},\r\n\r {"issue": ‸\\]',
        '[{"@context": %s}, ‸"\n',
        '[{"@context": %s},\n {"@context": %s}‸',
        '[{"@context": %s}, {"issue": "‸\\q", "@context": %s}]',
    ],
)
def test_what_is_no_json_beside_our_context_has_its_place(text: str) -> None:
    text = text.replace("%s", json.dumps(CONTEXT_IRI))
    problem = refused(text.replace("‸", ""), JSON_LD)
    line, column = TextLines(text).locate(text.index("‸"))
    assert (problem.members["line"], problem.members["column"]) == (line, column)
    assert re.findall(r"columns? (\d+)", problem.detail)[:1] in ([], [str(column)])


def test_more_statements_than_can_be_checked_are_refused() -> None:
    text = "".join(f"{PAPER} {TITLE} {number} .\n" for number in range(12))
    with pytest.raises(Problem, match="More than 10 triples") as caught:
        read_paper_document("x", text.encode(), TURTLE, 10)
    assert caught.value.status == 413
    assert len(read_paper_document("x", text.encode(), TURTLE, 12).triples) == 12


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_the_excerpt_shows_the_place_below_the_line(end: str) -> None:
    excerpt = refused(f"{PAPER}{end}  dcterms:title 1 .{end}").members["excerpt"]
    assert excerpt == "  dcterms:title 1 .\n  ^"


def test_a_long_line_is_shown_around_the_place() -> None:
    excerpt = refused(f'{PAPER} {TITLE} "{"a" * 1000}"@englishlanguage .').members["excerpt"]
    line, caret = excerpt.split("\n")
    assert len(line) <= 120
    assert line[caret.index("^") :].startswith("englishlanguage")

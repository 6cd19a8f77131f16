"""Files are read by format, or refused with the position of the fault and a fix."""

import json
import re
import socket
from collections.abc import Callable
from typing import NoReturn

import httpx2
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


def catch_problem(data: bytes | str, format_: Format = TURTLE) -> Problem:
    """The Problem with which a file is refused."""
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
def test_the_suffix_of_a_file_name_sets_the_format(name: str, format_: Format | None) -> None:
    assert format_of_file(name) == format_


def test_triples_and_their_positions_are_in_the_same_order() -> None:
    text = f'{PAPER}\n  {TITLE} "a"@en ,\n    "b"@fr .'
    document = read_paper_document("x", text.encode(), TURTLE)
    assert [triple.object.value for triple in document.triples if isinstance(triple.object, ox.Literal)] == [
        "a",
        "b",
    ]
    object_offsets = [position[2] for position in document.triple_positions]
    assert [text[offset:][:3] for offset in object_offsets] == ['"a"', '"b"']


def test_a_relative_iri_is_resolved_to_a_paper_iri() -> None:
    for text, format_ in (
        (f'<x> {TITLE} "a" .', TURTLE),
        ('{"@id": "x", "http://purl.org/dc/terms/title": "a"}', JSON_LD),
    ):
        assert str(read_paper_document("x", text.encode(), format_).triples[0].subject) == PAPER


def test_a_byte_order_mark_is_removed() -> None:
    document = read_paper_document("x", f'\ufeff{PAPER} {TITLE} "a" .'.encode(), TURTLE)
    assert (document.text[0], document.triple_positions[0][0]) == ("<", 0)


def test_an_empty_file_has_no_triples() -> None:
    assert not read_paper_document("x", b"", TURTLE).triples


@pytest.mark.parametrize(
    ("data", "format_", "sentence", "line", "column"),
    [
        (f'{PAPER} {TITLE}\n "caf\u00e9" .'.encode("latin-1"), TURTLE, "not valid UTF-8", 2, 6),
        (f'{PAPER} {TITLE} "a" .'.encode("utf-16"), TURTLE, "not valid UTF-8", 1, 1),
        (f'{PAPER} {TITLE} "a" .'.encode("utf-16-le"), TURTLE, "NUL", 1, 2),
        (f'{PAPER}\n{TITLE} "a\0" .'.encode(), TURTLE, "NUL", 2, 36),
        (f'{PAPER}\n{TITLE} "a'.encode(), TURTLE, 'no closing `"`', 2, 34),
        (f"{PAPER}\n  dcterms:title 1 .".encode(), TURTLE, "not valid Turtle. .*prefix", 2, 3),
        (f"{PAPER}\n  <http://a b> 1 .".encode(), TURTLE, "not valid Turtle. .*IRI", 2, 3),
        (f'{PAPER} {TITLE} "a"@englishlanguage .'.encode(), TURTLE, "not valid Turtle. .*subtag", 1, 73),
        (f'{PAPER}\r{TITLE}\r\n"caf\u00e9" .'.encode("latin-1"), TURTLE, "not valid UTF-8", 3, 5),
        (f"{PAPER}\r  dcterms:title 1 .".encode(), TURTLE, "not valid Turtle. .*prefix", 2, 3),
        (f"{PAPER}\r{TITLE} {'[' * 101}".encode(), TURTLE, "brackets are open", 2, 134),
        (b'{"@id": "x",\r "@type": ', JSON_LD, "not valid JSON-LD. .*end of file", 2, 11),
        (b"", JSON_LD, "not valid JSON-LD. .*end of file", 1, 1),
        (b'{"@id": "x",\n "@type": ', JSON_LD, "not valid JSON-LD. .*end of file", 2, 11),
        (b"<html>\n<p></html>", RDF_XML, "not valid RDF/XML", 2, 6),
    ],
)
def test_an_unreadable_file_is_refused_with_line_and_column(
    data: bytes, format_: Format, sentence: str, line: int, column: int
) -> None:
    problem = catch_problem(data, format_)
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
def test_terms_of_rdf_1_2_are_refused(text: str) -> None:
    problem = catch_problem(text)
    assert problem.status == 400
    assert "RDF 1.2" in problem.detail


def test_a_base_direction_in_json_ld_is_refused() -> None:
    value = '{"@value": "a", "@language": "ar", "@direction": "rtl"}'
    assert (
        "direction"
        in catch_problem(f'{{"@id": "x", "http://purl.org/dc/terms/title": {value}}}', JSON_LD).detail
    )


@pytest.mark.parametrize(
    "context", ['"http://127.0.0.1:9/context"', '{"@import": "http://127.0.0.1:9/context"}', '["context"]']
)
def test_a_remote_context_is_refused_and_nothing_is_fetched(
    context: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_to_connect(*_: object) -> NoReturn:
        raise AssertionError("a context is fetched")

    monkeypatch.setattr(socket.socket, "connect", fail_to_connect)
    problem = catch_problem(f'{{"@context": {context}, "@id": "x"}}', JSON_LD)
    assert "contexts are not fetched" in problem.detail
    assert CONTEXT_IRI in problem.detail


NODE = {
    "id": "x",
    "type": "IssuePaper",
    "issue": ["http://a/i", {"id": "http://a/j", "type": "Issue"}],
    "round": "2",
    "rationale": {"en": "why", "fr": "pourquoi"},
}
# A node with the IRI of the context at positions that are no context.
CONTEXT_IRI_ELSEWHERE = {
    "id": CONTEXT_IRI,
    CONTEXT_IRI: CONTEXT_IRI,
    "see": [CONTEXT_IRI, {"@value": CONTEXT_IRI}],
    "issue": CONTEXT_IRI,
    "@type": [CONTEXT_IRI],
}


def read_json_ld(document: object) -> Document:
    """A JSON-LD document, read from one line of JSON."""
    return read_paper_document("x", json.dumps(document).encode(), JSON_LD)


def list_positioned_statements(document: Document) -> list[tuple[str, ...]]:
    """Each triple with the JSON strings at the positions of its terms, in document order."""
    assert len(document.triple_positions) == len(document.triples)
    return [
        (str(triple), *(document.text[offset:].split('"')[1] for offset in position))
        for triple, position in zip(document.triples, document.triple_positions, strict=True)
    ]


@pytest.mark.parametrize(
    "build_json",
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
            | CONTEXT_IRI_ELSEWHERE
        ),
    ],
    ids=["first", "last", "array", "among others", "nested", "twice", "elsewhere"],
)
def test_the_context_of_the_service_is_known_by_its_iri(
    build_json: Callable[[object], object], get: Callable[[str], httpx2.Response]
) -> None:
    inlined = read_json_ld(build_json(get("/context.jsonld").json()["@context"]))
    assert len(inlined.triples) >= 5
    assert list_positioned_statements(read_json_ld(build_json(CONTEXT_IRI))) == list_positioned_statements(
        inlined
    )


def test_the_context_of_the_service_may_be_scoped_to_a_term() -> None:
    term = {"@id": "http://a/p", "@context": CONTEXT_IRI}
    document = read_json_ld(
        {"@context": {"p": term}, "@id": "x", "p": {"type": "IssuePaper"}, "type": "Issue"}
    )
    assert [str(triple.object) for triple in document.triples[1:]] == [
        "<https://w3id.org/wgig/ontology#IssuePaper>"
    ]


@pytest.mark.parametrize(
    ("plain", "escaped"), [("@", "\\u0040"), ("/", "\\/"), ("context.jsonld", "\\u0063ontext\\u002ejsonld")]
)
def test_an_escaped_iri_of_the_context_is_recognized(plain: str, escaped: str) -> None:
    text = json.dumps({"@context": [CONTEXT_IRI]} | NODE)
    document = read_paper_document("x", text.replace(plain, escaped).encode(), JSON_LD)
    assert escaped in document.text
    assert (
        len(document.triple_positions)
        == len(document.triples)
        == len(read_paper_document("x", text.encode(), JSON_LD).triples)
    )


def test_the_terms_of_the_context_do_not_count_as_terms_of_the_document() -> None:
    terms = {f"t{number}": f"http://a/{number}" for number in range(parsing.MAX_CONTEXT_TERMS)}
    assert read_json_ld({"@context": [CONTEXT_IRI, terms]} | NODE).triples


def test_the_context_may_be_mentioned_at_most_50_times() -> None:
    nodes = [
        {"@context": [CONTEXT_IRI, {"p": "http://a/p"}]} | NODE
        for _ in range(jsonld_context.MAX_CONTEXT_REFERENCES + 1)
    ]
    document = read_json_ld(nodes[1:])
    assert len(document.triple_positions) == len(document.triples)
    problem = catch_problem(json.dumps(nodes, indent=0), JSON_LD)
    assert "more than 50 times" in problem.detail
    assert problem.members["excerpt"].split("\n")[0] == f'"{CONTEXT_IRI}",'


@pytest.mark.parametrize(
    "other_context", ['"http://127.0.0.1:9/context"', '{"@import": %s}', '"context.jsonld"', "[%s]"]
)
def test_other_contexts_beside_the_known_one_are_refused(other_context: str) -> None:
    context_iri = json.dumps(CONTEXT_IRI)
    contexts = f"[{context_iri}, {other_context.replace('%s', context_iri)}]"
    problem = catch_problem(f'{{"@context": {contexts}, "@id": "x"}}', JSON_LD)
    assert problem.status == 400
    assert "context" in problem.detail


@pytest.mark.parametrize(
    "text",
    [
        # ‸ marks the error; %s stands for the IRI of the context.
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
def test_a_json_error_beside_the_known_context_has_line_and_column(text: str) -> None:
    text = text.replace("%s", json.dumps(CONTEXT_IRI))
    problem = catch_problem(text.replace("‸", ""), JSON_LD)
    line, column = TextLines(text).locate(text.index("‸"))
    assert (problem.members["line"], problem.members["column"]) == (line, column)
    # If the message of the parser names a column, it is the same one.
    assert re.findall(r"columns? (\d+)", problem.detail)[:1] in ([], [str(column)])


def test_too_many_triples_are_refused() -> None:
    text = "".join(f"{PAPER} {TITLE} {number} .\n" for number in range(12))
    with pytest.raises(Problem, match="More than 10 triples") as caught:
        read_paper_document("x", text.encode(), TURTLE, max_triples=10)
    assert caught.value.status == 413
    assert len(read_paper_document("x", text.encode(), TURTLE, max_triples=12).triples) == 12


@pytest.mark.parametrize("line_ending", ["\n", "\r", "\r\n"])
def test_the_excerpt_marks_the_column_below_the_line(line_ending: str) -> None:
    excerpt = catch_problem(f"{PAPER}{line_ending}  dcterms:title 1 .{line_ending}").members["excerpt"]
    assert excerpt == "  dcterms:title 1 .\n  ^"


def test_the_excerpt_of_a_long_line_is_cut_around_the_column() -> None:
    excerpt = catch_problem(f'{PAPER} {TITLE} "{"a" * 1000}"@englishlanguage .').members["excerpt"]
    line, caret = excerpt.split("\n")
    assert len(line) <= 120
    assert line[caret.index("^") :].startswith("englishlanguage")

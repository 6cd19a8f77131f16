"""Positions in JSON-LD: the terms that keys stand for, and the triple order of pyoxigraph."""

import json

import pyoxigraph as ox
import pytest
from wgig.rdf import json_tokens
from wgig.rdf.positions import find_triple_positions
from wgig.rdf.positions_turtle import TriplePosition

CONTEXT = {
    "@vocab": "http://v/",
    "ex": "http://ex/",
    "id": "@id",
    "type": "@type",
    "items": {"@id": "ex:items", "@container": "@list"},
    "label": {"@id": "ex:label", "@container": "@language"},
    "of": {"@reverse": "ex:part"},
    "see": {"@id": "ex:see", "@type": "@id"},
    "nothing": None,
    "more": "@nest",
    "beside": "@included",
    "shown": {"@id": "ex:shown", "@nest": "more"},
}


def parse_with_positions(text: str) -> tuple[list[ox.Triple], list[TriplePosition]]:
    triples = [quad.triple for quad in ox.parse(text.encode(), ox.RdfFormat.JSON_LD, base_iri="http://base/")]
    return triples, find_triple_positions(text, "application/ld+json", triples)


def texts_at_positions(node: object, context: object = CONTEXT) -> list[str]:
    """For each triple, the JSON strings or brackets at its three offsets, joined by spaces.

    The nodes of a list, rdf:first and rdf:rest have the position of its bracket.
    """
    text = json.dumps({"@context": context, "@graph": node}, ensure_ascii=False)
    return [join_texts(text, position) for position in parse_with_positions(text)[1]]


def join_texts(text: str, position: TriplePosition) -> str:
    return " ".join(text_at(text, offset) for offset in position)


def text_at(text: str, offset: int) -> str:
    if text[offset] in "[{":
        return text[offset]
    return str(json.JSONDecoder().raw_decode(text, offset)[0])


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"@id": "s", "p": ["a", 1, True, None, 1.5]}, ["s p a", "s p 1", "s p True", "s p 1.5"]),
        ({"p": "a", "type": ["L", "ex:K"], "id": "s"}, ["s type L", "s type ex:K", "s p a"]),
        ({"@id": "s", "@type": ["ex:K", "L"]}, ["s @type L", "s @type ex:K"]),
        ({"@id": "s", "p": {"q": "a", "@id": "o"}}, ["s p o", "o q a"]),
        ({"p": {"q": {}}}, ["{ p {", "{ q {"]),
        ({"@id": "s", "p": {"@value": "a", "@language": "en"}}, ["s p a"]),
        ({"@id": "s", "p": {"@type": "ex:d", "@value": "a"}}, ["s p a"]),
        ({"@id": "s", "p": {"@value": None}, "nothing": "a", "q": {"@set": ["b"]}}, ["s q b"]),
        ({"@id": "s", "label": {"en": "a", "fr": ["b", None]}}, ["s label a", "s label b"]),
        ({"@id": "s", "see": ["o", "ex:o"]}, ["s see o", "s see ex:o"]),
        ({"@id": "s", "of": {"@id": "o", "p": 1}}, ["o of s", "o p 1"]),
        ({"@id": "s", "@reverse": {"p": {"@id": "o"}}}, ["o p s"]),
        ({"@id": "s", "items": [1, 2]}, ["s items [", "[ [ 1", "[ [ 2", "[ [ 2", "[ [ ["]),
        ({"@id": "s", "p": {"@list": []}}, ["s p ["]),
        ({"@id": "g", "@graph": {"@id": "s", "p": 1}, "p": 2}, ["g p 2", "s p 1"]),
        ({"@id": "s", "p": 1, "more": {"q": 2, "r": 3}, "a": 4}, ["s p 1", "s q 2", "s r 3", "s a 4"]),
        ({"@id": "s", "@nest": [{"more": {"q": 1}}, {"shown": {"@id": "o"}}]}, ["s q 1", "s shown o"]),
        ({"p": {"more": {"q": 1}}}, ["{ p {", "{ q 1"]),
        ({"@id": "s", "more": {"@reverse": {"p": {"@id": "o"}}, "q": 1}}, ["o p s", "s q 1"]),
        ({"@id": "s", "p": 1, "beside": {"@id": "o", "p": 2}, "q": 3}, ["s p 1", "o p 2", "s q 3"]),
        ({"@id": "s", "@included": [{"@id": "o"}, {"p": {"beside": {"q": 1}}}]}, ["{ p {", "{ q 1"]),
        ({"@context": {"@vocab": "http://w/", "see": None}, "@id": "s", "p": 1, "see": "o"}, ["s p 1"]),
        ({"@id": "s", "p": 'quotes " { [ \\ 😀'}, ['s p quotes " { [ \\ 😀']),
    ],
    ids=str,
)
def test_each_way_to_write_a_triple_has_positions(node: object, expected: list[str]) -> None:
    assert texts_at_positions(node) == expected


def test_keys_without_an_iri_are_no_properties() -> None:
    assert texts_at_positions({"@id": "http://s", "p": {"http://q": 1}, "ex:p": 2}, {"ex": "http://ex/"}) == [
        "http://s ex:p 2"
    ]


def test_an_expanded_document_has_positions() -> None:
    text = '[{"@id":"http://s","http://p":[{"@value":"a"},{"@id":"http://o"}]}]'
    _, positions = parse_with_positions(text)
    assert positions == [
        TriplePosition(text.index('"http://s"'), text.index('"http://p"'), text.index(term))
        for term in ('"a"', '"http://o"')
    ]


@pytest.mark.parametrize(
    "context", ["http://c", ["http://c"], [{"p": "http://w/"}, "http://c"], ["http://c", {"q": "http://w/"}]]
)
def test_a_known_context_is_followed(context: object) -> None:
    known_contexts = {
        "http://c": lambda: json_tokens.parse_positioned_json(json.dumps(CONTEXT | {"p": "ex:p"}))
    }
    node = {"id": "s", "p": {"type": "ex:K", "id": "o"}, "see": "ex:o"}
    triples = parse_with_positions(json.dumps({"@context": [CONTEXT, {"p": "ex:p"}]} | node))[0]
    text = json.dumps({"@context": context} | node)
    positions = find_triple_positions(text, "application/ld+json", triples, known_contexts)
    assert [join_texts(text, position) for position in positions] == [
        "s p o",
        "o type ex:K",
        "s see ex:o",
    ]
    assert find_triple_positions(text, "application/ld+json", triples) == []


# Definitions of a term `p` that are not supported, and members of a node that uses it.
UNSUPPORTED_TERMS = [
    ({"@id": "ex:p", "@container": "@index"}, {"p": {"i": "a"}}),
    ({"@id": "ex:p", "@container": "@id"}, {"p": {"http://i": {"ex:q": 1}}}),
    ({"@id": "ex:p", "@container": "@type"}, {"p": {"http://i": {"ex:q": 1}}}),
    ({"@id": "ex:p", "@container": "@graph"}, {"p": {"ex:q": 1}}),
    ({"@id": "ex:p", "@container": ["@index", "@set"]}, {"@reverse": {"p": {"i": {"@id": "http://o"}}}}),
    ({"@id": "ex:p", "@context": {"q": "ex:q"}}, {"p": {"q": 1}}),
    ({"@id": "ex:p", "@context": {"ex": "http://w/"}}, {"@type": "p", "ex:q": 1}),
    ({"@id": "ex:p", "@context": {"ex": "http://w/"}}, {"ex:q": {"@type": "p", "@value": "a"}}),
    ({"@id": "@nest", "@context": {"ex": "http://w/"}}, {"p": {"ex:q": 1}}),
    ({"@id": "ex:p", "@type": "@json"}, {"p": {"q": [1]}}),
    ("@nest", {"p": {"ex:q": 1, "@type": "ex:K"}}),
    ("@nest", {"p": {"@graph": {"ex:q": 1}}}),
]


@pytest.mark.parametrize(("definition", "members"), UNSUPPORTED_TERMS, ids=str)
def test_a_document_with_an_unsupported_term_has_no_positions(
    definition: object, members: dict[str, object]
) -> None:
    text = json.dumps({"@context": {"ex": "http://ex/", "p": definition}, "@id": "http://s"} | members)
    triples, positions = parse_with_positions(text)
    assert triples
    assert positions == []


@pytest.mark.parametrize("definition", [definition for definition, _ in UNSUPPORTED_TERMS], ids=str)
def test_an_unsupported_term_without_uses_is_ignored(definition: object) -> None:
    node = {"@id": "s", "ex:q": [1, "p"]}
    assert texts_at_positions(node, [CONTEXT, {"p": definition}]) == ["s ex:q 1", "s ex:q p"]


def test_a_redefined_term_is_followed() -> None:
    node = {"@context": {"p": "ex:p"}, "@id": "s", "p": 1}
    assert texts_at_positions(node, [CONTEXT, {"p": {"@id": "ex:p", "@container": "@index"}}]) == ["s p 1"]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '"' * 100_001,
        '"\\' * 100_000,
        '{"p":1,"p":1}',
        json.dumps({"@context": {f"t{n}": f"t{n + 1}:x" for n in range(2000)}}),
        json.dumps([{"@context": {f"t{n}": "http://x/" for n in range(2000)}}] * 12),
        json.dumps({"@context": [{f"t{n}": "http://x/"} for n in range(2000)]}),
        '{"p":' + "9" * 5000 + "}",
    ],
    ids=range(9),
)
def test_hostile_text_has_no_positions(text: str) -> None:
    assert (
        find_triple_positions(
            text, "application/ld+json", [ox.Triple(ox.BlankNode(), ox.NamedNode("a:"), ox.BlankNode())]
        )
        == []
    )

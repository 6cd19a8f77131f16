"""Triples have correct source positions, or none."""

import re
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import rdflib
from wgig.rdf.positions import find_triple_positions
from wgig.rdf.positions_turtle import TriplePosition
from wgig.settings import SHIPPED_FOLDER

from tests.fixtures.shared_facts import require_shared

FORMATS_BY_SUFFIX = {
    "ttl": ox.RdfFormat.TURTLE,
    "trig": ox.RdfFormat.TRIG,
    "nt": ox.RdfFormat.N_TRIPLES,
    "nq": ox.RdfFormat.N_QUADS,
    "jsonld": ox.RdfFormat.JSON_LD,
}
BASE = "http://base.example/"
SHIPPED_FILES = sorted(
    path for folder in ("data", "ontology", "shapes") for path in (SHIPPED_FOLDER / folder).rglob("*.ttl")
)
# IRIs that Turtle expresses by the parentheses of a list.
IMPLIED_IRI_PATTERN = re.compile(r"#(first|rest|nil)$")
PREFIX_PATTERN = re.compile(r"@prefix\s+(\S*?):\s*<([^>]*)>|PREFIX\s+(\S*?):\s*<([^>]*)>", re.IGNORECASE)
PREFIXED_NAME_PATTERN = re.compile(r"((?:[\w-]|\.(?=[\w-]))*):((?:[\w:%-]|\\.|\.(?=[\w:%-]))*)")


def parse_with_positions(text: str, suffix: str) -> tuple[list[ox.Triple], list[TriplePosition]]:
    """The triples of a text and their positions."""
    format_ = FORMATS_BY_SUFFIX[suffix]
    triples = [quad.triple for quad in ox.parse(text.encode(), format_, base_iri=BASE)]
    return triples, find_triple_positions(text, format_.media_type, triples)


def expand_iri_at(text: str, offset: int, prefixes: dict[str, str]) -> str:
    """The IRI at an offset of Turtle without relative references."""
    if text[offset] == "<":
        return text[offset + 1 : text.index(">", offset)]
    if name := PREFIXED_NAME_PATTERN.match(text, offset):
        return prefixes[name[1]] + name[2].replace("\\", "")
    assert re.match(r"a\s", text[offset : offset + 2]), text[offset : offset + 40]
    return "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


def check_position(text: str, triple: ox.Triple, position: TriplePosition, prefixes: dict[str, str]) -> None:
    """Check that the Turtle text at each of the three offsets is the term."""
    for term, offset in zip(triple, position, strict=True):
        if isinstance(term, ox.BlankNode):
            assert text[offset] in "[(_" or IMPLIED_IRI_PATTERN.search(triple.predicate.value)
        elif isinstance(term, ox.Literal):
            begin = re.compile(r"('''|\"\"\"|'|\"|)").match(text, offset).end()  # type: ignore[union-attr]
            source_text = text[begin : begin + len(term.value)]
            assert term.value.startswith(source_text.partition("\\")[0])
        elif not (IMPLIED_IRI_PATTERN.search(term.value) and text[offset] in "()"):
            assert expand_iri_at(text, offset, prefixes) == term.value


@pytest.mark.parametrize("path", SHIPPED_FILES, ids=lambda path: str(path.relative_to(SHIPPED_FOLDER)))
def test_every_triple_of_the_shipped_files_has_a_position(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    prefixes = {match[1] or match[3] or "": match[2] or match[4] for match in PREFIX_PATTERN.finditer(text)}
    triples, positions = parse_with_positions(text, "ttl")
    assert len(positions) == len(triples)
    for triple, position in zip(triples, positions, strict=True):
        check_position(text, triple, position, prefixes)


@pytest.mark.parametrize("suffix", FORMATS_BY_SUFFIX)
@pytest.mark.parametrize("name", ["meetings", "examples/community-networks", "papers/wp-spam"])
def test_the_same_triples_have_positions_in_every_syntax(name: str, suffix: str) -> None:
    triples, _ = parse_with_positions(
        (SHIPPED_FOLDER / f"data/{name}.ttl").read_text(encoding="utf-8"), "ttl"
    )
    prefixes = {"wgig": "https://w3id.org/wgig/ontology#", "dcterms": "http://purl.org/dc/terms/"}
    text = ox.serialize(triples, format=FORMATS_BY_SUFFIX[suffix], prefixes=prefixes).decode()  # type: ignore[union-attr]
    parsed_triples, positions = parse_with_positions(text, suffix)
    assert len(positions) == len(parsed_triples) == len(triples)
    if suffix != "jsonld":
        for triple, position in zip(parsed_triples, positions, strict=True):
            check_position(text, triple, position, prefixes)


CONTEXT = {
    "dcterms": "http://purl.org/dc/terms/",
    "@vocab": "https://w3id.org/wgig/ontology#",
    "id": "@id",
    "type": "@type",
    "source": {"@id": "dcterms:source", "@type": "@id"},
    "label": {"@id": "http://www.w3.org/2000/01/rdf-schema#label", "@container": "@language"},
}


@pytest.mark.parametrize("options", [{}, {"auto_compact": True}, {"context": CONTEXT}], ids=str)
@pytest.mark.parametrize("name", ["meetings", "examples/community-networks", "agents"])
def test_json_ld_of_rdflib_has_positions(name: str, options: dict[str, Any]) -> None:
    graph = rdflib.Graph().parse(SHIPPED_FOLDER / f"data/{name}.ttl")
    text = graph.serialize(format="json-ld", **options)
    triples, positions = parse_with_positions(text, "jsonld")
    assert len(positions) == len(triples) == len(graph)
    for triple, position in zip(triples, positions, strict=True):
        for term, offset in zip(triple, position, strict=True):
            assert isinstance(term, ox.BlankNode) or re.split("[/#]", term.value)[-1][:20] in text[offset:]


def test_w3c_files_have_positions_or_use_new_syntax() -> None:
    counts = {"positions": 0, "new syntax": 0}
    for path in sorted(require_shared("w3c", "sparql").rglob("*")):
        if path.suffix[1:] not in FORMATS_BY_SUFFIX:
            continue
        text = path.read_bytes().decode(errors="replace")
        try:
            triples, positions = parse_with_positions(text, path.suffix[1:])
        except SyntaxError:
            continue
        if len(positions) == len(triples):
            counts["positions"] += 1
        else:
            assert positions == []
            assert re.search(r"<<|\{\||~", text), path
            counts["new syntax"] += 1
    assert counts["positions"] > 500
    assert counts["new syntax"] > 10


def test_other_formats_and_other_triples_have_no_positions() -> None:
    triples, _ = parse_with_positions("<http://x/s> <http://x/p> 1 .", "ttl")
    assert find_triple_positions("<rdf/>", "application/rdf+xml", triples) == []
    for text in ("", "]", ") .", '"""', "\\", "<http://x/s> <http://x/p> 2 .", "<s> <p> 1 .\n<s> <p> 1 ."):
        for format_ in FORMATS_BY_SUFFIX.values():
            assert find_triple_positions(text, format_.media_type, triples) == []

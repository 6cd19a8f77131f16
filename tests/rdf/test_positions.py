"""Every triple is found where it is written, or not at all."""

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

FORMATS = {
    "ttl": ox.RdfFormat.TURTLE,
    "trig": ox.RdfFormat.TRIG,
    "nt": ox.RdfFormat.N_TRIPLES,
    "nq": ox.RdfFormat.N_QUADS,
    "jsonld": ox.RdfFormat.JSON_LD,
}
BASE = "http://base.example/"
FILES = sorted(
    path for folder in ("data", "ontology", "shapes") for path in (SHIPPED_FOLDER / folder).rglob("*.ttl")
)
IMPLIED = re.compile(r"#(first|rest|nil)$")
PREFIX = re.compile(r"@prefix\s+(\S*?):\s*<([^>]*)>|PREFIX\s+(\S*?):\s*<([^>]*)>", re.IGNORECASE)
NAME = re.compile(r"((?:[\w-]|\.(?=[\w-]))*):((?:[\w:%-]|\\.|\.(?=[\w:%-]))*)")


def read(text: str, suffix: str) -> tuple[list[ox.Triple], list[TriplePosition]]:
    """The triples of a text and their spots."""
    format_ = FORMATS[suffix]
    triples = [one.triple for one in ox.parse(text.encode(), format_, base_iri=BASE)]
    return triples, find_triple_positions(text, format_.media_type, triples)


def written(text: str, at: int, prefixes: dict[str, str]) -> str:
    """The IRI that is written at an offset of Turtle without relative references."""
    if text[at] == "<":
        return text[at + 1 : text.index(">", at)]
    if name := NAME.match(text, at):
        return prefixes[name[1]] + name[2].replace("\\", "")
    assert re.match(r"a\s", text[at : at + 2]), text[at : at + 40]
    return "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


def assert_agrees(text: str, triple: ox.Triple, spot: TriplePosition, prefixes: dict[str, str]) -> None:
    """The text of Turtle at each of the three offsets is the term."""
    for term, at in zip(triple, spot, strict=True):
        if isinstance(term, ox.BlankNode):
            assert text[at] in "[(_" or IMPLIED.search(triple.predicate.value)
        elif isinstance(term, ox.Literal):
            begin = re.compile(r"('''|\"\"\"|'|\"|)").match(text, at).end()  # type: ignore[union-attr]
            raw = text[begin : begin + len(term.value)]
            assert term.value.startswith(raw.partition("\\")[0])
        elif not (IMPLIED.search(term.value) and text[at] in "()"):
            assert written(text, at, prefixes) == term.value


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SHIPPED_FOLDER)))
def test_every_triple_of_what_is_shipped_is_found(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    prefixes = {one[1] or one[3] or "": one[2] or one[4] for one in PREFIX.finditer(text)}
    triples, found = read(text, "ttl")
    assert len(found) == len(triples)
    for triple, spot in zip(triples, found, strict=True):
        assert_agrees(text, triple, spot, prefixes)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("name", ["meetings", "examples/community-networks", "papers/wp-spam"])
def test_the_same_triples_are_found_in_every_syntax(name: str, suffix: str) -> None:
    triples, _ = read((SHIPPED_FOLDER / f"data/{name}.ttl").read_text(encoding="utf-8"), "ttl")
    prefixes = {"wgig": "https://w3id.org/wgig/ontology#", "dcterms": "http://purl.org/dc/terms/"}
    text = ox.serialize(triples, format=FORMATS[suffix], prefixes=prefixes).decode()  # type: ignore[union-attr]
    again, found = read(text, suffix)
    assert len(found) == len(again) == len(triples)
    if suffix != "jsonld":
        for triple, spot in zip(again, found, strict=True):
            assert_agrees(text, triple, spot, prefixes)


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
def test_json_ld_of_another_library_is_found(name: str, options: dict[str, Any]) -> None:
    graph = rdflib.Graph().parse(SHIPPED_FOLDER / f"data/{name}.ttl")
    text = graph.serialize(format="json-ld", **options)
    triples, found = read(text, "jsonld")
    assert len(found) == len(triples) == len(graph)
    for triple, spot in zip(triples, found, strict=True):
        for term, at in zip(triple, spot, strict=True):
            assert isinstance(term, ox.BlankNode) or re.split("[/#]", term.value)[-1][:20] in text[at:]


def test_what_the_w3c_wrote_is_found_or_left_alone() -> None:
    seen = {"found": 0, "new syntax": 0}
    for path in sorted(require_shared("w3c", "sparql").rglob("*")):
        if path.suffix[1:] not in FORMATS:
            continue
        text = path.read_bytes().decode(errors="replace")
        try:
            triples, found = read(text, path.suffix[1:])
        except SyntaxError:
            continue
        if len(found) == len(triples):
            seen["found"] += 1
        else:
            assert found == []
            assert re.search(r"<<|\{\||~", text), path
            seen["new syntax"] += 1
    assert seen["found"] > 500
    assert seen["new syntax"] > 10


def test_what_is_not_known_is_found_nowhere() -> None:
    triples, _ = read("<http://x/s> <http://x/p> 1 .", "ttl")
    assert find_triple_positions("<rdf/>", "application/rdf+xml", triples) == []
    for text in ("", "]", ") .", '"""', "\\", "<http://x/s> <http://x/p> 2 .", "<s> <p> 1 .\n<s> <p> 1 ."):
        for format_ in FORMATS.values():
            assert find_triple_positions(text, format_.media_type, triples) == []

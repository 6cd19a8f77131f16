"""What can be chosen in a field: the known things that its shape allows, with their labels."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import pyoxigraph as ox

from .. import known
from ..markdown.values import ID, iri
from ..rules import rules
from ..steering import cut

LONGEST = 120  # characters of a label
LABELS = ("skos:prefLabel", "foaf:name", "rdfs:label", "dcterms:title")
SAYING = "dcterms:description"


class Choice(NamedTuple):
    """Something to choose: what is sent, and what is shown."""

    words: str
    label: str


@cache
def store() -> ox.Store:
    """The shipped facts and the vocabulary, to be asked."""
    found = ox.Store()
    found.bulk_extend(ox.Quad(*one) for one in (*known.facts(), *known.ontology()))
    return found


@cache
def things(pattern: str, folder: str, language: str) -> tuple[Choice, ...]:
    """The things that fit a pattern of SPARQL and whose addresses begin so, by their names."""
    rows = store().query(f"SELECT DISTINCT ?thing WHERE {{ {pattern} }}")
    assert isinstance(rows, ox.QuerySolutions)
    below = f"{ID}{folder}"
    nodes = [one["thing"] for one in rows if str(one["thing"].value).startswith(below)]
    found = [Choice(one.value.removeprefix(below), label(one, language)) for one in nodes]
    return tuple(sorted(found, key=lambda one: by_number(one.words)))


def by_number(words: str) -> list[tuple[int, str]]:
    """The order of names in which 9 comes before 10."""
    return [(int(one), "") if one.isdigit() else (0, one) for one in words.replace(".", "/").split("/")]


@cache
def label(node: ox.NamedNode, language: str) -> str:
    """What a thing is called, and what it says where it is a passage."""
    named = (text for one in LABELS if (text := spoken(node, one, language)))
    said = spoken(node, SAYING, language) if "/document/" in node.value else ""
    return cut(": ".join(filter(None, (next(named, ""), said))) or node.value.removeprefix(ID), LONGEST)


def spoken(node: ox.NamedNode, name: str, language: str) -> str:
    """A text of a thing in a language, or in English, or in any."""
    found = [one.object for one in store().quads_for_pattern(node, iri(name), None, None)]
    texts: Sequence[ox.Literal] = [one for one in found if isinstance(one, ox.Literal)]
    liked = sorted(
        texts, key=lambda one: (one.language != language, one.language != "en", bool(one.language), one.value)
    )
    return liked[0].value if liked else ""


@cache
def codes(language: str) -> tuple[Choice, ...]:
    """The rules that a paper may waive."""
    found = [one for one in rules().values() if "-WAIVER-" not in one.code]
    return tuple(Choice(one.code, one.name.get(language, one.name["en"])) for one in found)

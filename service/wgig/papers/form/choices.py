"""Choices of form fields: what the shapes require of a property, and the known resources that they allow.

From the rules on one property come its name, its reason, whether it is required, and its values. Choices are
looked up in the shipped facts and vocabulary, with their labels in natural order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import pyoxigraph as ox

from ...rdf import shipped
from ...rdf.namespaces import BASE, OUTSIDE, SH
from ...shacl.rules import Rule, path_text, rules, subjects
from ...text import cut
from ..markdown.values import ID, iri

NAMING = ("-MISSING", "-VALUE")  # the rules that name a property best, by the ends of their codes


@dataclass(frozen=True)
class Asked:
    """What the rules on one property of the paper or of a kind of its parts ask together."""

    rules: tuple[Rule, ...]

    @property
    def naming(self) -> Rule:
        """The rule whose name is that of the property."""
        early = [one for one in self.rules if one.profile != "final"]
        named = (one for end in NAMING for one in early if one.code.endswith(end))
        return next(named, self.rules[0])

    @property
    def required(self) -> bool:
        """Whether the template asks for it."""
        return any(one.required and one.path for one in self.rules)

    @property
    def once(self) -> bool:
        """Whether there may be one value only."""
        return any(one.component == "MaxCount" for one in self.rules)

    @property
    def datatype(self) -> str:
        """The local name of the datatype of the values: `langString` for any text, empty for none."""
        found = [str(end.value) for end in self.ends("datatype")]
        if not found and any(self.ends("nodeKind")):
            return "langString"
        return found[0].rpartition("#")[2] if found else ""

    @property
    def things(self) -> str:
        """The pattern of SPARQL that the values `?thing` fit, empty where they may be anything."""
        for end in self.ends("class"):
            return f"?thing a/<{OUTSIDE['rdfs']}subClassOf>* {end}"
        for path, end in self.with_value():
            return f"?thing {path} {end}"
        return ""

    def ends(self, name: str) -> Iterator[Any]:
        """The values of a property of SHACL in the shapes, and in those that they name by sh:node."""
        said = subjects()
        for one in self.rules:
            of = said[ox.NamedNode(one.iri)]
            yield from of.get(f"{SH}{name}", [])
            for inner in of.get(f"{SH}node", []):
                yield from said[inner].get(f"{SH}{name}", [])

    def with_value(self) -> Iterator[tuple[str, Any]]:
        """The paths that must lead from a value to a thing, with that thing."""
        said = subjects()
        for inner in self.ends("property"):
            for end in said[inner].get(f"{SH}hasValue", []):
                yield path_text(said[inner][f"{SH}path"][0], said), end


@cache
def find_constraint(step: str, property_: str) -> Asked | None:
    """What is asked of a property of the paper, or of what its property `step` leads to; None: nothing."""
    found = [
        one
        for one in rules().values()
        if not one.counted.startswith(f"{BASE}id/principle/")  # which is asked for part by part
        and property_ in one.predicates
        and (step in one.steps if step else not one.steps)
        and (one.path == f"<{property_}>" or one.component != "QualifiedMinCount")
    ]
    return Asked(tuple(found)) if found else None


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
    found.bulk_extend(ox.Quad(*one) for one in (*shipped.facts(), *shipped.ontology()))
    return found


@cache
def list_choices(pattern: str, folder: str, language: str) -> tuple[Choice, ...]:
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

"""Choices of form fields: what the shapes require of a property, and the known resources that they allow.

From the rules on one property come its name, its reason, whether it is required, and its values. Choices are
looked up in the shipped facts and vocabulary, with their labels in natural order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import pyoxigraph as ox

from ...rdf import shipped
from ...rdf.labels import best_text
from ...rdf.namespaces import BASE_IRI, ID_NAMESPACE, RDFS_NAMESPACE, SH_NAMESPACE, expand_curie
from ...shacl.rules import Rule, format_property_path, rules_by_code, shape_statements
from ...text import shorten_untrusted_text

# The rules that name a property best, by the ends of their codes.
NAMING_CODE_SUFFIXES = ("-MISSING", "-VALUE")


@dataclass(frozen=True)
class PropertyConstraint:
    """What the rules on one property of the paper or of a kind of its parts ask together."""

    rules: tuple[Rule, ...]

    @property
    def naming_rule(self) -> Rule:
        """The rule whose name is that of the property."""
        early = [one for one in self.rules if one.profile != "final"]
        named = (one for end in NAMING_CODE_SUFFIXES for one in early if one.code.endswith(end))
        return next(named, self.rules[0])

    @property
    def required(self) -> bool:
        """Whether the template asks for it."""
        return any(one.required and one.path for one in self.rules)

    @property
    def is_single(self) -> bool:
        """Whether there may be one value only."""
        return any(one.component == "MaxCount" for one in self.rules)

    @property
    def datatype(self) -> str:
        """The local name of the datatype of the values: `langString` for any text, empty for none."""
        found = [str(end.value) for end in self.iter_shape_values("datatype")]
        if not found and any(self.iter_shape_values("nodeKind")):
            return "langString"
        return found[0].rpartition("#")[2] if found else ""

    @property
    def choice_pattern(self) -> str:
        """The pattern of SPARQL that the values `?thing` fit, empty where they may be anything."""
        for end in self.iter_shape_values("class"):
            return f"?thing a/<{RDFS_NAMESPACE}subClassOf>* {end}"
        for path, end in self.iter_required_values():
            return f"?thing {path} {end}"
        return ""

    def iter_shape_values(self, name: str) -> Iterator[Any]:
        """The values of a property of SHACL in the shapes, and in those that they name by sh:node."""
        said = shape_statements()
        for one in self.rules:
            of = said[ox.NamedNode(one.iri)]
            yield from of.get(f"{SH_NAMESPACE}{name}", [])
            for inner in of.get(f"{SH_NAMESPACE}node", []):
                yield from said[inner].get(f"{SH_NAMESPACE}{name}", [])

    def iter_required_values(self) -> Iterator[tuple[str, Any]]:
        """The paths that must lead from a value to a thing, with that thing."""
        said = shape_statements()
        for inner in self.iter_shape_values("property"):
            for end in said[inner].get(f"{SH_NAMESPACE}hasValue", []):
                yield format_property_path(said[inner][f"{SH_NAMESPACE}path"][0], said), end


@cache
def find_property_constraint(step: str, property_: str) -> PropertyConstraint | None:
    """What is asked of a property of the paper, or of what its property `step` leads to; None: nothing."""
    found = [
        one
        for one in rules_by_code().values()
        if not one.counted_criterion.startswith(f"{BASE_IRI}id/principle/")  # which is asked for part by part
        and property_ in one.predicates
        and (step in one.steps if step else not one.steps)
        and (one.path == f"<{property_}>" or one.component != "QualifiedMinCount")
    ]
    return PropertyConstraint(tuple(found)) if found else None


MAX_CHOICE_LABEL_CHARACTERS = 120  # characters of a label
CHOICE_LABEL_PROPERTIES = ("skos:prefLabel", "foaf:name", "rdfs:label", "dcterms:title")
PASSAGE_TEXT_PROPERTY = "dcterms:description"


class FieldChoice(NamedTuple):
    """Something to choose: what is sent, and what is shown."""

    words: str
    label: str


@cache
def build_shipped_store() -> ox.Store:
    """The shipped facts and the vocabulary, to be asked."""
    found = ox.Store()
    found.bulk_extend(ox.Quad(*one) for one in (*shipped.shipped_facts(), *shipped.shipped_ontology()))
    return found


@cache
def list_matching_choices(pattern: str, folder: str, language: str) -> tuple[FieldChoice, ...]:
    """The things that fit a pattern of SPARQL and whose addresses begin so, by their names."""
    rows = build_shipped_store().query(f"SELECT DISTINCT ?thing WHERE {{ {pattern} }}")
    assert isinstance(rows, ox.QuerySolutions)
    below = f"{ID_NAMESPACE}{folder}"
    nodes = [one["thing"] for one in rows if str(one["thing"].value).startswith(below)]
    found = [FieldChoice(one.value.removeprefix(below), choice_label(one, language)) for one in nodes]
    return tuple(sorted(found, key=lambda one: natural_path_key(one.words)))


def natural_path_key(words: str) -> list[tuple[int, str]]:
    """The order of names in which 9 comes before 10."""
    return [(int(one), "") if one.isdigit() else (0, one) for one in words.replace(".", "/").split("/")]


@cache
def choice_label(node: ox.NamedNode, language: str) -> str:
    """What a thing is called, and what it says where it is a passage."""
    named = (text for one in CHOICE_LABEL_PROPERTIES if (text := best_shipped_text(node, one, language)))
    said = best_shipped_text(node, PASSAGE_TEXT_PROPERTY, language) if "/document/" in node.value else ""
    return shorten_untrusted_text(
        ": ".join(filter(None, (next(named, ""), said))) or node.value.removeprefix(ID_NAMESPACE),
        MAX_CHOICE_LABEL_CHARACTERS,
    )


def best_shipped_text(node: ox.NamedNode, name: str, language: str) -> str:
    """A text of a thing in a language, or in English, or in any."""
    said = build_shipped_store().quads_for_pattern(node, expand_curie(name), None, None)
    return best_text((one.object for one in said), (language,)).value


@cache
def list_waivable_rules(language: str) -> tuple[FieldChoice, ...]:
    """The rules that a paper may waive."""
    found = [one for one in rules_by_code().values() if "-WAIVER-" not in one.code]
    return tuple(FieldChoice(one.code, one.name.get(language, one.name["en"])) for one in found)

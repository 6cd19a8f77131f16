"""Choices of form fields: what the shapes require of a property, and the known resources that they allow.

The rules on a property give its name, its reason, whether it is required, and its values. Choices come from
the shipped facts and vocabulary, with their labels in natural order.
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

# The endings of the codes of rules whose name is that of the property, the best first.
NAMING_CODE_SUFFIXES = ("-MISSING", "-VALUE")


@dataclass(frozen=True)
class PropertyConstraint:
    """The rules on one property of the paper or of a kind of part, taken together."""

    rules: tuple[Rule, ...]

    @property
    def naming_rule(self) -> Rule:
        """The rule whose name is that of the property."""
        candidates = [rule for rule in self.rules if rule.profile != "final"]
        preferred = (
            rule for suffix in NAMING_CODE_SUFFIXES for rule in candidates if rule.code.endswith(suffix)
        )
        return next(preferred, self.rules[0])

    @property
    def required(self) -> bool:
        """Whether the template requires the property."""
        return any(rule.required and rule.path for rule in self.rules)

    @property
    def is_single(self) -> bool:
        """Whether only one value is allowed."""
        return any(rule.component == "MaxCount" for rule in self.rules)

    @property
    def datatype(self) -> str:
        """The local name of the datatype of the values: `langString` for any text, empty for none."""
        datatypes = [str(term.value) for term in self.iter_shape_values("datatype")]
        if not datatypes and any(self.iter_shape_values("nodeKind")):
            return "langString"
        return datatypes[0].rpartition("#")[2] if datatypes else ""

    @property
    def choice_pattern(self) -> str:
        """The SPARQL pattern that the values `?thing` match; empty where any value is allowed."""
        for term in self.iter_shape_values("class"):
            return f"?thing a/<{RDFS_NAMESPACE}subClassOf>* {term}"
        for path, term in self.iter_required_values():
            return f"?thing {path} {term}"
        return ""

    def iter_shape_values(self, name: str) -> Iterator[Any]:
        """The values of a SHACL property in the shapes, and in the shapes to which sh:node leads."""
        statements = shape_statements()
        for rule in self.rules:
            shape = statements[ox.NamedNode(rule.iri)]
            yield from shape.get(f"{SH_NAMESPACE}{name}", [])
            for node_shape in shape.get(f"{SH_NAMESPACE}node", []):
                yield from statements[node_shape].get(f"{SH_NAMESPACE}{name}", [])

    def iter_required_values(self) -> Iterator[tuple[str, Any]]:
        """The paths that must lead from a value to some node (sh:hasValue), with that node."""
        statements = shape_statements()
        for property_shape in self.iter_shape_values("property"):
            for node in statements[property_shape].get(f"{SH_NAMESPACE}hasValue", []):
                yield (
                    format_property_path(statements[property_shape][f"{SH_NAMESPACE}path"][0], statements),
                    node,
                )


@cache
def find_property_constraint(step: str, property_: str) -> PropertyConstraint | None:
    """The rules on a property of the paper, or of what its property `step` leads to; None without rules."""
    rules = [
        rule
        for rule in rules_by_code().values()
        if not rule.counted_criterion.startswith(
            f"{BASE_IRI}id/principle/"
        )  # these require one assessment per criterion
        and property_ in rule.predicates
        and (step in rule.steps if step else not rule.steps)
        and (rule.path == f"<{property_}>" or rule.component != "QualifiedMinCount")
    ]
    return PropertyConstraint(tuple(rules)) if rules else None


MAX_CHOICE_LABEL_CHARACTERS = 120  # characters of a label
CHOICE_LABEL_PROPERTIES = ("skos:prefLabel", "foaf:name", "rdfs:label", "dcterms:title")
PASSAGE_TEXT_PROPERTY = "dcterms:description"


class FieldChoice(NamedTuple):
    """A choice of a field: the text that is sent, and the label that is shown."""

    words: str
    label: str


@cache
def build_shipped_store() -> ox.Store:
    """The shipped facts and the vocabulary as a store for queries."""
    store = ox.Store()
    store.bulk_extend(ox.Quad(*triple) for triple in (*shipped.shipped_facts(), *shipped.shipped_ontology()))
    return store


@cache
def list_matching_choices(pattern: str, folder: str, language: str) -> tuple[FieldChoice, ...]:
    """The resources below a folder of id/ that match a SPARQL pattern, in natural order of their names."""
    rows = build_shipped_store().query(f"SELECT DISTINCT ?thing WHERE {{ {pattern} }}")
    assert isinstance(rows, ox.QuerySolutions)
    iri_prefix = f"{ID_NAMESPACE}{folder}"
    nodes = [row["thing"] for row in rows if str(row["thing"].value).startswith(iri_prefix)]
    choices = [
        FieldChoice(node.value.removeprefix(iri_prefix), choice_name(node, language)) for node in nodes
    ]
    return tuple(sorted(choices, key=lambda choice: natural_path_key(choice.words)))


def natural_path_key(path: str) -> list[tuple[int, str]]:
    """The sort key of a path, by which 9 comes before 10."""
    return [
        (int(segment), "") if segment.isdigit() else (0, segment)
        for segment in path.replace(".", "/").split("/")
    ]


@cache
def choice_name(node: ox.NamedNode, language: str) -> str:
    """The name of a resource, with the text of a passage of a document."""
    names = (text for curie in CHOICE_LABEL_PROPERTIES if (text := best_shipped_text(node, curie, language)))
    passage_text = (
        best_shipped_text(node, PASSAGE_TEXT_PROPERTY, language) if "/document/" in node.value else ""
    )
    return shorten_untrusted_text(
        ": ".join(filter(None, (next(names, ""), passage_text))) or node.value.removeprefix(ID_NAMESPACE),
        MAX_CHOICE_LABEL_CHARACTERS,
    )


def best_shipped_text(node: ox.NamedNode, curie: str, language: str) -> str:
    """A text of a resource in a language, or else in English, or in any."""
    quads = build_shipped_store().quads_for_pattern(node, expand_curie(curie), None, None)
    return best_text((quad.object for quad in quads), (language,)).value


@cache
def list_waivable_rules(language: str) -> tuple[FieldChoice, ...]:
    """The rules that a paper may waive."""
    rules = [rule for rule in rules_by_code().values() if "-WAIVER-" not in rule.code]
    return tuple(FieldChoice(rule.code, rule.name.get(language, rule.name["en"])) for rule in rules)

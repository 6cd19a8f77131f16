"""The constraints of the SHACL shapes on form fields, and the choices that a field offers.

The rules on a property contain its name, why and whether it is required, and the allowed values. Choices are
resources in the bundled facts and vocabulary, sorted so that `declaration/9` comes before `declaration/10`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import pyoxigraph as ox
from wgig_client.namespaces import BASE_IRI

from ...rdf import shipped
from ...rdf.labels import best_text
from ...rdf.namespaces import ID_NAMESPACE, RDFS_NAMESPACE, SH_NAMESPACE, expand_curie
from ...shacl.rules import Rule, format_property_path, rules_by_code, shape_statements
from ...text import shorten_untrusted_text, slugify_words

# A rule whose code ends in one of these has the name of its property. The first suffix is preferred.
NAMING_CODE_SUFFIXES = ("-MISSING", "-VALUE")


@dataclass(frozen=True)
class PropertyConstraint:
    """The rules on one property of the paper or of a part such as a forum."""

    rules: tuple[Rule, ...]

    @property
    def naming_rule(self) -> Rule:
        """The rule whose name is that of the property."""
        # Rules of the profile `final` are named after conditions, such as "posted on time".
        candidates = [rule for rule in self.rules if rule.profile != "final"]
        preferred = (
            rule for suffix in NAMING_CODE_SUFFIXES for rule in candidates if rule.code.endswith(suffix)
        )
        return next(preferred, self.rules[0])

    @property
    def required(self) -> bool:
        """Whether the template requires the property."""
        return self.required_rule is not None

    @property
    def required_rule(self) -> Rule | None:
        """The rule by which the template requires the property, or None."""
        return next((rule for rule in self.rules if rule.required and rule.path), None)

    @property
    def is_single(self) -> bool:
        """Whether at most one value is allowed."""
        return any(rule.component == "MaxCount" for rule in self.rules)

    @property
    def datatype(self) -> str:
        """The local name of the datatype: `langString` also if any text is allowed, empty without a rule."""
        datatypes = [str(term.value) for term in self.iter_shape_values("datatype")]
        if not datatypes and any(self.iter_shape_values("nodeKind")):
            return "langString"
        return datatypes[0].rpartition("#")[2] if datatypes else ""

    @property
    def choice_pattern(self) -> str:
        """The SPARQL pattern of the allowed values `?thing`; empty if any value is allowed."""
        for term in self.iter_shape_values("class"):
            return f"?thing a/<{RDFS_NAMESPACE}subClassOf>* {term}"
        for path, term in self.iter_required_values():
            return f"?thing {path} {term}"
        return ""

    def iter_shape_values(self, name: str) -> Iterator[Any]:
        """The values of a SHACL property in the shapes of the rules, and in their sh:node shapes."""
        statements = shape_statements()
        for rule in self.rules:
            shape = statements[ox.NamedNode(rule.iri)]
            yield from shape.get(f"{SH_NAMESPACE}{name}", [])
            for node_shape in shape.get(f"{SH_NAMESPACE}node", []):
                yield from statements[node_shape].get(f"{SH_NAMESPACE}{name}", [])

    def iter_required_values(self) -> Iterator[tuple[str, Any]]:
        """The paths that a value must have to a certain node (sh:hasValue), each with the node."""
        statements = shape_statements()
        for property_shape in self.iter_shape_values("property"):
            for node in statements[property_shape].get(f"{SH_NAMESPACE}hasValue", []):
                yield (
                    format_property_path(statements[property_shape][f"{SH_NAMESPACE}path"][0], statements),
                    node,
                )


@cache
def find_property_constraint(step: str, property_: str) -> PropertyConstraint | None:
    """The rules on a property of the paper, or of the values of the property `step`; None without rules."""
    rules = [
        rule
        for rule in rules_by_code().values()
        # Rules that count assessments by a criterion, or values at the end of a longer path, are not on the
        # property alone.
        if not rule.counted_criterion.startswith(f"{BASE_IRI}id/principle/")
        and property_ in rule.predicates
        and (step in rule.steps if step else not rule.steps)
        and (rule.path == f"<{property_}>" or rule.component != "QualifiedMinCount")
    ]
    return PropertyConstraint(tuple(rules)) if rules else None


MAX_CHOICE_LABEL_CHARACTERS, MAX_NAME_CHARACTERS = 120, 500  # of a label, and of a name on its own
CHOICE_LABEL_PROPERTIES = ("skos:prefLabel", "foaf:name", "rdfs:label", "dcterms:title")
PASSAGE_TEXT_PROPERTY = "dcterms:description"


class FieldChoice(NamedTuple):
    """A choice of a field: the value that a browser sends, and the label that it shows."""

    value: str
    label: str


@cache
def build_shipped_store() -> ox.Store:
    """A store with the bundled facts and the vocabulary, for queries."""
    store = ox.Store()
    store.bulk_extend(ox.Quad(*triple) for triple in (*shipped.shipped_facts(), *shipped.shipped_ontology()))
    return store


@cache
def list_matching_choices(pattern: str, folder: str, language: str) -> tuple[FieldChoice, ...]:
    """The resources `?thing` that match a SPARQL pattern, below a folder of id/, by path in natural order."""
    rows = build_shipped_store().query(f"SELECT DISTINCT ?thing WHERE {{ {pattern} }}")
    assert isinstance(rows, ox.QuerySolutions)
    iri_prefix = f"{ID_NAMESPACE}{folder}"
    nodes = [row["thing"] for row in rows if str(row["thing"].value).startswith(iri_prefix)]
    choices = [
        FieldChoice(node.value.removeprefix(iri_prefix), choice_name(node, language)) for node in nodes
    ]
    return tuple(sorted(choices, key=lambda choice: natural_path_key(choice.value)))


def natural_path_key(path: str) -> list[tuple[int, str]]:
    """The key that sorts a path in natural order: `declaration/9` before `declaration/10`."""
    return [
        (int(segment), "") if segment.isdigit() else (0, segment)
        for segment in path.replace(".", "/").split("/")
    ]


MAX_NEAR_CHOICES = 3
MIN_SHARED_WORDS = 0.5  # of the words of a text, at most 1
MIN_WORD_CHARACTERS = 3


def find_near_choices(text: str, choices: Iterable[FieldChoice]) -> list[FieldChoice]:
    """At most MAX_NEAR_CHOICES choices that have at least half of the words of a text, the best first."""
    words = split_long_words(text)
    shared_counts = {
        choice: len(words & split_long_words(f"{choice.value} {choice.label}")) for choice in choices
    }
    near = [
        choice for choice, count in shared_counts.items() if count and count >= MIN_SHARED_WORDS * len(words)
    ]
    return sorted(near, key=lambda choice: (-shared_counts[choice], len(choice.label)))[:MAX_NEAR_CHOICES]


def split_long_words(text: str) -> set[str]:
    """The words of a text that have at least MIN_WORD_CHARACTERS, casefolded."""
    return {word for word in slugify_words(text).split("-") if len(word) >= MIN_WORD_CHARACTERS}


@cache
def choice_name(node: ox.NamedNode, language: str, max_characters: int = MAX_CHOICE_LABEL_CHARACTERS) -> str:
    """The name of a resource, shortened. After the name of a passage of a document comes its text."""
    names = (text for curie in CHOICE_LABEL_PROPERTIES if (text := best_shipped_text(node, curie, language)))
    passage_text = (
        best_shipped_text(node, PASSAGE_TEXT_PROPERTY, language) if "/document/" in node.value else ""
    )
    return shorten_untrusted_text(
        ": ".join(filter(None, (next(names, ""), passage_text))) or node.value.removeprefix(ID_NAMESPACE),
        max_characters,
    )


def best_shipped_text(node: ox.NamedNode, curie: str, language: str) -> str:
    """A text of a resource in the bundled facts: in a language, else in English, else in any language."""
    quads = build_shipped_store().quads_for_pattern(node, expand_curie(curie), None, None)
    return best_text((quad.object for quad in quads), (language,)).value


@cache
def list_waivable_rules(language: str) -> tuple[FieldChoice, ...]:
    """The rules that a paper may waive: all but those on waivers."""
    rules = [rule for rule in rules_by_code().values() if "-WAIVER-" not in rule.code]
    return tuple(FieldChoice(rule.code, rule.name.get(language, rule.name["en"])) for rule in rules)

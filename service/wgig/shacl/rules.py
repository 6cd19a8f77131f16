"""The rules for issue papers, read from the shapes: constraint, section of the template, names and messages.

A `ShapeRule` is a constraint of other shapes, which have no sections and profiles.

Names and messages are in six languages. Reasons are in English; the message catalogs (`locale/`) have their
translations for pages.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, BinaryIO

import pyoxigraph as ox
from wgig_client.namespaces import BASE_IRI, DCTERMS_NAMESPACE

from ..i18n import PAGE_LANGUAGES
from ..problems import Problem
from ..rdf.namespaces import (
    RDF_NAMESPACE,
    RDF_NIL,
    RDFS_NAMESPACE,
    SH_NAMESPACE,
    WGIG_NAMESPACE,
    expand_curie,
)
from ..rdf.shipped import shipped_triples
from ..rdf.vocabulary import ObjectsBySubject, group_objects_by_subject

SHAPES_NAMESPACE = f"{BASE_IRI}shapes#"
PROFILE_NAMESPACE = f"{BASE_IRI}id/profile/"
CHECK_PROFILES = ("draft", "complete", "final")  # each includes the rules of the profiles before it
SHAPES_PROFILE = "shapes"  # in place of a profile, the shapes that the sender chose
# The severities that make a paper fail a profile.
BLOCKING_SEVERITIES = {"draft": {"Violation"}, "complete": {"Violation"}, "final": {"Violation", "Warning"}}
MESSAGE_LANGUAGES = tuple(PAGE_LANGUAGES)
TEMPLATE_SECTIONS = range(9)  # 0 is the paper itself
COMMENTS_SECTION = 8  # the only section without a required part

# The constraint components (SHACL, section 4) without their ending, by the property that declares them.
CONSTRAINT_COMPONENTS = {
    "class": "Class",
    "datatype": "Datatype",
    "maxCount": "MaxCount",
    "minCount": "MinCount",
    "minLength": "MinLength",
    "node": "Node",
    "nodeKind": "NodeKind",
    "not": "Not",
    "or": "Or",
    "pattern": "Pattern",
    "qualifiedMaxCount": "QualifiedMaxCount",
    "qualifiedMinCount": "QualifiedMinCount",
    "sparql": "SPARQL",
    "uniqueLang": "UniqueLang",
}
# The components whose results have no sh:value.
EXAMPLE_VALUE_PATTERN = re.compile(r"^ *[\w-]+: (.+)$", re.MULTILINE)  # the first `key: value` of an example
VALUELESS_COMPONENTS = {"MaxCount", "MinCount", "QualifiedMaxCount", "QualifiedMinCount", "UniqueLang"}
# Properties of shapes that document them and state no constraint.
DOCUMENTATION_PROPERTY_PATTERN = re.compile(
    rf"{SH_NAMESPACE}(message|name|description|order|group)|{WGIG_NAMESPACE}exampleIn\w+"
    rf"|({RDFS_NAMESPACE}|{DCTERMS_NAMESPACE})\w+"
)
NON_SHACL_COMPONENT = "Closed"  # the nearest component for rules that SHACL cannot express


def validate_profile_name(name: str) -> str:
    """Return the name of a profile unchanged. Raises Problem 400 for an unknown one."""
    if name not in CHECK_PROFILES:
        raise Problem(400, f"There is no profile {name!r}. Use one of: {', '.join(CHECK_PROFILES)}.")
    return name


@dataclass(frozen=True, eq=False)
class Rule:
    """One rule: a shape with one constraint. There is one object per rule, so rules are compared by identity.

    - `code`: the local name of the shape; `profile`: the first profile that has the rule
    - `severity`: `Violation`, `Warning` or `Info`
    - `section`: the number of the section of the template; `order`: the place of the rule in the section
    - `component`: the local name of its constraint component without `ConstraintComponent`
    - `path`: the property path in SPARQL syntax, empty for a node shape
    - `predicates`: the IRIs in the path, or in the paths of the alternatives (sh:or) of a node shape
    - `steps`: the properties from the paper to the focus node, empty if the paper is the focus node
    - `counted_criterion`: the IRI of the criterion whose assessments the rule counts, or empty
    - `name`, `message`: by language
    - `in_turtle`, `in_markdown`: an example of a fix
    """

    code: str
    profile: str
    severity: str
    section: int
    order: int
    component: str
    path: str
    predicates: tuple[str, ...]
    steps: tuple[str, ...]
    counted_criterion: str
    name: Mapping[str, str]
    message: Mapping[str, str]
    reason: str
    in_turtle: str
    in_markdown: str

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        """Pickle only the code, as each process has one object per rule."""
        return get_rule, (self.code,)

    @property
    def iri(self) -> str:
        """The IRI of the shape."""
        return SHAPES_NAMESPACE + self.code

    @property
    def example_value(self) -> str:
        """The value in the example in Markdown, without the key or mark before it."""
        match = EXAMPLE_VALUE_PATTERN.search(self.in_markdown)
        return match[1] if match else self.in_markdown.rpartition("\n")[2].lstrip("- ")

    @property
    def part(self) -> str:
        """The part of the template, such as `7b`; `0` is the paper as a whole."""
        return self.code.split("-")[1].lower()

    @property
    def required(self) -> bool:
        """Whether the rule requires a part of the template, without which a paper is incomplete."""
        return self.code.endswith("-MISSING") and self.severity == "Violation" and self.profile == "complete"

    @property
    def reports_value(self) -> bool:
        """Whether the results of the rule have a value (sh:value)."""
        return self.component not in VALUELESS_COMPONENTS

    def is_in_profile(self, profile: str) -> bool:
        """Whether a profile has the rule."""
        return CHECK_PROFILES.index(self.profile) <= CHECK_PROFILES.index(profile)

    def is_blocking(self, profile: str) -> bool:
        """Whether a paper that breaks the rule fails the profile, if the profile has the rule."""
        return self.severity in BLOCKING_SEVERITIES[profile]

    def message_in(self, language: str) -> str:
        """The message in a language, or in English."""
        return choose_text(self.message, language)

    def name_in(self, language: str) -> str:
        """The name in a language, or in English."""
        return choose_text(self.name, language)


def choose_text(texts: Mapping[str, str], language: str) -> str:
    """Of texts by language, the one in a language, or in English, or the first. The key "" is no language."""
    return next(texts[tag] for tag in (language, "en", *texts) if tag in texts)


@dataclass(frozen=True, eq=False, kw_only=True)
class ShapeRule(Rule):
    """A constraint of a shape that the sender chose; without `component`, a note about the shapes.

    `code` has the local names of shape, path and constraint. `shape` is the IRI or blank node of the shape,
    and `component_iri` and `severity_iri` are those of the results. `path_triples` describe `path_node`, the
    node of the path, if it is a blank node. `message` may be in any language, or in none ("").
    """

    shape: Any
    shape_iri: str
    component_iri: str
    severity_iri: str
    path_node: Any
    path_triples: tuple[ox.Triple, ...]

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        """Pickle all fields, as another process does not have the shapes."""
        return restore_shape_rule, tuple(getattr(self, field.name) for field in fields(self))

    @property
    def iri(self) -> str:
        """The IRI of the shape, or of the one around it if that is a blank node; empty if there is none."""
        return self.shape_iri

    @property
    def part(self) -> str:
        """No part of the template."""
        return ""

    @property
    def is_note(self) -> bool:
        """Whether this is a note about the shapes instead of a constraint."""
        return not self.component

    def is_blocking(self, profile: str) -> bool:
        """Whether data that violates the constraint does not conform: always (SHACL, section 3.6.1.1)."""
        del profile
        return not self.is_note


def restore_shape_rule(*values: Any) -> ShapeRule:
    """The rule with these values of its fields, in their order."""
    return ShapeRule(**dict(zip((field.name for field in fields(ShapeRule)), values, strict=True)))


@dataclass(frozen=True)
class SectionHeading:
    """A section of the template: its number, and its title by language."""

    number: int
    title: Mapping[str, str]

    def title_in(self, language: str) -> str:
        """The title in a language, or in English."""
        return self.title.get(language, self.title["en"])


@cache
def read_shape_triples() -> tuple[ox.Triple, ...]:
    """The triples of the shapes for issue papers."""
    return shipped_triples("shapes/issue-paper*.ttl")


@cache
def constraint_triples() -> tuple[ox.Triple, ...]:
    """The triples of the shapes for the validation engine, shifty, without documentation.

    Reading documentation would take a tenth of its time. The message of each rule is its code, as shifty
    merges rules that have the same constraint and message.
    """
    codes = (
        ox.Triple(ox.NamedNode(rule.iri), expand_curie("sh:message"), ox.Literal(code))
        for code, rule in rules_by_code().items()
    )
    return (
        *(
            triple
            for triple in read_shape_triples()
            if not DOCUMENTATION_PROPERTY_PATTERN.fullmatch(triple.predicate.value)
        ),
        *codes,
    )


@cache
def rules_by_code() -> dict[str, Rule]:
    """All rules by code, in the order of the template."""
    statements = shape_statements()
    rules = [
        parse_rule_shape(subject, shape, statements)
        for subject, shape in statements.items()
        if is_rule_shape(subject)
    ]
    return {rule.code: rule for rule in sorted(rules, key=lambda rule: (rule.section, rule.order))}


def is_rule_shape(subject: Any) -> bool:
    """Whether a subject in the shapes is the shape of a rule."""
    return isinstance(subject, ox.NamedNode) and subject.value.startswith(f"{SHAPES_NAMESPACE}WGIG-")


def get_rule(code: str) -> Rule:
    """The rule with this code."""
    return rules_by_code()[code]


@cache
def required_rules() -> list[Rule]:
    """The rules for the parts that the template requires, in its order."""
    return [rule for rule in rules_by_code().values() if rule.required]


@cache
def section_headings() -> dict[int, SectionHeading]:
    """The sections of the template by number."""
    statements = shape_statements()
    labels = {
        number: statements[ox.NamedNode(f"{SHAPES_NAMESPACE}section-{number}")][f"{RDFS_NAMESPACE}label"]
        for number in TEMPLATE_SECTIONS
    }
    return {
        number: SectionHeading(number, group_texts_by_language(titles)) for number, titles in labels.items()
    }


@cache
def shape_statements() -> ObjectsBySubject:
    """The objects of the shapes' triples, by subject and property."""
    return group_objects_by_subject(read_shape_triples())


def parse_rule_shape(
    subject: ox.NamedNode, shape: dict[str, list[Any]], statements: ObjectsBySubject
) -> Rule:
    """A rule from the statements of its shape."""

    def first_value(property_: str) -> str:
        return str(shape[property_][0].value)

    path = format_shape_path(shape, statements)
    components = [name for name in CONSTRAINT_COMPONENTS if f"{SH_NAMESPACE}{name}" in shape]
    return Rule(
        code=subject.value.removeprefix(SHAPES_NAMESPACE),
        profile=first_value(f"{DCTERMS_NAMESPACE}isPartOf").removeprefix(PROFILE_NAMESPACE),
        severity=first_value(f"{SH_NAMESPACE}severity").removeprefix(SH_NAMESPACE),
        section=int(first_value(f"{SH_NAMESPACE}group").rpartition("-")[2]),
        order=int(first_value(f"{SH_NAMESPACE}order")),
        component=CONSTRAINT_COMPONENTS[components[0]] if components else NON_SHACL_COMPONENT,
        path=path,
        predicates=tuple(
            re.findall(r"<([^>]*)>", path or "|".join(list_alternative_paths(shape, statements)))
        ),
        steps=tuple(step.value for step in shape.get(f"{SH_NAMESPACE}targetObjectsOf", [])),
        counted_criterion=find_counted_criterion(shape, statements),
        name=group_texts_by_language(
            [*shape.get(f"{SH_NAMESPACE}name", []), *shape.get(f"{RDFS_NAMESPACE}label", [])]
        ),
        message=group_texts_by_language(shape[f"{SH_NAMESPACE}message"]),
        reason=rule_reason(shape),
        in_turtle=first_value(f"{WGIG_NAMESPACE}exampleInTurtle"),
        in_markdown=first_value(f"{WGIG_NAMESPACE}exampleInMarkdown"),
    )


def rule_reason(shape: dict[str, list[Any]]) -> str:
    """Why the rule of a shape exists, in English: sh:description, or rdfs:comment on a node shape."""
    return str(
        shape[
            f"{SH_NAMESPACE}description"
            if f"{SH_NAMESPACE}description" in shape
            else f"{RDFS_NAMESPACE}comment"
        ][0].value
    )


def extract_rule_reasons(
    file: BinaryIO, *_: object, **__: object
) -> Iterator[tuple[int, None, str, list[str]]]:
    """The reasons of the rules in a shapes file, as Babel expects: line, function, text, comments."""
    statements = group_objects_by_subject(ox.parse(file.read(), format=ox.RdfFormat.TURTLE))
    return (
        (1, None, rule_reason(shape), []) for subject, shape in statements.items() if is_rule_shape(subject)
    )


def find_counted_criterion(shape: dict[str, list[Any]], statements: ObjectsBySubject) -> str:
    """The IRI of the criterion whose assessments a shape counts; empty if it counts none."""
    criteria = [
        value.value
        for value_shape in shape.get(f"{SH_NAMESPACE}qualifiedValueShape", [])
        for property_shape in statements[value_shape].get(f"{SH_NAMESPACE}property", [])
        for value in statements[property_shape].get(f"{SH_NAMESPACE}hasValue", [])
    ]
    return criteria[0] if criteria else ""


def group_texts_by_language(literals: Iterable[ox.Literal]) -> dict[str, str]:
    """The texts of literals by language."""
    return {str(literal.language): literal.value for literal in literals}


def format_shape_path(shape: dict[str, list[Any]], statements: ObjectsBySubject) -> str:
    """The property path of a shape in SPARQL syntax; empty for a node shape."""
    return (
        format_property_path(shape[f"{SH_NAMESPACE}path"][0], statements)
        if f"{SH_NAMESPACE}path" in shape
        else ""
    )


def list_alternative_paths(shape: dict[str, list[Any]], statements: ObjectsBySubject) -> list[str]:
    """The property paths of the alternatives (sh:or) of a shape."""
    return [
        format_shape_path(statements[property_shape], statements)
        for alternatives in shape.get(f"{SH_NAMESPACE}or", [])
        for alternative in list_rdf_members(alternatives, statements)
        for property_shape in statements[alternative].get(f"{SH_NAMESPACE}property", [])
    ]


def format_property_path(node: Any, statements: ObjectsBySubject) -> str:
    """A SHACL property path (section 2.3.1) in SPARQL syntax."""
    if isinstance(node, ox.NamedNode):
        return f"<{node.value}>"
    objects = statements[node]
    if f"{SH_NAMESPACE}inversePath" in objects:
        return f"^{format_nested_path(objects[f'{SH_NAMESPACE}inversePath'][0], statements)}"
    if f"{SH_NAMESPACE}alternativePath" in objects:
        return "|".join(
            format_property_path(alternative, statements)
            for alternative in list_rdf_members(objects[f"{SH_NAMESPACE}alternativePath"][0], statements)
        )
    return "/".join(format_nested_path(step, statements) for step in list_rdf_members(node, statements))


def format_nested_path(node: Any, statements: ObjectsBySubject) -> str:
    """A path inside another path, in parentheses if SPARQL needs them."""
    path = format_property_path(node, statements)
    is_atomic = isinstance(node, ox.NamedNode) or f"{SH_NAMESPACE}inversePath" in statements[node]
    return path if is_atomic else f"({path})"


def list_rdf_members(node: Any, statements: ObjectsBySubject) -> list[Any]:
    """The members of an RDF list."""
    members = []
    while node != RDF_NIL:
        members.append(statements[node][f"{RDF_NAMESPACE}first"][0])
        node = statements[node][f"{RDF_NAMESPACE}rest"][0]
    return members


def rule_predicates() -> set[str]:
    """The IRIs of all properties in the paths of the rules, also inside constraints."""
    statements = shape_statements()
    path_properties = (
        f"{SH_NAMESPACE}path",
        f"{SH_NAMESPACE}inversePath",
        f"{SH_NAMESPACE}zeroOrOnePath",
        f"{RDF_NAMESPACE}first",
    )
    return {
        value.value
        for objects in statements.values()
        for path_property in path_properties
        for value in objects.get(path_property, [])
        if isinstance(value, ox.NamedNode)
    }

"""The rules of an issue paper, as they stand in the shapes: what each asks for, where, and in which words.

Names and messages are there in six languages; reasons in English, and pages say them in other languages by
the catalogues.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, BinaryIO

import pyoxigraph as ox

from ..i18n import PAGE_LANGUAGES
from ..problems import Problem
from ..rdf.namespaces import (
    BASE_IRI,
    DCTERMS_NAMESPACE,
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
CHECK_PROFILES = ("draft", "complete", "final")  # each holds the rules of those before it
# What keeps a paper from a profile.
BLOCKING_SEVERITIES = {"draft": {"Violation"}, "complete": {"Violation"}, "final": {"Violation", "Warning"}}
MESSAGE_LANGUAGES = tuple(PAGE_LANGUAGES)
TEMPLATE_SECTIONS = range(9)  # 0 is the paper itself

# What a rule constrains, by the property that says so. Only some results name a value (SHACL, section 4).
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
VALUELESS_COMPONENTS = {"MaxCount", "MinCount", "QualifiedMaxCount", "QualifiedMinCount", "UniqueLang"}
# What the shapes say to people.
DOCUMENTATION_PROPERTY_PATTERN = re.compile(
    rf"{SH_NAMESPACE}(message|name|description|order|group)|{WGIG_NAMESPACE}exampleIn\w+"
    rf"|({RDFS_NAMESPACE}|{DCTERMS_NAMESPACE})\w+"
)
NON_SHACL_COMPONENT = "Closed"  # what comes nearest to the rules that the checker keeps by itself


def check_profile_name(name: str) -> str:
    """The name of a profile. Raises Problem 400 where there is none of this name."""
    if name not in CHECK_PROFILES:
        raise Problem(400, f"There is no profile {name!r}. Take one of: {', '.join(CHECK_PROFILES)}.")
    return name


@dataclass(frozen=True, eq=False)
class Rule:
    """One rule: a shape with one constraint. Each is there once, so that it can be told by identity.

    `code` is the local name of the shape, `profile` the first that holds the rule, `component` the local name
    of its constraint component without the ending. `path` is the property path as SPARQL writes it, empty for
    a node shape; `predicates` are the IRIs in it, or in those of a node shape's alternatives, `steps` what
    leads from the paper to the focus node (empty: the paper is the focus node), `counted_criterion` the
    criterion of the assessments that it counts, if it does. Texts are by language.
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
        """Pickled by its code, as there is one of each in every process."""
        return get_rule, (self.code,)

    @property
    def iri(self) -> str:
        """The IRI of the shape."""
        return SHAPES_NAMESPACE + self.code

    @property
    def part(self) -> str:
        """The part of the template, such as `7b`; `0` is the paper itself."""
        return self.code.split("-")[1].lower()

    @property
    def required(self) -> bool:
        """Whether a paper without this is incomplete."""
        return self.code.endswith("-MISSING") and self.severity == "Violation" and self.profile == "complete"

    @property
    def has_value(self) -> bool:
        """Whether its results name a value."""
        return self.component not in VALUELESS_COMPONENTS

    def is_in_profile(self, profile: str) -> bool:
        """Whether the rule is part of a profile."""
        return CHECK_PROFILES.index(self.profile) <= CHECK_PROFILES.index(profile)

    def is_blocking(self, profile: str) -> bool:
        """Whether a paper that breaks the rule does not conform to a profile that the rule is part of."""
        return self.severity in BLOCKING_SEVERITIES[profile]

    def message_in(self, language: str) -> str:
        """The message in a language, or in English."""
        return self.message.get(language, self.message["en"])


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
    """The shapes of an issue paper."""
    return shipped_triples("shapes/issue-paper*.ttl")


@cache
def constraint_triples() -> tuple[ox.Triple, ...]:
    """The shapes without what they say to people, which costs a fast engine a tenth of its time.

    Each rule says its code, as the engine takes rules that ask for the same and say the same for one.
    """
    codes = (
        ox.Triple(ox.NamedNode(one.iri), expand_curie("sh:message"), ox.Literal(code))
        for code, one in rules_by_code().items()
    )
    return (
        *(
            one
            for one in read_shape_triples()
            if not DOCUMENTATION_PROPERTY_PATTERN.fullmatch(one.predicate.value)
        ),
        *codes,
    )


@cache
def rules_by_code() -> dict[str, Rule]:
    """All rules by their codes, in the order of the template."""
    said = shape_statements()
    found = [parse_rule_shape(subject, of, said) for subject, of in said.items() if is_rule_shape(subject)]
    return {one.code: one for one in sorted(found, key=lambda one: (one.section, one.order))}


def is_rule_shape(subject: Any) -> bool:
    """Whether a subject of the shapes is a rule."""
    return isinstance(subject, ox.NamedNode) and subject.value.startswith(f"{SHAPES_NAMESPACE}WGIG-")


def get_rule(code: str) -> Rule:
    """The rule with this code."""
    return rules_by_code()[code]


@cache
def required_rules() -> list[Rule]:
    """The rules that ask for what the template asks for, in its order."""
    return [rule for rule in rules_by_code().values() if rule.required]


@cache
def section_headings() -> dict[int, SectionHeading]:
    """The sections of the template by their numbers."""
    said = shape_statements()
    labels = {
        number: said[ox.NamedNode(f"{SHAPES_NAMESPACE}section-{number}")][f"{RDFS_NAMESPACE}label"]
        for number in TEMPLATE_SECTIONS
    }
    return {
        number: SectionHeading(number, group_texts_by_language(found)) for number, found in labels.items()
    }


@cache
def shape_statements() -> ObjectsBySubject:
    """What the shapes say, by subject and property."""
    return group_objects_by_subject(read_shape_triples())


def parse_rule_shape(subject: ox.NamedNode, of: dict[str, list[Any]], said: ObjectsBySubject) -> Rule:
    """A rule, from what its shape says."""

    def one(property_: str) -> str:
        return str(of[property_][0].value)

    path = format_shape_path(of, said)
    constraint = [name for name in CONSTRAINT_COMPONENTS if f"{SH_NAMESPACE}{name}" in of]
    return Rule(
        code=subject.value.removeprefix(SHAPES_NAMESPACE),
        profile=one(f"{DCTERMS_NAMESPACE}isPartOf").removeprefix(PROFILE_NAMESPACE),
        severity=one(f"{SH_NAMESPACE}severity").removeprefix(SH_NAMESPACE),
        section=int(one(f"{SH_NAMESPACE}group").rpartition("-")[2]),
        order=int(one(f"{SH_NAMESPACE}order")),
        component=CONSTRAINT_COMPONENTS[constraint[0]] if constraint else NON_SHACL_COMPONENT,
        path=path,
        predicates=tuple(re.findall(r"<([^>]*)>", path or "|".join(list_alternative_paths(of, said)))),
        steps=tuple(step.value for step in of.get(f"{SH_NAMESPACE}targetObjectsOf", [])),
        counted_criterion=find_counted_criterion(of, said),
        name=group_texts_by_language(
            [*of.get(f"{SH_NAMESPACE}name", []), *of.get(f"{RDFS_NAMESPACE}label", [])]
        ),
        message=group_texts_by_language(of[f"{SH_NAMESPACE}message"]),
        reason=rule_reason(of),
        in_turtle=one(f"{WGIG_NAMESPACE}exampleInTurtle"),
        in_markdown=one(f"{WGIG_NAMESPACE}exampleInMarkdown"),
    )


def rule_reason(of: dict[str, list[Any]]) -> str:
    """Why a shape asks for something."""
    return str(
        of[
            f"{SH_NAMESPACE}description" if f"{SH_NAMESPACE}description" in of else f"{RDFS_NAMESPACE}comment"
        ][0].value
    )


def extract_rule_reasons(
    file: BinaryIO, *_: object, **__: object
) -> Iterator[tuple[int, None, str, list[str]]]:
    """Why the rules in a file of shapes are there, as Babel extracts it for the catalogues."""
    said = group_objects_by_subject(ox.parse(file.read(), format=ox.RdfFormat.TURTLE))
    return ((1, None, rule_reason(of), []) for subject, of in said.items() if is_rule_shape(subject))


def find_counted_criterion(of: dict[str, list[Any]], said: ObjectsBySubject) -> str:
    """The IRI of the criterion whose assessments a shape counts; empty where it counts none."""
    counted = [
        end.value
        for shape in of.get(f"{SH_NAMESPACE}qualifiedValueShape", [])
        for inner in said[shape].get(f"{SH_NAMESPACE}property", [])
        for end in said[inner].get(f"{SH_NAMESPACE}hasValue", [])
    ]
    return counted[0] if counted else ""


def group_texts_by_language(literals: Iterable[ox.Literal]) -> dict[str, str]:
    """Texts by language."""
    return {str(one.language): one.value for one in literals}


def format_shape_path(of: dict[str, list[Any]], said: ObjectsBySubject) -> str:
    """The property path of a shape as SPARQL writes it; empty for a node shape."""
    return format_property_path(of[f"{SH_NAMESPACE}path"][0], said) if f"{SH_NAMESPACE}path" in of else ""


def list_alternative_paths(of: dict[str, list[Any]], said: ObjectsBySubject) -> list[str]:
    """The property paths of the alternatives of a shape."""
    return [
        format_shape_path(said[inner], said)
        for alternatives in of.get(f"{SH_NAMESPACE}or", [])
        for one in list_rdf_members(alternatives, said)
        for inner in said[one].get(f"{SH_NAMESPACE}property", [])
    ]


def format_property_path(node: Any, said: ObjectsBySubject) -> str:
    """A property path of SHACL (section 2.3.1) as SPARQL writes it."""
    if isinstance(node, ox.NamedNode):
        return f"<{node.value}>"
    of = said[node]
    if f"{SH_NAMESPACE}inversePath" in of:
        return f"^{format_nested_path(of[f'{SH_NAMESPACE}inversePath'][0], said)}"
    if f"{SH_NAMESPACE}alternativePath" in of:
        return "|".join(
            format_property_path(one, said)
            for one in list_rdf_members(of[f"{SH_NAMESPACE}alternativePath"][0], said)
        )
    return "/".join(format_nested_path(one, said) for one in list_rdf_members(node, said))


def format_nested_path(node: Any, said: ObjectsBySubject) -> str:
    """A path inside of one that binds closer, in brackets where it needs some."""
    path = format_property_path(node, said)
    alone = isinstance(node, ox.NamedNode) or f"{SH_NAMESPACE}inversePath" in said[node]
    return path if alone else f"({path})"


def list_rdf_members(node: Any, said: ObjectsBySubject) -> list[Any]:
    """The members of an RDF list."""
    found = []
    while node != RDF_NIL:
        found.append(said[node][f"{RDF_NAMESPACE}first"][0])
        node = said[node][f"{RDF_NAMESPACE}rest"][0]
    return found


def rule_predicates() -> set[str]:
    """The IRIs of all properties that the rules look along, also inside of constraints."""
    said = shape_statements()
    steps = (
        f"{SH_NAMESPACE}path",
        f"{SH_NAMESPACE}inversePath",
        f"{SH_NAMESPACE}zeroOrOnePath",
        f"{RDF_NAMESPACE}first",
    )
    return {
        end.value
        for of in said.values()
        for step in steps
        for end in of.get(step, [])
        if isinstance(end, ox.NamedNode)
    }

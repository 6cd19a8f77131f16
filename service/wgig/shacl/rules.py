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

from ..rdf.namespaces import BASE, OUTSIDE, RDF, SH, WGIG
from ..settings import SHIPPED

SHAPES = f"{BASE}shapes#"
PROFILE = f"{BASE}id/profile/"
PROFILES = ("draft", "complete", "final")  # each holds the rules of those before it
LANGUAGES = ("ar", "en", "es", "fr", "ru", "zh")
SECTIONS = range(9)  # 0 is the paper itself
WAIVES = f"{WGIG}waives"
NIL = ox.NamedNode(f"{RDF}nil")

# What a rule constrains, by the property that says so. Only some results name a value (SHACL, section 4).
COMPONENTS = {
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
VALUELESS = {"MaxCount", "MinCount", "QualifiedMaxCount", "QualifiedMinCount", "UniqueLang"}
# What the shapes say to people.
TO_PEOPLE = re.compile(
    rf"{SH}(message|name|description|order|group)|{WGIG}exampleIn\w+"
    rf"|({OUTSIDE['rdfs']}|{OUTSIDE['dcterms']})\w+"
)
BEYOND_SHACL = "Closed"  # what comes nearest to the rules that the checker keeps by itself

Subjects = dict[Any, dict[str, list[Any]]]


@dataclass(frozen=True, eq=False)
class Rule:
    """One rule: a shape with one constraint. Each is there once, so that it can be told by identity.

    `code` is the local name of the shape, `profile` the first that holds the rule, `component` the local name
    of its constraint component without the ending. `path` is the property path as SPARQL writes it, empty for
    a node shape; `predicates` are the IRIs in it, or in those of a node shape's alternatives, `steps` what
    leads from the paper to the focus node (empty: the paper is the focus node), `counted` the criterion of
    the assessments that it counts, if it does. Texts are by language.
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
    counted: str
    name: Mapping[str, str]
    message: Mapping[str, str]
    reason: str
    in_turtle: str
    in_markdown: str

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        """Pickled by its code, as there is one of each in every process."""
        return named, (self.code,)

    @property
    def iri(self) -> str:
        """The IRI of the shape."""
        return SHAPES + self.code

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
        return self.component not in VALUELESS

    def holds_in(self, profile: str) -> bool:
        """Whether the rule is part of a profile."""
        return PROFILES.index(self.profile) <= PROFILES.index(profile)

    def says(self, language: str) -> str:
        """The message in a language, or in English."""
        return self.message.get(language, self.message["en"])


@dataclass(frozen=True)
class Heading:
    """A section of the template: its number, and its title by language."""

    number: int
    title: Mapping[str, str]

    def says(self, language: str) -> str:
        """The title in a language, or in English."""
        return self.title.get(language, self.title["en"])


@cache
def graph() -> tuple[ox.Triple, ...]:
    """The shapes of an issue paper."""
    return tuple(
        quad.triple
        for path in sorted((SHIPPED / "shapes").glob("issue-paper*.ttl"))
        for quad in ox.parse(path=path, format=ox.RdfFormat.TURTLE, rename_blank_nodes=True)
    )


@cache
def constraints() -> tuple[ox.Triple, ...]:
    """The shapes without what they say to people, which costs a fast engine a tenth of its time.

    Each rule says its code, as the engine takes rules that ask for the same and say the same for one.
    """
    codes = (
        ox.Triple(ox.NamedNode(one.iri), ox.NamedNode(f"{SH}message"), ox.Literal(code))
        for code, one in rules().items()
    )
    return (*(one for one in graph() if not TO_PEOPLE.fullmatch(one.predicate.value)), *codes)


@cache
def rules() -> dict[str, Rule]:
    """All rules by their codes, in the order of the template."""
    said = subjects()
    found = [rule(subject, of, said) for subject, of in said.items() if is_rule(subject)]
    return {one.code: one for one in sorted(found, key=lambda one: (one.section, one.order))}


def is_rule(subject: Any) -> bool:
    """Whether a subject of the shapes is a rule."""
    return isinstance(subject, ox.NamedNode) and subject.value.startswith(f"{SHAPES}WGIG-")


def named(code: str) -> Rule:
    """The rule with this code."""
    return rules()[code]


@cache
def required() -> list[Rule]:
    """The rules that ask for what the template asks for, in its order."""
    return [rule for rule in rules().values() if rule.required]


@cache
def headings() -> dict[int, Heading]:
    """The sections of the template by their numbers."""
    said = subjects()
    labels = {
        number: said[ox.NamedNode(f"{SHAPES}section-{number}")][f"{OUTSIDE['rdfs']}label"]
        for number in SECTIONS
    }
    return {number: Heading(number, texts(found)) for number, found in labels.items()}


@cache
def subjects() -> Subjects:
    """What the shapes say, by subject and property."""
    return by_subject(graph())


def by_subject(triples: Iterable[ox.Triple | ox.Quad]) -> Subjects:
    """What statements say, by subject and property."""
    said: Subjects = {}
    for triple in triples:
        said.setdefault(triple.subject, {}).setdefault(triple.predicate.value, []).append(triple.object)
    return said


def rule(subject: ox.NamedNode, of: dict[str, list[Any]], said: Subjects) -> Rule:
    """A rule, from what its shape says."""

    def one(property_: str) -> str:
        return str(of[property_][0].value)

    path = own_path(of, said)
    constraint = [name for name in COMPONENTS if f"{SH}{name}" in of]
    return Rule(
        code=subject.value.removeprefix(SHAPES),
        profile=one(f"{OUTSIDE['dcterms']}isPartOf").removeprefix(PROFILE),
        severity=one(f"{SH}severity").removeprefix(SH),
        section=int(one(f"{SH}group").rpartition("-")[2]),
        order=int(one(f"{SH}order")),
        component=COMPONENTS[constraint[0]] if constraint else BEYOND_SHACL,
        path=path,
        predicates=tuple(re.findall(r"<([^>]*)>", path or "|".join(inner_paths(of, said)))),
        steps=tuple(step.value for step in of.get(f"{SH}targetObjectsOf", [])),
        counted=criterion(of, said),
        name=texts([*of.get(f"{SH}name", []), *of.get(f"{OUTSIDE['rdfs']}label", [])]),
        message=texts(of[f"{SH}message"]),
        reason=reason(of),
        in_turtle=one(f"{WGIG}exampleInTurtle"),
        in_markdown=one(f"{WGIG}exampleInMarkdown"),
    )


def reason(of: dict[str, list[Any]]) -> str:
    """Why a shape asks for something."""
    return str(of[f"{SH}description" if f"{SH}description" in of else f"{OUTSIDE['rdfs']}comment"][0].value)


def reasons(file: BinaryIO, *_: object, **__: object) -> Iterator[tuple[int, None, str, list[str]]]:
    """Why the rules in a file of shapes are there, as Babel extracts it for the catalogues."""
    said = by_subject(ox.parse(file.read(), format=ox.RdfFormat.TURTLE))
    return ((1, None, reason(of), []) for subject, of in said.items() if is_rule(subject))


def criterion(of: dict[str, list[Any]], said: Subjects) -> str:
    """The IRI of the criterion whose assessments a shape counts; empty where it counts none."""
    counted = [
        end.value
        for shape in of.get(f"{SH}qualifiedValueShape", [])
        for inner in said[shape].get(f"{SH}property", [])
        for end in said[inner].get(f"{SH}hasValue", [])
    ]
    return counted[0] if counted else ""


def texts(literals: Iterable[ox.Literal]) -> dict[str, str]:
    """Texts by language."""
    return {str(one.language): one.value for one in literals}


def own_path(of: dict[str, list[Any]], said: Subjects) -> str:
    """The property path of a shape as SPARQL writes it; empty for a node shape."""
    return path_text(of[f"{SH}path"][0], said) if f"{SH}path" in of else ""


def inner_paths(of: dict[str, list[Any]], said: Subjects) -> list[str]:
    """The property paths of the alternatives of a shape."""
    return [
        own_path(said[inner], said)
        for alternatives in of.get(f"{SH}or", [])
        for one in members(alternatives, said)
        for inner in said[one].get(f"{SH}property", [])
    ]


def path_text(node: Any, said: Subjects) -> str:
    """A property path of SHACL (section 2.3.1) as SPARQL writes it."""
    if isinstance(node, ox.NamedNode):
        return f"<{node.value}>"
    of = said[node]
    if f"{SH}inversePath" in of:
        return f"^{nested(of[f'{SH}inversePath'][0], said)}"
    if f"{SH}alternativePath" in of:
        return "|".join(path_text(one, said) for one in members(of[f"{SH}alternativePath"][0], said))
    return "/".join(nested(one, said) for one in members(node, said))


def nested(node: Any, said: Subjects) -> str:
    """A path inside of one that binds closer, in brackets where it needs some."""
    path = path_text(node, said)
    alone = isinstance(node, ox.NamedNode) or f"{SH}inversePath" in said[node]
    return path if alone else f"({path})"


def members(node: Any, said: Subjects) -> list[Any]:
    """The members of an RDF list."""
    found = []
    while node != NIL:
        found.append(said[node][f"{RDF}first"][0])
        node = said[node][f"{RDF}rest"][0]
    return found


def predicates() -> set[str]:
    """The IRIs of all properties that the rules look along, also inside of constraints."""
    said = subjects()
    steps = (f"{SH}path", f"{SH}inversePath", f"{SH}zeroOrOnePath", f"{RDF}first")
    return {
        end.value
        for of in said.values()
        for step in steps
        for end in of.get(step, [])
        if isinstance(end, ox.NamedNode)
    }

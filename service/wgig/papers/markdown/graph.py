"""The statements of one paper, read and changed by names with prefixes, and what every paper says in one way.

The Markdown writer and the form read and change papers here. What the Markdown reader states is kept in
`statements`, as it has a place in the text and is looked up by nobody.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, count
from typing import Any

import pyoxigraph as ox

from ...rdf.literals import build_typed_literal
from ...rdf.namespaces import DEFAULT_NAMESPACES, expand_curie
from ...text import balance_text_bidi
from .values import PaperTerm, slugify_words

LAST_NUMBER_PATTERN = re.compile(r"(?<=[-/])\d+$")
PAPER_LABEL_PREFIX = "Issue paper: "  # of the label of a paper, before its title
OWN_IRI_PREFIXES = (
    DEFAULT_NAMESPACES["paper"],
    DEFAULT_NAMESPACES["agent"],
    DEFAULT_NAMESPACES["membership"],
)  # what a paper may describe


class PaperGraph:
    """The statements of a paper, in the order in which they came."""

    def __init__(self, triples: Iterable[ox.Triple]) -> None:
        """Take the statements as they are."""
        self.triples: dict[ox.Triple, None] = {}
        self.by_subject: defaultdict[Any, dict[ox.Triple, None]] = defaultdict(dict)
        self.by_object: defaultdict[Any, dict[ox.Triple, None]] = defaultdict(dict)
        for one in triples:
            self.add_triple(one)

    @cached_property
    def paper(self) -> Any:
        """The issue paper. Raises ValueError unless there is exactly one."""
        papers = [*self.subjects_with("rdf:type", expand_curie("wgig:IssuePaper"))]
        if len(papers) != 1:
            raise ValueError(f"A file in Markdown holds one issue paper, and here are {len(papers)}.")
        return papers[0]

    def statements_about(self, node: Any) -> list[ox.Triple]:
        """The statements about a node."""
        return [*self.by_subject.get(node, ())]

    def values(self, node: Any, name: str) -> list[Any]:
        """The values of a property."""
        property_ = expand_curie(name)
        return [one.object for one in self.by_subject.get(node, ()) if one.predicate == property_]

    def first_text(self, node: Any, name: str) -> str:
        """The text of the first value of a property, or an empty one."""
        return next((value.value for value in self.values(node, name)), "")

    def subjects_with(self, name: str, value: Any) -> Iterator[Any]:
        """The nodes whose property has this value."""
        property_ = expand_curie(name)
        return (one.subject for one in [*self.by_object.get(value, ())] if one.predicate == property_)

    def parts(self, name: str) -> list[Any]:
        """The parts of the paper that a property leads to, by the numbers at their ends."""
        return sorted(self.values(self.paper, name), key=trailing_number)

    def is_unused(self, node: Any) -> bool:
        """Whether nothing is said of a node, and nothing leads to it."""
        return not self.by_subject.get(node) and not self.by_object.get(node)

    def add_triple(self, triple: ox.Triple) -> None:
        """State what is not stated yet."""
        for one in (self.triples, self.by_subject[triple.subject], self.by_object[triple.object]):
            one.setdefault(triple)

    def remove_triple(self, triple: ox.Triple) -> None:
        """Take a statement away, if it is there."""
        for one in (self.triples, self.by_subject[triple.subject], self.by_object[triple.object]):
            one.pop(triple, None)

    def add_value(self, node: Any, name: str, value: Any) -> ox.Triple:
        """State a value of a property; the statement."""
        triple = ox.Triple(node, expand_curie(name), value)
        self.add_triple(triple)
        return triple

    def remove_value(self, node: Any, name: str, value: Any) -> None:
        """Take a value of a property away, if it is there."""
        self.remove_triple(ox.Triple(node, expand_curie(name), value))

    def remove_orphan(self, node: Any) -> None:
        """Take away what is said of a node to which nothing leads any more, and so on from there."""
        waiting = [node]
        while waiting:
            gone = self.orphan_statements(waiting.pop())
            for triple in gone:
                self.remove_triple(triple)
            waiting += (one.object for one in gone)

    def orphan_statements(self, node: Any) -> list[ox.Triple]:
        """What is said of a node of the paper to which nothing leads, but for the seat of a person.

        What is said of the seat is part of that: it goes with the person.
        """
        seats = {*self.subjects_with("org:member", node)}
        if not is_paper_node(node) or any(one.subject not in seats for one in self.by_object.get(node, ())):
            return []
        return [triple for one in (node, *seats) for triple in self.statements_about(one)]


def is_paper_node(node: Any) -> bool:
    """Whether a node is one that a paper describes."""
    return isinstance(node, ox.BlankNode) or (
        isinstance(node, ox.NamedNode) and node.value.startswith(OWN_IRI_PREFIXES)
    )


def trailing_number(node: ox.NamedNode, name: str = "") -> int:
    """The number that an IRI ends with, 1 without one or where it belongs to the name that comes last."""
    found = None if name and node.value.endswith(name) else LAST_NUMBER_PATTERN.search(node.value)
    return int(found[0]) if found else 1


def iter_numbered_iris(stem: str) -> Iterator[ox.NamedNode]:
    """Addresses that begin alike: the stem itself, then with -2, -3 and so on; never ends."""
    return map(ox.NamedNode, chain([stem], (f"{stem}-{number}" for number in count(2))))


def agent_iri_stem(paper: str, name: str, role: str) -> str:
    """The address of somebody whom the graph does not know, made of the paper's name and theirs.

    The role stands for a name without a letter of ASCII.
    """
    return f"{DEFAULT_NAMESPACES['agent']}{paper}-{slugify_words(name) or role}"


def build_part_label(title: str, words: str) -> ox.Literal:
    """The label of a part that has no name of its own: what it is in the paper of this title, in English."""
    return ox.Literal(f"{balance_text_bidi(title)}: {words}", language="en")


# Properties with their values, to be stated of a node.
NodeValues = Iterator[tuple[str, PaperTerm]]


def iter_node_values(kind: str, sources: Sequence[Any], *, illustrative: bool) -> NodeValues:
    """What is said of each node that a paper describes: its kind, whether it is made up, its sources."""
    yield "rdf:type", expand_curie(kind)
    if illustrative:
        yield "wgig:illustrative", build_typed_literal("true", "boolean")
    yield from (("dcterms:source", source) for source in sources)


def membership_iri(person: ox.NamedNode) -> ox.NamedNode:
    """The seat of a person in the working group."""
    return ox.NamedNode(DEFAULT_NAMESPACES["membership"] + person.value.rpartition("/")[2])


def iter_membership_values(person: ox.NamedNode, name: str) -> NodeValues:
    """What is said of the seat of a person with this name, beside its kind."""
    yield "rdfs:label", ox.Literal(f"{name}, member", language="en")
    yield "org:member", person
    yield "org:organization", expand_curie("agent:wgig")
    yield "org:role", expand_curie("role:member")

"""The statements of one paper, read and changed by CURIEs, and the statements that all papers have.

The Markdown writer and the form read and change papers here. The Markdown reader collects its statements in
`statements`, as they have a position in the text and are not looked up.
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
    """The statements of a paper, in their original order."""

    def __init__(self, triples: Iterable[ox.Triple]) -> None:
        """Take the statements as they are."""
        self.triples: dict[ox.Triple, None] = {}
        self.by_subject: defaultdict[Any, dict[ox.Triple, None]] = defaultdict(dict)
        self.by_object: defaultdict[Any, dict[ox.Triple, None]] = defaultdict(dict)
        for triple in triples:
            self.add_triple(triple)

    @cached_property
    def paper(self) -> Any:
        """The issue paper. Raises ValueError unless there is exactly one."""
        papers = [*self.subjects_with("rdf:type", expand_curie("wgig:IssuePaper"))]
        if len(papers) != 1:
            raise ValueError(f"A Markdown file holds one issue paper, but there are {len(papers)}.")
        return papers[0]

    def statements_about(self, node: Any) -> list[ox.Triple]:
        """The statements about a node."""
        return [*self.by_subject.get(node, ())]

    def values(self, node: Any, curie: str) -> list[Any]:
        """The values of a property of a node."""
        property_ = expand_curie(curie)
        return [triple.object for triple in self.by_subject.get(node, ()) if triple.predicate == property_]

    def first_text(self, node: Any, curie: str) -> str:
        """The text of the first value of a property, or an empty string."""
        return next((value.value for value in self.values(node, curie)), "")

    def subjects_with(self, curie: str, value: Any) -> Iterator[Any]:
        """The nodes that have this value of a property."""
        property_ = expand_curie(curie)
        return (
            triple.subject for triple in [*self.by_object.get(value, ())] if triple.predicate == property_
        )

    def parts(self, curie: str) -> list[Any]:
        """The values of a property of the paper, ordered by the numbers at their ends."""
        return sorted(self.values(self.paper, curie), key=trailing_number)

    def is_unused(self, node: Any) -> bool:
        """Whether no statement has the node as subject or object."""
        return not self.by_subject.get(node) and not self.by_object.get(node)

    def add_triple(self, triple: ox.Triple) -> None:
        """Add a statement, unless it is there."""
        for index in (self.triples, self.by_subject[triple.subject], self.by_object[triple.object]):
            index.setdefault(triple)

    def remove_triple(self, triple: ox.Triple) -> None:
        """Remove a statement, if it is there."""
        for index in (self.triples, self.by_subject[triple.subject], self.by_object[triple.object]):
            index.pop(triple, None)

    def add_value(self, node: Any, curie: str, value: Any) -> ox.Triple:
        """Add a value of a property; returns the statement."""
        triple = ox.Triple(node, expand_curie(curie), value)
        self.add_triple(triple)
        return triple

    def remove_value(self, node: Any, curie: str, value: Any) -> None:
        """Remove a value of a property, if it is there."""
        self.remove_triple(ox.Triple(node, expand_curie(curie), value))

    def remove_orphan(self, node: Any) -> None:
        """Remove the statements about a node that nothing refers to, and so on from their objects."""
        queue = [node]
        while queue:
            orphaned = self.orphan_statements(queue.pop())
            for triple in orphaned:
                self.remove_triple(triple)
            queue += (triple.object for triple in orphaned)

    def orphan_statements(self, node: Any) -> list[ox.Triple]:
        """The statements about a node of the paper to which nothing refers but a person's membership.

        The statements about the membership are among them: it is removed with the person.
        """
        memberships = {*self.subjects_with("org:member", node)}
        if not is_paper_node(node) or any(
            triple.subject not in memberships for triple in self.by_object.get(node, ())
        ):
            return []
        return [triple for subject in (node, *memberships) for triple in self.statements_about(subject)]


def is_paper_node(node: Any) -> bool:
    """Whether a node is one that a paper may describe."""
    return isinstance(node, ox.BlankNode) or (
        isinstance(node, ox.NamedNode) and node.value.startswith(OWN_IRI_PREFIXES)
    )


def trailing_number(node: ox.NamedNode, name: str = "") -> int:
    """The number that an IRI ends with; 1 where there is none, or where it belongs to the name at the end."""
    match = None if name and node.value.endswith(name) else LAST_NUMBER_PATTERN.search(node.value)
    return int(match[0]) if match else 1


def iter_numbered_iris(stem: str) -> Iterator[ox.NamedNode]:
    """IRIs that begin alike: the stem itself, then with -2, -3 and so on, without end."""
    return map(ox.NamedNode, chain([stem], (f"{stem}-{number}" for number in count(2))))


def agent_iri_stem(paper_slug: str, name: str, role: str) -> str:
    """The IRI of an agent that the graph does not know, from the name of the paper and that of the agent.

    The role replaces a name without ASCII letters.
    """
    return f"{DEFAULT_NAMESPACES['agent']}{paper_slug}-{slugify_words(name) or role}"


def build_part_label(title: str, description: str) -> ox.Literal:
    """The label of a part that has no name of its own: the title of the paper and what it is, in English."""
    return ox.Literal(f"{balance_text_bidi(title)}: {description}", language="en")


# Pairs of property (a CURIE) and value.
NodeValues = Iterator[tuple[str, PaperTerm]]


def iter_node_values(class_curie: str, sources: Sequence[Any], *, illustrative: bool) -> NodeValues:
    """What each node that a paper describes has: type, illustrative mark, sources."""
    yield "rdf:type", expand_curie(class_curie)
    if illustrative:
        yield "wgig:illustrative", build_typed_literal("true", "boolean")
    yield from (("dcterms:source", source) for source in sources)


def membership_iri(person: ox.NamedNode) -> ox.NamedNode:
    """The IRI of the membership of a person in the working group."""
    return ox.NamedNode(DEFAULT_NAMESPACES["membership"] + person.value.rpartition("/")[2])


def iter_membership_values(person: ox.NamedNode, name: str) -> NodeValues:
    """The properties of the membership of a person with this name, without its type."""
    yield "rdfs:label", ox.Literal(f"{name}, member", language="en")
    yield "org:member", person
    yield "org:organization", expand_curie("agent:wgig")
    yield "org:role", expand_curie("role:member")

"""The graph of one paper, with properties named by CURIE, and the statements that all papers have.

The Markdown writer and the form use `PaperGraph`. The Markdown reader uses `statements` instead, as its
statements have positions in the text.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, count
from typing import Any

import pyoxigraph as ox
from wgig_client.literals import build_typed_literal

from ...rdf.namespaces import DEFAULT_NAMESPACES, expand_curie
from ...text import balance_text_bidi, slugify_words
from .values import PaperTerm, local_name

LAST_NUMBER_PATTERN = re.compile(r"(?<=[-/])\d+$")
PAPER_LABEL_PREFIX = "Issue paper: "  # the rdfs:label of a paper is this and its title
# A paper may describe only nodes whose IRIs begin with one of these prefixes.
DESCRIBED_IRI_PREFIXES = (
    DEFAULT_NAMESPACES["paper"],
    DEFAULT_NAMESPACES["agent"],
    DEFAULT_NAMESPACES["membership"],
)


class PaperGraph:
    """The statements of a paper, in their original order."""

    def __init__(self, triples: Iterable[ox.Triple]) -> None:
        """Index the statements by subject and object."""
        # Dicts with values None are sets that keep the order.
        self.triples: dict[ox.Triple, None] = {}
        self.by_subject: defaultdict[Any, dict[ox.Triple, None]] = defaultdict(dict)
        self.by_object: defaultdict[Any, dict[ox.Triple, None]] = defaultdict(dict)
        for triple in triples:
            self.add_triple(triple)

    @cached_property
    def paper(self) -> Any:
        """The node of the issue paper. Raises ValueError unless there is exactly one."""
        papers = [*self.subjects_with("rdf:type", expand_curie("wgig:IssuePaper"))]
        if len(papers) != 1:
            raise ValueError(
                f"A Markdown file can contain only one issue paper, but there are {len(papers)}."
            )
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
        """The nodes that have a value of a property."""
        property_ = expand_curie(curie)
        return (
            triple.subject for triple in [*self.by_object.get(value, ())] if triple.predicate == property_
        )

    def parts(self, curie: str) -> list[Any]:
        """The values of a property of the paper, ordered by the number that ends their IRI."""
        return sorted(self.values(self.paper, curie), key=trailing_number)

    @property
    def title(self) -> str:
        """The title for the labels of parts: the English title, else the first title, else the paper name."""
        titles = self.values(self.paper, "dcterms:title")
        english_titles = (title.value for title in titles if getattr(title, "language", "") == "en")
        return next(english_titles, titles[0].value if titles else local_name(self.paper, "paper"))

    def is_described(self, agent: Any) -> bool:
        """Whether the paper describes a person or organization, perhaps without a name."""
        return bool(self.values(agent, "foaf:name") or self.values(agent, "rdf:type"))

    def actor_number(self, node: Any) -> int:
        """The number at the end of the IRI of an actor, by which actors with similar names are ordered.

        It is 1 without a number, and for an actor that the paper does not describe.
        """
        name = slugify_words(self.first_text(node, "foaf:name")) or "actor"
        return trailing_number(node, f"-{name}" if self.is_described(node) else node.value)

    def is_unused(self, node: Any) -> bool:
        """Whether no statement has the node as subject or object."""
        return not self.by_subject.get(node) and not self.by_object.get(node)

    def add_triple(self, triple: ox.Triple) -> None:
        """Add a statement, unless the graph has it."""
        for index in (self.triples, self.by_subject[triple.subject], self.by_object[triple.object]):
            index.setdefault(triple)

    def remove_triple(self, triple: ox.Triple) -> None:
        """Remove a statement, if the graph has it."""
        for index in (self.triples, self.by_subject[triple.subject], self.by_object[triple.object]):
            index.pop(triple, None)

    def add_value(self, node: Any, curie: str, value: Any) -> ox.Triple:
        """Add a value of a property; return the statement."""
        triple = ox.Triple(node, expand_curie(curie), value)
        self.add_triple(triple)
        return triple

    def remove_value(self, node: Any, curie: str, value: Any) -> None:
        """Remove a value of a property, if the node has it."""
        self.remove_triple(ox.Triple(node, expand_curie(curie), value))

    def remove_orphan(self, node: Any) -> None:
        """Remove the statements about a node if nothing refers to it, then do the same for their objects."""
        queue = [node]
        while queue:
            orphaned = self.orphan_statements(queue.pop())
            for triple in orphaned:
                self.remove_triple(triple)
            queue += (triple.object for triple in orphaned)

    def orphan_statements(self, node: Any) -> list[ox.Triple]:
        """The statements about a node of the paper, if nothing but a membership refers to it; else empty.

        They include the statements about the membership, which is removed with the person.
        """
        memberships = {*self.subjects_with("org:member", node)}
        if not is_paper_node(node) or any(
            triple.subject not in memberships for triple in self.by_object.get(node, ())
        ):
            return []
        return [triple for subject in (node, *memberships) for triple in self.statements_about(subject)]


def is_paper_node(node: Any) -> bool:
    """Whether a paper may describe the node."""
    return isinstance(node, ox.BlankNode) or (
        isinstance(node, ox.NamedNode) and node.value.startswith(DESCRIBED_IRI_PREFIXES)
    )


def trailing_number(node: ox.NamedNode, name: str = "") -> int:
    """The number at the end of an IRI, such as 2 for `paper/spam/forum/2`; 1 if there is none.

    It is also 1 if the IRI ends with `name`, whose digits are no number of the node.
    """
    match = None if name and node.value.endswith(name) else LAST_NUMBER_PATTERN.search(node.value)
    return int(match[0]) if match else 1


def iter_numbered_iris(stem: str) -> Iterator[ox.NamedNode]:
    """The IRIs `stem`, `stem-2`, `stem-3` and so on, without end."""
    return map(ox.NamedNode, chain([stem], (f"{stem}-{number}" for number in count(2))))


def agent_iri_stem(paper_slug: str, name: str, role: str) -> str:
    """The IRI, without a number, of an agent that only the paper describes, such as `agent/spam-jane-doe`.

    For a name without ASCII letters or digits, it ends with the role (`drafter` or `actor`).
    """
    return f"{DEFAULT_NAMESPACES['agent']}{paper_slug}-{slugify_words(name) or role}"


def build_part_label(title: str, description: str) -> ox.Literal:
    """The English label of a part without a name, such as `Spam: SWOT analysis` for a paper titled Spam."""
    return ox.Literal(f"{balance_text_bidi(title)}: {description}", language="en")


# Pairs of property (a CURIE) and value.
NodeValues = Iterator[tuple[str, PaperTerm]]


def iter_node_values(class_curie: str, sources: Sequence[Any], *, illustrative: bool) -> NodeValues:
    """The values that every node in a paper has: type, sources, and whether it is made up as an example."""
    yield "rdf:type", expand_curie(class_curie)
    if illustrative:
        yield "wgig:illustrative", build_typed_literal("true", "boolean")
    yield from (("dcterms:source", source) for source in sources)


def membership_iri(person: ox.NamedNode) -> ox.NamedNode:
    """The IRI of the membership of a person in the working group."""
    return ox.NamedNode(DEFAULT_NAMESPACES["membership"] + person.value.rpartition("/")[2])


def iter_membership_values(person: ox.NamedNode, name: str) -> NodeValues:
    """The values of the membership of a person in the working group, without the type."""
    yield "rdfs:label", ox.Literal(f"{name}, member", language="en")
    yield "org:member", person
    yield "org:organization", expand_curie("agent:wgig")
    yield "org:role", expand_curie("role:member")

"""Statements of a paper in Markdown while it is read: triples with their spots, and slots of the form.

A spot has the offsets of subject, predicate and object of a triple. A slot has the offset of a heading, key
or line that is there, by node and property: a finding points to it where a value of the property is missing.
"""

from collections.abc import Iterator

import pyoxigraph as ox

from ...rdf.namespaces import expand_curie
from ...rdf.positions_turtle import TriplePosition
from .graph import agent_iri_stem, build_part_label, iter_node_values, iter_numbered_iris
from .values import PaperTerm


class PaperStatements:
    """The triples of a paper in the order of the text, and a spot for each.

    What is said twice counts where it is said first. `slots` are the headings, keys and lines of the form
    that are there: the offset of each by the node and by the IRI of the property (or of the criterion) that
    is stated below it.
    """

    def __init__(self, paper: str, at: int) -> None:
        """Begin the paper with this slug, which stands at this offset."""
        self.slug = paper
        self.paper = expand_curie(f"paper:{paper}")
        self.language = "en"
        self.illustrative = False
        self.title = paper
        self.sources: list[PaperTerm] = [self.paper]
        self.spots: dict[ox.Triple, TriplePosition] = {}
        self.slots: dict[tuple[ox.NamedNode, str], int] = {}
        self.node_offsets = {self.paper: at}
        self.agent_names: dict[ox.NamedNode, str] = {}
        self.agents: dict[tuple[str, str], ox.NamedNode] = {}
        self.agent_iris: dict[str, Iterator[ox.NamedNode]] = {}

    def add_value(
        self, subject: ox.NamedNode, name: str, value: PaperTerm, at: int, name_at: int | None = None
    ) -> None:
        """State a value, which stands at `at` in the text below the heading or key at `name_at`."""
        spot = TriplePosition(self.node_offsets[subject], at if name_at is None else name_at, at)
        self.spots.setdefault(ox.Triple(subject, expand_curie(name), value), spot)

    def add_slot(self, subject: ox.NamedNode, name: str, at: int) -> None:
        """Note the heading, key or line at this offset as the one for a property or criterion of a node."""
        self.slots.setdefault((subject, expand_curie(name).value), at)

    def text_literal(self, words: str) -> ox.Literal:
        """A text in the language of the paper."""
        return ox.Literal(words, language=self.language)

    def add_part(self, name: str, kind: str, label: ox.Literal, at: int) -> ox.NamedNode:
        """A part of the paper, below its address; its heading is at `at`."""
        node = ox.NamedNode(f"{self.paper.value}/{name}")
        self.describe_node(node, kind, at)
        self.add_value(node, "rdfs:label", label, at)
        return node

    def part_label(self, words: str) -> ox.Literal:
        """A label of a part that has no name of its own."""
        return build_part_label(self.title, words)

    def describe_node(self, node: ox.NamedNode, kind: str, at: int) -> None:
        """Something that the paper describes: its kind, its source, and whether it is made up."""
        self.node_offsets[node] = at
        for name, value in iter_node_values(kind, self.sources, illustrative=self.illustrative):
            self.add_value(node, name, value, at)

    def agent_iri(self, name: str, role: str) -> ox.NamedNode:
        """Somebody whom the graph does not know; a number keeps different names apart."""
        stem = agent_iri_stem(self.slug, name, role)
        if (stem, name) not in self.agents:
            # Goes on after those that are taken.
            tries = self.agent_iris.setdefault(stem, iter_numbered_iris(stem))
            self.agents[stem, name] = next(
                one for one in tries if self.agent_names.setdefault(one, name) == name
            )
        return self.agents[stem, name]

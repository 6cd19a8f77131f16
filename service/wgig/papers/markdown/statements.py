"""The statements of a paper in Markdown while it is read: triples with spots, and slots of the template.

A spot has the offsets of subject, predicate and object of a triple. A slot has the offset of a heading, key
or field that is in the text, by node and property: a finding points to it where a value of the property is
missing.
"""

from collections.abc import Iterator

import pyoxigraph as ox

from ...rdf.namespaces import expand_curie
from ...rdf.positions_turtle import TriplePosition
from .graph import agent_iri_stem, build_part_label, iter_node_values, iter_numbered_iris
from .values import PaperTerm


class PaperStatements:
    """The triples of a paper in the order of the text, each with its spot.

    For a repeated statement the first spot is kept. `slots` has the offset of each heading, key and field of
    the template in the text, by node and by the IRI of the property (or criterion) that is stated below it.
    """

    def __init__(self, slug: str, offset: int) -> None:
        """Begin the paper with this slug, which is at this offset."""
        self.slug = slug
        self.paper = expand_curie(f"paper:{slug}")
        self.language = "en"
        self.illustrative = False
        self.title = slug
        self.sources: list[PaperTerm] = [self.paper]
        self.spots: dict[ox.Triple, TriplePosition] = {}
        self.slots: dict[tuple[ox.NamedNode, str], int] = {}
        self.node_offsets = {self.paper: offset}
        self.agent_names: dict[ox.NamedNode, str] = {}
        self.agents: dict[tuple[str, str], ox.NamedNode] = {}
        self.agent_iris: dict[str, Iterator[ox.NamedNode]] = {}

    def add_value(
        self, subject: ox.NamedNode, curie: str, value: PaperTerm, offset: int, key_offset: int | None = None
    ) -> None:
        """Add a value, which is at `offset` in the text, below the heading or key at `key_offset`."""
        spot = TriplePosition(
            self.node_offsets[subject], offset if key_offset is None else key_offset, offset
        )
        self.spots.setdefault(ox.Triple(subject, expand_curie(curie), value), spot)

    def add_slot(self, subject: ox.NamedNode, curie: str, offset: int) -> None:
        """Record the offset of the heading, key or field for a property or criterion of a node."""
        self.slots.setdefault((subject, expand_curie(curie).value), offset)

    def text_literal(self, text: str) -> ox.Literal:
        """A literal in the language of the paper."""
        return ox.Literal(text, language=self.language)

    def add_part(self, path: str, class_curie: str, label: ox.Literal, offset: int) -> ox.NamedNode:
        """Add a part of the paper, with an IRI below that of the paper; its heading is at `offset`."""
        node = ox.NamedNode(f"{self.paper.value}/{path}")
        self.describe_node(node, class_curie, offset)
        self.add_value(node, "rdfs:label", label, offset)
        return node

    def part_label(self, description: str) -> ox.Literal:
        """The label of a part that has no name of its own."""
        return build_part_label(self.title, description)

    def describe_node(self, node: ox.NamedNode, class_curie: str, offset: int) -> None:
        """Add what each node that the paper describes has: type, sources and illustrative mark."""
        self.node_offsets[node] = offset
        for curie, value in iter_node_values(class_curie, self.sources, illustrative=self.illustrative):
            self.add_value(node, curie, value, offset)

    def agent_iri(self, name: str, role: str) -> ox.NamedNode:
        """The IRI of an agent that the graph does not know; a number tells different names apart."""
        stem = agent_iri_stem(self.slug, name, role)
        if (stem, name) not in self.agents:
            # The iterator goes on after the IRIs that are taken.
            iris = self.agent_iris.setdefault(stem, iter_numbered_iris(stem))
            self.agents[stem, name] = next(
                iri for iri in iris if self.agent_names.setdefault(iri, name) == name
            )
        return self.agents[stem, name]

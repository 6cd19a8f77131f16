"""The statements of a paper in Markdown, collected while it is parsed: triples with positions, and slots.

The position of a triple has the offsets of its subject, predicate and object in the text. A slot is the
offset of a heading, key or field for a property of a node. A finding refers to the slot if the property has
no value.
"""

from collections.abc import Iterator

import pyoxigraph as ox

from ...rdf.namespaces import expand_curie
from ...rdf.positions_turtle import TriplePosition
from .graph import agent_iri_stem, build_part_label, iter_node_values, iter_numbered_iris
from .values import PaperTerm


class PaperStatements:
    """The triples of a paper in the order of the text, each with its position.

    A repeated triple has the position of its first occurrence. `slots` has offsets by node and by the IRI of
    the property or criterion.
    """

    def __init__(self, slug: str, offset: int) -> None:
        """Start without triples. `offset` is that of the paper name in the text."""
        self.slug = slug
        self.paper = expand_curie(f"paper:{slug}")
        self.language = "en"
        self.illustrative = False
        self.title = slug
        self.sources: list[PaperTerm] = [self.paper]
        self.positions_by_triple: dict[ox.Triple, TriplePosition] = {}
        self.slots: dict[tuple[ox.NamedNode, str], int] = {}
        self.node_offsets = {self.paper: offset}
        self.agent_names: dict[ox.NamedNode, str] = {}  # names by IRI; these IRIs are in use
        self.agent_iris: dict[str, ox.NamedNode] = {}  # IRIs by name
        self.unused_agent_iris: dict[str, Iterator[ox.NamedNode]] = {}  # further IRIs by stem

    def add_value(
        self, subject: ox.NamedNode, curie: str, value: PaperTerm, offset: int, key_offset: int | None = None
    ) -> None:
        """Add a value at `offset` in the text. Its heading or key is at `key_offset`, by default the same."""
        position = TriplePosition(
            self.node_offsets[subject], offset if key_offset is None else key_offset, offset
        )
        self.positions_by_triple.setdefault(ox.Triple(subject, expand_curie(curie), value), position)

    def add_slot(self, subject: ox.NamedNode, curie: str, offset: int) -> None:
        """Record the offset of the heading, key or field for a property or criterion of a node."""
        self.slots.setdefault((subject, expand_curie(curie).value), offset)

    def text_literal(self, text: str) -> ox.Literal:
        """A literal in the language of the paper."""
        return ox.Literal(text, language=self.language)

    def add_part(self, path: str, class_curie: str, label: ox.Literal, offset: int) -> ox.NamedNode:
        """Add a part of the paper, such as a forum. Its IRI is that of the paper with the path appended."""
        node = ox.NamedNode(f"{self.paper.value}/{path}")
        self.describe_node(node, class_curie, offset)
        self.add_value(node, "rdfs:label", label, offset)
        return node

    def part_label(self, description: str) -> ox.Literal:
        """The label of a part without a name: the title of the paper and the description."""
        return build_part_label(self.title, description)

    def describe_node(self, node: ox.NamedNode, class_curie: str, offset: int) -> None:
        """Add the statements that every node has: type, sources, and whether it is illustrative."""
        self.node_offsets[node] = offset
        for curie, value in iter_node_values(class_curie, self.sources, illustrative=self.illustrative):
            self.add_value(node, curie, value, offset)

    def agent_iri(self, name: str, role: str) -> ox.NamedNode:
        """The IRI of an agent that only the paper describes. Names with equal slugs get different numbers.

        A name has one IRI, also if a drafter is an actor, too. Each agent without a name has its own.
        """
        stem = agent_iri_stem(self.slug, name, role)
        if not name or name not in self.agent_iris:
            # One iterator per stem, so that it continues after the IRIs in use: 8,000 equal slugs take linear
            # time.
            iris = self.unused_agent_iris.setdefault(stem, iter_numbered_iris(stem))
            self.agent_iris[name] = next(
                iri for iri in iris if self.agent_names.setdefault(iri, name) == name
            )
        return self.agent_iris[name]

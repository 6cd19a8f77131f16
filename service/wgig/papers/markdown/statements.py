"""Statements of a paper in Markdown while it is read: triples with their spots, and slots of the form.

A spot has the offsets of subject, predicate and object of a triple. A slot has the offset of a heading, key
or line that is there, by node and property: a finding points to it where a value of the property is missing.
"""

from collections import defaultdict
from itertools import count

import pyoxigraph as ox

from ...rdf.literals import build_typed_literal
from ...rdf.namespaces import expand_curie
from ...rdf.positions_turtle import TriplePosition
from ...text import balance_text_bidi
from .values import PaperTerm, slugify_words

TRUE_LITERAL = build_typed_literal("true", "boolean")


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
        self.agent_numbers: defaultdict[str, count[int]] = defaultdict(lambda: count(1))

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
        """A label of a part that has no name of its own: what it is in the paper, in English."""
        return ox.Literal(f"{balance_text_bidi(self.title)}: {words}", language="en")

    def describe_node(self, node: ox.NamedNode, kind: str, at: int) -> None:
        """Something that the paper describes: its kind, its source, and whether it is made up."""
        self.node_offsets[node] = at
        self.add_value(node, "rdf:type", expand_curie(kind), at)
        if self.illustrative:
            self.add_value(node, "wgig:illustrative", TRUE_LITERAL, at)
        for source in self.sources:
            self.add_value(node, "dcterms:source", source, at)

    def agent_iri(self, name: str, role: str) -> ox.NamedNode:
        """Somebody whom the graph does not know, by an address made of the paper's name and theirs.

        The role stands for a name without a letter of ASCII; a number keeps different names apart.
        """
        address = f"agent:{self.slug}-{slugify_words(name) or role}"
        if (address, name) not in self.agents:
            numbers = self.agent_numbers[address]  # goes on after those that are taken
            nodes = (expand_curie(address if number == 1 else f"{address}-{number}") for number in numbers)
            self.agents[address, name] = next(
                one for one in nodes if self.agent_names.setdefault(one, name) == name
            )
        return self.agents[address, name]

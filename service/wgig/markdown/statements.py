"""The statements of one paper while it is read, each with the place that it comes from."""

import pyoxigraph as ox

from ..places import Spot
from .values import Term, iri, slug, typed

MADE_UP = typed("true", "boolean")


class Statements:
    """The triples of a paper in the order of the text, and a spot for each.

    What is said twice counts where it is said first.
    """

    def __init__(self, paper: str, at: int) -> None:
        """Begin the paper with this slug, which stands at this offset."""
        self.slug = paper
        self.paper = iri(f"paper:{paper}")
        self.language = "en"
        self.illustrative = False
        self.title = paper
        self.sources: list[Term] = [self.paper]
        self.spots: dict[ox.Triple, Spot] = {}
        self.homes = {self.paper: at}

    def say(self, subject: ox.NamedNode, name: str, value: Term, at: int, name_at: int | None = None) -> None:
        """State a value, which stands at `at` in the text below the heading or key at `name_at`."""
        spot = Spot(self.homes[subject], at if name_at is None else name_at, at)
        self.spots.setdefault(ox.Triple(subject, iri(name), value), spot)

    def text(self, words: str) -> ox.Literal:
        """A text in the language of the paper."""
        return ox.Literal(words, language=self.language)

    def part(self, name: str, kind: str, label: ox.Literal, at: int) -> ox.NamedNode:
        """A part of the paper, below its address; its heading is at `at`."""
        node = ox.NamedNode(f"{self.paper.value}/{name}")
        self.thing(node, kind, at)
        self.say(node, "rdfs:label", label, at)
        return node

    def label(self, words: str) -> ox.Literal:
        """A label of a part that has no name of its own: what it is in the paper, in English."""
        return ox.Literal(f"{self.title}: {words}", language="en")

    def thing(self, node: ox.NamedNode, kind: str, at: int) -> None:
        """Something that the paper describes: its kind, its source, and whether it is made up."""
        self.homes[node] = at
        self.say(node, "rdf:type", iri(kind), at)
        if self.illustrative:
            self.say(node, "wgig:illustrative", MADE_UP, at)
        for source in self.sources:
            self.say(node, "dcterms:source", source, at)

    def agent(self, words: str, otherwise: str) -> ox.NamedNode:
        """The address of somebody whom the graph does not know, made of the paper's and their name.

        A name without a letter of ASCII gives none; `otherwise` then stands for it.
        """
        return iri(f"agent:{self.slug}-{slug(words) or otherwise}")

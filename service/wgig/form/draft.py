"""Statements while they are changed: added, taken away, forgotten with all that only they lead to."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import pyoxigraph as ox

from ..markdown.values import NAMES, iri

OWN = (NAMES["paper"], NAMES["agent"], NAMES["membership"])  # what a paper may describe


class Draft:
    """Statements in the order in which they came."""

    def __init__(self, triples: Iterable[ox.Triple]) -> None:
        """Take the statements as they are."""
        self.triples: dict[ox.Triple, None] = {}
        self.about: defaultdict[Any, dict[ox.Triple, None]] = defaultdict(dict)
        self.to: defaultdict[Any, dict[ox.Triple, None]] = defaultdict(dict)
        for one in triples:
            self.keep(one)

    def keep(self, triple: ox.Triple) -> None:
        """State what is not stated yet."""
        for one in (self.triples, self.about[triple.subject], self.to[triple.object]):
            one.setdefault(triple)

    def drop(self, triple: ox.Triple) -> None:
        """Take a statement away, if it is there."""
        for one in (self.triples, self.about[triple.subject], self.to[triple.object]):
            one.pop(triple, None)

    def add(self, node: Any, name: str, value: Any) -> ox.Triple:
        """State a value of a property; the statement."""
        triple = ox.Triple(node, iri(name), value)
        self.keep(triple)
        return triple

    def remove(self, node: Any, name: str, value: Any) -> None:
        """Take a value of a property away, if it is there."""
        self.drop(ox.Triple(node, iri(name), value))

    def of(self, node: Any) -> list[ox.Triple]:
        """The statements about a node."""
        return [*self.about[node]]

    def with_value(self, name: str, value: Any) -> Iterator[Any]:
        """The nodes whose property has this value."""
        return (one.subject for one in [*self.to[value]] if one.predicate == iri(name))

    def is_free(self, node: Any) -> bool:
        """Whether nothing is said of a node, and nothing leads to it."""
        return not self.about[node] and not self.to[node]

    def forget(self, node: Any) -> None:
        """Take away what is said of a node to which nothing leads any more, and so on from there."""
        waiting = [node]
        while waiting:
            gone = self.forlorn(waiting.pop())
            for triple in gone:
                self.drop(triple)
            waiting += (one.object for one in gone)

    def forlorn(self, node: Any) -> list[ox.Triple]:
        """What is said of a node of the paper to which nothing leads, but for the seat of a person.

        What is said of the seat is part of that: it goes with the person.
        """
        seats = {*self.with_value("org:member", node)}
        if not is_own(node) or any(one.subject not in seats for one in self.to[node]):
            return []
        return [triple for one in (node, *seats) for triple in self.of(one)]


def is_own(node: Any) -> bool:
    """Whether a node is one that a paper describes."""
    return isinstance(node, ox.BlankNode) or (isinstance(node, ox.NamedNode) and node.value.startswith(OWN))

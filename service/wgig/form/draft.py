"""Statements while they are changed: added, taken away, forgotten with all that only they lead to."""

from collections.abc import Iterable, Iterator
from typing import Any

import pyoxigraph as ox

from ..markdown.values import NAMES, iri

OWN = (NAMES["paper"], NAMES["agent"], NAMES["membership"])  # what a paper may describe


class Draft:
    """Statements in the order in which they came."""

    def __init__(self, triples: Iterable[ox.Triple]) -> None:
        """Take the statements as they are."""
        self.triples = dict.fromkeys(triples)

    def add(self, node: Any, name: str, value: Any) -> ox.Triple:
        """State a value of a property; the statement."""
        triple = ox.Triple(node, iri(name), value)
        self.triples.setdefault(triple)
        return triple

    def remove(self, node: Any, name: str, value: Any) -> None:
        """Take a statement away, if it is there."""
        if not isinstance(node, ox.Literal):
            self.triples.pop(ox.Triple(node, iri(name), value), None)

    def of(self, node: Any) -> Iterator[ox.Triple]:
        """The statements about a node."""
        return (one for one in [*self.triples] if one.subject == node)

    def with_value(self, name: str, value: Any) -> Iterator[Any]:
        """The nodes whose property has this value."""
        return (one.subject for one in [*self.triples] if one.predicate == iri(name) and one.object == value)

    def is_free(self, node: Any) -> bool:
        """Whether nothing is said of a node, and nothing leads to it."""
        return not any(node in (one.subject, one.object) for one in self.triples)

    def forget(self, node: Any) -> None:
        """Take away what is said of a node to which nothing leads any more, and so on from there.

        The seat of a person leads to the person, and goes with them.
        """
        seats = set(self.with_value("org:member", node))
        leading = (one for one in self.triples if one.object == node and one.subject not in seats)
        if not is_own(node) or any(leading):
            return
        gone = [triple for one in (node, *seats) for triple in self.of(one)]
        for triple in gone:
            del self.triples[triple]
        for triple in gone:
            if triple.object not in (node, *seats):
                self.forget(triple.object)


def is_own(node: Any) -> bool:
    """Whether a node is one that a paper describes."""
    return isinstance(node, ox.BlankNode) or (isinstance(node, ox.NamedNode) and node.value.startswith(OWN))

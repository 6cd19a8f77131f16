"""People and bodies in the form, chosen from the graph or described, and the editable statements of a paper.

A person is chosen by a known name, or described by name and stakeholder group. A removed resource is removed
with everything that only it leads to.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

import pyoxigraph as ox

from ..markdown.values import NAMES, iri, known_agent, slug
from .fields import DRAFTER, Field, Part
from .original import Source
from .state import Row, term, text_of_value

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


NAME, GROUP = "foaf:name", "wgig:stakeholderGroup"


class People:
    """Those who are named in a form, while they are stated."""

    def __init__(self, source: Source, draft: Draft, thing: Callable[[Any, str], None]) -> None:
        """Take the statements that the form was opened with, and those that it makes.

        `thing` says of a new node what it is, and what is said of each.
        """
        self.source, self.draft, self.thing = source, draft, thing

    def node(self, row: Row, before: Any) -> Any:
        """Whom a part names: those before, somebody whom the graph knows or the paper names already.

        None is somebody new, or nobody. Another name for somebody whom the paper describes renames them.
        """
        words = row.words("who")
        if before is not None and words == self.source.who(before):
            return before
        name = words.strip()
        if not name:
            return None
        if known := known_agent(name):
            return known
        names = self.source.graph.all(before, NAME)
        if names:
            for one in names:
                self.draft.remove(before, NAME, one)
            self.draft.add(before, NAME, ox.Literal(name))
            return before
        return next(self.draft.with_value(NAME, ox.Literal(name)), None)

    def new(self, part: Part, row: Row) -> ox.NamedNode:
        """An address for somebody whom the graph does not know, with the name if there is one."""
        name = row.words("who").strip()
        role = "drafter" if part is DRAFTER else "actor"
        stem = f"{NAMES['agent']}{self.source.name}-{slug(name) or role}"
        tries = (stem if one == 1 else f"{stem}-{one}" for one in count(1))
        node = next(node for one in tries if self.draft.is_free(node := ox.NamedNode(one)))
        if name:
            self.draft.add(node, NAME, ox.Literal(name))
        return node

    def seat(self, row: Row, node: Any) -> Any:
        """The seat in the working group, of whoever has one by the form, else the person."""
        there = self.source.seats(node)
        if row.words("member") == "yes":
            return there[0] if there else self.new_seat(row, node)
        for one in there:
            for triple in self.draft.of(one):
                self.draft.drop(triple)
        return node

    def new_seat(self, row: Row, node: ox.NamedNode) -> ox.NamedNode:
        """A seat in the working group, as a paper describes it."""
        seat = ox.NamedNode(NAMES["membership"] + node.value.rpartition("/")[2])
        self.thing(seat, "org:Membership")
        label = ox.Literal(f"{row.words('who').strip()}, member", language="en")
        said = (
            ("rdfs:label", label),
            ("org:member", node),
            ("org:organization", iri("agent:wgig")),
            ("org:role", iri("role:member")),
        )
        for name, value in said:
            self.draft.add(seat, name, value)
        return seat

    def groups(self, row: Row, field: Field, node: Any, holder: Any) -> None:
        """State the groups of somebody: those before stay where they are, unless the seat changes."""
        given = {one.words for one in row.values.get(field.key, ())}
        holders = self.source.seats(node) or [node]
        for value in self.source.values(node, field):
            words = text_of_value(field, value)
            if words in given and holder in holders:
                given.discard(words)
                continue
            for one in holders:
                self.draft.remove(one, GROUP, value)
            if words in given:
                given.discard(words)
                self.draft.add(holder, GROUP, value)
        for words in sorted(filter(str.strip, given)):
            self.draft.add(holder, GROUP, term(field, words, ""))

"""People and bodies in the form: chosen by a name that the graph knows, or described by name and group."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pyoxigraph as ox

from ..markdown.values import NAMES, iri, known_agent, slug
from .draft import Draft
from .filled import Row
from .layout import DRAFTER, Field, Part
from .source import Source
from .words import shown, term

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
            words = shown(field, value)
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

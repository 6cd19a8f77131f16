"""People and bodies in the form, chosen from the graph or described, and the editable statements of a paper.

A person is chosen by a known name, or described by name and stakeholder group. A removed resource is removed
with everything that only it leads to.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

import pyoxigraph as ox

from ...rdf.namespaces import DEFAULT_NAMESPACES, PAPER_NAMESPACE, expand_curie
from ..markdown.values import find_known_agent, slugify_words
from .fields import DRAFTER_PART, FormField, FormPart
from .original import OriginalPaper
from .state import FormRow, format_field_value, parse_field_value

OWN_IRI_PREFIXES = (
    PAPER_NAMESPACE,
    DEFAULT_NAMESPACES["agent"],
    DEFAULT_NAMESPACES["membership"],
)  # what a paper may describe


class EditableGraph:
    """Statements in the order in which they came."""

    def __init__(self, triples: Iterable[ox.Triple]) -> None:
        """Take the statements as they are."""
        self.triples: dict[ox.Triple, None] = {}
        self.by_subject: defaultdict[Any, dict[ox.Triple, None]] = defaultdict(dict)
        self.by_object: defaultdict[Any, dict[ox.Triple, None]] = defaultdict(dict)
        for one in triples:
            self.add_triple(one)

    def add_triple(self, triple: ox.Triple) -> None:
        """State what is not stated yet."""
        for one in (self.triples, self.by_subject[triple.subject], self.by_object[triple.object]):
            one.setdefault(triple)

    def remove_triple(self, triple: ox.Triple) -> None:
        """Take a statement away, if it is there."""
        for one in (self.triples, self.by_subject[triple.subject], self.by_object[triple.object]):
            one.pop(triple, None)

    def add_value(self, node: Any, name: str, value: Any) -> ox.Triple:
        """State a value of a property; the statement."""
        triple = ox.Triple(node, expand_curie(name), value)
        self.add_triple(triple)
        return triple

    def remove_value(self, node: Any, name: str, value: Any) -> None:
        """Take a value of a property away, if it is there."""
        self.remove_triple(ox.Triple(node, expand_curie(name), value))

    def statements_about(self, node: Any) -> list[ox.Triple]:
        """The statements about a node."""
        return [*self.by_subject[node]]

    def subjects_with(self, name: str, value: Any) -> Iterator[Any]:
        """The nodes whose property has this value."""
        return (one.subject for one in [*self.by_object[value]] if one.predicate == expand_curie(name))

    def is_unused(self, node: Any) -> bool:
        """Whether nothing is said of a node, and nothing leads to it."""
        return not self.by_subject[node] and not self.by_object[node]

    def remove_orphan(self, node: Any) -> None:
        """Take away what is said of a node to which nothing leads any more, and so on from there."""
        waiting = [node]
        while waiting:
            gone = self.orphan_statements(waiting.pop())
            for triple in gone:
                self.remove_triple(triple)
            waiting += (one.object for one in gone)

    def orphan_statements(self, node: Any) -> list[ox.Triple]:
        """What is said of a node of the paper to which nothing leads, but for the seat of a person.

        What is said of the seat is part of that: it goes with the person.
        """
        seats = {*self.subjects_with("org:member", node)}
        if not is_paper_node(node) or any(one.subject not in seats for one in self.by_object[node]):
            return []
        return [triple for one in (node, *seats) for triple in self.statements_about(one)]


def is_paper_node(node: Any) -> bool:
    """Whether a node is one that a paper describes."""
    return isinstance(node, ox.BlankNode) or (
        isinstance(node, ox.NamedNode) and node.value.startswith(OWN_IRI_PREFIXES)
    )


AGENT_NAME_PROPERTY, STAKEHOLDER_GROUP_PROPERTY = "foaf:name", "wgig:stakeholderGroup"


class PeopleBuilder:
    """Those who are named in a form, while they are stated."""

    def __init__(
        self, source: OriginalPaper, draft: EditableGraph, thing: Callable[[Any, str], None]
    ) -> None:
        """Take the statements that the form was opened with, and those that it makes.

        `thing` says of a new node what it is, and what is said of each.
        """
        self.original, self.graph, self.describe_node = source, draft, thing

    def find_agent(self, row: FormRow, before: Any) -> Any:
        """Whom a part names: those before, somebody whom the graph knows or the paper names already.

        None is somebody new, or nobody. Another name for somebody whom the paper describes renames them.
        """
        words = row.words("who")
        if before is not None and words == self.original.agent_name(before):
            return before
        name = words.strip()
        if not name:
            return None
        if known := find_known_agent(name):
            return known
        names = self.original.graph.values(before, AGENT_NAME_PROPERTY)
        if names:
            for one in names:
                self.graph.remove_value(before, AGENT_NAME_PROPERTY, one)
            self.graph.add_value(before, AGENT_NAME_PROPERTY, ox.Literal(name))
            return before
        return next(self.graph.subjects_with(AGENT_NAME_PROPERTY, ox.Literal(name)), None)

    def add_agent(self, part: FormPart, row: FormRow) -> ox.NamedNode:
        """An address for somebody whom the graph does not know, with the name if there is one."""
        name = row.words("who").strip()
        role = "drafter" if part is DRAFTER_PART else "actor"
        stem = f"{DEFAULT_NAMESPACES['agent']}{self.original.name}-{slugify_words(name) or role}"
        tries = (stem if one == 1 else f"{stem}-{one}" for one in count(1))
        node = next(node for one in tries if self.graph.is_unused(node := ox.NamedNode(one)))
        if name:
            self.graph.add_value(node, AGENT_NAME_PROPERTY, ox.Literal(name))
        return node

    def update_membership(self, row: FormRow, node: Any) -> Any:
        """The seat in the working group, of whoever has one by the form, else the person."""
        there = self.original.memberships(node)
        if row.words("member") == "yes":
            return there[0] if there else self.add_membership(row, node)
        for one in there:
            for triple in self.graph.statements_about(one):
                self.graph.remove_triple(triple)
        return node

    def add_membership(self, row: FormRow, node: ox.NamedNode) -> ox.NamedNode:
        """A seat in the working group, as a paper describes it."""
        seat = ox.NamedNode(DEFAULT_NAMESPACES["membership"] + node.value.rpartition("/")[2])
        self.describe_node(seat, "org:Membership")
        label = ox.Literal(f"{row.words('who').strip()}, member", language="en")
        said = (
            ("rdfs:label", label),
            ("org:member", node),
            ("org:organization", expand_curie("agent:wgig")),
            ("org:role", expand_curie("role:member")),
        )
        for name, value in said:
            self.graph.add_value(seat, name, value)
        return seat

    def update_groups(self, row: FormRow, field: FormField, node: Any, holder: Any) -> None:
        """State the groups of somebody: those before stay where they are, unless the seat changes."""
        given = {one.words for one in row.values.get(field.key, ())}
        holders = self.original.memberships(node) or [node]
        for value in self.original.field_values(node, field):
            words = format_field_value(field, value)
            if words in given and holder in holders:
                given.discard(words)
                continue
            for one in holders:
                self.graph.remove_value(one, STAKEHOLDER_GROUP_PROPERTY, value)
            if words in given:
                given.discard(words)
                self.graph.add_value(holder, STAKEHOLDER_GROUP_PROPERTY, value)
        for words in sorted(filter(str.strip, given)):
            self.graph.add_value(holder, STAKEHOLDER_GROUP_PROPERTY, parse_field_value(field, words, ""))

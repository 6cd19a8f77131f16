"""People and bodies in the form: chosen by a known name, or described by name and stakeholder group."""

from collections.abc import Callable
from typing import Any

import pyoxigraph as ox

from ..markdown.graph import (
    PaperGraph,
    agent_iri_stem,
    iter_membership_values,
    iter_numbered_iris,
    membership_iri,
)
from ..markdown.values import find_known_agent
from .fields import DRAFTER_PART, FormField, FormPart
from .original import OriginalPaper
from .state import FormRow, format_field_value, parse_field_value

AGENT_NAME_PROPERTY, STAKEHOLDER_GROUP_PROPERTY = "foaf:name", "wgig:stakeholderGroup"


class PeopleBuilder:
    """Those who are named in a form, while they are stated."""

    def __init__(self, source: OriginalPaper, draft: PaperGraph, thing: Callable[[Any, str], None]) -> None:
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
        tries = iter_numbered_iris(agent_iri_stem(self.original.name, name, role))
        node = next(filter(self.graph.is_unused, tries))
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
        seat = membership_iri(node)
        self.describe_node(seat, "org:Membership")
        for name, value in iter_membership_values(node, row.words("who").strip()):
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

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
    """The people and bodies that are named in a form, while it is converted to statements."""

    def __init__(
        self, original: OriginalPaper, graph: PaperGraph, describe_node: Callable[[Any, str], None]
    ) -> None:
        """Take the original paper, the graph of the form, and a function that describes a new node."""
        self.original, self.graph, self.describe_node = original, graph, describe_node

    def find_agent(self, row: FormRow, original_agent: Any) -> Any:
        """The agent that a row names: the original one, a known one, or one that the paper already names.

        None for a new agent or an empty name. A new name for an agent that the paper describes renames that
        agent.
        """
        words = row.words("who")
        if original_agent is not None and words == self.original.agent_name(original_agent):
            return original_agent
        name = words.strip()
        if not name:
            return None
        if known_agent := find_known_agent(name):
            return known_agent
        names = self.original.graph.values(original_agent, AGENT_NAME_PROPERTY)
        if names:
            for name_literal in names:
                self.graph.remove_value(original_agent, AGENT_NAME_PROPERTY, name_literal)
            self.graph.add_value(original_agent, AGENT_NAME_PROPERTY, ox.Literal(name))
            return original_agent
        return next(self.graph.subjects_with(AGENT_NAME_PROPERTY, ox.Literal(name)), None)

    def add_agent(self, part: FormPart, row: FormRow) -> ox.NamedNode:
        """A new IRI for an agent that the graph does not know, with the name if there is one."""
        name = row.words("who").strip()
        role = "drafter" if part is DRAFTER_PART else "actor"
        iris = iter_numbered_iris(agent_iri_stem(self.original.name, name, role))
        node = next(filter(self.graph.is_unused, iris))
        if name:
            self.graph.add_value(node, AGENT_NAME_PROPERTY, ox.Literal(name))
        return node

    def update_membership(self, row: FormRow, node: Any) -> Any:
        """The membership in the working group, if the form says that there is one; else the person."""
        memberships = self.original.memberships(node)
        if row.words("member") == "yes":
            return memberships[0] if memberships else self.add_membership(row, node)
        for membership in memberships:
            for triple in self.graph.statements_about(membership):
                self.graph.remove_triple(triple)
        return node

    def add_membership(self, row: FormRow, node: ox.NamedNode) -> ox.NamedNode:
        """A membership in the working group, as a paper describes it."""
        membership = membership_iri(node)
        self.describe_node(membership, "org:Membership")
        for curie, value in iter_membership_values(node, row.words("who").strip()):
            self.graph.add_value(membership, curie, value)
        return membership

    def update_groups(self, row: FormRow, field: FormField, node: Any, holder: Any) -> None:
        """Update the stakeholder groups of an agent; unchanged ones stay, unless the membership changes."""
        submitted = {value.words for value in row.values.get(field.key, ())}
        original_holders = self.original.memberships(node) or [node]
        for value in self.original.field_values(node, field):
            words = format_field_value(field, value)
            if words in submitted and holder in original_holders:
                submitted.discard(words)
                continue
            for original_holder in original_holders:
                self.graph.remove_value(original_holder, STAKEHOLDER_GROUP_PROPERTY, value)
            if words in submitted:
                submitted.discard(words)
                self.graph.add_value(holder, STAKEHOLDER_GROUP_PROPERTY, value)
        for words in sorted(filter(str.strip, submitted)):
            self.graph.add_value(holder, STAKEHOLDER_GROUP_PROPERTY, parse_field_value(field, words, ""))

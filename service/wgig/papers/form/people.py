"""People and organizations in the form. The paper describes them only if the bundled facts do not."""

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
from ..markdown.values import find_known_agent, known_agent_name
from .fields import DRAFTER_PART, FormField, FormPart
from .original import OriginalPaper
from .state import FormRow, format_field_value, parse_field_value

AGENT_NAME_PROPERTY, STAKEHOLDER_GROUP_PROPERTY = "foaf:name", "wgig:stakeholderGroup"


class PeopleBuilder:
    """Updates the statements about people and organizations while a form is converted."""

    def __init__(
        self, original: OriginalPaper, graph: PaperGraph, describe_node: Callable[[Any, str], None]
    ) -> None:
        """Work on a graph. `describe_node` adds a node with its class, given as a CURIE."""
        self.original, self.graph, self.describe_node = original, graph, describe_node

    def find_agent(self, row: FormRow, original_agent: Any) -> Any:
        """The agent that a row names: the original agent, one in the bundled facts, or one in the paper.

        It is None for an empty or new name. But if the paper describes the original agent, a new name in the
        row renames that agent.
        """
        text = row.first_text("who")
        if original_agent is not None and text == self.original.agent_name(original_agent):
            return original_agent
        name = text.strip()
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
        """Add an agent that only the paper describes, with the name if there is one; return the IRI."""
        name = row.first_text("who").strip()
        role = "drafter" if part is DRAFTER_PART else "actor"
        iris = iter_numbered_iris(agent_iri_stem(self.original.name, name, role))
        node = next(filter(self.graph.is_unused, iris))
        if name:
            self.graph.add_value(node, AGENT_NAME_PROPERTY, ox.Literal(name))
        return node

    def update_membership(self, row: FormRow, node: Any) -> Any:
        """Add or remove the membership of a person as in the form; return the membership, else the person."""
        memberships = self.original.memberships(node)
        if row.first_text("member") == "yes":
            return memberships[0] if memberships else self.add_membership(node)
        for membership in memberships:
            for triple in self.graph.statements_about(membership):
                self.graph.remove_triple(triple)
        return node

    def add_membership(self, node: ox.NamedNode) -> ox.NamedNode:
        """Add a membership of a person in the working group; return its IRI."""
        membership = membership_iri(node)
        self.describe_node(membership, "org:Membership")
        name = self.graph.first_text(node, AGENT_NAME_PROPERTY) or known_agent_name(node)
        for curie, value in iter_membership_values(node, name):
            self.graph.add_value(membership, curie, value)
        return membership

    def update_groups(self, row: FormRow, field: FormField, node: Any, holder: Any) -> None:
        """Update the stakeholder groups of an agent. `holder` is the node that states them.

        It is the membership of a member, else the agent. Unchanged groups are kept if the holder is
        unchanged.
        """
        submitted = {value.text for value in row.values.get(field.key, ())}
        original_holders = self.original.memberships(node) or [node]
        for value in self.original.field_values(node, field):
            text = format_field_value(field, value)
            if text in submitted and holder in original_holders:
                submitted.discard(text)
                continue
            for original_holder in original_holders:
                self.graph.remove_value(original_holder, STAKEHOLDER_GROUP_PROPERTY, value)
            if text in submitted:
                submitted.discard(text)
                self.graph.add_value(holder, STAKEHOLDER_GROUP_PROPERTY, value)
        for text in sorted(filter(str.strip, submitted)):
            self.graph.add_value(holder, STAKEHOLDER_GROUP_PROPERTY, parse_field_value(field, text, ""))

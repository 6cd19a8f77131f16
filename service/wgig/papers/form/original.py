"""The paper as it was opened in the form, before any edit: its statements, parts and values."""

from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from itertools import islice
from typing import Any

import pyoxigraph as ox

from ...problems import Problem
from ...rdf.namespaces import DEFAULT_NAMESPACES, PAPER_NAMESPACE, expand_curie
from ...shacl.rules import rules_by_code
from ..markdown.graph import PaperGraph, trailing_number
from ..markdown.values import (
    agent_slugs_by_name,
    find_graph_mechanism,
    find_known_agent,
    local_name,
    resource_path,
)
from .choices import FieldChoice, best_shipped_text, choice_name
from .fields import (
    ASSESSMENT_PART,
    FORM_PARTS,
    MAX_FORM_ITEMS,
    MECHANISM_PART,
    PAPER_PART,
    PERSON_FIELD,
    FormField,
    FormPart,
)
from .state import FieldValue, FormRow, FormState, format_field_value, value_language_tag

MAX_PAPER_STATEMENTS = 5000  # a paper has a few hundred
NO_PAPER_DETAIL = (
    "The file or graph does not contain exactly one issue paper (wgig:IssuePaper). "
    "The form is for issue papers."
)


class OriginalPaper:
    """The statements of one issue paper, with the nodes and values that the form shows."""

    def __init__(self, triples: Iterable[ox.Triple]) -> None:
        """Index the statements, without duplicates, and find the paper.

        Raises Problem 422 unless they describe exactly one issue paper, 413 if there are too many for a form.
        """
        self.triples = list(dict.fromkeys(islice(triples, MAX_PAPER_STATEMENTS + 1)))
        if len(self.triples) > MAX_PAPER_STATEMENTS:
            raise form_size_problem(f"{MAX_PAPER_STATEMENTS} statements")
        self.graph = PaperGraph(self.triples)
        try:
            self.paper = self.graph.paper
        except ValueError as error:
            raise Problem(422, NO_PAPER_DETAIL, slug="no-paper") from error
        if not (isinstance(self.paper, ox.NamedNode) and self.paper.value.startswith(PAPER_NAMESPACE)):
            raise Problem(422, f"The IRI of the paper does not start with {PAPER_NAMESPACE}. Change it.")

    @property
    def name(self) -> str:
        """The name of the paper: the last segment of its IRI."""
        return str(self.paper.value).removeprefix(PAPER_NAMESPACE)

    @cached_property
    def language(self) -> str:
        """The default language of the texts: the language of the paper, or `en`."""
        return self.graph.first_text(self.paper, "schema:inLanguage").strip() or "en"

    @property
    def title(self) -> str:
        """The title for the labels of parts."""
        return self.graph.title

    @cached_property
    def nodes(self) -> Mapping[str, list[Any]]:
        """The nodes of each part in the order of the form, by part key."""
        nodes_by_key = {
            key: self.graph.parts(part.path) for key, part in FORM_PARTS.items() if part is not PAPER_PART
        }
        if any(len(part_nodes) > MAX_FORM_ITEMS for part_nodes in nodes_by_key.values()):
            raise form_size_problem(f"{MAX_FORM_ITEMS} parts of one type, such as forums")
        nodes_by_key[ASSESSMENT_PART.key].sort(key=self.assessment_order)
        return {PAPER_PART.key: [self.paper], **nodes_by_key}

    def assessment_order(self, node: Any) -> tuple[int, int]:
        """The sort key of an assessment: the position of its criterion in the rules, then its number."""
        criteria = [criterion.value for criterion in self.graph.values(node, "wgig:criterion")]
        positions = criterion_positions()
        return min(
            (positions.get(criterion, len(positions)) for criterion in criteria), default=len(positions)
        ), trailing_number(node)

    def memberships(self, person: Any) -> list[Any]:
        """The memberships of a person that the paper describes."""
        return [*self.graph.subjects_with("org:member", person)]

    def field_values(self, node: Any, field: FormField) -> list[Any]:
        """The values of a field of a node, in the order of the statements; empty for `who` and `member`."""
        if field.path == "wgig:stakeholderGroup":
            # The memberships of a person state the group, or else the agent itself.
            subjects = self.memberships(node) or [node]
            values_by_subject = (self.graph.values(subject, field.path) for subject in subjects)
            return list(dict.fromkeys(value for values in values_by_subject for value in values))
        values = self.graph.values(node, field.path) if field.is_property else []
        if len(values) > MAX_FORM_ITEMS:
            raise form_size_problem(f"{MAX_FORM_ITEMS} values of {field.key}")
        return values

    @cached_property
    def form_state(self) -> FormState:
        """The values of the form for these statements."""
        rows = {
            key: [self.build_row(part, node, number) for number, node in enumerate(self.nodes[key], 1)]
            for key, part in FORM_PARTS.items()
        }
        return FormState(self.name, rows)

    def build_row(self, part: FormPart, node: Any, number: int) -> FormRow:
        """The row of a node, with the values of its fields."""
        return FormRow(number, {field.key: self.shown_values(node, field) for field in part.fields})

    def shown_values(self, node: Any, field: FormField) -> list[FieldValue]:
        """The values of a field of a node, as shown in the form."""
        if field.kind == PERSON_FIELD:
            return [FieldValue(1, self.agent_name(node))]
        if field.path == "member":  # whether the paper describes a membership of the person
            return [FieldValue(1, "yes")] if self.memberships(node) else []
        if field.path == "wgig:judges":
            return [
                FieldValue(number, self.mechanism_name(value))
                for number, value in enumerate(self.field_values(node, field), 1)
            ]
        return [
            FieldValue(
                number, format_field_value(field, value), value_language_tag(field, value, self.language)
            )
            for number, value in enumerate(self.field_values(node, field), 1)
        ]

    def mechanism_name(self, node: Any) -> str:
        """The form value for a judged mechanism: its row name, its path in the graph, or else its IRI."""
        mechanisms = self.nodes[MECHANISM_PART.key]
        if node in mechanisms:
            return f"{MECHANISM_PART.key}-{mechanisms.index(node) + 1}"
        path = resource_path(node) if isinstance(node, ox.NamedNode) else ""
        return path if find_graph_mechanism(path) == node else str(node)

    def agent_name(self, node: Any) -> str:
        """The name of an agent: from the paper, else from the bundled facts, else its IRI.

        It is empty if the paper describes the agent without a name.
        """
        for curie in ("foaf:name", "rdfs:label"):
            if name := self.graph.first_text(node, curie):
                return name.replace("\r", "").replace("\n", "")
        choice = agent_choices_by_iri().get(str(getattr(node, "value", node)))
        return choice.value if choice else "" if self.graph.is_described(node) else str(node)


def form_size_problem(limit: str) -> Problem:
    """The Problem 413 for a paper that is too large for the form."""
    return Problem(
        413, f"The paper has more than {limit}, which is more than the form can show. Edit the file instead."
    )


@cache
def criterion_positions() -> dict[str, int]:
    """The position of each criterion among the rules that require an assessment, by criterion IRI."""
    counted_criteria = (
        rule.counted_criterion for rule in rules_by_code().values() if rule.component == "QualifiedMinCount"
    )
    return {
        criterion: position
        for position, criterion in enumerate(
            criterion
            for criterion in counted_criteria
            if criterion.startswith(DEFAULT_NAMESPACES["principle"])
        )
    }


@cache
def agent_choices_by_iri() -> dict[str, FieldChoice]:
    """The choices for the people and organizations in the bundled facts, by IRI.

    The value of a choice is a name by which `find_known_agent` finds the agent: the English name or else the
    short name. The label is an alternative name, for example in another script.
    """
    nodes = [expand_curie(f"agent:{slug}") for slug in sorted(set(agent_slugs_by_name().values()))]
    names = {node: choice_name(node, "en") for node in nodes}
    return {
        node.value: FieldChoice(
            name if find_known_agent(name) == node else local_name(node, "agent"),
            best_shipped_text(node, "skos:altLabel", "en"),
        )
        for node, name in names.items()
    }

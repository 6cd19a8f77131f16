"""The paper as it was loaded into the form, before any edit.

That is: its statements, its parts in the order of the form, and the values in the form.
"""

from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from itertools import islice
from typing import Any

import pyoxigraph as ox

from ...problems import Problem
from ...rdf.namespaces import DEFAULT_NAMESPACES, PAPER_NAMESPACE, expand_curie
from ...shacl.rules import rules_by_code
from ..markdown.graph import PaperGraph, trailing_number
from ..markdown.values import agent_slugs_by_name, find_known_agent, local_name
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

MAX_PAPER_STATEMENTS = 5000  # statements; a paper has a few hundred
NO_PAPER_DETAIL = (
    "The file or graph does not contain exactly one issue paper (wgig:IssuePaper). "
    "The form is for issue papers."
)


class OriginalPaper:
    """The statements of one issue paper, as the form shows them."""

    def __init__(self, triples: Iterable[ox.Triple]) -> None:
        """Keep the statements, without duplicates.

        Raises Problem 422 if they do not describe exactly one issue paper, 413 if they are more than a
        form can show.
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
            raise Problem(422, f"The paper has no IRI of its own below {PAPER_NAMESPACE}. Give it one.")

    @property
    def name(self) -> str:
        """The name of the paper, which is the end of its IRI."""
        return str(self.paper.value).removeprefix(PAPER_NAMESPACE)

    @cached_property
    def language(self) -> str:
        """The default language of the texts, which the paper states; `en` if it states none."""
        return self.graph.first_text(self.paper, "schema:inLanguage").strip() or "en"

    @cached_property
    def title(self) -> str:
        """The title for labels in the form: the English one, else the first one, or the name of the paper."""
        titles = self.graph.values(self.paper, "dcterms:title")
        english = (title.value for title in titles if getattr(title, "language", "") == "en")
        return next(english, titles[0].value if titles else self.name)

    @cached_property
    def nodes(self) -> Mapping[str, list[Any]]:
        """For each kind of part, by its key, its nodes in the paper in the order of the form."""
        nodes_by_key = {
            key: self.graph.parts(part.path) for key, part in FORM_PARTS.items() if part is not PAPER_PART
        }
        if any(len(part_nodes) > MAX_FORM_ITEMS for part_nodes in nodes_by_key.values()):
            raise form_size_problem(f"{MAX_FORM_ITEMS} parts of a kind")
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
        """The values of a field of a node, in the order of the statements; empty if it is not a property."""
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
        """The form as it shows these statements."""
        rows = {
            key: [self.build_row(part, node, number) for number, node in enumerate(self.nodes[key], 1)]
            for key, part in FORM_PARTS.items()
        }
        return FormState(self.name, rows)

    def build_row(self, part: FormPart, node: Any, number: int) -> FormRow:
        """The fields of a node with their values, as a row of the form."""
        return FormRow(number, {field.key: self.shown_values(node, field) for field in part.fields})

    def shown_values(self, node: Any, field: FormField) -> list[FieldValue]:
        """The values of a field of a node, as the form shows them."""
        if field.kind == PERSON_FIELD:
            return [FieldValue(1, self.agent_name(node))]
        if field.path == "member":  # not a property: whether the paper describes a membership of the person
            return [FieldValue(1, "yes")] if self.memberships(node) else []
        if field.path == "wgig:judges":
            return [
                FieldValue(1 + index, self.mechanism_name(value))
                for index, value in enumerate(self.field_values(node, field))
            ]
        return [
            FieldValue(
                number, format_field_value(field, value), value_language_tag(field, value, self.language)
            )
            for number, value in enumerate(self.field_values(node, field), 1)
        ]

    def mechanism_name(self, node: Any) -> str:
        """How the form names a judged mechanism: by its number, or by its IRI if it is not in the paper."""
        mechanisms = self.nodes[MECHANISM_PART.key]
        return f"{MECHANISM_PART.key}-{mechanisms.index(node) + 1}" if node in mechanisms else str(node)

    def agent_name(self, node: Any) -> str:
        """The name of an agent: from the paper, else from the facts in this package, else its IRI."""
        for curie in ("foaf:name", "rdfs:label"):
            if name := self.graph.first_text(node, curie):
                return name.replace("\r", "").replace("\n", "")
        choice = agent_choices_by_iri().get(str(getattr(node, "value", node)))
        return choice.words if choice else str(node)


def form_size_problem(limit: str) -> Problem:
    """The 413 for a paper that is too large for the form."""
    return Problem(
        413, f"The paper has more than {limit}, which is more than the form can show. Edit its file."
    )


@cache
def criterion_positions() -> dict[str, int]:
    """The position of each criterion, by IRI, in the order of the rules that require its assessment."""
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
    """The names of the known people and organizations, by IRI.

    Each name leads back to its agent (`find_known_agent`); if the English name does not, the short name of
    the agent is used. The label of a choice is an alternative name, for example in another script.
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

"""The paper as it was opened: its statements, its parts in the order of the form, and what the form shows."""

from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from itertools import islice
from typing import Any

import pyoxigraph as ox

from ...problems import Problem
from ...rdf.namespaces import DEFAULT_NAMESPACES, PAPER_NAMESPACE, expand_curie
from ...shacl.rules import rules_by_code
from ..markdown.graph import PaperGraph, trailing_number
from ..markdown.values import agent_slugs_by_name, find_known_agent, prefixed_short_name
from .choices import FieldChoice, best_shipped_text, choice_label
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

MAX_PAPER_STATEMENTS = 5000  # statements; a paper has some hundred
NO_PAPER_DETAIL = (
    "No issue paper is in it. The form is for issue papers: one wgig:IssuePaper in a file or graph."
)


class OriginalPaper:
    """The statements of one issue paper, as the form shows them."""

    def __init__(self, triples: Iterable[ox.Triple]) -> None:
        """Take the statements.

        Raises Problem 422 where they are not about just one issue paper, 413 where they are more than a form
        can hold.
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
            raise Problem(422, f"The paper has no address of its own below {PAPER_NAMESPACE}. Give it one.")

    @property
    def name(self) -> str:
        """The name of the paper in addresses."""
        return str(self.paper.value).removeprefix(PAPER_NAMESPACE)

    @cached_property
    def language(self) -> str:
        """The language of texts that say no other, as the form says it."""
        return self.graph.first_text(self.paper, "schema:inLanguage").strip() or "en"

    @cached_property
    def title(self) -> str:
        """The title that labels repeat: the English one before others, or the name of the paper."""
        titles = self.graph.values(self.paper, "dcterms:title")
        english = (one.value for one in titles if getattr(one, "language", "") == "en")
        return next(english, titles[0].value if titles else self.name)

    @cached_property
    def nodes(self) -> Mapping[str, list[Any]]:
        """The parts by the key of their kind, in the order in which the form has them."""
        found = {key: self.graph.parts(part.path) for key, part in FORM_PARTS.items() if key}
        if any(len(one) > MAX_FORM_ITEMS for one in found.values()):
            raise form_size_problem(f"{MAX_FORM_ITEMS} parts of a kind")
        found[ASSESSMENT_PART.key].sort(key=self.assessment_order)
        return {PAPER_PART.key: [self.paper], **found}

    def assessment_order(self, node: Any) -> tuple[int, int]:
        """The place of an assessment: by the order of the criteria in the template."""
        named = [one.value for one in self.graph.values(node, "wgig:criterion")]
        order = criterion_positions()
        return min((order.get(one, len(order)) for one in named), default=len(order)), trailing_number(node)

    def memberships(self, person: Any) -> list[Any]:
        """The seats of a person that the paper describes."""
        return [*self.graph.subjects_with("org:member", person)]

    def field_values(self, node: Any, field: FormField) -> list[Any]:
        """The values of a field of a node, in their order; none for what is asked of people in words."""
        if field.path == "wgig:stakeholderGroup":
            found = (self.graph.values(one, field.path) for one in self.memberships(node) or [node])
            return list(dict.fromkeys(value for values in found for value in values))
        values = self.graph.values(node, field.path) if field.is_property else []
        if len(values) > MAX_FORM_ITEMS:
            raise form_size_problem(f"{MAX_FORM_ITEMS} values of {field.key}")
        return values

    @cached_property
    def form_state(self) -> FormState:
        """The form as it shows these statements."""
        rows = {
            key: [self.build_row(part, node, count) for count, node in enumerate(self.nodes[key], 1)]
            for key, part in FORM_PARTS.items()
        }
        return FormState(self.name, rows)

    def build_row(self, part: FormPart, node: Any, count: int) -> FormRow:
        """A part as the form shows it."""
        return FormRow(count, {one.key: self.shown_values(node, one) for one in part.fields})

    def shown_values(self, node: Any, field: FormField) -> list[FieldValue]:
        """The values of a field of a node as the form shows them."""
        if field.kind == PERSON_FIELD:
            return [FieldValue(1, self.agent_name(node))]
        if field.path == "member":
            return [FieldValue(1, "yes")] if self.memberships(node) else []
        if field.path == "wgig:judges":
            return [
                FieldValue(1 + at, self.mechanism_name(one))
                for at, one in enumerate(self.field_values(node, field))
            ]
        return [
            FieldValue(at, format_field_value(field, one), value_language_tag(field, one, self.language))
            for at, one in enumerate(self.field_values(node, field), 1)
        ]

    def mechanism_name(self, node: Any) -> str:
        """How the form names a mechanism that is judged: by its number, or as it stands."""
        there = self.nodes[MECHANISM_PART.key]
        return f"{MECHANISM_PART.key}-{there.index(node) + 1}" if node in there else str(node)

    def agent_name(self, node: Any) -> str:
        """How somebody is called: as the paper says, as the graph does, or by the address."""
        for one in ("foaf:name", "rdfs:label"):
            if name := self.graph.first_text(node, one):
                return name.replace("\r", "").replace("\n", "")
        known = agent_choices_by_iri().get(str(getattr(node, "value", node)))
        return known.words if known else str(node)


def form_size_problem(most: str) -> Problem:
    """The 413 for a paper that is too large for a form."""
    return Problem(
        413, f"The paper has more than {most}, which is more than the form can show. Edit its file."
    )


@cache
def criterion_positions() -> dict[str, int]:
    """The place of each criterion of the template, by its IRI."""
    counted = (
        one.counted_criterion for one in rules_by_code().values() if one.component == "QualifiedMinCount"
    )
    return {
        one: at
        for at, one in enumerate(one for one in counted if one.startswith(DEFAULT_NAMESPACES["principle"]))
    }


@cache
def agent_choices_by_iri() -> dict[str, FieldChoice]:
    """The names of the people and bodies in the graph by their IRIs, each of which finds them.

    Beside a name stands how it is written in other letters.
    """
    nodes = [expand_curie(f"agent:{one}") for one in sorted(set(agent_slugs_by_name().values()))]
    names = {one: choice_label(one, "en") for one in nodes}
    return {
        one.value: FieldChoice(
            name if find_known_agent(name) == one else prefixed_short_name(one, "agent"),
            best_shipped_text(one, "skos:altLabel", "en"),
        )
        for one, name in names.items()
    }

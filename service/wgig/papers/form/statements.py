"""Convert a submitted form to statements: the original paper with the changes in the fields."""

from itertools import count
from typing import Any

import pyoxigraph as ox

from ...rdf.namespaces import expand_curie
from ...text import balance_text_bidi
from ..markdown.graph import (
    PAPER_LABEL_PREFIX,
    PaperGraph,
    build_part_label,
    iter_node_values,
    iter_numbered_iris,
    trailing_number,
)
from ..markdown.template import build_criterion_label, build_waiver_label
from ..markdown.values import find_graph_mechanism, iri_segment
from .fields import (
    ASSESSMENT_PART,
    CHECKBOX_FIELD,
    FORM_PARTS,
    MECHANISM_PART,
    PERSON_FIELD,
    SWOT_PART,
    WAIVER_PART,
    FormField,
    FormPart,
)
from .original import OriginalPaper
from .people import STAKEHOLDER_GROUP_PROPERTY, PeopleBuilder
from .state import FormRow, FormState, field_group_name, form_row_name, parse_field_value

MEMBERSHIP_PROPERTIES = ("org:member", "org:organization", "org:role")  # follow from the field `member`


def describe_unnamed_row(part: FormPart, row: FormRow) -> str:
    """The end of the label of a new node without a name; the beginning is the title of the paper."""
    if part is ASSESSMENT_PART:
        return build_criterion_label(iri_segment(row.first_text("criterion")))
    if part is WAIVER_PART:
        return build_waiver_label(row.first_text("waives"))
    return part.title if part is SWOT_PART else part.title.lower()  # SWOT is an abbreviation


class FormToGraph:
    """The statements of a submitted form, and the name of the field for each.

    `field_names` has field names by statement, by (node, property IRI), and by node. An invalid value becomes
    a statement that violates a rule.
    """

    def __init__(self, original: OriginalPaper, form_state: FormState) -> None:
        """Convert all rows of the form."""
        self.original, self.form_state, self.paper = original, form_state, original.paper
        self.graph = PaperGraph(original.triples)
        self.people = PeopleBuilder(original, self.graph, self.describe_node)
        self.nodes: dict[tuple[str, int], Any] = {}  # by part key and row number
        self.field_names: dict[Any, str] = {}
        # The names of the rows of mechanisms that an assessment judges. Such a row may be blank.
        self.judged_row_names = {
            value.text for row in self.rows(ASSESSMENT_PART) for value in row.values.get("judges", ())
        }
        for part, row in form_state.iter_rows():
            self.add_row(part, row)
        for node in [node for part in FORM_PARTS.values() for node in self.unlink_removed_rows(part)]:
            self.graph.remove_orphan(node)
        self.update_labels()

    @property
    def triples(self) -> list[ox.Triple]:
        """The statements of the paper in the form."""
        return list(self.graph.triples)

    def rows(self, part: FormPart) -> list[FormRow]:
        """The rows of a part."""
        return self.form_state.rows[part.key]

    def add_row(self, part: FormPart, row: FormRow) -> None:
        """Add the statements of a row, unless it is new and blank."""
        node = self.find_row_node(part, row)
        if node is None:
            return
        self.nodes[part.key, row.number] = node
        self.field_names.setdefault(node, form_row_name(part, row))
        if part.path:
            self.field_names.setdefault(
                self.graph.add_value(self.paper, part.path, node), form_row_name(part, row)
            )
        if not isinstance(node, ox.Literal):  # a literal cannot be a subject
            for field in part.fields:
                self.add_field(part, row, field, node)

    def find_row_node(self, part: FormPart, row: FormRow) -> Any:
        """The node of a row, which may be a new node; None if the row is new and blank."""
        original_nodes = self.original.nodes[part.key]
        original_node = original_nodes[row.number - 1] if row.number <= len(original_nodes) else None
        node = self.people.find_agent(row, original_node) if part.is_people else original_node
        if isinstance(node, ox.Literal) and row.values and not row.is_blank:
            node = None  # a literal has no properties, so a new node replaces it
        is_used = not row.is_blank or f"{part.key}-{row.number}" in self.judged_row_names
        return self.add_node(part, row) if node is None and is_used else node

    def add_node(self, part: FormPart, row: FormRow) -> ox.NamedNode:
        """Add a new node for a row, with the statements that every node has; return the node."""
        node = self.people.add_agent(part, row) if part.is_people else self.free_iri(part, row)
        self.describe_node(node, part.class_curie)
        if not part.is_people and not row.first_text("label").strip():
            label = build_part_label(self.original.title, describe_unnamed_row(part, row))
            self.graph.add_value(node, "rdfs:label", label)
        return node

    def free_iri(self, part: FormPart, row: FormRow) -> ox.NamedNode:
        """An unused IRI for a row, such as `paper/spam/forum/2` or `paper/spam/assessment/transparency`.

        It is the one that the Markdown reader generates. So numbers leave no gap for a blank row.
        """
        stem = f"{self.paper.value}/{part.key}"
        if part is ASSESSMENT_PART:
            iris = iter_numbered_iris(f"{stem}/{iri_segment(row.first_text('criterion')) or 'other'}")
        elif part.is_repeatable:
            last_number = max(map(trailing_number, self.original.nodes[part.key]), default=0)
            iris = (ox.NamedNode(f"{stem}/{number}") for number in count(last_number + 1))
        else:
            iris = iter_numbered_iris(stem)
        return next(filter(self.graph.is_unused, iris))

    def describe_node(self, node: Any, class_curie: str) -> None:
        """Add the statements that every node has: type, sources, and whether it is illustrative."""
        sources = self.graph.values(self.paper, "dcterms:source") or [self.paper]
        is_illustrative = self.form_state.paper.first_text("illustrative") == "yes"
        for curie, value in iter_node_values(class_curie, sources, illustrative=is_illustrative):
            self.graph.add_value(node, curie, value)

    def add_field(self, part: FormPart, row: FormRow, field: FormField, node: Any) -> None:
        """Update the statements of a field."""
        group_name = field_group_name(part, row, field)
        if field.kind == PERSON_FIELD:
            for curie in ("foaf:name", "rdfs:label"):
                self.field_names.setdefault((node, expand_curie(curie).value), group_name)
        elif field.path == STAKEHOLDER_GROUP_PROPERTY:
            has_membership = any(other_field.path == "member" for other_field in part.fields)
            group_holder = self.people.update_membership(row, node) if has_membership else node
            self.people.update_groups(row, field, node, group_holder)
            for agent in (node, group_holder):
                self.field_names.setdefault(
                    (agent, expand_curie(STAKEHOLDER_GROUP_PROPERTY).value), group_name
                )
            if group_holder != node:
                member_name = f"{form_row_name(part, row)}-member-1"
                for curie in MEMBERSHIP_PROPERTIES:
                    self.field_names.setdefault((group_holder, expand_curie(curie).value), member_name)
        elif field.is_property:
            self.field_names.setdefault((node, expand_curie(field.path).value), group_name)
            (self.update_checkboxes if field.kind == CHECKBOX_FIELD else self.update_values)(
                row, field, node, group_name
            )

    def update_values(self, row: FormRow, field: FormField, node: Any, group_name: str) -> None:
        """Update the statements of a field with numbered inputs. An unchanged value keeps its statement."""
        submitted = {value.number: value for value in row.values.get(field.key, ())}
        original_values = zip(
            self.original.field_values(node, field), self.original.shown_values(node, field), strict=True
        )
        for value, shown_value in original_values:
            if submitted.get(shown_value.number) == shown_value:
                del submitted[shown_value.number]
                self.field_names[ox.Triple(node, expand_curie(field.path), value)] = (
                    f"{group_name}-{shown_value.number}"
                )
            else:
                self.graph.remove_value(node, field.path, value)
        for number, text, language in submitted.values():
            if text.strip():
                term = parse_field_value(field, text, language or self.form_state.language)
                self.field_names[self.graph.add_value(node, field.path, term)] = f"{group_name}-{number}"

    def update_checkboxes(self, row: FormRow, field: FormField, node: Any, group_name: str) -> None:
        """Update the statements of checkboxes. A value that stays checked keeps its statement."""
        checked = {value.text for value in row.values.get(field.key, ())}
        original_values = zip(
            self.original.field_values(node, field), self.original.shown_values(node, field), strict=True
        )
        for value, shown_value in original_values:
            if shown_value.text in checked:
                checked.discard(shown_value.text)
                self.field_names[ox.Triple(node, expand_curie(field.path), value)] = group_name
            else:
                self.graph.remove_value(node, field.path, value)
        for text in sorted(filter(str.strip, checked)):
            term = (
                self.judged_mechanism(text)
                if field.path == "wgig:judges"
                else parse_field_value(field, text, "")
            )
            self.field_names[self.graph.add_value(node, field.path, term)] = group_name

    def judged_mechanism(self, row_name: str) -> Any:
        """The mechanism in a row such as `mechanism-1`, or that of the graph with a path, `agent/icann`.

        If there is neither, it is an IRI without statements.
        """
        number = row_name.removeprefix(f"{MECHANISM_PART.key}-")
        mechanism = self.nodes.get((MECHANISM_PART.key, int(number))) if number.isdecimal() else None
        missing_mechanism = ox.NamedNode(f"{self.paper.value}/mechanism/{iri_segment(row_name)}")
        return mechanism or find_graph_mechanism(row_name) or missing_mechanism

    def unlink_removed_rows(self, part: FormPart) -> list[Any]:
        """Remove the links from the paper to nodes whose rows were removed; return the nodes."""
        remaining = {node for (key, _), node in self.nodes.items() if key == part.key}
        removed = [node for node in self.original.nodes[part.key] if node not in remaining]
        for node in removed:
            self.graph.remove_value(self.paper, part.path, node)
        return removed

    def update_labels(self) -> None:
        """Replace the old title by the new title in labels that begin with it."""
        old_title, new_title = self.original.title, OriginalPaper(self.graph.triples).title
        for triple in [*self.graph.triples] if old_title != new_title else ():
            label, is_paper_label = triple.object, triple.subject == self.paper
            old_prefix, new_prefix = (
                f"{PAPER_LABEL_PREFIX}{title}" if is_paper_label else f"{balance_text_bidi(title)}: "
                for title in (old_title, new_title)
            )
            if triple.predicate != expand_curie("rdfs:label") or not isinstance(label, ox.Literal):
                continue
            if label.language and label.value.startswith(old_prefix):
                text = f"{new_prefix}{label.value.removeprefix(old_prefix)}"
                self.graph.remove_triple(triple)
                self.graph.add_value(triple.subject, "rdfs:label", ox.Literal(text, language=label.language))

"""The statements of a form: those that it was opened with, but for the fields that say something else now."""

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
)
from ..markdown.values import iri_segment
from .fields import (
    ASSESSMENT_PART,
    CHECKBOX_FIELD,
    FORM_PARTS,
    MECHANISM_PART,
    PERSON_FIELD,
    SWOT_PART,
    FormField,
    FormPart,
)
from .original import OriginalPaper
from .people import STAKEHOLDER_GROUP_PROPERTY, PeopleBuilder
from .state import FormRow, FormState, field_group_name, form_row_name, parse_field_value


class FormToGraph:
    """The statements of a form that was sent, and the names of the fields that make them.

    `field_names` has them by statement, by node and IRI of a property, and by node. What is wrong becomes a
    statement that breaks a rule.
    """

    def __init__(self, source: OriginalPaper, filled: FormState) -> None:
        """State all that is filled in."""
        self.original, self.form_state, self.paper = source, filled, source.paper
        self.graph = PaperGraph(source.triples)
        self.people = PeopleBuilder(source, self.graph, self.describe_node)
        self.nodes: dict[tuple[str, int], Any] = {}
        self.field_names: dict[Any, str] = {}
        self.judged_names = {
            one.words for row in self.rows(ASSESSMENT_PART) for one in row.values.get("judges", ())
        }
        for part, row in filled.iter_rows():
            self.add_row(part, row)
        for node in [node for part in FORM_PARTS.values() for node in self.unlink_removed_parts(part)]:
            self.graph.remove_orphan(node)
        self.update_labels()

    @property
    def triples(self) -> list[ox.Triple]:
        """What the form states."""
        return list(self.graph.triples)

    def rows(self, part: FormPart) -> list[FormRow]:
        """The parts of a kind."""
        return self.form_state.rows[part.key]

    def add_row(self, part: FormPart, row: FormRow) -> None:
        """State a part, unless it is new and nothing is written in it."""
        node = self.find_row_node(part, row)
        if node is None:
            return
        self.nodes[part.key, row.number] = node
        self.field_names.setdefault(node, form_row_name(part, row))
        if part.path:
            self.field_names.setdefault(
                self.graph.add_value(self.paper, part.path, node), form_row_name(part, row)
            )
        if not isinstance(node, ox.Literal):  # of which nothing can be said
            for field in part.fields:
                self.add_field(part, row, field, node)

    def find_row_node(self, part: FormPart, row: FormRow) -> Any:
        """What a part is in the graph: as before, or new; None where it is new and blank."""
        there = self.original.nodes[part.key]
        before = there[row.number - 1] if row.number <= len(there) else None
        found = self.people.find_agent(row, before) if part.is_people else before
        if isinstance(found, ox.Literal) and row.values and not row.is_blank:
            found = None
        is_said = not row.is_blank or f"{part.key}-{row.number}" in self.judged_names
        return self.add_node(part, row) if found is None and is_said else found

    def add_node(self, part: FormPart, row: FormRow) -> ox.NamedNode:
        """A new node, with what each has."""
        node = self.people.add_agent(part, row) if part.is_people else self.free_iri(part, row)
        self.describe_node(node, part.kind)
        if not part.is_people and not row.words("label").strip():
            said = (row.words("criterion") or part.title).replace("-", " ")
            words = said if part is SWOT_PART else said.lower()
            self.graph.add_value(node, "rdfs:label", build_part_label(self.original.title, words))
        return node

    def free_iri(self, part: FormPart, row: FormRow) -> ox.NamedNode:
        """A free address below that of the paper: with the criterion, or with a number."""
        stem = f"{self.paper.value}/{part.key}"
        criterion = iri_segment(row.words("criterion"))
        numbered = (ox.NamedNode(f"{stem}/{number}") for number in count(row.number))
        named = iter_numbered_iris(f"{stem}/{criterion}" if part.several else stem)
        tries = numbered if part.several and not criterion else named
        return next(filter(self.graph.is_unused, tries))

    def describe_node(self, node: Any, kind: str) -> None:
        """Say what a new node is, where that is from, and whether it is made up."""
        sources = self.graph.values(self.paper, "dcterms:source") or [self.paper]
        is_made_up = self.form_state.paper.words("illustrative") == "yes"
        for name, value in iter_node_values(kind, sources, illustrative=is_made_up):
            self.graph.add_value(node, name, value)

    def add_field(self, part: FormPart, row: FormRow, field: FormField, node: Any) -> None:
        """State the values of a field."""
        of_field = field_group_name(part, row, field)
        if field.kind == PERSON_FIELD:
            for one in ("foaf:name", "rdfs:label"):
                self.field_names.setdefault((node, expand_curie(one).value), of_field)
        elif field.path == STAKEHOLDER_GROUP_PROPERTY:
            has_seat = any(one.path == "member" for one in part.fields)
            holder = self.people.update_membership(row, node) if has_seat else node
            self.people.update_groups(row, field, node, holder)
            for one in (node, holder):
                self.field_names.setdefault((one, expand_curie(STAKEHOLDER_GROUP_PROPERTY).value), of_field)
        elif field.is_property:
            self.field_names.setdefault((node, expand_curie(field.path).value), of_field)
            (self.update_checkboxes if field.kind == CHECKBOX_FIELD else self.update_values)(
                row, field, node, of_field
            )

    def update_values(self, row: FormRow, field: FormField, node: Any, of_field: str) -> None:
        """State the values of numbered fields: one that says what it said before leaves its statement."""
        given = {one.number: one for one in row.values.get(field.key, ())}
        there = zip(
            self.original.field_values(node, field), self.original.shown_values(node, field), strict=True
        )
        for value, shown in there:
            if given.get(shown.number) == shown:
                del given[shown.number]
                self.field_names[ox.Triple(node, expand_curie(field.path), value)] = (
                    f"{of_field}-{shown.number}"
                )
            else:
                self.graph.remove_value(node, field.path, value)
        for number, words, language in given.values():
            if words.strip():
                said = parse_field_value(field, words, language or self.form_state.language)
                self.field_names[self.graph.add_value(node, field.path, said)] = f"{of_field}-{number}"

    def update_checkboxes(self, row: FormRow, field: FormField, node: Any, of_field: str) -> None:
        """State what is checked: what was before leaves its statement."""
        given = {one.words for one in row.values.get(field.key, ())}
        there = zip(
            self.original.field_values(node, field), self.original.shown_values(node, field), strict=True
        )
        for value, shown in there:
            if shown.words in given:
                given.discard(shown.words)
                self.field_names[ox.Triple(node, expand_curie(field.path), value)] = of_field
            else:
                self.graph.remove_value(node, field.path, value)
        for words in sorted(filter(str.strip, given)):
            judged = (
                self.judged_mechanism(words)
                if field.path == "wgig:judges"
                else parse_field_value(field, words, "")
            )
            self.field_names[self.graph.add_value(node, field.path, judged)] = of_field

    def judged_mechanism(self, words: str) -> Any:
        """The mechanism of this number, or one that is not there."""
        number = words.removeprefix(f"{MECHANISM_PART.key}-")
        there = self.nodes.get((MECHANISM_PART.key, int(number))) if number.isdecimal() else None
        return there or ox.NamedNode(f"{self.paper.value}/mechanism/{iri_segment(words)}")

    def unlink_removed_parts(self, part: FormPart) -> list[Any]:
        """What was a part before and is none any more, after the link to it is taken away."""
        stated = {node for (key, _), node in self.nodes.items() if key == part.key}
        gone = [one for one in self.original.nodes[part.key] if one not in stated]
        for node in gone:
            self.graph.remove_value(self.paper, part.path, node)
        return gone

    def update_labels(self) -> None:
        """Let labels that repeat the title repeat the new one."""
        old, new = self.original.title, OriginalPaper(self.graph.triples).title
        for triple in [*self.graph.triples] if old != new else ():
            label, is_own = triple.object, triple.subject == self.paper
            before, after = (
                f"{PAPER_LABEL_PREFIX}{one}" if is_own else f"{balance_text_bidi(one)}: "
                for one in (old, new)
            )
            if triple.predicate != expand_curie("rdfs:label") or not isinstance(label, ox.Literal):
                continue
            if label.language and label.value.startswith(before):
                said = f"{after}{label.value.removeprefix(before)}"
                self.graph.remove_triple(triple)
                self.graph.add_value(triple.subject, "rdfs:label", ox.Literal(said, language=label.language))

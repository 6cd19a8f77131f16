"""Locations of findings: the offset, and from it line and column, at which an author has to look.

`DocumentIndex.find_offset` gives an offset in characters, `DocumentIndex.find_place` the line and column of
one. In order of preference, the offset is that of the heading or key below which something is missing
(`find_slot_offset`), of the value (`value_locations`), of the second value where there should be one
(`surplus_locations`), of the node that lacks something (`node_locations`). None where the format has no
positions, or the triple was not sent.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

import pyoxigraph as ox

from ..rdf.namespaces import WGIG_NAMESPACE
from ..text import TextLines, TextPosition
from .documents import Document
from .engines import Term, ValidationResult
from .rules import NON_SHACL_COMPONENT, Rule

SPOT_SUBJECT_INDEX, SPOT_PREDICATE_INDEX, SPOT_OBJECT_INDEX = range(3)  # the members of a spot
WGIG_CRITERION_IRI = f"{WGIG_NAMESPACE}criterion"
MAX_SHOWN_LINE_CHARACTERS = 160  # characters of a line that are shown


class TermLocation(NamedTuple):
    """A term of a document: the number of a triple, and which of its terms."""

    triple_number: int
    term_index: int


class DocumentIndex:
    """The triples of a document by the nodes in them, and where they are written."""

    def __init__(self, document: Document) -> None:
        """Take the document."""
        self.document = document
        self.triples = document.triples
        self.numbers_by_subject: Mapping[Term, list[int]] = document.numbers_by_subject

    @cached_property
    def numbers_by_object(self) -> dict[Term, list[int]]:
        """The numbers of the triples by their objects."""
        numbers: dict[Term, list[int]] = {}
        for number, triple in enumerate(self.triples):
            numbers.setdefault(triple.object, []).append(number)
        return numbers

    def find_objects(self, node: Term, predicate: str) -> list[Term]:
        """The objects of a node along a property."""
        return [
            self.triples[one].object
            for one in self.numbers_by_subject.get(node, ())
            if self.triples[one].predicate.value == predicate
        ]

    def find_object_nodes(self, node: Term) -> set[Term]:
        """The nodes that are objects of a node."""
        ends = {self.triples[one].object for one in self.numbers_by_subject.get(node, ())}
        return {one for one in ends if not isinstance(one, ox.Literal)}

    def find_offset(self, rule: Rule, result: ValidationResult) -> int | None:
        """The offset of what a result is about; None where the format has none.

        It is the value, the one too many, the heading or key below which something is missing, or the node
        that lacks it.
        """
        slot = self.find_slot_offset(rule, result)
        if slot is not None:
            return slot
        ways = (self.value_locations, self.surplus_locations, self.node_locations)
        found = next((one for way in ways if (one := next(way(rule, result), None))), None)
        if found is None or not self.document.spots:
            return None
        return self.document.spots[found.triple_number][found.term_index]

    def find_slot_offset(self, rule: Rule, result: ValidationResult) -> int | None:
        """The offset of the heading or key below which the focus node lacks something, if it is there."""
        if rule.component in SURPLUS_FINDERS or result.value not in (None, result.focus):
            return None
        named = ((result.focus, name) for name in (rule.counted_criterion, *rule.predicates))
        return next((self.document.slots[one] for one in named if one in self.document.slots), None)

    def value_locations(self, rule: Rule, result: ValidationResult) -> Iterator[TermLocation]:
        """Where the value of a result is written, first along the rule's property of the focus node."""
        if result.value is None:
            return
        numbers = self.numbers_by_object.get(result.value, ())
        said = [one for one in numbers if self.triples[one].subject == result.focus]
        along = [one for one in said if self.triples[one].predicate.value in rule.predicates]
        yield from (
            TermLocation(one, SPOT_OBJECT_INDEX)
            for one in along or self.blank_text_numbers(rule, result) or said
        )
        if rule.component == NON_SHACL_COMPONENT:
            yield from self.predicate_locations(result)
        yield from (
            TermLocation(one, SPOT_SUBJECT_INDEX) for one in self.numbers_by_subject.get(result.value, ())
        )
        yield from (TermLocation(one, SPOT_OBJECT_INDEX) for one in numbers)

    def blank_text_numbers(self, rule: Rule, result: ValidationResult) -> list[int]:
        """The triples along the rule's property that say nothing, where the result is about such a one."""
        empty = isinstance(result.value, ox.Literal) and not result.value.value
        numbers = self.outgoing_numbers(rule, result) if empty else []
        return [one for one in numbers if is_blank_text(self.triples[one].object)]

    def predicate_locations(self, result: ValidationResult) -> Iterator[TermLocation]:
        """Where the value of a result is written as a property of the focus node."""
        numbers = self.numbers_by_subject.get(result.focus, ())
        yield from (
            TermLocation(one, SPOT_PREDICATE_INDEX)
            for one in numbers
            if self.triples[one].predicate == result.value
        )

    def surplus_locations(self, rule: Rule, result: ValidationResult) -> Iterator[TermLocation]:
        """Where the second of the values is written, of which there should be one."""
        numbers = (
            SURPLUS_FINDERS[rule.component](self, rule, result) if rule.component in SURPLUS_FINDERS else []
        )
        first = [self.triples[one] for one in numbers[:1]]
        yield from (TermLocation(one, SPOT_OBJECT_INDEX) for one in numbers if self.triples[one] not in first)

    def node_locations(self, _: Rule, result: ValidationResult) -> Iterator[TermLocation]:
        """Where the focus node is written: as a subject, or where it is named."""
        yield from (
            TermLocation(one, SPOT_SUBJECT_INDEX) for one in self.numbers_by_subject.get(result.focus, ())
        )
        yield from (
            TermLocation(one, SPOT_OBJECT_INDEX) for one in self.numbers_by_object.get(result.focus, ())
        )

    def outgoing_numbers(self, rule: Rule, result: ValidationResult) -> list[int]:
        """The triples that lead from the focus node along the rule's property."""
        return [
            one
            for one in self.numbers_by_subject.get(result.focus, ())
            if self.triples[one].predicate.value in rule.predicates
        ]

    def incoming_numbers(self, rule: Rule, result: ValidationResult) -> list[int]:
        """The triples that lead to the focus node along the rule's property, from what the rule counts."""
        return [
            one
            for one in self.numbers_by_object.get(result.focus, ())
            if self.triples[one].predicate.value in rule.predicates
            and rule.counted_criterion
            in {end.value for end in self.find_objects(self.triples[one].subject, WGIG_CRITERION_IRI)}
        ]

    def same_language_numbers(self, rule: Rule, result: ValidationResult) -> list[int]:
        """The triples along the rule's property that hold texts in one language, where there are several."""
        seen: dict[str, list[int]] = {}
        for number in self.outgoing_numbers(rule, result):
            text = self.triples[number].object
            if isinstance(text, ox.Literal) and text.language:
                seen.setdefault(text.language, []).append(number)
        return next(filter(self.has_differing_triples, seen.values()), [])

    def has_differing_triples(self, numbers: list[int]) -> bool:
        """Whether the triples say more than one thing."""
        return len({self.triples[one] for one in numbers}) > 1

    def find_place(self, offset: int | None) -> TextPosition | None:
        """Line and column of an offset; None where it is unknown."""
        return None if offset is None or offset < 0 else self.text_lines.locate(offset)

    def line_text(self, place: TextPosition | None) -> str:
        """The text of the line of a place, at most so much as fits on a page."""
        return self.text_lines.line(place.line).strip()[:MAX_SHOWN_LINE_CHARACTERS] if place else ""

    @cached_property
    def text_lines(self) -> TextLines:
        """The lines of the text."""
        return TextLines(self.document.text)


SURPLUS_FINDERS: dict[str, Callable[[DocumentIndex, Rule, ValidationResult], list[int]]] = {
    "MaxCount": DocumentIndex.outgoing_numbers,
    "QualifiedMaxCount": DocumentIndex.incoming_numbers,
    "UniqueLang": DocumentIndex.same_language_numbers,
}


def is_blank_text(term: Term) -> bool:
    """Whether a term is a text of nothing but white space."""
    return isinstance(term, ox.Literal) and (not term.value or term.value.isspace())

"""Locations of findings: the offset, and from it line and column, where the author has to look.

`find_result_offset` returns an offset in characters, `locate_offset` its line and column. In order of
preference, the offset is that of the heading or key below which something is missing (`find_slot_offset`), of
the value (`value_locations`), of the second value where only one is allowed (`surplus_locations`), of the
node that lacks something (`node_locations`). It is None where the format has no positions, or the triple was
not sent.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pyoxigraph as ox

from ..rdf.namespaces import WGIG_NAMESPACE
from ..text import TextPosition
from .documents import Document
from .results import Term, ValidationResult
from .rules import NON_SHACL_COMPONENT, Rule

SPOT_SUBJECT_INDEX, SPOT_PREDICATE_INDEX, SPOT_OBJECT_INDEX = range(3)  # indexes in a TriplePosition
WGIG_CRITERION_IRI = f"{WGIG_NAMESPACE}criterion"
MAX_SHOWN_LINE_CHARACTERS = 160  # characters shown of a line


class TermLocation(NamedTuple):
    """A term of a document: the number of its triple, and its index in the triple."""

    triple_number: int
    term_index: int


def find_result_offset(document: Document, rule: Rule, result: ValidationResult) -> int | None:
    """The offset of what a result is about; None where the format has no positions.

    It is that of the value, the surplus value, the heading or key below which something is missing, or the
    node that lacks it.
    """
    slot = find_slot_offset(document, rule, result)
    if slot is not None:
        return slot
    finders = (value_locations, surplus_locations, node_locations)
    location = next(
        (first_location for find in finders if (first_location := next(find(document, rule, result), None))),
        None,
    )
    if location is None or not document.spots:
        return None
    return document.spots[location.triple_number][location.term_index]


def find_slot_offset(document: Document, rule: Rule, result: ValidationResult) -> int | None:
    """The offset of the heading or key below which the focus node lacks something, or None."""
    if rule.component in SURPLUS_FINDERS or result.value not in (None, result.focus):
        return None
    keys = ((result.focus, name) for name in (rule.counted_criterion, *rule.predicates))
    return next((document.slots[key] for key in keys if key in document.slots), None)


def value_locations(document: Document, rule: Rule, result: ValidationResult) -> Iterator[TermLocation]:
    """Where the value of a result is written, first as a value of the rule's property of the focus node."""
    if result.value is None:
        return
    numbers = document.numbers_by_object.get(result.value, ())
    subject_numbers = [number for number in numbers if document.triples[number].subject == result.focus]
    property_numbers = [
        number for number in subject_numbers if document.triples[number].predicate.value in rule.predicates
    ]
    yield from (
        TermLocation(number, SPOT_OBJECT_INDEX)
        for number in property_numbers or blank_text_numbers(document, rule, result) or subject_numbers
    )
    if rule.component == NON_SHACL_COMPONENT:
        yield from predicate_locations(document, result)
    yield from (
        TermLocation(number, SPOT_SUBJECT_INDEX)
        for number in document.numbers_by_subject.get(result.value, ())
    )
    yield from (TermLocation(number, SPOT_OBJECT_INDEX) for number in numbers)


def blank_text_numbers(document: Document, rule: Rule, result: ValidationResult) -> list[int]:
    """The triples whose value of the rule's property is blank, where the result is about an empty text."""
    empty = isinstance(result.value, ox.Literal) and not result.value.value
    numbers = outgoing_numbers(document, rule, result) if empty else []
    return [number for number in numbers if is_blank_text(document.triples[number].object)]


def predicate_locations(document: Document, result: ValidationResult) -> Iterator[TermLocation]:
    """Where the value of a result is written as a property of the focus node."""
    numbers = document.numbers_by_subject.get(result.focus, ())
    yield from (
        TermLocation(number, SPOT_PREDICATE_INDEX)
        for number in numbers
        if document.triples[number].predicate == result.value
    )


def surplus_locations(document: Document, rule: Rule, result: ValidationResult) -> Iterator[TermLocation]:
    """Where the second value is written, where only one is allowed."""
    find_numbers = SURPLUS_FINDERS.get(rule.component)
    numbers = find_numbers(document, rule, result) if find_numbers else []
    first = [document.triples[number] for number in numbers[:1]]
    yield from (
        TermLocation(number, SPOT_OBJECT_INDEX) for number in numbers if document.triples[number] not in first
    )


def node_locations(document: Document, _: Rule, result: ValidationResult) -> Iterator[TermLocation]:
    """Where the focus node is written: first as a subject, then as an object."""
    yield from (
        TermLocation(number, SPOT_SUBJECT_INDEX)
        for number in document.numbers_by_subject.get(result.focus, ())
    )
    yield from (
        TermLocation(number, SPOT_OBJECT_INDEX) for number in document.numbers_by_object.get(result.focus, ())
    )


def outgoing_numbers(document: Document, rule: Rule, result: ValidationResult) -> list[int]:
    """The triples of the focus node with the rule's property."""
    return [
        number
        for number in document.numbers_by_subject.get(result.focus, ())
        if document.triples[number].predicate.value in rule.predicates
    ]


def incoming_numbers(document: Document, rule: Rule, result: ValidationResult) -> list[int]:
    """The triples with the rule's property that lead to the focus node from nodes that the rule counts."""
    return [
        number
        for number in document.numbers_by_object.get(result.focus, ())
        if document.triples[number].predicate.value in rule.predicates
        and rule.counted_criterion
        in {
            criterion.value
            for criterion in document.find_objects(document.triples[number].subject, WGIG_CRITERION_IRI)
        }
    ]


def same_language_numbers(document: Document, rule: Rule, result: ValidationResult) -> list[int]:
    """The triples with the rule's property whose texts are in the same language, where there are several."""
    numbers_by_language: dict[str, list[int]] = {}
    for number in outgoing_numbers(document, rule, result):
        literal = document.triples[number].object
        if isinstance(literal, ox.Literal) and literal.language:
            numbers_by_language.setdefault(literal.language, []).append(number)
    several = (
        numbers
        for numbers in numbers_by_language.values()
        if len({document.triples[number] for number in numbers}) > 1
    )
    return next(several, [])


def locate_offset(document: Document, offset: int | None) -> TextPosition | None:
    """Line and column of an offset; None where it is unknown."""
    return None if offset is None or offset < 0 else document.text_lines.locate(offset)


def shown_line_text(document: Document, place: TextPosition | None) -> str:
    """The text of the line of a position, cut to MAX_SHOWN_LINE_CHARACTERS."""
    return document.text_lines.line(place.line).strip()[:MAX_SHOWN_LINE_CHARACTERS] if place else ""


SURPLUS_FINDERS: dict[str, Callable[[Document, Rule, ValidationResult], list[int]]] = {
    "MaxCount": outgoing_numbers,
    "QualifiedMaxCount": incoming_numbers,
    "UniqueLang": same_language_numbers,
}


def is_blank_text(term: Term) -> bool:
    """Whether a term is a literal of only white space."""
    return isinstance(term, ox.Literal) and (not term.value or term.value.isspace())

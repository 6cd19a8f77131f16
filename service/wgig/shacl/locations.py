"""Locations of findings: the line and column of the text that the author has to change.

`find_result_offset` returns an offset in characters, `find_text_position` its line and column. Triples are
identified by their numbers in the document. The offset is the first of these that exists:

- the slot in which a value is missing: a heading or key (`find_slot_offset`)
- the wrong value (`value_locations`)
- the second value if only one is allowed (`surplus_locations`)
- the node that lacks a value (`node_locations`)

The offset is None if the format has no positions, or if no triple contains the value or the focus node.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pyoxigraph as ox

from ..rdf.namespaces import WGIG_NAMESPACE
from ..text import TextPosition
from .documents import Document
from .results import Term, ValidationResult
from .rules import NON_SHACL_COMPONENT, Rule

SUBJECT_INDEX, PREDICATE_INDEX, OBJECT_INDEX = range(3)  # of the terms of a triple
WGIG_CRITERION_IRI = f"{WGIG_NAMESPACE}criterion"
MAX_SHOWN_LINE_CHARACTERS = 160  # of the line of a finding


class TermLocation(NamedTuple):
    """A term of a document: the number of its triple, and its index in the triple."""

    triple_number: int
    term_index: int


def find_result_offset(document: Document, rule: Rule, result: ValidationResult) -> int | None:
    """The offset of the text that a result is about, or None."""
    slot = find_slot_offset(document, rule, result)
    if slot is not None:
        return slot
    finders = (value_locations, surplus_locations, node_locations)
    location = next(
        (first_location for find in finders if (first_location := next(find(document, rule, result), None))),
        None,
    )
    if location is None or not document.triple_positions:
        return None
    return document.triple_positions[location.triple_number][location.term_index]


def find_slot_offset(document: Document, rule: Rule, result: ValidationResult) -> int | None:
    """The offset of the heading or key below which the focus node lacks a value, or None."""
    if rule.component in SURPLUS_FINDERS or result.value not in (None, result.focus):
        return None
    keys = ((result.focus, name) for name in (rule.counted_criterion, *rule.predicates))
    return next((document.slots[key] for key in keys if key in document.slots), None)


def value_locations(document: Document, rule: Rule, result: ValidationResult) -> Iterator[TermLocation]:
    """The locations of the value of a result, first those as the object of the rule's property."""
    if result.value is None:
        return
    numbers = document.numbers_by_object.get(result.value, ())
    subject_numbers = [number for number in numbers if document.triples[number].subject == result.focus]
    property_numbers = [
        number for number in subject_numbers if document.triples[number].predicate.value in rule.predicates
    ]
    yield from (
        TermLocation(number, OBJECT_INDEX)
        for number in property_numbers or blank_text_numbers(document, rule, result) or subject_numbers
    )
    if rule.component == NON_SHACL_COMPONENT:
        yield from predicate_locations(document, result)
    yield from (
        TermLocation(number, SUBJECT_INDEX) for number in document.numbers_by_subject.get(result.value, ())
    )
    yield from (TermLocation(number, OBJECT_INDEX) for number in numbers)


def blank_text_numbers(document: Document, rule: Rule, result: ValidationResult) -> list[int]:
    """The numbers of the triples of the rule's property with a blank text, if the result's value is empty.

    The check replaces blank texts by empty ones.
    """
    empty = isinstance(result.value, ox.Literal) and not result.value.value
    numbers = outgoing_numbers(document, rule, result) if empty else []
    return [number for number in numbers if is_blank_text(document.triples[number].object)]


def predicate_locations(document: Document, result: ValidationResult) -> Iterator[TermLocation]:
    """The locations where the value of a result is a property of the focus node."""
    numbers = document.numbers_by_subject.get(result.focus, ())
    yield from (
        TermLocation(number, PREDICATE_INDEX)
        for number in numbers
        if document.triples[number].predicate == result.value
    )


def surplus_locations(document: Document, rule: Rule, result: ValidationResult) -> Iterator[TermLocation]:
    """The locations of the second and further values if only one is allowed."""
    find_numbers = SURPLUS_FINDERS.get(rule.component)
    numbers = find_numbers(document, rule, result) if find_numbers else []
    first_triples = [document.triples[number] for number in numbers[:1]]  # a text may repeat a triple
    yield from (
        TermLocation(number, OBJECT_INDEX)
        for number in numbers
        if document.triples[number] not in first_triples
    )


def node_locations(document: Document, _: Rule, result: ValidationResult) -> Iterator[TermLocation]:
    """The locations of the focus node: first as a subject, then as an object."""
    yield from (
        TermLocation(number, SUBJECT_INDEX) for number in document.numbers_by_subject.get(result.focus, ())
    )
    yield from (
        TermLocation(number, OBJECT_INDEX) for number in document.numbers_by_object.get(result.focus, ())
    )


def outgoing_numbers(document: Document, rule: Rule, result: ValidationResult) -> list[int]:
    """The numbers of the triples of the focus node with the rule's property."""
    return [
        number
        for number in document.numbers_by_subject.get(result.focus, ())
        if document.triples[number].predicate.value in rule.predicates
    ]


def incoming_numbers(document: Document, rule: Rule, result: ValidationResult) -> list[int]:
    """The numbers of the triples that link assessments, which the rule counts, to the focus node."""
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
    """The numbers of the triples whose texts are in the same language, if there are several."""
    numbers_by_language: dict[str, list[int]] = {}
    for number in outgoing_numbers(document, rule, result):
        literal = document.triples[number].object
        if isinstance(literal, ox.Literal) and literal.language:
            numbers_by_language.setdefault(literal.language, []).append(number)
    repeated = (
        numbers
        for numbers in numbers_by_language.values()
        if len({document.triples[number] for number in numbers}) > 1
    )
    return next(repeated, [])


def find_text_position(document: Document, offset: int | None) -> TextPosition | None:
    """The line and column of an offset; None if the offset is unknown (None or negative)."""
    return None if offset is None or offset < 0 else document.text_lines.locate(offset)


def shown_line_text(document: Document, position: TextPosition | None) -> str:
    """The text of the line of a position, cut to MAX_SHOWN_LINE_CHARACTERS; empty without a position."""
    return document.text_lines.line(position.line).strip()[:MAX_SHOWN_LINE_CHARACTERS] if position else ""


SURPLUS_FINDERS: dict[str, Callable[[Document, Rule, ValidationResult], list[int]]] = {
    "MaxCount": outgoing_numbers,
    "QualifiedMaxCount": incoming_numbers,
    "UniqueLang": same_language_numbers,
}


def is_blank_text(term: Term) -> bool:
    """Whether a term is a literal that is empty or only white space."""
    return isinstance(term, ox.Literal) and (not term.value or term.value.isspace())

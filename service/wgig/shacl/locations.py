"""Locations of findings: the offset, and from it line and column, at which an author has to look.

`find_result_offset` gives an offset in characters, `locate_offset` the line and column of one. In order of
preference, the offset is that of the heading or key below which something is missing (`find_slot_offset`),
of the value (`value_locations`), of the second value where there should be one (`surplus_locations`), of the
node that lacks something (`node_locations`). None where the format has no positions, or the triple was not
sent.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pyoxigraph as ox

from ..rdf.namespaces import WGIG_NAMESPACE
from ..text import TextPosition
from .documents import Document
from .results import Term, ValidationResult
from .rules import NON_SHACL_COMPONENT, Rule

SPOT_SUBJECT_INDEX, SPOT_PREDICATE_INDEX, SPOT_OBJECT_INDEX = range(3)  # the members of a spot
WGIG_CRITERION_IRI = f"{WGIG_NAMESPACE}criterion"
MAX_SHOWN_LINE_CHARACTERS = 160  # characters of a line that are shown


class TermLocation(NamedTuple):
    """A term of a document: the number of a triple, and which of its terms."""

    triple_number: int
    term_index: int


def find_result_offset(document: Document, rule: Rule, result: ValidationResult) -> int | None:
    """The offset of what a result is about; None where the format has none.

    It is the value, the one too many, the heading or key below which something is missing, or the node that
    lacks it.
    """
    slot = find_slot_offset(document, rule, result)
    if slot is not None:
        return slot
    ways = (value_locations, surplus_locations, node_locations)
    found = next((one for way in ways if (one := next(way(document, rule, result), None))), None)
    if found is None or not document.spots:
        return None
    return document.spots[found.triple_number][found.term_index]


def find_slot_offset(document: Document, rule: Rule, result: ValidationResult) -> int | None:
    """The offset of the heading or key below which the focus node lacks something, if it is there."""
    if rule.component in SURPLUS_FINDERS or result.value not in (None, result.focus):
        return None
    named = ((result.focus, name) for name in (rule.counted_criterion, *rule.predicates))
    return next((document.slots[one] for one in named if one in document.slots), None)


def value_locations(document: Document, rule: Rule, result: ValidationResult) -> Iterator[TermLocation]:
    """Where the value of a result is written, first along the rule's property of the focus node."""
    if result.value is None:
        return
    numbers = document.numbers_by_object.get(result.value, ())
    said = [one for one in numbers if document.triples[one].subject == result.focus]
    along = [one for one in said if document.triples[one].predicate.value in rule.predicates]
    yield from (
        TermLocation(one, SPOT_OBJECT_INDEX)
        for one in along or blank_text_numbers(document, rule, result) or said
    )
    if rule.component == NON_SHACL_COMPONENT:
        yield from predicate_locations(document, result)
    yield from (
        TermLocation(one, SPOT_SUBJECT_INDEX) for one in document.numbers_by_subject.get(result.value, ())
    )
    yield from (TermLocation(one, SPOT_OBJECT_INDEX) for one in numbers)


def blank_text_numbers(document: Document, rule: Rule, result: ValidationResult) -> list[int]:
    """The triples along the rule's property that say nothing, where the result is about such a one."""
    empty = isinstance(result.value, ox.Literal) and not result.value.value
    numbers = outgoing_numbers(document, rule, result) if empty else []
    return [one for one in numbers if is_blank_text(document.triples[one].object)]


def predicate_locations(document: Document, result: ValidationResult) -> Iterator[TermLocation]:
    """Where the value of a result is written as a property of the focus node."""
    numbers = document.numbers_by_subject.get(result.focus, ())
    yield from (
        TermLocation(one, SPOT_PREDICATE_INDEX)
        for one in numbers
        if document.triples[one].predicate == result.value
    )


def surplus_locations(document: Document, rule: Rule, result: ValidationResult) -> Iterator[TermLocation]:
    """Where the second of the values is written, of which there should be one."""
    find = SURPLUS_FINDERS.get(rule.component)
    numbers = find(document, rule, result) if find else []
    first = [document.triples[one] for one in numbers[:1]]
    yield from (TermLocation(one, SPOT_OBJECT_INDEX) for one in numbers if document.triples[one] not in first)


def node_locations(document: Document, _: Rule, result: ValidationResult) -> Iterator[TermLocation]:
    """Where the focus node is written: as a subject, or where it is named."""
    yield from (
        TermLocation(one, SPOT_SUBJECT_INDEX) for one in document.numbers_by_subject.get(result.focus, ())
    )
    yield from (
        TermLocation(one, SPOT_OBJECT_INDEX) for one in document.numbers_by_object.get(result.focus, ())
    )


def outgoing_numbers(document: Document, rule: Rule, result: ValidationResult) -> list[int]:
    """The triples that lead from the focus node along the rule's property."""
    return [
        one
        for one in document.numbers_by_subject.get(result.focus, ())
        if document.triples[one].predicate.value in rule.predicates
    ]


def incoming_numbers(document: Document, rule: Rule, result: ValidationResult) -> list[int]:
    """The triples that lead to the focus node along the rule's property, from what the rule counts."""
    return [
        one
        for one in document.numbers_by_object.get(result.focus, ())
        if document.triples[one].predicate.value in rule.predicates
        and rule.counted_criterion
        in {end.value for end in document.find_objects(document.triples[one].subject, WGIG_CRITERION_IRI)}
    ]


def same_language_numbers(document: Document, rule: Rule, result: ValidationResult) -> list[int]:
    """The triples along the rule's property that hold texts in one language, where there are several."""
    seen: dict[str, list[int]] = {}
    for number in outgoing_numbers(document, rule, result):
        text = document.triples[number].object
        if isinstance(text, ox.Literal) and text.language:
            seen.setdefault(text.language, []).append(number)
    several = (one for one in seen.values() if len({document.triples[number] for number in one}) > 1)
    return next(several, [])


def locate_offset(document: Document, offset: int | None) -> TextPosition | None:
    """Line and column of an offset; None where it is unknown."""
    return None if offset is None or offset < 0 else document.text_lines.locate(offset)


def shown_line_text(document: Document, place: TextPosition | None) -> str:
    """The text of the line of a place, at most so much as fits on a page."""
    return document.text_lines.line(place.line).strip()[:MAX_SHOWN_LINE_CHARACTERS] if place else ""


SURPLUS_FINDERS: dict[str, Callable[[Document, Rule, ValidationResult], list[int]]] = {
    "MaxCount": outgoing_numbers,
    "QualifiedMaxCount": incoming_numbers,
    "UniqueLang": same_language_numbers,
}


def is_blank_text(term: Term) -> bool:
    """Whether a term is a text of nothing but white space."""
    return isinstance(term, ox.Literal) and (not term.value or term.value.isspace())

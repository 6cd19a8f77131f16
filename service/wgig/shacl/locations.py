"""Locations of findings: the offset, and from it line and column, at which an author has to look.

`Places.where` gives an offset in characters, `Places.place` the line and column of one. In order of
preference, the offset is that of the heading or key below which something is missing (`slot`), of the value
(`of_value`), of the second value where there should be one (`of_surplus`), of the node that lacks something
(`of_node`). None where the format has no positions, or the triple was not sent.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

import pyoxigraph as ox

from ..rdf.namespaces import WGIG
from ..text import Place, TextLines
from .documents import Document
from .engines import Result, Term
from .rules import BEYOND_SHACL, Rule

SUBJECT, PREDICATE, OBJECT = range(3)  # the members of a spot
CRITERION = f"{WGIG}criterion"
LONGEST = 160  # characters of a line that are shown


class Where(NamedTuple):
    """A term of a document: the number of a triple, and which of its terms."""

    triple: int
    member: int


class Places:
    """The triples of a document by the nodes in them, and where they are written."""

    def __init__(self, document: Document) -> None:
        """Take the document."""
        self.document = document
        self.triples = document.triples
        self.of: Mapping[Term, list[int]] = document.described

    @cached_property
    def to(self) -> dict[Term, list[int]]:
        """The numbers of the triples by their objects."""
        numbers: dict[Term, list[int]] = {}
        for number, triple in enumerate(self.triples):
            numbers.setdefault(triple.object, []).append(number)
        return numbers

    def ends(self, node: Term, predicate: str) -> list[Term]:
        """The objects of a node along a property."""
        return [
            self.triples[one].object
            for one in self.of.get(node, ())
            if self.triples[one].predicate.value == predicate
        ]

    def named(self, node: Term) -> set[Term]:
        """The nodes that are objects of a node."""
        ends = {self.triples[one].object for one in self.of.get(node, ())}
        return {one for one in ends if not isinstance(one, ox.Literal)}

    def where(self, rule: Rule, result: Result) -> int | None:
        """The offset of what a result is about; None where the format has none.

        It is the value, the one too many, the heading or key below which something is missing, or the node
        that lacks it.
        """
        slot = self.slot(rule, result)
        if slot is not None:
            return slot
        ways = (self.of_value, self.of_surplus, self.of_node)
        found = next((one for way in ways if (one := next(way(rule, result), None))), None)
        if found is None or not self.document.spots:
            return None
        return self.document.spots[found.triple][found.member]

    def slot(self, rule: Rule, result: Result) -> int | None:
        """The offset of the heading or key below which the focus node lacks something, if it is there."""
        if rule.component in SURPLUS or result.value not in (None, result.focus):
            return None
        named = ((result.focus, name) for name in (rule.counted, *rule.predicates))
        return next((self.document.slots[one] for one in named if one in self.document.slots), None)

    def of_value(self, rule: Rule, result: Result) -> Iterator[Where]:
        """Where the value of a result is written, first along the rule's property of the focus node."""
        if result.value is None:
            return
        numbers = self.to.get(result.value, ())
        said = [one for one in numbers if self.triples[one].subject == result.focus]
        along = [one for one in said if self.triples[one].predicate.value in rule.predicates]
        yield from (Where(one, OBJECT) for one in along or self.white_space(rule, result) or said)
        if rule.component == BEYOND_SHACL:
            yield from self.of_predicate(result)
        yield from (Where(one, SUBJECT) for one in self.of.get(result.value, ()))
        yield from (Where(one, OBJECT) for one in numbers)

    def white_space(self, rule: Rule, result: Result) -> list[int]:
        """The triples along the rule's property that say nothing, where the result is about such a one."""
        empty = isinstance(result.value, ox.Literal) and not result.value.value
        numbers = self.forth(rule, result) if empty else []
        return [one for one in numbers if is_blank(self.triples[one].object)]

    def of_predicate(self, result: Result) -> Iterator[Where]:
        """Where the value of a result is written as a property of the focus node."""
        numbers = self.of.get(result.focus, ())
        yield from (Where(one, PREDICATE) for one in numbers if self.triples[one].predicate == result.value)

    def of_surplus(self, rule: Rule, result: Result) -> Iterator[Where]:
        """Where the second of the values is written, of which there should be one."""
        numbers = SURPLUS[rule.component](self, rule, result) if rule.component in SURPLUS else []
        first = [self.triples[one] for one in numbers[:1]]
        yield from (Where(one, OBJECT) for one in numbers if self.triples[one] not in first)

    def of_node(self, _: Rule, result: Result) -> Iterator[Where]:
        """Where the focus node is written: as a subject, or where it is named."""
        yield from (Where(one, SUBJECT) for one in self.of.get(result.focus, ()))
        yield from (Where(one, OBJECT) for one in self.to.get(result.focus, ()))

    def forth(self, rule: Rule, result: Result) -> list[int]:
        """The triples that lead from the focus node along the rule's property."""
        return [
            one
            for one in self.of.get(result.focus, ())
            if self.triples[one].predicate.value in rule.predicates
        ]

    def back(self, rule: Rule, result: Result) -> list[int]:
        """The triples that lead to the focus node along the rule's property, from what the rule counts."""
        return [
            one
            for one in self.to.get(result.focus, ())
            if self.triples[one].predicate.value in rule.predicates
            and rule.counted in {end.value for end in self.ends(self.triples[one].subject, CRITERION)}
        ]

    def same_language(self, rule: Rule, result: Result) -> list[int]:
        """The triples along the rule's property that hold texts in one language, where there are several."""
        seen: dict[str, list[int]] = {}
        for number in self.forth(rule, result):
            text = self.triples[number].object
            if isinstance(text, ox.Literal) and text.language:
                seen.setdefault(text.language, []).append(number)
        return next(filter(self.differ, seen.values()), [])

    def differ(self, numbers: list[int]) -> bool:
        """Whether the triples say more than one thing."""
        return len({self.triples[one] for one in numbers}) > 1

    def place(self, offset: int | None) -> Place | None:
        """Line and column of an offset; None where it is unknown."""
        return None if offset is None or offset < 0 else self.lines.place(offset)

    def line(self, place: Place | None) -> str:
        """The text of the line of a place, at most so much as fits on a page."""
        return self.lines.line(place.line).strip()[:LONGEST] if place else ""

    @cached_property
    def lines(self) -> TextLines:
        """The lines of the text."""
        return TextLines(self.document.text)


SURPLUS: dict[str, Callable[[Places, Rule, Result], list[int]]] = {
    "MaxCount": Places.forth,
    "QualifiedMaxCount": Places.back,
    "UniqueLang": Places.same_language,
}


def is_blank(term: Term) -> bool:
    """Whether a term is a text of nothing but white space."""
    return isinstance(term, ox.Literal) and (not term.value or term.value.isspace())

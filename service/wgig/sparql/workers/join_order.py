"""The order of joins, chosen by counts of triples.

The engine has no statistics. The order changes if it is estimated to halve the rows of a costly join, and in
FILTER EXISTS. Results are the same, except that rows may be in another order.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum, auto
from typing import Any, NamedTuple

import pyoxigraph as ox

from ...text import TextEdit
from ..language.bounded_query import find_leading_patterns
from ..language.join_groups import JoinGroup, JoinPattern, find_join_groups, find_join_hints
from .counted_quads import MAX_READ_QUADS, CountedQuads
from .triple_counts import NO_MATCHES, TripleCounts, max_counted_values

MIN_COSTLY_ROWS = 1000  # below, the engine takes less than a millisecond in any order
MIN_GAIN = 2
SUBJECT_MATCHES = 10  # an estimate for a fixed subject
# The matches that the engine assumes of a pattern in which subject, predicate and object are fixed or not.
ENGINE_ESTIMATES = {
    (True, True, True): 1,
    (True, False, True): 2,
    (True, True, False): 10,
    (True, False, False): 100,
    (False, True, True): 10_000,
    (False, False, True): 100_000,
    (False, True, False): 1_000_000,
    (False, False, False): 1_000_000_000,
}


class JoinStep(IntEnum):
    """How a pattern extends the rows so far, in the order of preference."""

    CHECK = auto()  # subject and value are known
    FORWARD = auto()  # the subject is known
    BACKWARD = auto()  # the value is known
    PRODUCT = auto()  # no variable of the pattern is known


def order_joins(copy: CountedQuads, text: str, base: str) -> str | None:
    """A query in the chosen order; None if it stays as it is. Relative IRIs are resolved against `base`."""
    counts = copy.counts
    if counts is None:
        return None
    hints = find_join_hints(text)
    if not hints.anywhere:
        return None
    if not hints.in_exists and (patterns := find_leading_patterns(text)) and not may_gain(counts, patterns):
        return None
    edits = list[TextEdit]()
    for group in find_join_groups(text, base):
        if order := choose_order(copy, counts, group):
            edits += group.list_edits(order)
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text if edits else None


def choose_order(copy: CountedQuads, counts: TripleCounts, group: JoinGroup) -> list[JoinPattern] | None:
    """The order of the patterns of a group; None if that of the engine stays."""
    if not (group.is_exists or may_gain(counts, group.patterns)):
        return None
    estimates = [PatternEstimate.make(copy, counts, pattern) for pattern in group.patterns]
    orders = [JoinOrder(estimates, group.outer, start) for start in estimates]
    best = min(orders, key=lambda order: order.cost)
    if not group.is_exists:
        engine_order = orders[group.patterns.index(find_engine_start(group.patterns))]
        if best.has_product or engine_order.cost < max(MIN_COSTLY_ROWS, best.cost * MIN_GAIN):
            return None
    return best.patterns


def may_gain(counts: TripleCounts, patterns: Sequence[Any]) -> bool:
    """Whether the pattern with which the engine begins has many matches, and another one far fewer."""
    rows = estimate_matches(counts, find_engine_start(patterns))
    return rows >= max(
        MIN_COSTLY_ROWS, MIN_GAIN * min(estimate_matches(counts, pattern) for pattern in patterns)
    )


def find_engine_start(patterns: Sequence[Any]) -> Any:
    """The pattern with which the engine begins."""
    return min(
        patterns,
        key=lambda pattern: ENGINE_ESTIMATES[
            is_fixed(pattern[0]), is_fixed(pattern[1]), is_fixed(pattern[2])
        ],
    )


def is_fixed(term: Any) -> bool:
    """Whether a term of a pattern is not a variable."""
    return term is not None and not isinstance(term, ox.Variable)


def estimate_matches(counts: TripleCounts, pattern: Any) -> float:
    """The estimated number of matches of a pattern of three terms; None is a variable, too."""
    subject, predicate, value = pattern
    matches = float(counts.matches)
    if is_fixed(predicate):
        of_property = counts.properties.get(predicate.value, NO_MATCHES)
        matches = of_property.matches
        if is_fixed(value):
            values = of_property.values
            matches = (
                matches / max_counted_values(of_property.matches) if values is None else values[str(value)]
            )
    return min(matches, SUBJECT_MATCHES) if is_fixed(subject) else matches


class PatternEstimate(NamedTuple):
    """A pattern with its estimated matches, and those for each value of its property.

    `variables` are the names of subject, predicate and object; empty for terms.
    """

    pattern: JoinPattern
    variables: tuple[str, ...]
    matches: float
    matches_of_value: float

    @classmethod
    def make(cls, copy: CountedQuads, counts: TripleCounts, pattern: JoinPattern) -> "PatternEstimate":
        """Estimate the matches of a pattern. A heavy value may be that of all quads of its property."""
        subject, predicate, value = pattern
        matches, value_count = estimate_matches(counts, pattern), len(counts.properties)
        if isinstance(predicate, ox.NamedNode):
            of_property = counts.properties.get(predicate.value, NO_MATCHES)
            value_count = len(of_property.values or ()) or max_counted_values(of_property.matches)
            is_guessed = of_property.values is None and is_fixed(value) and not is_fixed(subject)
            if is_guessed and copy.bound_read_quads(None, predicate, value) > MAX_READ_QUADS:
                matches = of_property.matches
        variables = (term.value if isinstance(term, ox.Variable) else "" for term in pattern)
        return cls(pattern, tuple(variables), matches, matches / max(1, value_count))


class JoinOrder:
    """The patterns of a group in an order that begins with one of them. The cost is the sum of all rows.

    Each further pattern is the one that extends the rows so far by fewest.
    """

    def __init__(
        self, estimates: Sequence[PatternEstimate], outer: Iterable[str], start: PatternEstimate
    ) -> None:
        """Choose the order. The variables in `outer` are bound before."""
        self.bound, self.patterns = {*outer}, list[JoinPattern]()
        self.rows, self.cost = 1.0, 0.0
        self.has_product = False  # of patterns that share no variables, which the engine evaluates separately
        others, next_estimate = [*estimates], start
        while True:
            self.append(next_estimate)
            others.remove(next_estimate)
            if not others:
                break
            next_estimate = min(others, key=self.extend_rows)

    def append(self, estimate: PatternEstimate) -> None:
        """Add a pattern."""
        step, rows = self.extend_rows(estimate)
        self.has_product |= bool(self.patterns) and step is JoinStep.PRODUCT
        self.cost += self.rows + rows
        self.rows = rows
        self.patterns.append(estimate.pattern)
        self.bound.update(filter(None, estimate.variables))

    def extend_rows(self, estimate: PatternEstimate) -> tuple[JoinStep, float]:
        """How a pattern extends the rows so far, and the number of rows after that."""
        subject, predicate, value = estimate.variables
        knows_subject, knows_value = subject in self.bound, value in self.bound
        if not (knows_subject or knows_value or predicate in self.bound):
            return JoinStep.PRODUCT, self.rows * estimate.matches
        if knows_subject or (knows_value and not subject):
            # Whether subjects have several values of a property is not known.
            step = JoinStep.CHECK if knows_value or not value else JoinStep.FORWARD
            return step, min(self.rows, estimate.matches)
        rows = self.rows * estimate.matches_of_value
        return JoinStep.BACKWARD, min(rows, max(self.rows, estimate.matches))

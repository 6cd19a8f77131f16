"""The order of joins, chosen by counts of triples.

The engine has no statistics. The order changes if it is estimated to halve the rows of a costly join, and in
FILTER EXISTS. Results are the same, except that rows may be in another order.
"""

from collections.abc import Sequence
from typing import Any

import pyoxigraph as ox

from ...text import TextEdit
from ..language.bounded_query import find_bounded_patterns
from ..language.join_groups import JoinGroup, JoinPattern, find_join_groups, may_have_join_groups
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
# How a pattern extends the rows so far, in the order of preference.
CHECK, FORWARD, BACKWARD, PRODUCT = range(4)


def order_joins(counts: TripleCounts, text: str, base: str) -> str | None:
    """A query in the chosen order; None if it stays as it is. Relative IRIs are resolved against `base`."""
    if not may_have_join_groups(text):
        return None
    patterns = find_bounded_patterns(text)
    if patterns is not None and not may_gain(counts, patterns):
        return None
    edits = list[TextEdit]()
    for group in find_join_groups(text, base):
        if order := choose_order(counts, group):
            edits += group.list_edits(order)
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text if edits else None


def choose_order(counts: TripleCounts, group: JoinGroup) -> list[JoinPattern] | None:
    """The order of the patterns of a group; None if that of the engine stays."""
    if not (group.is_exists or may_gain(counts, group.patterns)):
        return None
    orders = [JoinOrder(counts, group, pattern) for pattern in group.patterns]
    best = min(orders, key=lambda order: order.cost)
    if not group.is_exists:
        engine_order = orders[group.patterns.index(find_engine_start(group.patterns))]
        if engine_order.cost < max(MIN_COSTLY_ROWS, best.cost * MIN_GAIN):
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


class JoinOrder:
    """The patterns of a group in an order that begins with one of them. The cost is the sum of all rows.

    Each further pattern is the one that extends the rows so far by fewest.
    """

    def __init__(self, counts: TripleCounts, group: JoinGroup, start: JoinPattern) -> None:
        """Choose the order."""
        self.counts, self.bound = counts, {*group.outer}
        self.patterns = list[JoinPattern]()
        self.rows, self.cost = 1.0, 0.0
        self.append(start)
        others = [*group.patterns]
        others.remove(start)
        while others:
            pattern = min(others, key=self.extend_rows)
            others.remove(pattern)
            self.append(pattern)

    def append(self, pattern: JoinPattern) -> None:
        """Add a pattern."""
        _, rows = self.extend_rows(pattern)
        self.cost += self.rows + rows
        self.rows = rows
        self.patterns.append(pattern)
        self.bound.update(term.value for term in pattern if isinstance(term, ox.Variable))

    def extend_rows(self, pattern: JoinPattern) -> tuple[int, float]:
        """How a pattern extends the rows so far, and the number of rows after that."""
        matches = estimate_matches(self.counts, pattern)
        knows_subject, knows_predicate, knows_object = (
            isinstance(term, ox.Variable) and term.value in self.bound for term in pattern
        )
        if not (knows_subject or knows_predicate or knows_object):
            return PRODUCT, self.rows * matches
        if knows_subject or (knows_object and is_fixed(pattern.subject)):
            # Whether subjects have several values of a property is not known.
            kind = CHECK if knows_object or is_fixed(pattern.object) else FORWARD
            return kind, min(self.rows, matches)
        per_row = matches / self.count_values(pattern)
        return BACKWARD, min(self.rows * per_row, max(self.rows, matches))

    def count_values(self, pattern: JoinPattern) -> int:
        """The estimated number of values of a property, or of properties."""
        if not is_fixed(pattern.predicate):
            return len(self.counts.properties) or 1
        of_property = self.counts.properties.get(pattern.predicate.value, NO_MATCHES)
        values = of_property.values
        return (max_counted_values(of_property.matches) if values is None else len(values)) or 1

"""Counts of triples, which answer count queries without a scan: `language.count_query` recognizes them.

Counted are all triples, those of each property, and those of each value of a property with few values, such
as rdf:type. Each count has two figures: a triple that is in several graphs matches a pattern once for each
graph, as the engine does not merge the graphs (oxigraph/oxigraph#1919), but counts once with DISTINCT.

The answer to a count query is a query whose VALUES are the counts, so that the engine orders, limits and
serializes the result.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import sub
from typing import Any, NamedTuple

import pyoxigraph as ox

from ...store.view import is_writable_iri
from ..language.count_query import CountedFigure, CountQuery

# The values of a property are counted if they are few. The engine counts the others as fast.
FEW_VALUES, MAX_VALUES, MIN_VALUE_MATCHES = 32, 1000, 8
MAX_VALUE_CHARS = 200
MAX_COUNTS = 50_000  # of properties and values together, about 12 MB


def max_counted_values(matches: int) -> int:
    """The maximum number of values that are counted of a property with so many matches."""
    return max(FEW_VALUES, min(MAX_VALUES, matches // MIN_VALUE_MATCHES))


def is_countable_value(value: Any) -> bool:
    """Whether a value is counted: VALUES cannot contain blank nodes."""
    if isinstance(value, ox.NamedNode):
        return len(value.value) <= MAX_VALUE_CHARS and is_writable_iri(value.value)
    return (
        isinstance(value, ox.Literal)
        and len(value.value) <= MAX_VALUE_CHARS
        and is_writable_iri(value.datatype.value)
    )


class CountedGroups(NamedTuple):
    """The figures of the groups of a pattern, or of the whole pattern as one group.

    `keys` are the terms of the groups as in SPARQL. `terms` is None if they are not counted.
    """

    keys: Sequence[str]
    matches: Sequence[int]
    repeated: Sequence[int]
    terms: int | None = None

    def list_column(self, figure: CountedFigure) -> Iterable[str]:
        """The figure of each group as in SPARQL; none if it is not counted."""
        match figure:
            case CountedFigure.KEY:
                return self.keys
            case CountedFigure.MATCHES:
                return map(str, self.matches)
            case CountedFigure.TRIPLES:
                return map(str, map(sub, self.matches, self.repeated))
            case CountedFigure.TERMS:
                return [] if self.terms is None else [str(self.terms)]


@dataclass(slots=True)
class PropertyCounts:
    """The number of matches of a property, in total and by value; `repeated` ones are in further graphs.

    Values are written as in N-Triples. `values` is None if they are not counted.
    """

    matches: int = 0
    repeated: int = 0
    values: Counter[str] | None = field(default_factory=Counter)
    repeated_values: Counter[str] = field(default_factory=Counter)

    @property
    def size(self) -> int:
        """The number of counts."""
        return 1 + len(self.values or ())

    def add(self, value: Any, matches: int, repeated: int) -> None:
        """Add to the counts of a value; negative numbers are subtracted."""
        self.matches += matches
        self.repeated += repeated
        if self.values is None:
            return
        key = str(value)
        if key not in self.values and not is_countable_value(value):
            self.values = None
            return
        for counts, number in ((self.values, matches), (self.repeated_values, repeated)):
            if number:
                counts[key] += number
                if not counts[key]:
                    del counts[key]
        if len(self.values) > max_counted_values(self.matches):
            self.values = None

    def find_groups(self, value_iri: str, *, is_grouped: bool) -> CountedGroups | None:
        """The figures of one value, of all values, or of the property; None if they are not counted."""
        values, repeated_values = self.values, self.repeated_values
        if not (is_grouped or value_iri):
            terms = None if values is None else len(values)
            return CountedGroups([""], [self.matches], [self.repeated], terms)
        if values is None:
            return None
        keys = list(values) if is_grouped else [f"<{value_iri}>"]
        return CountedGroups(keys, [values[key] for key in keys], [repeated_values[key] for key in keys])


class TripleCounts:
    """The counts of all triples, and of each property by its IRI."""

    def __init__(self) -> None:
        """Begin without triples."""
        self.properties = dict[str, PropertyCounts]()
        self.matches = self.repeated = 0
        self.size = 0  # the number of counts

    @property
    def is_too_large(self) -> bool:
        """Whether there are too many counts, so that they should not be kept."""
        return self.size > MAX_COUNTS

    def has_repeated(self, iri: str) -> bool:
        """Whether any triple of a property is in several graphs."""
        return iri in self.properties and self.properties[iri].repeated > 0

    def set_property(self, iri: str, counts: PropertyCounts) -> None:
        """Set the counts of a property that has none."""
        self.properties[iri] = counts
        self.matches += counts.matches
        self.repeated += counts.repeated
        self.size += counts.size

    def add(self, iri: str, value: Any, matches: int, repeated: int) -> None:
        """Add to the counts of a value of a property; negative numbers are subtracted."""
        counts = self.properties.get(iri)
        if counts is None:
            counts = PropertyCounts()
            self.set_property(iri, counts)
        self.size -= counts.size
        counts.add(value, matches, repeated)
        self.size += counts.size
        self.matches += matches
        self.repeated += repeated
        if not counts.matches:
            del self.properties[iri]
            self.size -= counts.size

    def answer(self, query: CountQuery) -> str | None:
        """The query whose VALUES are the result of a count query; None if something is not counted."""
        groups = self.find_groups(query)
        if groups is None:
            return None
        rows = list(map(" ".join, zip(*map(groups.list_column, query.columns.values()), strict=False)))
        if len(rows) < len(groups.keys):
            return None
        names = " ".join(f"?{name}" for name in query.columns)
        values = f"({') ('.join(rows)})" if rows else ""
        return f"{query.selection} {{ VALUES ({names}) {{ {values} }} }} {query.modifiers}"

    def find_groups(self, query: CountQuery) -> CountedGroups | None:
        """The figures of the groups of a query; None if they are not counted."""
        pattern, is_grouped = query.pattern, bool(query.group)
        if pattern.predicate_iri:
            counts = self.properties.get(pattern.predicate_iri, NO_MATCHES)
            return counts.find_groups(pattern.value_iri, is_grouped=is_grouped)
        if not is_grouped:
            return CountedGroups([""], [self.matches], [self.repeated], len(self.properties))
        if not all(map(is_writable_iri, self.properties)):
            return None
        counts_of_groups = self.properties.values()
        return CountedGroups(
            [f"<{iri}>" for iri in self.properties],
            [counts.matches for counts in counts_of_groups],
            [counts.repeated for counts in counts_of_groups],
        )


NO_MATCHES = PropertyCounts()

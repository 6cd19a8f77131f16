"""A copy of the quads in memory, with counts of its triples and assessments that change together with it.

The counts also bound the cost of simple queries. For a triple pattern, the engine reads the quads that have
one of its constants: the one that fewest quads have.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from math import inf
from typing import Any

import pyoxigraph as ox

from ...settings import Settings
from ...store.change import Change, apply_change, iter_graph_quads
from ...store.view import is_writable_iri
from ..language.bounded_query import TriplePattern
from .assessment_counts import AssessmentCounts
from .triple_counts import NO_MATCHES, PropertyCounts, TripleCounts, is_countable_value, max_counted_values

# The quads whose triple is also in another named graph, once for each; the triples of the unnamed graph that
# are also in a named one. With GROUP BY, the engine would need memory for all of them.
REPETITION_QUERIES = (
    "SELECT ?s ?p ?o ?g { GRAPH ?g { ?s ?p ?o } GRAPH ?other { ?s ?p ?o } FILTER(?g != ?other) }",
    "SELECT ?s ?p ?o { ?s ?p ?o FILTER EXISTS { GRAPH ?g { ?s ?p ?o } } }",
)
MAX_REPETITIONS = 50_000  # of each query; above this, nothing is counted
MAX_READ_QUADS = 1000  # for each pattern of a bounded query, at 33 ns each; heavy terms have more
MAX_JOINED_MATCHES = 100  # the product of the matches of the patterns of a bounded query
MAX_HEAVY_VALUES = 10_000  # that are remembered


class CountedQuads:
    """A copy of the quads in memory, with the counts of its triples, and of the assessments in papers.

    The counts are None if they are too many. Those of assessments are of use only with those of triples.
    """

    def __init__(self, quads: ox.Store, base: str = Settings.base) -> None:
        """Count the triples, which takes about 2 s for a million. `base` is the base IRI of the graph."""
        self.quads = quads
        self.counts: TripleCounts | None = TripleCounts()
        self.assessments: AssessmentCounts | None = None
        self.heavy_subjects = self.find_heavy_subjects()
        self.heavy_values = set[Any]()  # some of the values that more than MAX_READ_QUADS quads have
        for predicate, matches in self.query_counts("SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p"):
            self.counts.set_property(predicate.value, self.count_property(predicate, matches))
            if self.counts.is_too_large:
                self.counts = None
                return
        self.count_repeated(self.counts)
        if self.counts:
            self.keep_assessments(AssessmentCounts(quads, base, self.counts))

    def find_heavy_subjects(self) -> set[Any]:
        """The subjects of more than MAX_READ_QUADS quads, which takes 0.5 s for a million quads."""
        query = f"SELECT ?s {{ ?s ?p ?o }} GROUP BY ?s HAVING (COUNT(*) > {MAX_READ_QUADS})"
        solutions: Any = self.quads.query(query, use_default_graph_as_union=True)
        return {subject for (subject,) in solutions}

    def keep_assessments(self, assessments: AssessmentCounts) -> None:
        """Keep the counts of assessments, unless they are too many."""
        self.assessments = None if assessments.is_too_large else assessments

    def query_counts(self, query: str) -> Iterator[tuple[Any, int]]:
        """The solutions of a query for a term and a count, over the union of all graphs."""
        solutions: Any = self.quads.query(query, use_default_graph_as_union=True)
        return ((term, int(count.value)) for term, count in solutions)

    def count_property(self, predicate: ox.NamedNode, matches: int) -> PropertyCounts:
        """The counts of a property that has so many matches, without the repeated ones."""
        if not is_writable_iri(predicate.value):
            return PropertyCounts(matches, values=None)
        pattern, limit = f"{{ ?s {predicate} ?o }}", max_counted_values(matches)
        solutions: Any = self.quads.query(
            f"SELECT DISTINCT ?o {pattern} LIMIT {limit + 1}", use_default_graph_as_union=True
        )
        values = [value for (value,) in solutions]
        if len(values) > limit or not all(map(is_countable_value, values)):
            return PropertyCounts(matches, values=None)
        groups = self.query_counts(f"SELECT ?o (COUNT(*) AS ?n) {pattern} GROUP BY ?o")
        return PropertyCounts(matches, values=Counter({str(value): number for value, number in groups}))

    def count_repeated(self, counts: TripleCounts) -> None:
        """Count the triples that are in several graphs."""
        solutions: list[Any] = list(map(self.quads.query, REPETITION_QUERIES))
        named, unnamed = (list(islice(rows, MAX_REPETITIONS + 1)) for rows in solutions)
        if max(len(named), len(unnamed)) > MAX_REPETITIONS:
            self.counts = None
            return
        graphs = defaultdict[tuple[Any, ...], set[Any]](set)
        for *triple, graph in named:
            graphs[*triple].add(graph)
        repeated = Counter({triple: len(names) - 1 for triple, names in graphs.items()})
        repeated.update(map(tuple, unnamed))
        for (_, predicate, value), number in repeated.items():
            counts.add(predicate.value, value, 0, number)

    def apply(self, change: Change) -> None:
        """Apply a change. Applying it again changes nothing."""
        if self.counts is None:
            apply_change(change, self.quads)
        elif self.assessments is None:
            self.apply_counted(change, self.counts)
        else:
            quads = (*change.removed, *change.added)
            papers = self.assessments.find_affected(chain(quads, self.iter_dropped_quads(change)))
            self.assessments.add_papers(papers, -1)
            self.apply_counted(change, self.counts)
            self.assessments.add_papers(papers)
            self.keep_assessments(self.assessments)

    def iter_dropped_quads(self, change: Change) -> Iterator[ox.Quad]:
        """The quads of the graphs that a change drops."""
        return (quad for iri in change.dropped for quad in iter_graph_quads(self.quads, ox.NamedNode(iri)))

    def apply_counted(self, change: Change, counts: TripleCounts) -> None:
        """Apply a change to the quads and to their counts."""
        for quad in (*change.removed, *self.iter_dropped_quads(change)):
            if quad in self.quads:
                self.quads.remove(quad)
                iri = quad.predicate.value
                counts.add(iri, quad.object, -1, -(counts.has_repeated(iri) and self.has_triple(quad)))
        # The only graph of a subject, else None. Subjects are looked up, as they are fewer than triples.
        only_graphs = dict[Any, Any]()
        for quad in change.added:
            subject, graph = quad.subject, quad.graph_name
            if subject not in only_graphs:
                only_graphs[subject] = None if self.has_subject(subject) else graph
            elif only_graphs[subject] != graph:
                only_graphs[subject] = None
            is_repeated = only_graphs[subject] is None and self.has_triple(quad)
            if not (is_repeated and quad in self.quads):
                self.quads.add(quad)
                counts.add(quad.predicate.value, quad.object, 1, is_repeated)
        self.heavy_subjects.update(
            subject
            for subject in only_graphs
            if subject not in self.heavy_subjects and self.has_many_quads(subject, None)
        )
        apply_change(Change(dropped=change.dropped, created=change.created), self.quads)
        if counts.is_too_large:
            self.counts = None

    def is_bounded(self, patterns: Sequence[TriplePattern]) -> bool:
        """Whether the engine takes at most some milliseconds for a query of these patterns."""
        if any(self.bound_read_quads(*pattern) > MAX_READ_QUADS for pattern in patterns):
            return False
        product = 1
        for pattern in patterns if len(patterns) > 1 else ():
            matches = islice(self.quads.quads_for_pattern(*pattern), MAX_JOINED_MATCHES + 1)
            product *= max(1, sum(1 for _ in matches))
            if product > MAX_JOINED_MATCHES:
                return False
        return True

    def bound_read_quads(self, subject: Any, predicate: Any, value: Any) -> float:
        """An upper bound of the number of quads that the engine reads for a triple pattern."""
        if self.counts is None:
            return inf
        if subject is not None and subject not in self.heavy_subjects:
            return MAX_READ_QUADS
        bound = inf
        if predicate is not None:
            bound = self.counts.properties.get(predicate.value, NO_MATCHES).matches
        if bound > MAX_READ_QUADS and value is not None and value not in self.heavy_values:
            if not self.has_many_quads(None, value):
                return MAX_READ_QUADS
            if len(self.heavy_values) >= MAX_HEAVY_VALUES:
                self.heavy_values.clear()
            self.heavy_values.add(value)
        return bound

    def has_many_quads(self, subject: Any, value: Any) -> bool:
        """Whether a subject or value has more than MAX_READ_QUADS quads. Takes up to 1.4 ms."""
        quads = self.quads.quads_for_pattern(subject, None, value)
        return next(islice(quads, MAX_READ_QUADS, None), None) is not None

    def has_subject(self, subject: Any) -> bool:
        """Whether any graph has a triple with this subject."""
        return next(self.quads.quads_for_pattern(subject, None, None), None) is not None

    def has_triple(self, quad: ox.Quad) -> bool:
        """Whether any graph has the triple of a quad."""
        quads = self.quads.quads_for_pattern(quad.subject, quad.predicate, quad.object)
        return next(quads, None) is not None

"""How a change alters the figures (see `statistics`), without counting everything again.

Only the triples that the change adds or removes are looked up, and triples about the same nodes. A look-up
in a store on disk takes about 10 microseconds, so a cache keeps classes of nodes, and quads that were found:
to ask whether such a quad still exists takes a tenth of that.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import Any

import pyoxigraph as ox

from ...rdf.namespaces import DCTERMS_LICENSE, RDF_TYPE
from ...store.change import Change
from .statistics import (
    NO_CLASSES,
    WHOLE_DATASET,
    Classes,
    Figures,
    Node,
    Partition,
    TripleShape,
    add_shape_figures,
    add_to_figures,
    classes_of_type_triples,
    is_named_node,
    link_figures,
    value_kind,
)

Pattern = tuple[Any, Any, Any]  # subject, property and value; None stands for any term

MAX_CACHE_ENTRIES = 20_000  # of each kind, about 10 MB
MAX_CACHED_CHARACTERS = 100  # longer literals are seldom repeated
MIN_LOOKUP_STATEMENTS = 3  # a subject with fewer touched statements is never looked up to be `isolated`
SUBJECT_COUNT_QUERY = "SELECT ?s (COUNT(*) AS ?count) { VALUES ?s { %s } ?s ?p ?o } GROUP BY ?s"


def compute_figure_changes(
    quads: ox.Store,
    change: Change,
    base: str,
    excluded: frozenset[ox.NamedNode],
    cache: "LookupCache | None" = None,
) -> Figures:
    """The difference of each figure by a change, which the quads have already.

    The cost depends only on the touched triples and their nodes. `base` is the prefix of the IRIs of the
    dataset; the graphs in `excluded` do not count. A `cache` must have been used for the previous change of
    the quads, or be empty.
    """
    touched = TouchedTriples(quads, change, excluded, cache or LookupCache())
    figures = graph_figures(change, excluded)
    for sign, triples in ((-1, touched.disappeared), (1, touched.appeared)):
        for triple in triples:
            add_to_figures(figures, link_figures(triple, base), sign)
    for sign, patterns in touched.list_changed_patterns():
        for pattern in patterns:
            if not touched.has_untouched_triple(pattern):
                add_to_figures(figures, pattern_figures(pattern, base), sign)
    add_shape_figures(figures, count_shape_changes(touched))
    for before, after in touched.changed_classes.values():
        add_to_figures(figures, ((("class", class_), "entities") for class_ in before - after), -1)
        add_to_figures(figures, ((("class", class_), "entities") for class_ in after - before), 1)
    return figures


class LookupCache:
    """Results of look-ups that are used again for the next change."""

    def __init__(self) -> None:
        """Begin empty."""
        self.witnesses = dict[Pattern, ox.Quad]()  # by pattern, a quad that matched, if it still exists
        self.classes = dict[Node, Classes]()  # of nodes, as of the last change

    def clear(self) -> None:
        """Forget everything: a change was missed."""
        self.witnesses.clear()
        self.classes.clear()

    def add_witness(self, pattern: Pattern, quad: ox.Quad) -> None:
        """Keep a quad that matches the pattern."""
        if isinstance(pattern[2], ox.Literal) and len(pattern[2].value) > MAX_CACHED_CHARACTERS:
            return
        if len(self.witnesses) >= MAX_CACHE_ENTRIES:
            self.witnesses.clear()
        self.witnesses[pattern] = quad

    def add_classes(self, node: Node, classes: Classes) -> None:
        """Keep the classes of a node."""
        if len(self.classes) >= MAX_CACHE_ENTRIES:
            self.classes.clear()
        self.classes[node] = classes


class TouchedTriples:
    """The triples that a change touches: that it adds to or removes from any counted graph.

    `appeared` are in a counted graph only after the change, `disappeared` only before it, `kept` both before
    and after it. `isolated` has the subjects whose statements are all new.
    """

    def __init__(
        self, quads: ox.Store, change: Change, excluded: frozenset[ox.NamedNode], cache: LookupCache
    ) -> None:
        """Compare the quads as they are after the change; the graphs in `excluded` do not count."""
        self.quads, self.excluded_graphs, self.cache = quads, excluded, cache
        removed, added = self.group_by_triple(change.removed), self.group_by_triple(change.added)
        self.touched = {*removed, *added}
        self.isolated = self.find_isolated_subjects(added)
        self.appeared, self.disappeared, self.kept = (list[ox.Triple]() for _ in range(3))
        for triple in self.touched:
            if triple in added:
                was_there = triple in removed or self.is_counted_elsewhere(triple, added[triple])
                (self.kept if was_there else self.appeared).append(triple)
            else:
                (self.kept if self.is_counted_elsewhere(triple, ()) else self.disappeared).append(triple)
        self.types_before = self.group_classes(chain(self.disappeared, self.kept))
        self.types_after = self.group_classes(chain(self.appeared, self.kept))
        self.known_patterns = dict[Pattern, bool]()
        self.known_classes = dict[Node, tuple[Classes, Classes]]()
        classes = {node: self.classes_of(node) for node in {*self.types_before, *self.types_after}}
        # The nodes whose classes change, each with its classes before and after.
        self.changed_classes = {
            node: (before, after) for node, (before, after) in classes.items() if before != after
        }

    def group_by_triple(self, quads: Iterable[ox.Quad]) -> dict[ox.Triple, list[Any]]:
        """The graphs of each triple, without excluded graphs."""
        graphs = defaultdict[ox.Triple, list[Any]](list)
        for quad in quads:
            if (graph := quad.graph_name) not in self.excluded_graphs:
                graphs[quad.triple].append(graph)
        return graphs

    def group_classes(self, triples: Iterable[ox.Triple]) -> dict[Node, Classes]:
        """The classes of each node in its rdf:type triples among these."""
        type_triples = defaultdict[Any, list[ox.Triple]](list)
        for triple in triples:
            if triple.predicate == RDF_TYPE:
                type_triples[triple.subject].append(triple)
        return {node: classes_of_type_triples(triples) for node, triples in type_triples.items()}

    def find_isolated_subjects(self, added: dict[ox.Triple, list[Any]]) -> set[Any]:
        """The subjects whose statements are all new, so that no other statement about them is looked up.

        Subjects with fewer than MIN_LOOKUP_STATEMENTS touched statements are left out: they may have many
        other statements, and to look up a few statements is cheap.
        """
        touched_counts = Counter[Any](triple.subject for triple in self.touched)
        candidates = [
            subject
            for subject, number in touched_counts.items()
            if number >= MIN_LOOKUP_STATEMENTS and is_named_node(subject)
        ]
        if not candidates:
            return set()
        added_counts = Counter[Any]()
        for triple, graphs in added.items():
            added_counts[triple.subject] += len(graphs)
        rows: Any = self.quads.query(
            SUBJECT_COUNT_QUERY % " ".join(map(str, candidates)), use_default_graph_as_union=True
        )
        counts = {subject: int(count.value) for subject, count in rows}
        return {subject for subject in candidates if counts.get(subject, 0) == added_counts[subject]}

    def is_counted_elsewhere(self, triple: ox.Triple, graphs: Collection[Any]) -> bool:
        """Whether a triple is in a counted graph that is none of `graphs`."""
        return triple.subject not in self.isolated and any(
            quad.graph_name not in self.excluded_graphs and quad.graph_name not in graphs
            for quad in self.quads.quads_for_pattern(triple.subject, triple.predicate, triple.object)
        )

    def untouched_quads(self, subject: Any, predicate: Any, value: Any) -> Iterator[ox.Quad]:
        """The counted quads with these terms (None: any term) whose triple the change does not touch."""
        if subject in self.isolated:
            return
        for quad in self.quads.quads_for_pattern(subject, predicate, value, None):
            if quad.graph_name not in self.excluded_graphs and quad.triple not in self.touched:
                yield quad

    def has_untouched_triple(self, pattern: Pattern) -> bool:
        """Whether there is a triple with these terms (None: any term) that the change does not touch."""
        if pattern not in self.known_patterns:
            self.known_patterns[pattern] = self.find_untouched_triple(pattern)
        return self.known_patterns[pattern]

    def find_untouched_triple(self, pattern: Pattern) -> bool:
        """Look up `has_untouched_triple`, first in the witnesses."""
        subject, property_, value = pattern
        if subject in self.isolated:
            return False
        witness = self.cache.witnesses.get(pattern)
        is_found = bool(witness and witness in self.quads and witness.triple not in self.touched)
        if not is_found:
            # Most literals, and new nodes, are in no other triple.
            is_rare = isinstance(value, ox.Literal) or value in self.isolated
            if property_ and is_rare and not self.has_untouched_triple((None, None, value)):
                return False
            if found := next(self.untouched_quads(*pattern), None):
                self.cache.add_witness(pattern, found)
                is_found = True
        if is_found and property_:
            self.known_patterns[subject, None, value] = True
        return is_found

    def list_changed_patterns(self) -> tuple[tuple[int, list[Pattern]], ...]:
        """The patterns that touched triples match only before (-1) and only after (1) the change.

        Those with a property are first, as the others often follow from them.
        """
        before = triple_patterns(chain(self.disappeared, self.kept))
        after = triple_patterns(chain(self.appeared, self.kept))
        return tuple(
            (sign, sorted(patterns, key=lambda pattern: pattern[1] is None))
            for sign, patterns in ((-1, before - after), (1, after - before))
        )

    def classes_of(self, node: Any) -> tuple[Classes, Classes]:
        """The classes of a node, before and after the change."""
        if (known := self.known_classes.get(node)) is None:
            known = self.known_classes[node] = self.find_classes(node)
        return known

    def find_classes(self, node: Any) -> tuple[Classes, Classes]:
        """Look up `classes_of`, first in the cache."""
        is_touched = node in self.types_before or node in self.types_after
        if not is_touched and (cached := self.cache.classes.get(node)) is not None:
            return cached, cached
        untouched = classes_of_type_triples(
            quad.triple for quad in self.untouched_quads(node, RDF_TYPE, None)
        )
        before = untouched | self.types_before.get(node, NO_CLASSES)
        after = untouched | self.types_after.get(node, NO_CLASSES)
        self.cache.add_classes(node, after)
        return before, after


def graph_figures(change: Change, excluded: frozenset[ox.NamedNode]) -> Figures:
    """The difference of the number of triples of each named graph, except those in `excluded`."""
    figures = Figures()
    for sign, quads in ((-1, change.removed), (1, change.added)):
        counts = Counter(quad.graph_name for quad in quads)
        for graph, number in counts.items():
            if is_named_node(graph) and graph not in excluded:
                figures[("graph", graph.value), "triples"] += sign * number
    return figures


def triple_patterns(triples: Iterable[ox.Triple]) -> set[Pattern]:
    """The patterns of triples that count once in `pattern_figures`, even if several triples match."""
    patterns = (
        ((subject, None, None), (subject, property_, None), (None, property_, value), (None, None, value))
        for subject, property_, value in triples
    )
    return set(chain.from_iterable(patterns))


def pattern_figures(pattern: Pattern, base: str) -> Iterator[tuple[Partition, str]]:
    """The figures in which a pattern counts if at least one triple matches: distinct nodes, licenses."""
    subject, property_, object_ = pattern
    partition = ("property", property_.value) if property_ else WHOLE_DATASET
    yield partition, "distinctSubjects" if subject else "distinctObjects"
    if not property_ and is_named_node(subject) and subject.value.startswith(base):
        yield WHOLE_DATASET, "entities"
    if property_ == DCTERMS_LICENSE and is_named_node(object_):
        yield ("license", object_.value), "stated"


def count_shape_changes(touched: TouchedTriples) -> Counter[TripleShape]:
    """The difference of the number of triples of each TripleShape."""
    shapes = Counter[TripleShape]()
    reclassified = set(touched.kept) if touched.changed_classes else set()
    for node in touched.changed_classes:  # also the untouched triples of nodes whose classes change
        for pattern in ((node, None, None), (None, None, node)):
            if touched.known_patterns.get(pattern, True):  # False for most new nodes: there are none
                reclassified.update(quad.triple for quad in touched.untouched_quads(*pattern))
    for index, sign, triples in ((0, -1, touched.disappeared), (1, 1, touched.appeared)):

        def classes(node: Any, index: int = index) -> Classes:
            return touched.classes_of(node)[index]

        for subject, property_, value in chain(triples, reclassified):
            shapes[classes(subject), property_.value, value_kind(value, classes)] += sign
    return shapes

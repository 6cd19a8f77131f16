"""Inference: keeps the triples that follow from the asserted quads by rules in a separate graph.

A rule is a SPARQL CONSTRUCT over the union of all graphs. The rules run until they yield nothing new. Before
the rules run, the changes of computed graphs (`ComputedGraph`) are computed, whose content no rule can
express; afterwards, those of descriptions (`GraphDescriber`), which no rule reads. The computed, inferred and
description graphs are the derived graphs. What follows from a change is computed before the change is made.
"""

import hashlib
import math
from collections.abc import Iterable, Sequence, Set
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path

import pyoxigraph as ox

from ...rdf.serialization import build_quad
from ..change import Change, combine_changes, iter_graph_quads
from ..commit import NO_CHECKED_QUADS, CheckedQuads, ComputedGraph, GraphDescriber, apply_to_engine
from ..errors import InferenceTooLargeError
from ..overlay import QuadOverlay
from ..view import StoreView
from .evaluation import RuleEvaluator
from .incremental import IncrementalReasoner
from .materialization import AssertedTriples, materialize
from .plan import StepCounter, Triples
from .rule import InferenceRule, run_construct_rule

# Bounds of the inference after one write, so that it holds other writers for about two seconds. Writing an
# inferred triple takes 60 microseconds, a step about 10. The shipped graphs together imply 16,321 triples, so
# DROP ALL is within the bounds.
MAX_INFERRED_TRIPLES = 20_000  # removed and added by one write
MAX_INFERENCE_STEPS = 200_000  # triples examined, and results that may be new

# Rules run several times faster on a snapshot in memory. A larger one (about 240 MB) is on disk.
MAX_IN_MEMORY_QUADS = 500_000
SNAPSHOT_FOLDER = "inference"  # in `aside`
COMPUTED_SNAPSHOT_FOLDER = "computed"  # in `aside`, from which processes read what they compute graphs from

NO_CHANGE = Change()
REBUILD_BATCH_QUADS = 100_000  # added at once, to bound memory; more take less time
BULK_EXTEND_MIN_QUADS = 2000  # from this number of quads on, bulk loading is faster


class Inference:
    """Keeps a graph equal to the results of the rules over all other graphs of a store."""

    def __init__(
        self,
        rules: Iterable[str],
        graph: str,
        folder: Path | None,
        computed_graphs: Iterable[ComputedGraph] = (),
        describers: Iterable[GraphDescriber] = (),
    ) -> None:
        """Take the rules, the IRI of the graph for their results, and the store folder (None: in memory).

        `computed_graphs` are updated before the rules run, `describers` run after them. Raises ValueError for
        a bad rule.
        """
        self.rules = tuple(map(InferenceRule, rules))
        self.graph = ox.NamedNode(graph)
        self.folder = folder
        self.computed_graphs, self.describers = tuple(computed_graphs), tuple(describers)
        self.reasoner = IncrementalReasoner(self.rules, self.graph, self.description_graphs)
        digested_texts = (
            *(rule.text for rule in self.rules),
            *(graph.digest for graph in self.computed_graphs),
            *(describer.digest for describer in self.describers),
        )
        self.digest = hashlib.sha256("\n".join(digested_texts).encode()).hexdigest()

    def forget(self) -> None:
        """Drop caches, after another process has changed the quads."""
        self.reasoner.forget()

    def derive(
        self,
        quads: ox.Store,
        change: Change,
        checked_quads: CheckedQuads = NO_CHECKED_QUADS,
        *,
        is_bounded: bool = False,
    ) -> Change:
        """The change of computed graphs and the inferred graph that follows from a change not yet applied.

        The change must be exact, and have no quads of derived graphs. Writes nothing. `checked_quads` are
        known quads of computed graphs. If `is_bounded`, raises InferenceTooLargeError beyond
        MAX_INFERRED_TRIPLES and MAX_INFERENCE_STEPS.
        """
        computed = self.compute_graph_changes(quads, change, checked_quads)
        full_change = join_changes(change, computed)
        max_steps = MAX_INFERENCE_STEPS if is_bounded else math.inf
        try:
            difference = self.reasoner.compute_difference(quads, full_change, max_steps)
            if difference is None:
                difference = self.compute_full_difference(quads, full_change, max_steps)
            if is_bounded and sum(map(len, difference)) > MAX_INFERRED_TRIPLES:
                raise InferenceTooLargeError(f"More than {MAX_INFERRED_TRIPLES} inferred statements change.")
        except InferenceTooLargeError as error:
            # Frees the iterators in the frames of the traceback, which only this thread may free.
            raise error.with_traceback(None) from None
        return join_changes(computed, self.build_graph_change(quads, *difference))

    def compute_graph_changes(self, quads: ox.Store, change: Change, checked_quads: CheckedQuads) -> Change:
        """The change of the computed graphs that follows from a change not yet applied."""
        computed, overlay = Change(), None
        for computed_graph in self.computed_graphs:
            full_change = join_changes(change, computed)
            overlay = QuadOverlay(overlay or quads, computed if overlay else change)
            changes = computed_graph.iter_changes(overlay, full_change, checked_quads)
            computed = join_changes(computed, combine_changes(list(changes)))
        return computed

    def compute_full_difference(
        self, quads: ox.Store, change: Change = NO_CHANGE, max_steps: float = math.inf
    ) -> tuple[Triples, Triples]:
        """The triples to remove and to add after a change, by running all rules from scratch.

        Raises InferenceTooLargeError after `max_steps` results that the graph does not have.
        """
        self.reasoner.forget()
        before = {quad.triple for quad in quads.quads_for_pattern(None, None, None, self.graph)}
        asserted = AssertedTriples(quads, self.unasserted_graphs, change)
        counter = StepCounter(max_steps)
        inferred = self.infer_from_scratch(asserted, before, counter)
        if inferred is None:
            inferred = self.infer_on_copy(quads, change, before, counter)
        return before - inferred, inferred - before

    def build_graph_change(
        self, quads: ox.Store, triples_to_remove: Triples, triples_to_add: Triples
    ) -> Change:
        """The change that removes and adds triples of the inferred graph; an empty graph is dropped."""
        removed, added = self.to_quads(triples_to_remove), self.to_quads(triples_to_add)
        if not (removed or added):
            return NO_CHANGE
        exists = quads.contains_named_graph(self.graph)
        is_created = not exists
        is_dropped = exists and not added and self.is_emptied(quads, set(removed))
        iris = (self.graph.value,)
        return Change(removed, added, iris if is_dropped else (), iris if is_created else ())

    def is_emptied(self, quads: ox.Store, removed: set[ox.Quad]) -> bool:
        """Whether the inferred graph has no other quads than these."""
        return all(quad in removed for quad in iter_graph_quads(quads, self.graph))

    def rebuild(self, quads: ox.Store) -> None:
        """Compute the computed graphs and the inferred graph from scratch, in the store itself.

        It is for a bulk load and for changed rules. Interrupted, it is called again.
        """
        self.reasoner.forget()
        for computed_graph in self.computed_graphs:
            with self.open_read_view(quads) as view:
                for change in computed_graph.iter_changes(quads, None, snapshot=view.folder):
                    apply_large_change(change, quads)
        quads.remove_graph(self.graph)
        inferred = self.infer_from_scratch(AssertedTriples(quads, self.unasserted_graphs))
        if inferred is None:
            inferred = self.infer_on_copy(quads)
        while inferred:
            batch = [inferred.pop() for _ in range(min(len(inferred), REBUILD_BATCH_QUADS))]
            quads.bulk_extend(build_quad(triple, self.graph) for triple in batch)

    def open_read_view(self, quads: ox.Store) -> AbstractContextManager[StoreView]:
        """A snapshot of the quads, from which other processes may read; for a store in memory, its quads."""
        if self.folder is None:
            return nullcontext(StoreView(quads))
        return StoreView(quads, self.folder).snapshot(COMPUTED_SNAPSHOT_FOLDER)

    def to_quads(self, triples: Iterable[ox.Triple]) -> tuple[ox.Quad, ...]:
        """The triples as quads of the inferred graph."""
        return tuple(build_quad(triple, self.graph) for triple in triples)

    def describe(self, quads: ox.Store, change: Change | None) -> Change:
        """The change of all descriptions that follows from a change (None: unknown). Writes nothing.

        `quads` have the change already.
        """
        return combine_changes([describer.compute_change(quads, change) for describer in self.describers])

    @property
    def graphs(self) -> set[ox.NamedNode]:
        """All derived graphs."""
        return {
            self.graph,
            *(computed_graph.graph for computed_graph in self.computed_graphs),
            *self.description_graphs,
        }

    @property
    def unasserted_graphs(self) -> set[ox.NamedNode]:
        """The graphs that rules do not read when they run from scratch."""
        return {self.graph, *self.description_graphs}

    @property
    def description_graphs(self) -> set[ox.NamedNode]:
        """The graphs of the descriptions."""
        return {graph for describer in self.describers for graph in describer.graphs}

    @property
    def rule_passes(self) -> tuple[Sequence[InferenceRule], Sequence[InferenceRule]]:
        """The rules in two passes: those without negation, then all."""
        return [rule for rule in self.rules if not rule.uses_exists], self.rules

    def infer_from_scratch(
        self,
        asserted: AssertedTriples,
        before: Set[ox.Triple] = frozenset(),
        counter: StepCounter | None = None,
    ) -> Triples | None:
        """All results of the rules that are not asserted; None if a rule consults one of them.

        Results that are not in `before` are counted as steps.
        """
        evaluator = RuleEvaluator(self.rules, lambda name: set(asserted.find(None, name, None)))
        return materialize(evaluator, asserted, before, counter)

    def infer_on_copy(
        self,
        quads: ox.Store,
        change: Change = NO_CHANGE,
        before: Set[ox.Triple] = frozenset(),
        counter: StepCounter | None = None,
    ) -> Triples:
        """The same results, also if rules consult them: the engine repeats all rules on a snapshot."""
        is_large = next(islice(quads, MAX_IN_MEMORY_QUADS, None), None) is not None
        with StoreView(quads, self.folder if is_large else None).snapshot(SNAPSHOT_FOLDER) as snapshot:
            # Not kept in a variable: it is closed before its files are removed.
            return self.infer_all(snapshot.open_quads(), change, before, counter or StepCounter())

    def infer_all(
        self, copy: ox.Store, change: Change, before: Set[ox.Triple], counter: StepCounter
    ) -> Triples:
        """All results of the rules that are not asserted in any graph, after a change of the copy.

        The copy gets the change and the results. Results that are not in `before` are counted as steps.
        """
        apply_large_change(change, copy)
        for graph in self.unasserted_graphs:
            copy.remove_graph(graph)
        inferred: Triples = set()
        for rules in self.rule_passes:
            due_rules = rules
            while new := self.run_rules(due_rules, copy, before, counter):
                copy.extend(self.to_quads(new))
                inferred |= new
                predicates = {triple.predicate for triple in new}
                due_rules = [rule for rule in rules if rule.depends_on(predicates)]
        return inferred

    def run_rules(
        self, rules: Iterable[InferenceRule], copy: ox.Store, before: Set[ox.Triple], counter: StepCounter
    ) -> Triples:
        """The new results of the rules on the copy. Those that are not in `before` are counted as steps."""
        results: Triples = set()
        for rule in rules:
            for triple in run_construct_rule(rule.new_only_query, copy):
                if triple not in before:
                    counter.count_steps()
                # A rule with two conclusions also yields the one that exists if the other is new.
                if len(rule.conclusions) == 1 or not has_triple(copy, triple):
                    results.add(triple)
        return results


def has_triple(quads: ox.Store, triple: ox.Triple) -> bool:
    """Whether a triple is in any graph."""
    matches = quads.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)
    return next(matches, None) is not None


def join_changes(change: Change, other: Change) -> Change:
    """Two changes of different graphs as one. For these, `combine` would compare all quads in vain."""
    return Change(
        change.removed + other.removed,
        change.added + other.added,
        change.dropped + other.dropped,
        change.created + other.created,
    )


def apply_large_change(change: Change, quads: ox.Store) -> None:
    """Apply a change to a store that nobody reads meanwhile."""
    if change.only_adds and len(change.added) >= BULK_EXTEND_MIN_QUADS:
        # extend takes three times as long for many quads, bulk_extend thirty times as long for few.
        quads.bulk_extend(change.added)
    else:
        apply_to_engine(change, quads)

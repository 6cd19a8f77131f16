"""Inference: keeps the triples that follow from the asserted quads by rules in a separate graph.

A rule is a SPARQL CONSTRUCT over the union of all graphs. The rules run until they yield nothing new. Before
the rules run, computed graphs (`ComputedGraph`) are updated, whose content no rule can express; afterwards,
descriptions (`GraphDescriber`). The computed, inferred and description graphs are the derived graphs.
"""

import hashlib
import math
from collections.abc import Iterable, Sequence, Set
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from ...rdf.serialization import build_quad
from .. import recovery
from ..change import (
    Change,
    Contents,
    WriteScope,
    apply_change,
    compare_contents,
    find_existing_graphs,
    iter_graph_quads,
)
from ..commit import NO_CHECK_RESULTS, CheckResults, ComputedGraph, GraphDescriber
from ..errors import InferenceTooLargeError
from ..recovery import InferenceMarks, JournalEntry
from ..snapshot import open_scratch_copy
from .incremental import IncrementalReasoner, StepCounter
from .rule import InferenceRule, run_construct_rule

# Bounds of the inference after one write, so that it holds other writers for about two seconds. Writing an
# inferred triple takes 60 microseconds, a step 4. The shipped graphs together imply 16,321 triples, so
# DROP ALL is within the bounds.
MAX_INFERRED_TRIPLES = 20_000  # removed and added by one write
MAX_INFERENCE_STEPS = 200_000  # triples examined, and results that may be new


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
        self.reasoner = IncrementalReasoner(self.rules, self.graph)
        digested_texts = (
            *(rule.text for rule in self.rules),
            *(graph.digest for graph in self.computed_graphs),
            *(describer.digest for describer in self.describers),
        )
        self.digest = hashlib.sha256("\n".join(digested_texts).encode()).hexdigest()
        self.marks = InferenceMarks(folder, self.digest) if folder else None

    @property
    def is_due(self) -> bool:
        """Whether inference or descriptions must run: rules have changed, or a crash interrupted them."""
        if self.marks is None:
            return False
        return not self.marks.is_clean or bool(self.describers and not self.marks.is_described)

    def mark_dirty(
        self, quads: ox.Store, scope: WriteScope | None = None, before: Contents | None = None
    ) -> None:
        """Mark the store as dirty before a write, so that the next opening recovers after a crash.

        `scope` is the scope of the write, `before` its contents; both are journaled unless they are None.
        """
        if self.marks is None:
            return
        recovery.remove_journal(self.marks.folder)
        described_state = self.state(quads) if self.marks.is_described else None
        self.marks.mark_undescribed()
        if not self.marks.is_clean:
            return
        if scope and before and (computed_quads := self.quads_computed_from(quads, scope)) is not None:
            recovery.write_journal(
                self.marks.folder, JournalEntry(scope, before, computed_quads, described_state), self.digest
            )
        self.marks.mark_dirty()

    def forget(self) -> None:
        """Drop caches, after another process has changed the quads."""
        self.reasoner.forget()

    def mark_clean(self) -> None:
        """Mark the store as clean: inferred quads agree with the asserted ones."""
        if self.marks:
            self.marks.mark_clean()

    def mark_described(self) -> None:
        """Mark the descriptions as up to date."""
        if self.marks:
            self.marks.mark_described()

    def recover(self, quads: ox.Store) -> None:
        """Update the derived graphs after a crash, or after a change of the rules.

        A journal (see `recovery`) saves running all rules.
        """
        journal = recovery.read_journal(self.folder, self.digest) if self.folder else None
        after = journal.scope.read_contents(quads) if journal else None
        if self.folder and journal and after and recovery.is_marked_undone(self.folder):
            apply_change(compare_contents(after, journal.contents_before), quads)
            journal = None  # the change of the computed graphs is not journaled
        if (
            journal is None
            or after is None
            or not self.resume(quads, journal, compare_contents(journal.contents_before, after))
        ):
            self.apply(quads, None)

    def resume(self, quads: ox.Store, journal: JournalEntry, change: Change) -> bool:
        """Complete the interrupted inference after a change. Returns False if it must run from scratch."""
        full_change = self.update_computed_graphs(quads, change)
        computed_quads = self.quads_computed_from(quads, journal.scope)
        if full_change is None or computed_quads is None or self.graph.value in full_change.graphs:
            return False
        # The crash may have interrupted the computed graphs, so all their quads in the scope may be new.
        input_change = Change(
            (*full_change.removed, *journal.computed_quads), (*full_change.added, *computed_quads)
        )
        difference = self.read_journaled_difference() or self.reasoner.compute_difference(quads, input_change)
        if difference is None:
            return False
        self.write_difference(quads, *difference)
        if journal.described_state is None:
            self.describe(quads, None)
        elif journal.described_state == self.state(quads):
            removed, added = (self.to_quads(triples) for triples in difference)
            computed_change = Change(
                tuple(journal.computed_quads - computed_quads), tuple(computed_quads - journal.computed_quads)
            )
            self.describe(quads, change.combine(computed_change).combine(Change(removed, added)))
        return True

    def read_journaled_difference(self) -> tuple[set[ox.Triple], set[ox.Triple]] | None:
        """The triples to remove and to add in the journal; None if they are not journaled."""
        journaled = recovery.read_inferred_journal(self.folder) if self.folder else None
        return journaled and ({quad.triple for quad in journaled[0]}, {quad.triple for quad in journaled[1]})

    def quads_computed_from(self, quads: ox.Store, scope: WriteScope) -> frozenset[ox.Quad] | None:
        """The quads computed from the graphs of a scope; None if others may depend on these graphs too."""
        graphs = {quad.graph_name for quad in scope.quads}.union(scope.graphs or (), scope.names)
        iris = [graph.value for graph in graphs if isinstance(graph, ox.NamedNode)]
        results = [graph.quads_computed_from(quads, iris) for graph in self.computed_graphs]
        return None if scope.graphs is None or None in results else frozenset().union(*filter(None, results))

    def apply(self, quads: ox.Store, change: Change | None) -> Change | None:
        """Update all derived graphs. The argument and the result are changes as in `infer`."""
        change = self.infer(quads, change)
        described = self.describe(quads, change)
        return None if change is None else change.combine(described)

    def infer(
        self,
        quads: ox.Store,
        change: Change | None,
        check_results: CheckResults = NO_CHECK_RESULTS,
        *,
        is_bounded: bool = False,
    ) -> Change | None:
        """Update the computed graphs, then the inferred graph.

        `change` is the change of the quads since these graphs were up to date (None: unknown).
        `check_results` are known SHACL results for its data. Returns the change combined with the changes of
        the graphs, None if unknown. If `is_bounded` and the change is known, raises InferenceTooLargeError
        beyond MAX_INFERRED_TRIPLES and MAX_INFERENCE_STEPS; the change is undone then.
        """
        change = self.update_computed_graphs(quads, change, check_results)
        max_steps = math.inf if change is None or not is_bounded else MAX_INFERENCE_STEPS
        is_known = change is not None and self.graph.value not in change.graphs
        try:
            difference = (
                self.reasoner.compute_difference(quads, change, max_steps)
                if change is not None and is_known
                else None
            )
            is_incremental = difference is not None
            difference = difference or self.compute_full_difference(quads, max_steps)
            if max_steps < math.inf and sum(map(len, difference)) > MAX_INFERRED_TRIPLES:
                raise InferenceTooLargeError(f"More than {MAX_INFERRED_TRIPLES} inferred statements change.")
        except InferenceTooLargeError as error:
            assert change is not None
            self.undo(quads, change)
            # Frees the iterators in the frames of the traceback, which only this thread may free.
            raise error.with_traceback(None) from None
        if self.folder and is_incremental and any(difference):
            recovery.write_inferred_journal(self.folder, *map(self.to_quads, difference))
        inferred = self.write_difference(quads, *difference)
        return None if change is None else change.combine(inferred)

    def undo(self, quads: ox.Store, change: Change) -> None:
        """Undo a change whose inference is too large, also of the computed graphs. A crash completes it."""
        self.forget()
        if self.folder:
            recovery.mark_undone(self.folder)
        apply_change(change.inverse, quads)

    def compute_full_difference(
        self, quads: ox.Store, max_steps: float = math.inf
    ) -> tuple[set[ox.Triple], set[ox.Triple]]:
        """The triples to remove and to add, by running all rules from scratch on a copy.

        Raises InferenceTooLargeError after `max_steps` results that the graph does not have.
        """
        self.reasoner.forget()
        before = {quad.triple for quad in iter_graph_quads(quads, self.graph)}
        with open_scratch_copy(quads, {self.graph, *self.description_graphs}, self.folder) as copy:
            inferred = self.infer_all(copy, before, StepCounter(max_steps))
        return before - inferred, inferred - before

    def write_difference(
        self, quads: ox.Store, triples_to_remove: set[ox.Triple], triples_to_add: set[ox.Triple]
    ) -> Change:
        """Remove and add triples of the graph. Returns the change."""
        removed, added = self.to_quads(triples_to_remove), self.to_quads(triples_to_add)
        graphs_before = find_existing_graphs(quads, [self.graph])
        quads.extend(added)
        for quad in removed:
            quads.remove(quad)
        if next(iter_graph_quads(quads, self.graph), None) is None:
            quads.remove_graph(self.graph)
        graph_change = compare_contents(
            Contents(set(), graphs_before), Contents(set(), find_existing_graphs(quads, [self.graph]))
        )
        return Change(removed, added, graph_change.dropped, graph_change.created)

    def to_quads(self, triples: Iterable[ox.Triple]) -> tuple[ox.Quad, ...]:
        """The triples as quads of the inferred graph."""
        return tuple(build_quad(triple, self.graph) for triple in triples)

    def infer_added(self, quads: ox.Store) -> None:
        """Update the derived graphs after many quads were added. Works in the store itself, to save memory.

        Earlier results remain valid, as nothing was removed. Inferred triples that are asserted now are
        removed.
        """
        self.update_computed_graphs(quads, None)
        self.reasoner.forget()
        for graph in self.description_graphs:
            quads.remove_graph(graph)
        inferred = f"GRAPH {self.graph} {{ ?s ?p ?o }}"
        asserted = f"GRAPH ?other {{ ?s ?p ?o }} FILTER(?other != {self.graph})"
        quads.update(f"DELETE {{ {inferred} }} WHERE {{ {inferred} {asserted} }}")
        for rules in self.rule_passes:
            while sum(self.add_rule_results(rule.new_only_query, quads) for rule in rules):
                pass
        self.describe(quads, None)

    def update_computed_graphs(
        self, quads: ox.Store, change: Change | None, check_results: CheckResults = NO_CHECK_RESULTS
    ) -> Change | None:
        """Update the computed graphs. Returns the change combined with the changes of these graphs."""
        for computed_graph in self.computed_graphs:
            change = computed_graph.apply(quads, change, check_results)
        return change

    def describe(self, quads: ox.Store, change: Change | None, prepared: Iterable[Any] = ()) -> Change:
        """Update the descriptions, and return their change. `prepared` are the results of `prepare`."""
        described = Change()
        for describer, result in zip_longest(self.describers, prepared):
            described = described.combine(describer.describe(quads, change, result))
        return described

    def prepare(self, copy: Path, change: Change) -> list[Any]:
        """Do the slow part of describing a change, on a copy of the quads right after it.

        Raises OSError or subprocess.SubprocessError.
        """
        return [describer.prepare(copy, change) for describer in self.describers]

    def can_prepare(self, quads: ox.Store, change: Change) -> bool:
        """Whether a change can be described from the result of `prepare`."""
        return all(describer.can_prepare(quads, change) for describer in self.describers)

    def state(self, quads: ox.Store) -> str:
        """An identifier of the described state of the quads, different for each state."""
        return "".join(describer.state(quads) for describer in self.describers)

    @property
    def graphs(self) -> set[ox.NamedNode]:
        """All derived graphs."""
        return {
            self.graph,
            *(computed_graph.graph for computed_graph in self.computed_graphs),
            *self.description_graphs,
        }

    @property
    def description_graphs(self) -> set[ox.NamedNode]:
        """The graphs of the descriptions."""
        return {graph for describer in self.describers for graph in describer.graphs}

    @property
    def rule_passes(self) -> tuple[Sequence[InferenceRule], Sequence[InferenceRule]]:
        """The rules in two passes: those without negation, then all."""
        return [rule for rule in self.rules if not rule.uses_exists], self.rules

    def add_rule_results(self, rule: str, quads: ox.Store) -> bool:
        """Add the results of a rule to the graph. Returns whether there were any."""
        new = (build_quad(triple, self.graph) for triple in run_construct_rule(rule, quads))
        first = next(new, None)
        if first is not None:
            quads.bulk_extend(chain([first], new))
        return first is not None

    def infer_all(self, copy: ox.Store, before: Set[ox.Triple], counter: StepCounter) -> set[ox.Triple]:
        """All results of the rules that are not asserted in any graph. They are added to `copy` too.

        Results that are not in `before` are counted as steps.
        """
        inferred: set[ox.Triple] = set()
        for rules in self.rule_passes:
            due_rules = rules
            while new := self.run_rules(due_rules, copy, before, counter):
                copy.extend(build_quad(triple, self.graph) for triple in new)
                inferred |= new
                predicates = {triple.predicate for triple in new}
                due_rules = [rule for rule in rules if rule.depends_on(predicates)]
        return inferred

    def run_rules(
        self, rules: Iterable[InferenceRule], copy: ox.Store, before: Set[ox.Triple], counter: StepCounter
    ) -> set[ox.Triple]:
        """The new results of the rules on the copy. Those that are not in `before` are counted as steps."""
        results: set[ox.Triple] = set()
        for rule in rules:
            for triple in run_construct_rule(rule.new_only_query, copy):
                if triple not in before:
                    counter.count_steps()
                results.add(triple)
        return results

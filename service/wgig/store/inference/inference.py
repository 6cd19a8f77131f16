"""Inference: keeps the triples that follow from the asserted quads by rules in a graph of its own.

A rule is a SPARQL CONSTRUCT over the union of all graphs. The rules run until nothing new follows.
`ComputedGraph`s, which no rule can express, are computed before them.
"""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from ...rdf.serialization import build_quad
from .. import recovery
from ..change import Change, Contents, WriteScope, compare_contents, find_existing_graphs, iter_graph_quads
from ..commit import NOTHING_CHECKED, CheckResults, ComputedGraph, GraphDescriber
from ..recovery import InferenceMarks, JournalEntry
from ..snapshot import open_scratch_copy
from .incremental import IncrementalReasoner
from .rule import InferenceRule, run_construct_rule


class Inference:
    """Keeps a graph equal to the results of the rules over all other graphs of a store."""

    def __init__(
        self,
        rules: Iterable[str],
        graph: str,
        folder: Path | None,
        first: Iterable[ComputedGraph] = (),
        last: Iterable[GraphDescriber] = (),
    ) -> None:
        """Take the rules, the IRI of the graph they fill, the folder of the store (None: in memory), and the
        graphs to compute before (`first`) and after (`last`) the rules. Raises ValueError for a bad rule.
        """
        self.rules = tuple(map(InferenceRule, rules))
        self.graph = ox.NamedNode(graph)
        self.folder = folder
        self.computed, self.describers = tuple(first), tuple(last)
        self.reasoner = IncrementalReasoner(self.rules, self.graph)
        computed = (*(graph.digest for graph in self.computed), *(each.digest for each in self.describers))
        parts = (*(rule.text for rule in self.rules), *computed)
        self.digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        self.marks = InferenceMarks(folder, self.digest) if folder else None

    @property
    def is_due(self) -> bool:
        """Whether inference must run: the rules have changed, or a crash interrupted it."""
        if self.marks is None:
            return False
        return not self.marks.is_clean or bool(self.describers and not self.marks.is_described)

    def mark_dirty(
        self, quads: ox.Store, scope: WriteScope | None = None, before: Contents | None = None
    ) -> None:
        """Mark the store as dirty before a write, so that the next opening recovers after a crash.

        If the scope of the write and its contents before are given, they are journaled.
        """
        if self.marks is None:
            return
        recovery.remove_journal(self.marks.folder)
        described_state = self.state(quads) if self.marks.is_described else None
        self.marks.mark_undescribed()
        if not self.marks.is_clean:
            return
        if scope and before and (computed := self.computed_from(quads, scope)) is not None:
            recovery.write_journal(
                self.marks.folder, JournalEntry(scope, before, computed, described_state), self.digest
            )
        self.marks.mark_dirty()

    def forget(self) -> None:
        """Drop caches, as something else has changed the quads."""
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
        """Update the graph after a crash, or after a change of the rules."""
        journal = recovery.read_journal(self.folder, self.digest) if self.folder else None
        after = journal.scope(quads) if journal else None
        if (
            journal is None
            or after is None
            or not self.resume(quads, journal, compare_contents(journal.contents_before, after))
        ):
            self.apply(quads, None)

    def resume(self, quads: ox.Store, journal: JournalEntry, change: Change) -> bool:
        """Complete the interrupted inference after a change; False if it must run from scratch."""
        full_change = self.compute_first(quads, change)
        computed = self.computed_from(quads, journal.scope)
        if full_change is None or computed is None or self.graph.value in full_change.graphs:
            return False
        input_change = Change((*full_change.removed, *journal.computed), (*full_change.added, *computed))
        difference = self.read_noted() or self.reasoner.compute_difference(quads, input_change)
        if difference is None:
            return False
        self.write(quads, *difference)
        if journal.described_state is None:
            self.describe(quads, None)
        elif journal.described_state == self.state(quads):
            removed, added = (self.to_quads(triples) for triples in difference)
            computed_anew = Change(tuple(journal.computed - computed), tuple(computed - journal.computed))
            self.describe(quads, change.combine(computed_anew).combine(Change(removed, added)))
        return True

    def read_noted(self) -> tuple[set[ox.Triple], set[ox.Triple]] | None:
        """The triples to remove and to add, as journaled before the interruption; None if not journaled."""
        journaled = recovery.read_inferred_journal(self.folder) if self.folder else None
        return journaled and ({quad.triple for quad in journaled[0]}, {quad.triple for quad in journaled[1]})

    def computed_from(self, quads: ox.Store, scope: WriteScope) -> frozenset[ox.Quad] | None:
        """The quads computed from the graphs of a scope; None if others may depend on these graphs too."""
        graphs = {quad.graph_name for quad in scope.quads}.union(scope.graphs or (), scope.names)
        iris = [graph.value for graph in graphs if isinstance(graph, ox.NamedNode)]
        results = [computed.computed_from(quads, iris) for computed in self.computed]
        return None if scope.graphs is None or None in results else frozenset().union(*filter(None, results))

    def apply(self, quads: ox.Store, change: Change | None) -> Change | None:
        """Update all derived graphs: those before inference, the inferred one, and the descriptions.

        Takes and returns a change as `infer` does.
        """
        change = self.infer(quads, change)
        described = self.describe(quads, change)
        return None if change is None else change.combine(described)

    def infer(
        self, quads: ox.Store, change: Change | None, checked: CheckResults = NOTHING_CHECKED
    ) -> Change | None:
        """Update the graphs before inference, then the inferred graph.

        `change` is the change of the quads since they were up to date; None: unknown. `checked` are check
        results for its quads. Returns it combined with the changes made here, None if it is unknown.
        """
        change = self.compute_first(quads, change, checked)
        is_known = change is not None and self.graph.value not in change.graphs
        difference = (
            self.reasoner.compute_difference(quads, change) if change is not None and is_known else None
        )
        if self.folder and difference and any(difference):
            recovery.write_inferred_journal(self.folder, *map(self.to_quads, difference))
        inferred = self.write(quads, *(difference or self.compare_anew(quads)))
        return None if change is None else change.combine(inferred)

    def compare_anew(self, quads: ox.Store) -> tuple[set[ox.Triple], set[ox.Triple]]:
        """The triples to remove and to add, by running all rules from scratch on a copy."""
        self.reasoner.forget()
        with open_scratch_copy(quads, {self.graph, *self.description_graphs}, self.folder) as copy:
            follows = self.consequences(copy)
        before = {quad.triple for quad in iter_graph_quads(quads, self.graph)}
        return before - follows, follows - before

    def write(
        self, quads: ox.Store, triples_to_remove: set[ox.Triple], triples_to_add: set[ox.Triple]
    ) -> Change:
        """Remove and add triples of the graph; the change made."""
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
        """Update the graph after many quads were added, in the store itself, to save memory.

        Earlier results remain valid, as nothing was removed; those that are asserted by now are removed.
        """
        self.compute_first(quads, None)
        self.reasoner.forget()
        for graph in self.description_graphs:
            quads.remove_graph(graph)
        inferred = f"GRAPH {self.graph} {{ ?s ?p ?o }}"
        stated = f"GRAPH ?other {{ ?s ?p ?o }} FILTER(?other != {self.graph})"
        quads.update(f"DELETE {{ {inferred} }} WHERE {{ {inferred} {stated} }}")
        for rules in self.rule_passes:
            while sum(self.write_new(rule, quads) for rule in rules):
                pass
        self.describe(quads, None)

    def compute_first(
        self, quads: ox.Store, change: Change | None, checked: CheckResults = NOTHING_CHECKED
    ) -> Change | None:
        """Update the graphs before inference; the change combined with theirs."""
        for computed in self.computed:
            change = computed.apply(quads, change, checked)
        return change

    def describe(self, quads: ox.Store, change: Change | None, prepared: Iterable[Any] = ()) -> Change:
        """Update the descriptions; the change made. `prepared` are the results of `prepare`."""
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
        """An identifier of the state that is described: another state has another one."""
        return "".join(describer.state(quads) for describer in self.describers)

    @property
    def graphs(self) -> set[ox.NamedNode]:
        """All derived graphs."""
        return {self.graph, *(computed.graph for computed in self.computed), *self.description_graphs}

    @property
    def description_graphs(self) -> set[ox.NamedNode]:
        """The graphs of the descriptions."""
        return {graph for one in self.describers for graph in one.graphs}

    @property
    def rule_passes(self) -> tuple[Sequence[str], Sequence[str]]:
        """The rules as queries for new triples, in two passes: those without negation, then all."""
        monotonic = [rule.new_only_query for rule in self.rules if not rule.uses_exists]
        return monotonic, [rule.new_only_query for rule in self.rules]

    def write_new(self, rule: str, quads: ox.Store) -> bool:
        """Add the results of a rule to the graph; whether there were any."""
        new = (build_quad(triple, self.graph) for triple in run_construct_rule(rule, quads))
        first = next(new, None)
        if first is not None:
            quads.bulk_extend(chain([first], new))
        return first is not None

    def consequences(self, copy: ox.Store) -> set[ox.Triple]:
        """All triples that follow and are not asserted in any graph; they are added to `copy` too."""
        inferred: set[ox.Triple] = set()
        for rules in self.rule_passes:
            while new := {triple for rule in rules for triple in run_construct_rule(rule, copy)}:
                copy.extend(build_quad(triple, self.graph) for triple in new)
                inferred |= new
        return inferred

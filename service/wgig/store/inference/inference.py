"""What follows from the stated quads by the rules, kept in one graph of its own.

A rule is a SPARQL CONSTRUCT over the union of all graphs. Rules feed each other until nothing new follows.
What no rule can say is computed before them.
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
    """Keeps a graph equal to what the rules yield from all other graphs of a store."""

    def __init__(
        self,
        rules: Iterable[str],
        graph: str,
        folder: Path | None,
        first: Iterable[ComputedGraph] = (),
        last: Iterable[GraphDescriber] = (),
    ) -> None:
        """Take the rules, the IRI of the graph they fill, the folder of the store (None: in memory), and what
        is to be computed first and last. Raises ValueError for a rule that cannot be taken apart.
        """
        self.rules = tuple(map(InferenceRule, rules))
        self.graph = ox.NamedNode(graph)
        self.folder = folder
        self.computed, self.describers = tuple(first), tuple(last)
        self.reasoner = IncrementalReasoner(self.rules, self.graph)
        computed = (*(one.digest for one in self.computed), *(one.digest for one in self.describers))
        parts = (*(one.text for one in self.rules), *computed)
        self.digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        self.marks = InferenceMarks(folder, self.digest) if folder else None

    @property
    def is_due(self) -> bool:
        """Whether the rules are others than last time, or a crash cut off what follows from a write."""
        if self.marks is None:
            return False
        return not self.marks.is_clean or bool(self.describers and not self.marks.is_described)

    def mark_dirty(
        self, quads: ox.Store, look: WriteScope | None = None, before: Contents | None = None
    ) -> None:
        """Note that a write is coming, so that whoever opens the store after a crash knows.

        Where it is known what the write may touch, and what was there before, that is noted as well.
        """
        if self.marks is None:
            return
        recovery.remove_journal(self.marks.folder)
        described = self.state(quads) if self.marks.is_described else None
        self.marks.mark_undescribed()
        if not self.marks.is_clean:
            return
        if look and before and (computed := self.computed_from(quads, look)) is not None:
            recovery.write_journal(
                self.marks.folder, JournalEntry(look, before, computed, described), self.digest
            )
        self.marks.mark_dirty()

    def forget(self) -> None:
        """Take note that the quads are others than this has seen to."""
        self.reasoner.forget()

    def mark_clean(self) -> None:
        """Note that stated and inferred quads agree."""
        if self.marks:
            self.marks.mark_clean()

    def mark_described(self) -> None:
        """Note that all is described as it is."""
        if self.marks:
            self.marks.mark_described()

    def recover(self, quads: ox.Store) -> None:
        """Make the graph hold what follows after a crash, or after other rules."""
        note = recovery.read_journal(self.folder, self.digest) if self.folder else None
        after = note.scope(quads) if note else None
        if (
            note is None
            or after is None
            or not self.resume(quads, note, compare_contents(note.contents_before, after))
        ):
            self.apply(quads, None)

    def resume(self, quads: ox.Store, note: JournalEntry, change: Change) -> bool:
        """Bring to its end what followed from the change and was cut off; whether that could be done."""
        followed = self.compute_first(quads, change)
        computed = self.computed_from(quads, note.scope)
        if followed is None or computed is None or self.graph.value in followed.graphs:
            return False
        wide = Change((*followed.removed, *note.computed), (*followed.added, *computed))
        found = self.read_noted() or self.reasoner.compute_difference(quads, wide)
        if found is None:
            return False
        self.write(quads, *found)
        if note.described_state is None:
            self.describe(quads, None)
        elif note.described_state == self.state(quads):
            gone, come = (self.to_quads(those) for those in found)
            computed_anew = Change(tuple(note.computed - computed), tuple(computed - note.computed))
            self.describe(quads, change.combine(computed_anew).combine(Change(gone, come)))
        return True

    def read_noted(self) -> tuple[set[ox.Triple], set[ox.Triple]] | None:
        """The triples that were going to go and to come when that was cut off, if it came so far."""
        found = recovery.read_inferred_journal(self.folder) if self.folder else None
        return found and ({one.triple for one in found[0]}, {one.triple for one in found[1]})

    def computed_from(self, quads: ox.Store, look: WriteScope) -> frozenset[ox.Quad] | None:
        """What is computed first from the graphs that a write may touch; None where it may be more."""
        graphs = {one.graph_name for one in look.quads}.union(look.graphs or (), look.names)
        iris = [one.value for one in graphs if isinstance(one, ox.NamedNode)]
        told = [one.computed_from(quads, iris) for one in self.computed]
        return None if look.graphs is None or None in told else frozenset().union(*filter(None, told))

    def apply(self, quads: ox.Store, change: Change | None) -> Change | None:
        """Bring all in line: what is computed first, what follows by the rules, what is computed last.

        Takes and returns a change as `infer` does.
        """
        change = self.infer(quads, change)
        described = self.describe(quads, change)
        return None if change is None else change.combine(described)

    def infer(
        self, quads: ox.Store, change: Change | None, checked: CheckResults = NOTHING_CHECKED
    ) -> Change | None:
        """Make the graph hold what follows now, and nothing else, after what is computed first.

        `change` is what happened to the quads since it was so; None: it may be anything. `checked` is what
        was found in its quads before. Returns it with all that followed, None where that is not known.
        """
        change = self.compute_first(quads, change, checked)
        known = change is not None and self.graph.value not in change.graphs
        found = self.reasoner.compute_difference(quads, change) if change is not None and known else None
        if self.folder and found and any(found):
            recovery.write_inferred_journal(self.folder, *map(self.to_quads, found))
        followed = self.write(quads, *(found or self.compare_anew(quads)))
        return None if change is None else change.combine(followed)

    def compare_anew(self, quads: ox.Store) -> tuple[set[ox.Triple], set[ox.Triple]]:
        """The triples that go and those that come when all that follows is found anew."""
        self.reasoner.forget()
        with open_scratch_copy(quads, {self.graph, *self.description_graphs}, self.folder) as copy:
            follows = self.consequences(copy)
        before = {one.triple for one in iter_graph_quads(quads, self.graph)}
        return before - follows, follows - before

    def write(self, quads: ox.Store, gone: set[ox.Triple], come: set[ox.Triple]) -> Change:
        """Take these triples out of the graph, and put those in; what that changed."""
        removed, added = self.to_quads(gone), self.to_quads(come)
        before = find_existing_graphs(quads, [self.graph])
        quads.extend(added)
        for one in removed:
            quads.remove(one)
        if next(iter_graph_quads(quads, self.graph), None) is None:
            quads.remove_graph(self.graph)
        names = compare_contents(
            Contents(set(), before), Contents(set(), find_existing_graphs(quads, [self.graph]))
        )
        return Change(removed, added, names.dropped, names.created)

    def to_quads(self, triples: Iterable[ox.Triple]) -> tuple[ox.Quad, ...]:
        """The triples in the graph."""
        return tuple(build_quad(one, self.graph) for one in triples)

    def infer_added(self, quads: ox.Store) -> None:
        """Bring the graph up to date after many quads were added: in the store itself, and in little memory.

        No rule asks for what is absent, so what followed before still follows; what is stated by now goes.
        """
        self.compute_first(quads, None)
        self.reasoner.forget()
        for one in self.description_graphs:
            quads.remove_graph(one)
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
        """Bring in line what is computed before the rules; the change with what that changed."""
        for one in self.computed:
            change = one.apply(quads, change, checked)
        return change

    def describe(self, quads: ox.Store, change: Change | None, prepared: Iterable[Any] = ()) -> Change:
        """Bring in line what is computed last; what that changed. Takes what `prepare` returned of it."""
        described = Change()
        for one, ready in zip_longest(self.describers, prepared):
            described = described.combine(one.describe(quads, change, ready))
        return described

    def prepare(self, copy: Path, change: Change) -> list[Any]:
        """Do what takes long of describing a change, from a copy of the quads right after it.

        Raises OSError or subprocess.SubprocessError.
        """
        return [one.prepare(copy, change) for one in self.describers]

    def can_prepare(self, quads: ox.Store, change: Change) -> bool:
        """Whether what was prepared is enough to describe a change."""
        return all(one.can_prepare(quads, change) for one in self.describers)

    def state(self, quads: ox.Store) -> str:
        """What tells the state that is described from any other."""
        return "".join(one.state(quads) for one in self.describers)

    @property
    def graphs(self) -> set[ox.NamedNode]:
        """All graphs that are computed."""
        return {self.graph, *(one.graph for one in self.computed), *self.description_graphs}

    @property
    def description_graphs(self) -> set[ox.NamedNode]:
        """The graphs that are computed last."""
        return {graph for one in self.describers for graph in one.graphs}

    @property
    def rule_passes(self) -> tuple[Sequence[str], Sequence[str]]:
        """The rules as queries for what is new: first those that only ask for what is there, then all."""
        sure = [rule.new_only_query for rule in self.rules if not rule.asks_for_absence]
        return sure, [rule.new_only_query for rule in self.rules]

    def write_new(self, rule: str, quads: ox.Store) -> bool:
        """Write what a rule yields now into the graph; whether that is anything."""
        new = (build_quad(triple, self.graph) for triple in run_construct_rule(rule, quads))
        first = next(new, None)
        if first is not None:
            quads.bulk_extend(chain([first], new))
        return first is not None

    def consequences(self, copy: ox.Store) -> set[ox.Triple]:
        """All triples that follow and are not stated in any graph; they are added to `copy` on the way."""
        found: set[ox.Triple] = set()
        for rules in self.rule_passes:
            while new := {triple for rule in rules for triple in run_construct_rule(rule, copy)}:
                copy.extend(build_quad(triple, self.graph) for triple in new)
                found |= new
        return found

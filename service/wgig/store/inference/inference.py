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

from ...rdf.serialization import quad
from .. import recovery
from ..change import Change, Look, Seen, between, content, there
from ..commit import Computed, Describing
from ..recovery import Marks, Note
from ..snapshot import scratch
from .incremental import Upkeep
from .rule import Rule, construct


class Inference:
    """Keeps a graph equal to what the rules yield from all other graphs of a store."""

    def __init__(
        self,
        rules: Iterable[str],
        graph: str,
        folder: Path | None,
        first: Iterable[Computed] = (),
        last: Iterable[Describing] = (),
    ) -> None:
        """Take the rules, the IRI of the graph they fill, the folder of the store (None: in memory), and what
        is to be computed first and last. Raises ValueError for a rule that cannot be taken apart.
        """
        self.rules = tuple(map(Rule, rules))
        self.graph = ox.NamedNode(graph)
        self.folder = folder
        self.first, self.last = tuple(first), tuple(last)
        self.upkeep = Upkeep(self.rules, self.graph)
        computed = (*(one.digest for one in self.first), *(one.digest for one in self.last))
        parts = (*(one.text for one in self.rules), *computed)
        self.digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        self.marks = Marks(folder, self.digest) if folder else None

    @property
    def due(self) -> bool:
        """Whether the rules are others than last time, or a crash cut off what follows from a write."""
        if self.marks is None:
            return False
        return not self.marks.is_settled or bool(self.last and not self.marks.is_described)

    def unsettle(self, quads: ox.Store, look: Look | None = None, before: Seen | None = None) -> None:
        """Note that a write is coming, so that whoever opens the store after a crash knows.

        Where it is known what the write may touch, and what was there before, that is noted as well.
        """
        if self.marks is None:
            return
        recovery.remove_journal(self.marks.folder)
        described = self.state(quads) if self.marks.is_described else None
        self.marks.undescribe()
        if not self.marks.is_settled:
            return
        if look and before and (computed := self.told(quads, look)) is not None:
            recovery.write_journal(self.marks.folder, Note(look, before, computed, described), self.digest)
        self.marks.unsettle()

    def forget(self) -> None:
        """Take note that the quads are others than this has seen to."""
        self.upkeep.forget()

    def settle(self) -> None:
        """Note that stated and inferred quads agree."""
        if self.marks:
            self.marks.settle()

    def settle_description(self) -> None:
        """Note that all is described as it is."""
        if self.marks:
            self.marks.describe()

    def make_good(self, quads: ox.Store) -> None:
        """Make the graph hold what follows after a crash, or after other rules."""
        note = recovery.read_journal(self.folder, self.digest) if self.folder else None
        after = note.look(quads) if note else None
        if note is None or after is None or not self.go_on(quads, note, between(note.before, after)):
            self.follow(quads, None)

    def go_on(self, quads: ox.Store, note: Note, change: Change) -> bool:
        """Bring to its end what followed from the change and was cut off; whether that could be done."""
        followed = self.compute_first(quads, change)
        computed = self.told(quads, note.look)
        if followed is None or computed is None or self.graph.value in followed.graphs:
            return False
        wide = Change((*followed.removed, *note.computed), (*followed.added, *computed))
        found = self.noted() or self.upkeep.after(quads, wide)
        if found is None:
            return False
        self.write(quads, *found)
        if note.described is None:
            self.describe(quads, None)
        elif note.described == self.state(quads):
            gone, come = (self.placed(those) for those in found)
            computed_anew = Change(tuple(note.computed - computed), tuple(computed - note.computed))
            self.describe(quads, change.then(computed_anew).then(Change(gone, come)))
        return True

    def noted(self) -> tuple[set[ox.Triple], set[ox.Triple]] | None:
        """The triples that were going to go and to come when that was cut off, if it came so far."""
        found = recovery.read_inferred(self.folder) if self.folder else None
        return found and ({one.triple for one in found[0]}, {one.triple for one in found[1]})

    def told(self, quads: ox.Store, look: Look) -> frozenset[ox.Quad] | None:
        """What is computed first from the graphs that a write may touch; None where it may be more."""
        graphs = {one.graph_name for one in look.quads}.union(look.graphs or (), look.names)
        iris = [one.value for one in graphs if isinstance(one, ox.NamedNode)]
        told = [one.told(quads, iris) for one in self.first]
        return None if look.graphs is None or None in told else frozenset().union(*filter(None, told))

    def follow(self, quads: ox.Store, change: Change | None) -> Change | None:
        """Bring all in line: what is computed first, what follows by the rules, what is computed last.

        Takes and returns a change as `infer` does.
        """
        change = self.infer(quads, change)
        described = self.describe(quads, change)
        return None if change is None else change.then(described)

    def infer(self, quads: ox.Store, change: Change | None) -> Change | None:
        """Make the graph hold what follows now, and nothing else, after what is computed first.

        `change` is what happened to the quads since it was so; None: it may be anything. Returns it with all
        that followed, None where that is not known.
        """
        change = self.compute_first(quads, change)
        known = change is not None and self.graph.value not in change.graphs
        found = self.upkeep.after(quads, change) if change is not None and known else None
        if self.folder and found and any(found):
            recovery.write_inferred(self.folder, *map(self.placed, found))
        followed = self.write(quads, *(found or self.anew(quads)))
        return None if change is None else change.then(followed)

    def anew(self, quads: ox.Store) -> tuple[set[ox.Triple], set[ox.Triple]]:
        """The triples that go and those that come when all that follows is found anew."""
        self.upkeep.forget()
        with scratch(quads, {self.graph, *self.described}, self.folder) as copy:
            follows = self.consequences(copy)
        before = {one.triple for one in content(quads, self.graph)}
        return before - follows, follows - before

    def write(self, quads: ox.Store, gone: set[ox.Triple], come: set[ox.Triple]) -> Change:
        """Take these triples out of the graph, and put those in; what that changed."""
        removed, added = self.placed(gone), self.placed(come)
        before = there(quads, [self.graph])
        quads.extend(added)
        for one in removed:
            quads.remove(one)
        if next(content(quads, self.graph), None) is None:
            quads.remove_graph(self.graph)
        names = between(Seen(set(), before), Seen(set(), there(quads, [self.graph])))
        return Change(removed, added, names.dropped, names.made)

    def placed(self, triples: Iterable[ox.Triple]) -> tuple[ox.Quad, ...]:
        """The triples in the graph."""
        return tuple(quad(one, self.graph) for one in triples)

    def grow(self, quads: ox.Store) -> None:
        """Bring the graph up to date after many quads were added: in the store itself, and in little memory.

        No rule asks for what is absent, so what followed before still follows; what is stated by now goes.
        """
        self.compute_first(quads, None)
        self.upkeep.forget()
        for one in self.described:
            quads.remove_graph(one)
        inferred = f"GRAPH {self.graph} {{ ?s ?p ?o }}"
        stated = f"GRAPH ?other {{ ?s ?p ?o }} FILTER(?other != {self.graph})"
        quads.update(f"DELETE {{ {inferred} }} WHERE {{ {inferred} {stated} }}")
        for rules in self.in_turn:
            while sum(self.write_new(rule, quads) for rule in rules):
                pass
        self.describe(quads, None)

    def compute_first(self, quads: ox.Store, change: Change | None) -> Change | None:
        """Bring in line what is computed before the rules; the change with what that changed."""
        for one in self.first:
            change = one.follow(quads, change)
        return change

    def describe(self, quads: ox.Store, change: Change | None, prepared: Iterable[Any] = ()) -> Change:
        """Bring in line what is computed last; what that changed. Takes what `prepare` returned of it."""
        described = Change()
        for one, ready in zip_longest(self.last, prepared):
            described = described.then(one.describe(quads, change, ready))
        return described

    def prepare(self, copy: Path, change: Change) -> list[Any]:
        """Do what takes long of describing a change, from a copy of the quads right after it.

        Raises OSError or subprocess.SubprocessError.
        """
        return [one.prepare(copy, change) for one in self.last]

    def can_prepare(self, quads: ox.Store, change: Change) -> bool:
        """Whether what was prepared is enough to describe a change."""
        return all(one.can_prepare(quads, change) for one in self.last)

    def state(self, quads: ox.Store) -> str:
        """What tells the state that is described from any other."""
        return "".join(one.state(quads) for one in self.last)

    @property
    def graphs(self) -> set[ox.NamedNode]:
        """All graphs that are computed."""
        return {self.graph, *(one.graph for one in self.first), *self.described}

    @property
    def described(self) -> set[ox.NamedNode]:
        """The graphs that are computed last."""
        return {graph for one in self.last for graph in one.graphs}

    @property
    def in_turn(self) -> tuple[Sequence[str], Sequence[str]]:
        """The rules as queries for what is new: first those that only ask for what is there, then all."""
        sure = [rule.only_new for rule in self.rules if not rule.asks_for_absence]
        return sure, [rule.only_new for rule in self.rules]

    def write_new(self, rule: str, quads: ox.Store) -> bool:
        """Write what a rule yields now into the graph; whether that is anything."""
        new = (quad(triple, self.graph) for triple in construct(rule, quads))
        first = next(new, None)
        if first is not None:
            quads.bulk_extend(chain([first], new))
        return first is not None

    def consequences(self, copy: ox.Store) -> set[ox.Triple]:
        """All triples that follow and are not stated in any graph; they are added to `copy` on the way."""
        found: set[ox.Triple] = set()
        for rules in self.in_turn:
            while new := {triple for rule in rules for triple in construct(rule, copy)}:
                copy.extend(quad(triple, self.graph) for triple in new)
                found |= new
        return found

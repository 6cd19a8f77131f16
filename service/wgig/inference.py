"""What follows from the stated quads by the rules, kept in one graph of its own.

A rule is a SPARQL CONSTRUCT over the union of all graphs. Rules feed each other until nothing new follows.
What no rule can say is computed before them.
"""

import hashlib
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import reduce
from itertools import chain
from pathlib import Path
from typing import Protocol

import pyoxigraph as ox

from .changes import Change, Seen, between, content, there
from .rdf import quad

SETTLED = "inferred-by"  # holds the digest of the rules while stated and inferred quads agree
SCRATCH = "inference"
IN_MEMORY = 500_000  # quads; about 240 MB
HEAD = re.compile(r"CONSTRUCT\s*\{(.*?)\}", re.DOTALL)


class Computed(Protocol):
    """What is computed from the stated quads by other means than rules."""

    @property
    def digest(self) -> str:
        """The digest of how it is computed."""

    def recompute(self, quads: ox.Store) -> Change:
        """Bring it in line with the stated quads; what that changed."""


class Inference:
    """Keeps a graph equal to what the rules yield from all other graphs of a store."""

    def __init__(
        self, rules: Iterable[str], graph: str, folder: Path | None, first: Iterable[Computed] = ()
    ) -> None:
        """Take the rules, the IRI of the graph they fill, the folder of the store (None: in memory), and what
        is to be computed first.
        """
        self.rules = tuple(rules)
        self.asked = tuple(map(only_new, self.rules))
        self.graph = ox.NamedNode(graph)
        self.folder = folder
        self.first = tuple(first)
        parts = (*self.rules, *(one.digest for one in self.first))
        self.digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def due(self) -> bool:
        """Whether the rules are others than last time, or a crash cut off the inference after a write."""
        if self.folder is None:
            return False
        mark = self.folder / SETTLED
        return not mark.exists() or mark.read_text() != self.digest

    def unsettle(self) -> None:
        """Note on disk that a write is coming, so that whoever opens the store after a crash knows."""
        if self.folder:
            (self.folder / SETTLED).unlink(missing_ok=True)

    def settle(self) -> None:
        """Note on disk that stated and inferred quads agree."""
        if self.folder:
            (self.folder / SETTLED).write_text(self.digest)

    def recompute(self, quads: ox.Store) -> Change:
        """Make the graph hold what follows now, and nothing else; what that changed, and what came first.

        What stays is not written again.
        """
        first = self.compute_first(quads)
        with scratch(quads, self.graph, self.folder) as copy:
            follows = {quad(triple, self.graph) for triple in self.consequences(copy)}
        before = Seen(set(content(quads, self.graph)), there(quads, [self.graph]))
        quads.extend(follows - before.quads)
        for one in before.quads - follows:
            quads.remove(one)
        if not follows:
            quads.remove_graph(self.graph)
        return first.then(between(before, Seen(follows, there(quads, [self.graph]))))

    def grow(self, quads: ox.Store) -> None:
        """Bring the graph up to date after many quads were added: in the store itself, and in little memory.

        No rule asks for what is absent, so what followed before still follows; what is stated by now goes.
        """
        self.compute_first(quads)
        inferred = f"GRAPH {self.graph} {{ ?s ?p ?o }}"
        stated = f"GRAPH ?other {{ ?s ?p ?o }} FILTER(?other != {self.graph})"
        quads.update(f"DELETE {{ {inferred} }} WHERE {{ {inferred} {stated} }}")
        while sum(self.write_new(rule, quads) for rule in self.asked):
            pass

    def compute_first(self, quads: ox.Store) -> Change:
        """Bring in line what is computed before the rules; what that changed."""
        return reduce(Change.then, (one.recompute(quads) for one in self.first), Change())

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
        while new := self.constructed(copy):
            copy.extend(quad(triple, self.graph) for triple in new)
            found |= new
        return found

    def constructed(self, copy: ox.Store) -> set[ox.Triple]:
        """What the rules yield in one round that is not there yet."""
        return {triple for rule in self.asked for triple in construct(rule, copy)}


def only_new(rule: str) -> str:
    """A rule that yields only what is not there yet, so that nobody needs to sort out the rest."""
    head = HEAD.search(rule)
    if not head:
        raise ValueError(f"a rule is a CONSTRUCT with a template, unlike: {rule}")
    body, brace, rest = rule.rpartition("}")
    return f"{body}FILTER NOT EXISTS {{ {head[1]} }} {brace}{rest}"


def construct(rule: str, quads: ox.Store) -> Iterator[ox.Triple]:
    """What one rule yields over the union of all graphs."""
    triples = quads.query(rule, use_default_graph_as_union=True)
    assert isinstance(triples, ox.QueryTriples)
    return triples


@contextmanager
def scratch(quads: ox.Store, without: ox.NamedNode, folder: Path | None) -> Iterator[ox.Store]:
    """A copy of all quads but those of one graph, to be changed at will and gone afterwards.

    Rules run several times faster in memory; a store that is too large for that is copied as a checkpoint on
    disk.
    """
    if folder is None or len(quads) <= IN_MEMORY:
        copy = ox.Store()
        copy.extend(one for one in quads if one.graph_name != without)
        yield copy
        return
    place = folder / SCRATCH
    shutil.rmtree(place, ignore_errors=True)
    quads.backup(str(place))
    try:
        copy = ox.Store(place)
        copy.remove_graph(without)
        yield copy
    finally:
        shutil.rmtree(place, ignore_errors=True)

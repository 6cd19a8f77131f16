"""Keep the graph of how the papers stand in line with the papers, and compute nothing twice.

The paper `id/paper/<name>` is looked at as the graph `graph/paper/<name>` describes it. Beside those of the
store, where it has any, the made-up papers of the package are on the board, which are not in the store.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence, Set
from functools import cache, cached_property
from typing import Any

import pyoxigraph as ox

from .._version import __version__
from ..rdf.namespaces import LOCAL, OUTSIDE, namespaces
from ..rdf.serialization import as_stored, quad
from ..settings import SHIPPED, Settings
from ..store.change import Change, content, there
from .engines import Result

KNOWN = namespaces(Settings.base)
TYPE = ox.NamedNode(f"{OUTSIDE['rdf']}type")
PAPER = ox.NamedNode(f"{KNOWN['wgig']}IssuePaper")
DIGEST = ox.NamedNode(f"{KNOWN['wgig']}digest")
PART_OF = ox.NamedNode(f"{OUTSIDE['dcterms']}isPartOf")
LEADING = {
    ox.NamedNode(OUTSIDE[prefix] + name)
    for prefix, name in (("dcterms", "hasPart"), ("earl", "result"), ("earl", "assertedBy"))
}

# What an assertion rests on beside the paper: the rules, and what they may refer to.
RULES = ("shapes/issue-paper*.ttl", "ontology/*.ttl", "data/*.ttl", "data/examples/*.ttl")
OF_PAPERS = f"<{KNOWN['assertion']}"  # so begins what is said of one paper alone
BATCH = 200  # papers in one transaction
FEW = 2000  # quads
MANY = 1000  # papers that take a while


# What an engine found in papers that are being written, by the digest of what an assertion on them rests on.
checked: dict[str, Set[Result]] = {}


class Board:
    """Keeps a graph equal to what the checker says of the papers of a store."""

    def __init__(self, base: str, by: str, say: Callable[[str], None] = lambda _: None) -> None:
        """Take the base of the graphs, the engine that checks, and whom to tell when that takes long."""
        self.graph = ox.NamedNode(f"{base}graph/conformance")
        self.home = f"{base}graph/paper/"
        self.by = by
        self.say = say
        self.recalled: dict[str, set[ox.Triple]] = {}  # what was said of papers before the write under way

    @cached_property
    def digest(self) -> str:
        """The digest of the rules, and of all that they may refer to."""
        paths = sorted(path for pattern in RULES for path in SHIPPED.glob(pattern))
        return digest([__version__.encode(), *(path.read_bytes() for path in paths)])

    def follow(self, quads: ox.Store, change: Change | None) -> Change | None:
        """Say how the papers stand now; a paper whose graph and rules are as before costs its digest.

        `change` is what happened since that was said; None: it may be anything. Up to BATCH papers change
        together, in one transaction. Returns the change with what followed, None of more papers than that.
        """
        if not any(map(self.name, quads.quads_for_pattern(None, TYPE, PAPER))):
            return self.clear(quads, change)
        was_there = there(quads, [self.graph])
        names = sorted(self.concerned(quads, change if was_there else None))
        if len(names) > MANY:
            self.say(f"Checking {len(names)} papers by the template ...")
        for start in range(0, len(names), BATCH):
            followed = self.renew(quads, names[start : start + BATCH])
            change = change.then(followed) if change is not None and len(names) <= BATCH else None
        made = there(quads, [self.graph]) - was_there
        return None if change is None else change.then(Change(made=tuple(made)))

    def clear(self, quads: ox.Store, change: Change | None) -> Change | None:
        """Say nothing any more; the change with this one."""
        if change is not None:
            change = change.then(
                Change(tuple(content(quads, self.graph)), dropped=tuple(there(quads, [self.graph])))
            )
        quads.remove_graph(self.graph)
        return change

    def told(self, quads: ox.Store, graphs: Iterable[str]) -> set[ox.Quad] | None:
        """What is said of the papers of these graphs alone; None while no paper is stored."""
        if not there(quads, [self.graph]):
            return None
        self.recalled = {name: self.said_of(quads, name) for name in self.named(graphs)}
        said = (one for those in self.recalled.values() for one in those)
        return {quad(one, self.graph) for one in said if str(one.subject).startswith(OF_PAPERS)}

    def named(self, graphs: Iterable[str]) -> set[str]:
        """The names of the papers, if any, that these graphs describe."""
        ends = (one.removeprefix(self.home) for one in graphs if one.startswith(self.home))
        return set(filter(LOCAL.fullmatch, ends))

    def concerned(self, quads: ox.Store, change: Change | None) -> set[str]:
        """The names of the papers of which something else may be to say after a change; None: of all."""
        if change is not None and self.graph.value not in change.graphs:
            return self.named(change.graphs)
        self.recalled.clear()
        said = (
            one.subject.value.removeprefix(KNOWN["assertion"]) for one in self.said(quads, predicate=DIGEST)
        )
        stored = filter(None, map(self.name, quads.quads_for_pattern(None, TYPE, PAPER)))
        return {*said, *stored, *examples()}

    def renew(self, quads: ox.Store, names: Iterable[str]) -> Change:
        """Replace what is said of those of these papers that are not as they were; what that changed."""
        found = ((name, self.triples(quads, name)) for name in names)
        now = ((name, triples, self.digest_of(triples)) for name, triples in found)
        stale = [one for one in now if one[2] != self.digest_said(quads, one[0])]
        if not stale:
            return Change()
        from .conformance import shared, state  # noqa: PLC0415  costs 0.2 s, and most starts need none

        same = set(shared())
        old, new = set[ox.Triple](), {one for one in same if quad(one, self.graph) not in quads}
        for name, triples, digest_ in stale:
            old |= self.recalled.pop(name, set()) or self.said_of(quads, name)
            if triples:
                new |= state(paper(name), triples, digest_, self.by, checked.get(digest_))
        gone, come = ([quad(one, self.graph) for one in those] for those in (old - new - same, new - old))
        self.change(quads, gone, come)
        return Change(tuple(gone), tuple(come))

    def change(self, quads: ox.Store, gone: Sequence[ox.Quad], come: Sequence[ox.Quad]) -> None:
        """Take some quads out and put others in, in one transaction."""
        if not gone:
            # The first takes three times as long for many quads, the second thirty times for few.
            (quads.extend if len(come) < FEW else quads.bulk_extend)(come)
            return
        steps = [("DELETE", gone), ("INSERT", come)]
        quads.update(
            "; ".join(
                f"{verb} DATA {{ GRAPH {self.graph} {{ {n_triples(one.triple for one in those)} }} }}"
                for verb, those in steps
            )
        )

    def name(self, quad: Any) -> str:
        """The name of the graph of a paper, if the quad is about the paper of this name; else nothing."""
        name: str = getattr(quad.graph_name, "value", "").removeprefix(self.home)
        return name if LOCAL.fullmatch(name) and quad.subject == paper(name) else ""

    def triples(self, quads: ox.Store, name: str) -> list[ox.Triple]:
        """What describes the paper of this name; nothing where there is none."""
        home = ox.NamedNode(self.home + name)
        if ox.Quad(paper(name), TYPE, PAPER, home) in quads:
            return [one.triple for one in content(quads, home)]
        return examples().get(name, [])

    def digest_of(self, triples: Sequence[ox.Triple]) -> str:
        """The digest of what an assertion rests on; empty for no triples.

        Blank nodes keep their names while nobody writes them.
        """
        lines = sorted(str(one).encode() for one in triples)
        return digest([self.digest.encode(), *lines]) if lines else ""

    def digest_said(self, quads: ox.Store, name: str) -> str:
        """The digest that the assertion on a paper rests on; empty where there is none."""
        found = self.said(quads, ox.NamedNode(KNOWN["assertion"] + name), DIGEST)
        return next((one.object.value for one in found), "")

    def said_of(self, quads: ox.Store, name: str) -> set[ox.Triple]:
        """What the graph says of a paper, with what that leads to."""
        whole = ox.NamedNode(KNOWN["assertion"] + name)
        parts = {one.subject for one in self.said(quads, predicate=PART_OF, object_=whole)}
        said = {one for node in (whole, *parts) for one in self.said(quads, node)}
        ends = {one.object for one in said if one.predicate in LEADING}
        return said | {one for node in ends for one in self.said(quads, node)}

    def said(self, quads: ox.Store, subject: Any = None, predicate: Any = None, object_: Any = None) -> Any:
        """The triples of the graph with these terms."""
        return (one.triple for one in quads.quads_for_pattern(subject, predicate, object_, self.graph))


def paper(name: str) -> ox.NamedNode:
    """The IRI of a paper."""
    return ox.NamedNode(KNOWN["paper"] + name)


@cache
def examples() -> dict[str, list[ox.Triple]]:
    """The made-up papers of the package by their names, as a store would give them back."""
    parsed = [
        ox.parse(path=path, format=ox.RdfFormat.TURTLE, rename_blank_nodes=True)
        for path in sorted((SHIPPED / "data" / "examples").glob("*.ttl"))
    ]
    papers = [list(as_stored(one.triple for one in quads)) for quads in parsed]
    return {
        one.subject.value.removeprefix(KNOWN["paper"]): triples
        for triples in papers
        for one in triples
        if one.predicate == TYPE and one.object == PAPER and isinstance(one.subject, ox.NamedNode)
    }


def digest(pieces: Iterable[bytes]) -> str:
    """The SHA-256 of the pieces, in hexadecimal."""
    return hashlib.sha256(b"\n".join(pieces)).hexdigest()


def n_triples(triples: Iterable[ox.Triple]) -> str:
    """The triples as SPARQL Update takes them."""
    written = ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES)
    assert written is not None
    return written.decode()

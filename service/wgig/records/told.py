"""What the history told when an old version of the graph was the current one."""

import re
from collections.abc import Iterable, Iterator

import pyoxigraph as ox

from .history import BY, CURRENT, GONE, KEPT, OF, WHO

# The moment in the name of a write, of its parts, or of a version that it made or ended.
STAMPED = re.compile(r"(?:/id/write/|[?&]version=(?:before-)?)(\d{8}T\d{12}Z)")
WRITER = re.compile(r"/id/writer/[^/]+$")


def told(triples: Iterable[ox.Triple], version: str) -> set[ox.Triple]:
    """The triples of the history as they were after the write that a version is named after.

    An empty version, or the name of a release, is before the first write.
    """
    then = {one for one in triples if stamp(one.subject) <= version and stamp(one.object) <= version}
    ended = {one.subject for one in then if one.predicate == GONE}
    who = {one.object for one in then if one.predicate == WHO}
    kept = {
        one
        for one in then
        if one.predicate != CURRENT
        and (one.predicate != KEPT or one.subject in ended)
        and (not WRITER.search(text(one.subject)) or one.subject in who)
    }
    return kept | set(pointers(kept))


def pointers(triples: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
    """From each graph to the version that the last write of it made, unless that deleted it."""
    graphs = {one.subject: one.object for one in triples if one.predicate == OF}
    last: dict[ox.NamedNode, tuple[str, bool, ox.NamedNode]] = {}
    for one in triples:
        graph = graphs.get(one.subject)
        if one.predicate in (BY, GONE) and isinstance(graph, ox.NamedNode):
            assert isinstance(one.subject, ox.NamedNode)
            event = (stamp(one.object), one.predicate == BY, one.subject)
            last[graph] = max(last.get(graph, event), event, key=lambda event: event[:2])
    for graph, (_, made, version) in last.items():
        if made:
            yield ox.Triple(graph, CURRENT, version)


def stamp(term: object) -> str:
    """The moment in the name of what a write made; empty for all else, and so before any."""
    found = STAMPED.search(text(term))
    return found[1] if found else ""


def text(term: object) -> str:
    """An IRI as text; empty for all other terms."""
    return term.value if isinstance(term, ox.NamedNode) else ""

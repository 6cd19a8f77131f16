"""The version of the graph as a whole: the last write on record, or the release while there is none."""

import re
from datetime import UTC, date, datetime

import pyoxigraph as ox
from fastapi import Request

from ..._version import __released__, __version__
from ...problems import Problem
from ...rdf.namespaces import OUTSIDE
from ...store.history import AT, BY, GONE, OF, STAMP, History, graph_iri
from ...store.store import Store
from ...store.view import rows
from ..provenance import Record

RELEASED = date.fromisoformat(__released__)
NAME = re.compile(r"\d{8}T\d{12}Z")
SHOWN = 20  # graphs that are named
XSD = OUTSIDE["xsd"]
CHANGED = f"""
SELECT DISTINCT ?graph {{ GRAPH <%s> {{
  ?version <{OF.value}> ?graph ; <{BY.value}>|<{GONE.value}> ?write .
  ?write <{AT.value}> ?at
  FILTER(?at > "%s"^^<{XSD}dateTime>)
}} }} ORDER BY ?graph LIMIT %d"""
# A version that was the current one then, and of which nobody recorded what became of it.
LOST = f"""
SELECT ?version {{ GRAPH <%(history)s> {{
  ?version <{OF.value}> <%(graph)s> ; <{BY.value}>/<{AT.value}> ?since
  FILTER(?since <= "%(then)s"^^<{XSD}dateTime>)
  FILTER NOT EXISTS {{ ?version <{GONE.value}>/<{AT.value}> ?until }}
}} }} LIMIT 1"""
BEGIN = datetime(1, 1, 1, tzinfo=UTC)


class LostError(Exception):
    """What was cannot be had any more; the message is a sentence that says why."""


def current(request: Request) -> str:
    """The version of the graph as it is now."""
    record: Record | None = request.app.state.record
    return (record and record.version) or __version__


def day(version: str) -> date:
    """The day of a version."""
    return RELEASED if version == __version__ else moment(version).date()


def moment(version: str) -> datetime:
    """The time of the write after which a version is named; the begin of time for the release."""
    if version == __version__:
        return BEGIN
    return datetime.strptime(version, STAMP).replace(tzinfo=UTC)


def check(request: Request, version: str, *, proven: bool) -> None:
    """Raises Problem 404 for a version that there was not, 422 where the service cannot tell.

    `proven`: a digest will tell whether the bytes are the same.
    """
    record: Record | None = request.app.state.record
    if record is None and not proven:
        raise Problem(
            422,
            "This service keeps no history, and so cannot tell one version from another. Leave out version: "
            "sha256 alone tells whether the bytes are the same.",
        )
    if version != __version__ and not was_written(request, version):
        raise Problem(
            404, f"There is no version {version!r} of this graph. The current one is {current(request)}."
        )


def was_written(request: Request, version: str) -> bool:
    """Whether a write of this name is on record."""
    if not NAME.fullmatch(version):
        return False
    store: Store = request.app.state.store
    return store.knows(ox.NamedNode(f"{request.app.state.settings.base}id/write/{version}"), AT, None)


def held_at(request: Request, graph: str | None, version: str) -> bytes:
    """What a graph that was written since held in an old version, as N-Triples.

    Nothing where it was not there. Raises LostError where that was not kept.
    """
    history: History | None = request.app.state.history
    if history is None:
        raise LostError("This service keeps no history now, and so gives nothing as it was.")
    store: Store = request.app.state.store
    at = moment(version)
    every = history.of(store, graph)
    then = [one for one in every if (one.since or BEGIN) <= at and (one.until is None or at < one.until)]
    lines = history.lines(store, graph, then[0]) if then else b""
    node = graph_iri(graph, history.base)
    asked = {"history": history.graph.value, "graph": node, "then": written(at)}
    is_told = bool(then and then[0].since)
    if lines is None or (not is_told and rows(store, LOST % asked)):
        raise LostError(f"What <{node}> held then was not kept, as something wrote it that left no record.")
    return lines


def changed_since(store: Store, base: str, version: str, most: int = SHOWN + 1) -> list[str]:
    """What the history calls the graphs that were written since a version, the first so many of them."""
    asked = CHANGED % (f"{base}graph/history", written(moment(version)), most)
    return [row["graph"].value for row in rows(store, asked)]


def written(at: datetime) -> str:
    """A moment as the history has it."""
    return at.isoformat(timespec="microseconds")


def over(request: Request, version: str, iri: str, why: str) -> Problem:
    """The 410 for what is not as it was in a version: why, and which graphs were written since."""
    found = changed_since(request.app.state.store, request.app.state.settings.base, version)
    what = f"<{iri}>" if iri else "The answer to this query"
    if found:
        more = " and others" if len(found) > SHOWN else ""
        told = (
            f"These graphs were written since: {', '.join(f'<{one}>' for one in found[:SHOWN])}{more}. "
            "What each of them held is listed at its address with ?versions."
        )
    else:
        told = "No write since then is on record."
    return Problem(
        410,
        f"{what} cannot be given as it was in version {version}; the version of now is {current(request)}. "
        f"{why} {told}",
        version=current(request),
        changed=found[:SHOWN],
    )

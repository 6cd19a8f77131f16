"""The version of the graph as a whole: the last write on record, or the release while there is none."""

import re
from datetime import UTC, date, datetime

import pyoxigraph as ox

from ..._version import __released__, __version__
from ...pages.dependencies import RequestContext
from ...problems import Problem
from ...rdf.namespaces import PROV_ENDED_AT_TIME, XSD_NAMESPACE
from ...store.change import BEGINNING_OF_TIME
from ...store.history import (
    PROV_SPECIALIZATION_OF,
    PROV_WAS_GENERATED_BY,
    PROV_WAS_INVALIDATED_BY,
    VERSION_TIME_FORMAT,
    readable_graph_iri,
)
from ...store.store import Store
from ...store.view import select_solutions
from ..provenance import ProvenanceRecorder

RELEASE_DATE = date.fromisoformat(__released__)
VERSION_NAME_PATTERN = re.compile(r"\d{8}T\d{12}Z")
MAX_NAMED_GRAPHS = 20  # graphs that are named
CHANGED_GRAPHS_QUERY = f"""
SELECT DISTINCT ?graph {{ GRAPH <%s> {{
  ?version <{PROV_SPECIALIZATION_OF.value}> ?graph ;
    <{PROV_WAS_GENERATED_BY.value}>|<{PROV_WAS_INVALIDATED_BY.value}> ?write .
  ?write <{PROV_ENDED_AT_TIME.value}> ?at
  FILTER(?at > "%s"^^<{XSD_NAMESPACE}dateTime>)
}} }} ORDER BY ?graph LIMIT %d"""
# A version that was the current one then, and of which nobody recorded what became of it.
UNRECORDED_CONTENT_QUERY = f"""
SELECT ?version {{ GRAPH <%(history)s> {{
  ?version <{PROV_SPECIALIZATION_OF.value}> <%(graph)s> ;
    <{PROV_WAS_GENERATED_BY.value}>/<{PROV_ENDED_AT_TIME.value}> ?since
  FILTER(?since <= "%(then)s"^^<{XSD_NAMESPACE}dateTime>)
  FILTER NOT EXISTS {{ ?version <{PROV_WAS_INVALIDATED_BY.value}>/<{PROV_ENDED_AT_TIME.value}> ?until }}
}} }} LIMIT 1"""


class VersionLostError(Exception):
    """What was cannot be had any more; the message is a sentence that says why."""


def current_version(recorder: ProvenanceRecorder | None) -> str:
    """The version of the graph as it is now."""
    return (recorder and recorder.version) or __version__


def version_date(version: str) -> date:
    """The day of a version."""
    return RELEASE_DATE if version == __version__ else version_moment(version).date()


def version_moment(version: str) -> datetime:
    """The time of the write after which a version is named; the begin of time for the release."""
    if version == __version__:
        return BEGINNING_OF_TIME
    return datetime.strptime(version, VERSION_TIME_FORMAT).replace(tzinfo=UTC)


def check_citable_version(
    context: RequestContext, recorder: ProvenanceRecorder | None, version: str, *, proven: bool
) -> None:
    """Raises Problem 404 for a version that there was not, 422 where the service cannot tell.

    `proven`: a digest will tell whether the bytes are the same.
    """
    if recorder is None and not proven:
        raise Problem(
            422,
            "This service keeps no history, and so cannot tell one version from another. Leave out version: "
            "sha256 alone tells whether the bytes are the same.",
        )
    if version != __version__ and not is_recorded_version(context, version):
        raise Problem(
            404,
            f"There is no version {version!r} of this graph. The current one is {current_version(recorder)}.",
        )


def is_recorded_version(context: RequestContext, version: str) -> bool:
    """Whether a write of this name is on record."""
    if not VERSION_NAME_PATTERN.fullmatch(version):
        return False
    store = context.store
    return store.has_statement(ox.NamedNode(f"{context.base}id/write/{version}"), PROV_ENDED_AT_TIME, None)


def read_graph_at_version(context: RequestContext, graph: str | None, version: str) -> bytes:
    """What a graph that was written since held in an old version, as N-Triples.

    Nothing where it was not there. Raises VersionLostError where that was not kept.
    """
    history = context.history
    if history is None:
        raise VersionLostError("This service keeps no history now, and so gives nothing as it was.")
    store = context.store
    at = version_moment(version)
    every = history.list_versions(store, graph)
    then = [
        one
        for one in every
        if (one.since or BEGINNING_OF_TIME) <= at and (one.until is None or at < one.until)
    ]
    lines = history.read_version(store, graph, then[0]) if then else b""
    node = readable_graph_iri(graph, history.base)
    asked = {"history": history.graph.value, "graph": node, "then": format_history_time(at)}
    is_told = bool(then and then[0].since)
    if lines is None or (not is_told and select_solutions(store, UNRECORDED_CONTENT_QUERY % asked)):
        raise VersionLostError(
            f"What <{node}> held then was not kept, as something wrote it that left no record."
        )
    return lines


def graphs_changed_since(
    store: Store, base: str, version: str, most: int = MAX_NAMED_GRAPHS + 1
) -> list[str]:
    """What the history calls the graphs that were written since a version, the first so many of them."""
    asked = CHANGED_GRAPHS_QUERY % (
        f"{base}graph/history",
        format_history_time(version_moment(version)),
        most,
    )
    return [row["graph"].value for row in select_solutions(store, asked)]


def format_history_time(at: datetime) -> str:
    """A moment as the history has it."""
    return at.isoformat(timespec="microseconds")


def version_lost_problem(
    context: RequestContext, recorder: ProvenanceRecorder | None, version: str, iri: str, why: str
) -> Problem:
    """The 410 for what is not as it was in a version: why, and which graphs were written since."""
    found = graphs_changed_since(context.store, context.base, version)
    what = f"<{iri}>" if iri else "The answer to this query"
    if found:
        named = ", ".join(f"<{one}>" for one in found[:MAX_NAMED_GRAPHS])
        more = " and others" if len(found) > MAX_NAMED_GRAPHS else ""
        told = (
            f"These graphs were written since: {named}{more}. "
            "What each of them held is listed at its address with ?versions."
        )
    else:
        told = "No write since then is on record."
    return Problem(
        410,
        f"{what} cannot be given as it was in version {version}; "
        f"the version of now is {current_version(recorder)}. "
        f"{why} {told}",
        version=current_version(recorder),
        changed=found[:MAX_NAMED_GRAPHS],
    )

"""Versions of the whole store, named after the last recorded write, or else after the software version.

A version that is named after a write has its time as name, as in `20260101T120000000000Z`.
"""

import re
from datetime import UTC, date, datetime

import pyoxigraph as ox
from wgig_client.namespaces import XSD_NAMESPACE

from ..._version import __released__, __version__
from ...pages.dependencies import RequestContext
from ...problems import Problem
from ...rdf.namespaces import PROV_ENDED_AT_TIME
from ...store.change import BEGINNING_OF_TIME
from ...store.errors import MissingChangesError
from ...store.history import (
    PROV_SPECIALIZATION_OF,
    PROV_WAS_GENERATED_BY,
    PROV_WAS_INVALIDATED_BY,
    VERSION_TIME_FORMAT,
    build_graph_url,
)
from ...store.store import Store
from ...store.view import select_solutions
from ..provenance import ProvenanceRecorder

RELEASE_DATE = date.fromisoformat(__released__)
VERSION_NAME_PATTERN = re.compile(r"\d{8}T\d{12}Z")  # of a version that is named after a write
MAX_GRAPHS_IN_ERROR = 20  # graphs listed in one error message
# The placeholders are the history graph, a time, and the maximum number of graphs.
CHANGED_GRAPHS_QUERY = f"""
SELECT DISTINCT ?graph {{ GRAPH <%s> {{
  ?version <{PROV_SPECIALIZATION_OF.value}> ?graph ;
    <{PROV_WAS_GENERATED_BY.value}>|<{PROV_WAS_INVALIDATED_BY.value}> ?write .
  ?write <{PROV_ENDED_AT_TIME.value}> ?at
  FILTER(?at > "%s"^^<{XSD_NAMESPACE}dateTime>)
}} }} ORDER BY ?graph LIMIT %d"""
# A version of a graph that began at or before `time` and has no recorded end. If no version with a recorded
# start covers that time, a write that was not recorded has replaced this version.
OPEN_ENDED_VERSION_QUERY = f"""
SELECT ?version {{ GRAPH <%(history)s> {{
  ?version <{PROV_SPECIALIZATION_OF.value}> <%(graph)s> ;
    <{PROV_WAS_GENERATED_BY.value}>/<{PROV_ENDED_AT_TIME.value}> ?since
  FILTER(?since <= "%(time)s"^^<{XSD_NAMESPACE}dateTime>)
  FILTER NOT EXISTS {{ ?version <{PROV_WAS_INVALIDATED_BY.value}>/<{PROV_ENDED_AT_TIME.value}> ?until }}
}} }} LIMIT 1"""


class VersionLostError(Exception):
    """The content of an old version cannot be recovered; the message is the reason, as a sentence."""


def current_version(recorder: ProvenanceRecorder | None) -> str:
    """The current version of the store. `recorder` is None if the service keeps no history."""
    return (recorder and recorder.last_write_name) or __version__


def version_date(version: str) -> date:
    """The date of the write that a version is named after, or the release date of the software version."""
    return RELEASE_DATE if version == __version__ else version_time(version).date()


def version_time(version: str) -> datetime:
    """The time of the write that a version is named after.

    The software version, which is before all writes, has BEGINNING_OF_TIME.
    """
    if version == __version__:
        return BEGINNING_OF_TIME
    return datetime.strptime(version, VERSION_TIME_FORMAT).replace(tzinfo=UTC)


def check_citable_version(
    context: RequestContext, recorder: ProvenanceRecorder | None, version: str, *, has_digest: bool
) -> None:
    """Raise Problem 404 for an unknown version, 422 if there is no history and the request has no digest.

    `has_digest`: the request has the SHA-256 of the cited content, which shows whether it is unchanged.
    """
    if recorder is None and not has_digest:
        raise Problem(
            422,
            "This service keeps no history, so it cannot tell one version from another. Omit the "
            "parameter `version`; `sha256` alone shows whether the content is unchanged.",
        )
    if version != __version__ and not is_recorded_version(context, version):
        raise Problem(
            404,
            f"There is no version {version!r} of the store. The current one is {current_version(recorder)}.",
        )


def is_recorded_version(context: RequestContext, version: str) -> bool:
    """Whether a write of this name is recorded."""
    if not VERSION_NAME_PATTERN.fullmatch(version):
        return False
    store = context.store
    return store.has_statement(ox.NamedNode(f"{context.base}id/write/{version}"), PROV_ENDED_AT_TIME, None)


def read_graph_at_version(context: RequestContext, graph: str | None, store_version: str) -> bytes:
    """The content of a graph (None: the default graph) in an old version of the store, as N-Triples.

    The content is empty if the graph did not exist. Raises VersionLostError if it was not kept.
    """
    history = context.history
    if history is None:
        raise VersionLostError("This service no longer keeps a history, so it has no old versions.")
    store = context.store
    time = version_time(store_version)
    graph_versions = [
        graph_version
        for graph_version in history.list_versions(store, graph)
        if (graph_version.since or BEGINNING_OF_TIME) <= time
        and (graph_version.until is None or time < graph_version.until)
    ]
    try:
        content = history.read_version(store, graph, graph_versions[0]) if graph_versions else b""
    except MissingChangesError as error:
        raise VersionLostError(str(error)) from error
    graph_iri = build_graph_url(graph, history.base)
    values = {"history": history.graph.value, "graph": graph_iri, "time": format_history_time(time)}
    has_recorded_start = bool(graph_versions and graph_versions[0].since)
    if content is None or (
        not has_recorded_start and select_solutions(store, OPEN_ENDED_VERSION_QUERY % values)
    ):
        raise VersionLostError(
            f"The content of <{graph_iri}> in that version was not kept, "
            "because a write that was not recorded replaced it."
        )
    return content


def graphs_changed_since(
    store: Store,
    base: str,
    version: str,
    limit: int = MAX_GRAPHS_IN_ERROR + 1,  # one more shows that there are others
) -> list[str]:
    """The IRIs in the history of the graphs that were written after a version, sorted, at most `limit`."""
    query = CHANGED_GRAPHS_QUERY % (
        f"{base}graph/history",
        format_history_time(version_time(version)),
        limit,
    )
    return [row["graph"].value for row in select_solutions(store, query)]


def format_history_time(time: datetime) -> str:
    """A time as in the history: ISO 8601 with microseconds."""
    return time.isoformat(timespec="microseconds")


def version_lost_problem(
    context: RequestContext, recorder: ProvenanceRecorder | None, version: str, iri: str, reason: str
) -> Problem:
    """The 410 for cited content that is lost: the reason, and the graphs that were written since.

    `iri` is the cited graph or resource, empty if the citation is of a query.
    """
    current = current_version(recorder)
    graphs = graphs_changed_since(context.store, context.base, version)
    subject = f"<{iri}>" if iri else "The result of this query"
    if graphs:
        listed = ", ".join(f"<{graph}>" for graph in graphs[:MAX_GRAPHS_IN_ERROR])
        others = " and others" if len(graphs) > MAX_GRAPHS_IN_ERROR else ""
        advice = (
            f"These graphs were written since: {listed}{others}. "
            "The old versions of each are listed at its address with ?versions."
        )
    else:
        advice = "No later write is recorded."
    return Problem(
        410,
        f"{subject} cannot be restored as it was in version {version}; "
        f"the current version is {current}. "
        f"{reason} {advice}",
        version=current,
        changed=graphs[:MAX_GRAPHS_IN_ERROR],
    )

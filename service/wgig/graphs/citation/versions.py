"""The version of the store as a whole: the name of the last write on record, or else the release."""

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
MAX_NAMED_GRAPHS = 20  # graphs that an error names
CHANGED_GRAPHS_QUERY = f"""
SELECT DISTINCT ?graph {{ GRAPH <%s> {{
  ?version <{PROV_SPECIALIZATION_OF.value}> ?graph ;
    <{PROV_WAS_GENERATED_BY.value}>|<{PROV_WAS_INVALIDATED_BY.value}> ?write .
  ?write <{PROV_ENDED_AT_TIME.value}> ?at
  FILTER(?at > "%s"^^<{XSD_NAMESPACE}dateTime>)
}} }} ORDER BY ?graph LIMIT %d"""
# Versions that were current then and whose end is not on record.
UNRECORDED_CONTENT_QUERY = f"""
SELECT ?version {{ GRAPH <%(history)s> {{
  ?version <{PROV_SPECIALIZATION_OF.value}> <%(graph)s> ;
    <{PROV_WAS_GENERATED_BY.value}>/<{PROV_ENDED_AT_TIME.value}> ?since
  FILTER(?since <= "%(moment)s"^^<{XSD_NAMESPACE}dateTime>)
  FILTER NOT EXISTS {{ ?version <{PROV_WAS_INVALIDATED_BY.value}>/<{PROV_ENDED_AT_TIME.value}> ?until }}
}} }} LIMIT 1"""


class VersionLostError(Exception):
    """The content of an old version was not kept; the message is a sentence that says why."""


def current_version(recorder: ProvenanceRecorder | None) -> str:
    """The current version of the store."""
    return (recorder and recorder.version) or __version__


def version_date(version: str) -> date:
    """The day of a version."""
    return RELEASE_DATE if version == __version__ else version_moment(version).date()


def version_moment(version: str) -> datetime:
    """The time of the write that a version is named after; BEGINNING_OF_TIME for the release."""
    if version == __version__:
        return BEGINNING_OF_TIME
    return datetime.strptime(version, VERSION_TIME_FORMAT).replace(tzinfo=UTC)


def check_citable_version(
    context: RequestContext, recorder: ProvenanceRecorder | None, version: str, *, has_digest: bool
) -> None:
    """Raises Problem 404 for an unknown version, 422 where versions cannot be told apart.

    `has_digest`: the request has a digest, which proves that the bytes are the same.
    """
    if recorder is None and not has_digest:
        raise Problem(
            422,
            "This service keeps no history, so it cannot tell one version from another. Leave out version: "
            "sha256 alone proves whether the bytes are the same.",
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
    """The content of a graph in an old version, as N-Triples; empty where the graph did not exist.

    Raises VersionLostError where the content was not kept.
    """
    history = context.history
    if history is None:
        raise VersionLostError("This service keeps no history now, so it has no old versions.")
    store = context.store
    moment = version_moment(version)
    versions = [
        version
        for version in history.list_versions(store, graph)
        if (version.since or BEGINNING_OF_TIME) <= moment
        and (version.until is None or moment < version.until)
    ]
    lines = history.read_version(store, graph, versions[0]) if versions else b""
    node = readable_graph_iri(graph, history.base)
    values = {"history": history.graph.value, "graph": node, "moment": format_history_time(moment)}
    is_recorded = bool(versions and versions[0].since)
    if lines is None or (not is_recorded and select_solutions(store, UNRECORDED_CONTENT_QUERY % values)):
        raise VersionLostError(
            f"The content of <{node}> in that version was not kept, because an unrecorded write replaced it."
        )
    return lines


def graphs_changed_since(
    store: Store, base: str, version: str, limit: int = MAX_NAMED_GRAPHS + 1
) -> list[str]:
    """The nodes in the history of up to `limit` graphs that were written since a version, in order."""
    query = CHANGED_GRAPHS_QUERY % (
        f"{base}graph/history",
        format_history_time(version_moment(version)),
        limit,
    )
    return [row["graph"].value for row in select_solutions(store, query)]


def format_history_time(moment: datetime) -> str:
    """A moment as the history states it: ISO 8601 with microseconds."""
    return moment.isoformat(timespec="microseconds")


def version_lost_problem(
    context: RequestContext, recorder: ProvenanceRecorder | None, version: str, iri: str, reason: str
) -> Problem:
    """The 410 for cited content that is lost: the reason, and the graphs that were written since."""
    graphs = graphs_changed_since(context.store, context.base, version)
    subject = f"<{iri}>" if iri else "The answer to this query"
    if graphs:
        listed = ", ".join(f"<{graph}>" for graph in graphs[:MAX_NAMED_GRAPHS])
        others = " and others" if len(graphs) > MAX_NAMED_GRAPHS else ""
        advice = (
            f"These graphs were written since: {listed}{others}. "
            "The old versions of each are listed at its address with ?versions."
        )
    else:
        advice = "No write since is on record."
    return Problem(
        410,
        f"{subject} cannot be given as it was in version {version}; "
        f"the current version is {current_version(recorder)}. "
        f"{reason} {advice}",
        version=current_version(recorder),
        changed=graphs[:MAX_NAMED_GRAPHS],
    )

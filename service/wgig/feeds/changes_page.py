"""The page of /changes: what changed, by day, the newest change first.

Its entries are those of the change log: writes, and files of bulk loads. Who wrote, and how many statements
of each graph changed, is in the graph `history`, if the service keeps a history.
"""

import weakref
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import pyoxigraph as ox
from fastapi import Response

from .._version import __version__
from ..graphs.differences import ChangedStatement, ResourceTitle, describe_changed_resource, find_whole_iri
from ..graphs.page import graph_title
from ..http.language import label_languages
from ..http.parameters import add_url_parameters
from ..http.responses import respond_with_body
from ..pages.dependencies import RequestContext
from ..pages.names import foreign_property_label
from ..pages.rendering import graph_path
from ..problems import Problem
from ..rdf.formats import HTML, TRIG
from ..rdf.namespaces import RDF_TYPE
from ..rdf.shipped import SHIPPED_GRAPHS_TITLE
from ..resources.representation import render_site_page
from ..settings import MIB
from ..store.change import Change
from ..store.change_log import LOADED_FILE_ENTRY, WRITE_ENTRY, ChangeLog, ListedEntry, LogEntry
from ..store.graph_dates import RELEASE_TIME
from ..store.labels import find_labels
from ..store.store import Store
from ..text import natural_sort_key

ENTRIES_PER_CHANGES_PAGE = 25
MAX_CHANGE_BYTES = 2 * MIB  # compressed, of all changes on a page; 40,000 statements have 0.3 MiB
MAX_LISTED_RESOURCES = 8  # of one change
MAX_CHANGED_GRAPHS = 5  # of one change
MAX_COUNTED_GRAPHS = 1000  # of one change whose statements are not read
MAX_KEPT_CHANGES = 100  # whose contents are kept: those of four pages
RECORD_GRAPH_NAMES = ("history", "catalog")  # below graph/
LISTED_ENTRY_KINDS = (WRITE_ENTRY, LOADED_FILE_ENTRY)


class StatementCounts(NamedTuple):
    """How many statements of a graph a change added and removed.

    `version` is the name of the version of the graph that it made; empty if none is recorded.
    """

    added: int
    removed: int
    version: str
    is_deleted: bool

    @property
    def total(self) -> int:
        """The number of statements added and removed."""
        return self.added + self.removed


class ChangeContent(NamedTuple):
    """What is read from a change: the numbers of statements by graph, and the statements by resource.

    At most MAX_LISTED_RESOURCES of `resource_count` resources have their statements, those with most first.
    """

    counts: Mapping[str | None, StatementCounts]
    resources: Mapping[str, Sequence[ChangedStatement]]
    resource_count: int


class LogState(NamedTuple):
    """A change log, whose changes stay the same unless it is restored (`epoch`) or something is erased."""

    reference: "weakref.ref[ChangeLog]"
    epoch: str
    erased_count: int


class ChangeHeadline(NamedTuple):
    """What a change did, in short: to its first resource, or to the only property of it that changed.

    `action` is added, deleted or changed. `property` is a label, None if several properties changed.
    """

    action: str
    resource: ResourceTitle
    property: ox.Literal | None


class ChangedGraph(NamedTuple):
    """What a change did to a graph.

    `difference_path` is the path of the page of the difference, empty if there is none.
    """

    iri: str | None
    title: ox.Literal
    difference_path: str
    is_deleted: bool
    is_erased: bool


@dataclass(frozen=True)
class ChangeView:
    """An entry of the page.

    `shipped_version` is the version of the package if its data were stored, `files` are the names of the
    files of a bulk load; else they are empty. `added` and `removed` are numbers of statements; None if they
    are unknown. At most MAX_LISTED_RESOURCES of `resource_count` resources are listed, and at most
    MAX_CHANGED_GRAPHS of `graph_count` graphs. `headline` is None if the change has no listed resource.
    """

    time: datetime
    writer_name: str
    shipped_version: str
    files: tuple[str, ...]
    is_load: bool
    added: int | None
    removed: int | None
    headline: ChangeHeadline | None
    resources: list[ResourceTitle]
    resource_count: int
    graphs: list[ChangedGraph]
    graph_count: int

    @property
    def day(self) -> date | None:
        """The day of the change, or of the release; None if the date of the release is not known."""
        if not self.shipped_version:
            return self.time.date()
        return RELEASE_TIME.date() if self.shipped_version == __version__ else None


def respond_with_changes_page(context: RequestContext, before: int | None) -> Response:
    """The page with the changes before a version of the change log; None for the newest ones.

    Raises Problem 404 if there are none before it.
    """
    log = context.store.log
    last_version = log.last_version + 1 if before is None else before
    entries = log.list_newest_entries(last_version, ENTRIES_PER_CHANGES_PAGE + 1, LISTED_ENTRY_KINDS)
    if before is not None and not entries:
        raise Problem(404, f"There are no changes before number {before}. The newest ones are at /changes.")
    shown_entries = entries[:ENTRIES_PER_CHANGES_PAGE]
    views = build_change_views(context, shown_entries)
    is_last_page = len(entries) == len(shown_entries)
    page = render_site_page(
        context,
        "changes.html",
        days=[
            (day, version, [*changes])
            for (day, version), changes in groupby(views, lambda view: (view.day, view.shipped_version))
        ],
        unchanged_version=views[0].shipped_version if views and before is None else "",
        is_first_page=before is None,
        older_path=""
        if is_last_page
        else add_url_parameters("/changes", [("before", str(shown_entries[-1].entry.version))]),
        stream_format=TRIG.media_type,
    )
    return respond_with_body(context.request, page, HTML)


def build_change_views(context: RequestContext, entries: Iterable[ListedEntry]) -> list[ChangeView]:
    """The views of entries of the change log; their changes are read up to MAX_CHANGE_BYTES in total."""
    log, views, remaining_bytes = context.store.log, [], MAX_CHANGE_BYTES
    log_state = LogState(weakref.ref(log), log.epoch, len(log.erased_digests))
    for entry, change_bytes in entries:
        remaining_bytes -= change_bytes or 0
        is_small = change_bytes is not None and remaining_bytes >= 0
        content = (
            read_change_content(log_state, entry.version, entry.time, context.base) if is_small else None
        )
        views.append(build_change_view(context, entry, content))
    return views


@lru_cache(MAX_KEPT_CHANGES)
def read_change_content(log_state: LogState, version: int, time: datetime, base: str) -> ChangeContent | None:
    """The content of the change of a version, committed at this time; None if the log does not have it."""
    del time
    log = log_state.reference()
    whole_change = log.read_change(version) if log else None
    if whole_change is None:
        return None
    # Provenance, and the records of the graphs of the package, are not facts.
    change = whole_change.without_graphs({ox.NamedNode(f"{base}graph/{name}") for name in RECORD_GRAPH_NAMES})
    resources = group_by_described_resource(change, base)
    listed = sorted(resources, key=lambda iri: (-len(resources[iri]), natural_sort_key(iri)))
    return ChangeContent(
        count_by_graph(change),
        {iri: resources[iri] for iri in listed[:MAX_LISTED_RESOURCES]},
        len(resources),
    )


def build_change_view(context: RequestContext, entry: LogEntry, content: ChangeContent | None) -> ChangeView:
    """The view of an entry of the change log; `content` is that of its change if it was read."""
    history, store, title = context.history, context.store, entry.origin.title
    write = history.find_write(store, entry.time, MAX_COUNTED_GRAPHS) if history else None
    counts = {**(content.counts if content else {})} | {
        recorded.graph: StatementCounts(
            recorded.added, recorded.removed, recorded.version, not recorded.version
        )
        for recorded in (write.changes if write else ())
    }
    shipped_version = title.removeprefix(SHIPPED_GRAPHS_TITLE) if is_shipped_title(title) else ""
    resources = content.resources if content and not shipped_version else {}
    titles = [
        describe_changed_resource(store, ox.NamedNode(iri), statements, context.base)
        for iri, statements in resources.items()
    ]
    return ChangeView(
        entry.time,
        write.writer_name if write else "",
        shipped_version,
        tuple(file.name for file in entry.origin.files if file.name),
        entry.kind == LOADED_FILE_ENTRY,
        sum(count.added for count in counts.values()) if counts else None,
        sum(count.removed for count in counts.values()) if counts else None,
        describe_headline(store, titles[0], resources[titles[0].iri]) if titles else None,
        titles,
        content.resource_count if content and not shipped_version else 0,
        [] if shipped_version else list_changed_graphs(context, counts, entry.version),
        len(counts),
    )


def describe_headline(
    store: Store, resource: ResourceTitle, statements: Sequence[ChangedStatement]
) -> ChangeHeadline:
    """What a change with these statements about a resource did to it."""
    of_type = {is_added for triple, is_added in statements if triple.predicate == RDF_TYPE}
    if len(of_type) == 1:
        return ChangeHeadline("added" if True in of_type else "deleted", resource, None)
    properties = {triple.predicate.value for triple, _ in statements}
    labels = find_labels(store, properties, label_languages()) if len(properties) == 1 else {}
    label = next((labels.get(iri) or foreign_property_label(iri) for iri in properties), None)
    return ChangeHeadline("changed", resource, label if len(properties) == 1 else None)


def find_last_change(log: ChangeLog) -> datetime | None:
    """The time of the last change; None if the data of the package was never changed.

    That this service stored these data is not a change.
    """
    entries = log.list_newest_entries(log.last_version + 1, ENTRIES_PER_CHANGES_PAGE, LISTED_ENTRY_KINDS)
    times = (entry.time for entry, _ in entries if not is_shipped_title(entry.origin.title))
    return next(times, None)


def is_shipped_title(title: str) -> bool:
    """Whether a commit with this title stored the data of the package."""
    return title.startswith(SHIPPED_GRAPHS_TITLE)


def count_by_graph(change: Change) -> dict[str | None, StatementCounts]:
    """The numbers of statements that a change adds and removes, by graph (None: the unnamed graph)."""
    removed, added = (
        Counter(getattr(quad.graph_name, "value", None) for quad in quads)
        for quads in (change.removed, change.added)
    )
    graphs = {*removed, *added, *change.created, *change.dropped}
    return {
        graph: StatementCounts(added[graph], removed[graph], "", graph in change.dropped) for graph in graphs
    }


def list_changed_graphs(
    context: RequestContext, counts: Mapping[str | None, StatementCounts], version: int
) -> list[ChangedGraph]:
    """The graphs that a version of the change log changed, those with most statements first."""
    listed = sorted(counts, key=lambda graph: (-counts[graph].total, graph or ""))[:MAX_CHANGED_GRAPHS]
    labels = find_labels(context.store, filter(None, listed), label_languages())
    erased = context.store.log.list_erased_changes(version)
    return [
        ChangedGraph(
            graph,
            graph_title(graph, labels),
            add_url_parameters(graph_path(graph, context.base), [("changes", counts[graph].version)])
            if counts[graph].version and (graph or "") not in erased
            else "",
            counts[graph].is_deleted,
            (graph or "") in erased,
        )
        for graph in listed
    ]


def group_by_described_resource(change: Change, base: str) -> dict[str, list[ChangedStatement]]:
    """The statements of a change by the resource that they describe, which may be a part of it.

    Statements about blank nodes and about the graphs themselves are left out.
    """
    statements: dict[str, list[ChangedStatement]] = {}
    for quads, is_added in ((change.removed, False), (change.added, True)):
        for quad in quads:
            if isinstance(quad.subject, ox.NamedNode) and quad.subject != quad.graph_name:
                iri = find_whole_iri(quad.subject.value, base)
                statements.setdefault(iri, []).append(ChangedStatement(quad.triple, is_added))
    return statements

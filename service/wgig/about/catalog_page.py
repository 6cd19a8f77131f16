"""The page of /catalog: the dataset, its downloads and size, and how to cite it.

The sizes of files are those of the current state. The files are made when the page is requested, unless the
store is too large for that; then the page has no sizes.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import pyoxigraph as ox
from anyio.to_thread import run_sync
from fastapi import Request, Response

from .._version import __released__, __version__
from ..feeds.changes_page import find_last_change
from ..graphs.citation.versions import current_version
from ..graphs.description.dcat import DATASET_KEYWORDS, PUBLISHER_NAME
from ..graphs.description.void import VoidDescription
from ..graphs.dumps import DumpFile, StoreDumps, wrap_dump_future
from ..graphs.page import RECORDED_KIND, graph_kind
from ..graphs.provenance import ProvenanceRecorder
from ..http.parameters import request_base_url
from ..http.responses import NO_STORE_HEADERS, respond_with_body
from ..i18n import gettext_noop
from ..lists.tables import (
    TABLE_ARCHIVE_FORMATS,
    TABLE_ARCHIVE_NAME,
    build_table_archive,
    is_parquet_available,
    read_table_definitions,
)
from ..pages.dependencies import RequestContext
from ..problems import Problem
from ..rdf.formats import CSV, GZIP, HTML, N_QUADS, PARQUET, TRIG, Format
from ..rdf.namespaces import LICENSE_IRI, expand_curie, get_description_graphs
from ..resources import mappings
from ..resources.licenses import store_license
from ..resources.representation import render_site_page
from ..sparql.service import QueryService
from ..store.errors import StoreError
from ..store.size import StoreSize
from ..store.store import Store
from ..store.version_cache import cache_for_version
from ..store.view import select_solutions, serialize_values_block
from .dataset_citation import cite_dataset
from .feedback import build_contact_links

MAX_MEASURED_STATEMENTS = 200_000  # of a store whose files are made for the page: they take some seconds
FILE_SIZES_TIMEOUT_SECONDS = 8  # the first page after a change waits for the files
PAGE_DUMP_NAMES = {format_: f"{format_.suffix}.{GZIP.suffix}" for format_ in (TRIG, N_QUADS)}
DOWNLOAD_DESCRIPTIONS = {
    TRIG: gettext_noop("All the data, in a form that people can read (RDF, gzip)."),
    N_QUADS: gettext_noop("All the data, one statement per line, for programs (RDF, gzip)."),
    CSV: gettext_noop("The main lists as tables, for spreadsheets (ZIP)."),
    PARQUET: gettext_noop("The main lists as tables, for data analysis (ZIP)."),
}


class CatalogDownload(NamedTuple):
    """A file with all data or tables; its size in bytes is None if it is not known."""

    title: str
    description: str
    path: str
    byte_count: int | None


class DatasetSize(NamedTuple):
    """The numbers of facts, those computed among them, and of facts that describe the dataset itself.

    Also the number of graphs, and of described resources (None if they are not counted).
    """

    facts: int
    computed: int
    describing: int
    graphs: int
    resources: int | None

    @property
    def recorded(self) -> int:
        """The number of facts that are not computed."""
        return self.facts - self.computed


class CatalogSources(NamedTuple):
    """What the page is made from, beside the store."""

    dumps: StoreDumps
    queries: QueryService
    recorder: ProvenanceRecorder | None
    store_size: StoreSize


async def respond_with_catalog_page(
    context: RequestContext, sources: CatalogSources, links: list[str]
) -> Response:
    """The page, with the links of a landing page. If a size is not known in time, it is not cached."""
    size = await run_sync(measure_dataset, context, sources.store_size)
    is_small = size.facts + size.describing <= MAX_MEASURED_STATEMENTS
    byte_counts = await measure_files(context.request, sources) if is_small else {}
    page = await run_sync(render_catalog_page, context, sources.recorder, size, byte_counts)
    is_complete = not is_small or len(byte_counts) == len(list_file_names())
    headers = {} if is_complete else NO_STORE_HEADERS
    return respond_with_body(context.request, page, HTML, links=links, headers=headers)


def measure_dataset(context: RequestContext, store_size: StoreSize) -> DatasetSize:
    """The size of the dataset by its description, or else by counting all quads."""
    store, base, void = context.store, context.base, VoidDescription(context.base)
    store.flush_descriptions()
    quad_count, _ = store_size.counts()
    facts = find_void_number(store, void, void.dataset, "triples")
    graphs = store.graphs()
    computed = [
        find_void_number(store, void, ox.NamedNode(graph), "triples") or 0
        for graph in graphs
        if graph_kind(graph, context.settings) != RECORDED_KIND
    ]
    return DatasetSize(
        quad_count if facts is None else facts,
        sum(computed),
        count_describing_facts(store, base),
        len(graphs),
        find_void_number(store, void, void.dataset, "entities"),
    )


@cache_for_version(4)
def count_describing_facts(store: Store, base: str) -> int:
    """The number of statements in the graphs that describe the others, counted by the engine."""
    graphs = serialize_values_block(graph.value for graph in get_description_graphs(base))
    query = f"SELECT (COUNT(*) AS ?count) {{ VALUES ?graph {{ {graphs} }} GRAPH ?graph {{ ?s ?p ?o }} }}"
    return int(select_solutions(store, query)[0]["count"].value)


def find_void_number(store: Store, void: VoidDescription, node: ox.NamedNode, name: str) -> int | None:
    """A number that the graph `void` states of a dataset. It counts no graph that describes the others."""
    values = (triple.object for triple in store.triples(void.graph.value, node, expand_curie(f"void:{name}")))
    return next((int(value.value) for value in values if isinstance(value, ox.Literal)), None)


def list_file_names() -> list[str]:
    """The names of the files that can be downloaded."""
    archive_suffixes = [
        suffix
        for suffix, format_ in TABLE_ARCHIVE_FORMATS.items()
        if format_ is not PARQUET or is_parquet_available()
    ]
    return [*PAGE_DUMP_NAMES.values(), *archive_suffixes]


async def measure_files(request: Request, sources: CatalogSources) -> dict[str, int]:
    """The sizes in bytes of the files that are ready within FILE_SIZES_TIMEOUT_SECONDS, by name."""
    tasks = {name: asyncio.ensure_future(measure_file(request, sources, name)) for name in list_file_names()}
    await asyncio.wait(tasks.values(), timeout=FILE_SIZES_TIMEOUT_SECONDS)
    sizes = dict[str, int]()
    for name, task in tasks.items():
        if not task.done():
            task.cancel()
        elif not isinstance(error := task.exception(), Problem | StoreError):
            assert error is None
            sizes[name] = task.result()
    return sizes


async def measure_file(request: Request, sources: CatalogSources, name: str) -> int:
    """The size of a file in bytes. Raises Problem or StoreError if it cannot be made."""
    if name in TABLE_ARCHIVE_FORMATS:
        return await sources.queries.kept_results.get_or_compute(
            ("archive size", name), partial(measure_table_archive, request, sources.queries, name)
        )
    dump: DumpFile = await wrap_dump_future(sources.dumps.get_current(name))
    return dump.path.stat().st_size


async def measure_table_archive(request: Request, queries: QueryService, name: str) -> int:
    """The size in bytes of the archive with all tables. Raises Problem if it cannot be made."""
    return len(await build_table_archive(request, queries, TABLE_ARCHIVE_FORMATS[name]))


def render_catalog_page(
    context: RequestContext,
    recorder: ProvenanceRecorder | None,
    size: DatasetSize,
    byte_counts: Mapping[str, int],
) -> bytes:
    """The page, with the sizes of the files in bytes by name."""
    store, base = context.store, context.base
    version = current_version(recorder)
    license_ = store_license(store)
    url = request_base_url(context.request)
    return render_site_page(
        context,
        "catalog.html",
        size=size,
        released=__released__ if store.has_graph(f"{base}graph/catalog") else "",
        changed_at=find_last_change(store.log),
        version=version,
        software_version=__version__,
        license=license_,
        is_common_license=license_ == LICENSE_IRI,
        publisher=PUBLISHER_NAME,
        citation=cite_dataset(recorder, base),
        contacts=build_contact_links(context.settings.contact),
        downloads=list_downloads(byte_counts),
        endpoint=f"{url}sparql",
        table_count=len(read_table_definitions()),
        paper_graph_count=sum(graph.startswith(f"{base}graph/paper/") for graph in store.graphs()),
        markup=mappings.build_catalog_markup(base, url, DATASET_KEYWORDS),
    )


def list_downloads(byte_counts: Mapping[str, int]) -> list[CatalogDownload]:
    """The files that can be downloaded, with their sizes by name."""
    paths_by_format: dict[Format, tuple[str, str]] = {
        **{format_: (name, f"/dump.{name}") for format_, name in PAGE_DUMP_NAMES.items()},
        **{
            format_: (suffix, f"/tables/{TABLE_ARCHIVE_NAME}.{suffix}")
            for suffix, format_ in TABLE_ARCHIVE_FORMATS.items()
        },
    }
    return [
        CatalogDownload(format_.title, DOWNLOAD_DESCRIPTIONS[format_], path, byte_counts.get(name))
        for format_, (name, path) in paths_by_format.items()
        if name in list_file_names()
    ]

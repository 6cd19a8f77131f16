"""The page of /catalog: the dataset, its size, downloads and graphs, and how to cite it.

The sizes of files are those of the current state. The files are made when the page is requested, unless the
store is too large for that; then the page has no sizes.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import pyoxigraph as ox
from anyio.to_thread import run_sync
from fastapi import Request, Response

from .._version import __version__
from ..graphs.citation.versions import current_version, version_date
from ..graphs.description.dcat import DATASET_KEYWORDS, PUBLISHER_NAME
from ..graphs.description.void import DATASET_TITLE, VoidDescription
from ..graphs.dumps import DumpFile, StoreDumps, wrap_dump_future
from ..graphs.page import find_change_times, graph_title
from ..graphs.provenance import ProvenanceRecorder
from ..http.language import label_languages
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
from ..rdf.labels import best_text
from ..rdf.namespaces import (
    DCTERMS_DESCRIPTION,
    DESCRIPTION_GRAPH_NAMES,
    LICENSE_IRI,
    VOID_TRIPLES,
    expand_curie,
)
from ..resources import mappings
from ..resources.licenses import store_license
from ..resources.representation import render_site_page
from ..sparql.service import QueryService
from ..store.change import BEGINNING_OF_TIME
from ..store.errors import StoreError
from ..store.labels import find_labels
from ..store.size import StoreSize
from ..store.store import Store
from .feedback import build_contact_links

MAX_MEASURED_STATEMENTS = 200_000  # of a store whose files are made for the page: they take some seconds
FILE_SIZES_TIMEOUT_SECONDS = 3
MAX_CATALOG_GRAPHS = 200  # listed one by one
DERIVED_GRAPH_NAMES = (*DESCRIPTION_GRAPH_NAMES, "inferred", "conformance", "history")
PAGE_DUMP_NAMES = {format_: f"{format_.suffix}.{GZIP.suffix}" for format_ in (TRIG, N_QUADS)}
DOWNLOAD_DESCRIPTIONS = {
    TRIG: gettext_noop("All graphs, easy to read. RDF, compressed."),
    N_QUADS: gettext_noop("All graphs, one statement per line. RDF, compressed."),
    CSV: gettext_noop("The main lists as tables, for spreadsheets. In one ZIP file."),
    PARQUET: gettext_noop("The main lists as tables, for data analysis. In one ZIP file."),
}


class CatalogDownload(NamedTuple):
    """A file with all data or tables; its size in bytes is None if it is not known."""

    title: str
    description: str
    path: str
    byte_count: int | None


class CatalogGraph(NamedTuple):
    """A graph of the dataset.

    `size` is its number of statements, None if it is not counted. `changed_at` is None if it is unknown. A
    computed graph follows from the others.
    """

    iri: str
    title: ox.Literal
    description: ox.Literal | None
    size: int | None
    changed_at: datetime | None
    is_computed: bool


class DatasetSize(NamedTuple):
    """The number of statements and of graphs, and of described resources (None if they are not counted)."""

    statements: int
    graphs: int
    resources: int | None


class CatalogSources(NamedTuple):
    """What the page is made from, beside the store."""

    dumps: StoreDumps
    queries: QueryService
    recorder: ProvenanceRecorder | None
    store_size: StoreSize


async def respond_with_catalog_page(context: RequestContext, sources: CatalogSources) -> Response:
    """The page. If a size is not known in time, the response is not cached."""
    size = await run_sync(measure_dataset, context, sources.store_size)
    is_small = size.statements <= MAX_MEASURED_STATEMENTS
    byte_counts = await measure_files(context.request, sources) if is_small else {}
    page = await run_sync(render_catalog_page, context, sources.recorder, size, byte_counts)
    is_complete = not is_small or len(byte_counts) == len(list_file_names())
    return respond_with_body(context.request, page, HTML, headers={} if is_complete else NO_STORE_HEADERS)


def measure_dataset(context: RequestContext, store_size: StoreSize) -> DatasetSize:
    """The size of the dataset by its description, or else by counting all quads."""
    store, void = context.store, VoidDescription(context.base)
    store.flush_descriptions()
    triples = {triple.predicate: triple.object for triple in store.triples(void.graph.value, void.dataset)}
    quad_count, graph_count = store_size.counts()
    statements, entities = (triples.get(expand_curie(f"void:{name}")) for name in ("triples", "entities"))
    return DatasetSize(
        int(statements.value) if isinstance(statements, ox.Literal) else quad_count,
        graph_count,
        int(entities.value) if isinstance(entities, ox.Literal) else None,
    )


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
        return len(await build_table_archive(request, sources.queries, TABLE_ARCHIVE_FORMATS[name]))
    dump: DumpFile = await wrap_dump_future(sources.dumps.get_current(name))
    return dump.path.stat().st_size


def render_catalog_page(
    context: RequestContext,
    recorder: ProvenanceRecorder | None,
    size: DatasetSize,
    byte_counts: Mapping[str, int],
) -> bytes:
    """The page, with the sizes of the files in bytes by name."""
    store, base = context.store, context.base
    version = current_version(recorder)
    graphs = [graph for graph in store.graphs() if not graph.startswith(f"{base}graph/paper/")]
    license_ = store_license(store)
    last_change = store.log.last_time
    url = request_base_url(context.request)
    return render_site_page(
        context,
        "catalog.html",
        size=size,
        changed_at=last_change if last_change > BEGINNING_OF_TIME else None,
        version=version,
        software_version=__version__,
        license=license_,
        is_common_license=license_ == LICENSE_IRI,
        publisher=PUBLISHER_NAME,
        citation=f"{PUBLISHER_NAME}. “{DATASET_TITLE}”. Version {version}, {version_date(version)}. <{base}>",
        contacts=build_contact_links(context.settings.contact),
        downloads=list_downloads(byte_counts),
        endpoint=f"{url}sparql",
        graphs=describe_graphs(context, graphs[:MAX_CATALOG_GRAPHS]),
        graph_count=len(graphs),
        paper_graph_count=len(store.graphs()) - len(graphs),
        tables=read_table_definitions().values(),
        table_formats=[CSV, *([PARQUET] if is_parquet_available() else [])],
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


def describe_graphs(context: RequestContext, graphs: list[str]) -> list[CatalogGraph]:
    """The graphs with their titles, descriptions, sizes and times, sorted by title."""
    store, base, ranges = context.store, context.base, label_languages()
    labels, void = find_labels(store, graphs, ranges), VoidDescription(base)
    computed_graphs = {f"{base}graph/{name}" for name in DERIVED_GRAPH_NAMES}
    change_times = find_change_times(context.history, store, graphs, base)
    described = []
    for graph in graphs:
        node, is_computed = ox.NamedNode(graph), graph in computed_graphs
        description = best_text((quad.object for quad in store.match(node, DCTERMS_DESCRIPTION)), ranges)
        described.append(
            CatalogGraph(
                graph,
                graph_title(graph, labels),
                description if description.value else None,
                find_graph_size(store, void, node),
                None if is_computed else change_times.get(graph),
                is_computed,
            )
        )
    return sorted(described, key=lambda graph: (graph.is_computed, graph.title.value.casefold()))


def find_graph_size(store: Store, void: VoidDescription, graph: ox.NamedNode) -> int | None:
    """The number of statements of a graph by the graph `void`, which does not count those of descriptions."""
    sizes = (triple.object for triple in store.triples(void.graph.value, graph, VOID_TRIPLES))
    stated = next((int(size.value) for size in sizes if isinstance(size, ox.Literal)), None)
    is_description = graph.value in {f"{void.base}graph/{name}" for name in DESCRIPTION_GRAPH_NAMES}
    return sum(1 for _ in store.triples(graph.value)) if is_description else stated

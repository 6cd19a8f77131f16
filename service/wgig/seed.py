"""The graphs shipped with the package: filling a store with them, and updating them in a store.

The graph `catalog` of the store has a record of each shipped graph in DCAT: the version of the package, the
digest of its files, and the digest of its triples when they were stored. If the triples have another digest
now, a user changed the graph, and it is not replaced automatically.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyoxigraph as ox
from wgig_client.literals import build_typed_literal
from wgig_client.namespaces import DCTERMS_NAMESPACE, EXTERNAL_NAMESPACES

from ._version import __version__
from .problems import missing_extra_problem
from .projections import build_computed_graphs
from .rdf.namespaces import DCTERMS_MODIFIED, DCTERMS_TITLE, RDF_TYPE, SPDX_SHA256, expand_curie
from .rdf.serialization import normalize_triples
from .rdf.shipped import SHIPPED_GRAPHS_TITLE, read_turtle_files
from .settings import SHIPPED_FOLDER, Settings
from .store.errors import StoreNotWritableError, UnusableLogError
from .store.folder import STARTUP_WAIT_SECONDS, has_quads
from .store.inference.inference import Inference
from .store.store import Store
from .store.view import select_solutions

DCAT_NAMESPACE, SPDX_NAMESPACE = (EXTERNAL_NAMESPACES[prefix] for prefix in ("dcat", "spdx"))

# The names of graphs, by the folder whose Turtle files form the graph together.
JOINED_GRAPH_FOLDERS = {"ontology": "ontology", "shapes": "shapes"}
# The prefixes of names of graphs, by the folder in which each file is a graph with the name of the file.
SINGLE_GRAPH_FOLDERS = {"data": "", "data/papers": "paper/"}

# ?catalog is replaced by the IRI of the graph `catalog`.
SHIPPED_RECORDS_QUERY = f"""
SELECT ?graph ?version ?modified ?files ?stored {{
  GRAPH ?catalog {{
    ?graph a <{DCAT_NAMESPACE}Dataset> ; <{DCAT_NAMESPACE}version> ?version ;
      <{DCTERMS_NAMESPACE}modified> ?modified .
    BIND(IRI(CONCAT(STR(?graph), "#files-checksum")) AS ?filesSum)
    ?filesSum <{SPDX_NAMESPACE}checksumValue> ?files .
    BIND(IRI(CONCAT(STR(?graph), "#triples-checksum")) AS ?triplesSum)
    ?triplesSum <{SPDX_NAMESPACE}checksumValue> ?stored .
  }}
}}"""


@dataclass(frozen=True)
class ShippedGraphRecord:
    """The record of a shipped graph in the catalog; digests are SHA-256 in hexadecimal."""

    version: str
    modified: str
    files_digest: str
    stored_digest: str


def list_shipped_files(base: str, folder: Path = SHIPPED_FOLDER) -> dict[str, list[Path]]:
    """The Turtle files of each shipped graph, by the IRI of the graph."""
    joined = {
        name: sorted((folder / subfolder).glob("*.ttl")) for subfolder, name in JOINED_GRAPH_FOLDERS.items()
    }
    single = {
        f"{prefix}{path.stem}": [path]
        for subfolder, prefix in SINGLE_GRAPH_FOLDERS.items()
        for path in sorted((folder / subfolder).glob("*.ttl"))
    }
    return {f"{base}graph/{name}": paths for name, paths in (joined | single).items() if paths}


def open_filled_store(
    settings: Settings,
    print_message: Callable[[str], None],
    report_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Store:
    """The store of the settings, open for writing, with up-to-date shipped graphs. Raises StoreError.

    If the settings name a shared store, it is filled, and the returned store has a copy of it.
    `print_message` is called with a message when a step takes long or is skipped, `report_progress` with the
    number of papers that are checked and of all papers.
    """
    computed_graphs = build_computed_graphs(settings, print_message, report_progress)
    if settings.remote_query:
        try:
            from .remote.sharing import StoreSharing  # noqa: PLC0415  costs 0.1 s, and most stores are not shared
            from .remote.store import SharedStore  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise missing_extra_problem("A shared store cannot be used", "cluster") from error

        rules, inferred_graph, _, before_rules, after_rules = computed_graphs
        inference = Inference(rules, inferred_graph, settings.store, before_rules, after_rules)
        store: Store = SharedStore.join(settings.store, StoreSharing(settings), inference, print_message)
    else:
        store = Store.open(settings.store, *computed_graphs)
        store.defers_descriptions = True
    if settings.data == "none":
        return store
    with store.exclusive_writer(STARTUP_WAIT_SECONDS):
        return fill_store(store, settings, print_message)


def fill_store(store: Store, settings: Settings, print_message: Callable[[str], None]) -> Store:
    """Update the shipped graphs in a store, and return the store."""
    if not store:
        shared_name = f"shared store at {settings.remote_query}"
        store_name = shared_name if settings.remote_query else f"store {settings.store}"
        print_message(f"Filling the {store_name} with the shipped graphs ...")
    newer_version = find_newer_version(store, settings.base)
    if newer_version:
        print_message(
            f"The shipped graphs in the store are from the newer version {newer_version} of wgig and "
            f"are kept; this is version {__version__}. To load a graph from this version: wgig load "
            "--shipped NAME"
        )
        return store
    kept_graphs = refresh_shipped_graphs(store, settings.base)
    if kept_graphs:
        names = " ".join(graph.removeprefix(f"{settings.base}graph/") for graph in kept_graphs)
        print_message(
            f"You changed {len(kept_graphs)} of the shipped graphs, and the package has newer ones; "
            f"yours are kept. To load the shipped ones: wgig load --shipped {names}"
        )
    return store


def find_newer_version(store: Store, base: str) -> str:
    """The version of the package that filled the store, if it is newer than this package; else empty."""
    versions = [record.version for record in read_shipped_records(store, base).values()]
    newest = max(versions, key=version_numbers, default="")
    return newest if version_numbers(newest) > version_numbers(__version__) else ""


def version_numbers(version: str) -> list[int]:
    """The numbers of a version, as a sort key."""
    return [int(number) for number in re.findall("[0-9]+", version)]


def open_store_snapshot(settings: Settings, print_message: Callable[[str], None]) -> Store:
    """A read-only snapshot of the store of the settings, filled and updated first if it is writable.

    Without a usable change log, the quads are read as they are. Raises StoreError. `print_message` is called
    with a message when a step takes long, or about the change log.
    """
    with suppress(StoreNotWritableError):
        try:
            open_filled_store(settings, print_message).close()
        except UnusableLogError as error:
            if not has_quads(settings.store):
                raise
            print_message(f"{error} The results come from the quads.")
    return Store.open_read_only(settings.store)


def refresh_shipped_graphs(store: Store, base: str, folder: Path = SHIPPED_FOLDER) -> list[str]:
    """Update the shipped graphs of a store in one transaction: new, changed, and removed ones.

    Returns the IRIs of the shipped graphs that were not updated because a user changed them.
    """
    records = read_shipped_records(store, base)
    shipped = list_shipped_files(base, folder)
    changed = {
        graph: paths
        for graph, paths in shipped.items()
        if graph not in records or records[graph].files_digest != digest_files(paths)
    }
    removed: dict[str, list[Path]] = {graph: [] for graph in records if graph not in shipped}
    kept_graphs = [graph for graph in changed | removed if is_user_changed(store, graph, records.get(graph))]
    replace_shipped_graphs(
        store,
        base,
        {graph: paths for graph, paths in (changed | removed).items() if graph not in kept_graphs},
    )
    return [graph for graph in kept_graphs if graph in changed]


def replace_shipped_graphs(store: Store, base: str, graphs: dict[str, list[Path]]) -> None:
    """Replace graphs by the content of their files, and update their records, in one transaction.

    `graphs` has the files by graph; a graph without files is dropped. Raises SyntaxError with file, line and
    column.
    """
    if not graphs:
        return
    triples_by_graph = {graph: read_turtle_files(paths) for graph, paths in graphs.items() if paths}
    records = {
        graph: record for graph, record in read_shipped_records(store, base).items() if graph not in graphs
    }
    records |= {
        graph: build_shipped_record(graphs[graph], triples) for graph, triples in triples_by_graph.items()
    }
    contents: dict[str | None, list[ox.Triple] | None] = {
        graph: triples_by_graph.get(graph) for graph in graphs
    }
    contents[f"{base}graph/catalog"] = [
        triple for pair in records.items() for triple in iter_record_triples(*pair)
    ]
    store.replace(contents, title=f"{SHIPPED_GRAPHS_TITLE}{__version__}")


def is_user_changed(store: Store, graph: str, record: ShippedGraphRecord | None) -> bool:
    """Whether a user changed or added a graph; `record` is its record, if it was loaded from the package."""
    if record is None:
        return store.has_graph(graph)
    return digest_triples(store.triples(graph)) != record.stored_digest


def build_shipped_record(paths: Iterable[Path], triples: Iterable[ox.Triple]) -> ShippedGraphRecord:
    """The record of a graph that is loaded now."""
    distinct = set(normalize_triples(triples))
    return ShippedGraphRecord(
        version=__version__,
        modified=datetime.now(UTC).isoformat(timespec="seconds"),
        files_digest=digest_files(paths),
        stored_digest=digest_triples(distinct),
    )


def digest_files(paths: Iterable[Path]) -> str:
    """The SHA-256 of the concatenated files."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def digest_triples(triples: Iterable[ox.Triple]) -> str:
    """The SHA-256 of the triples as sorted N-Triples.

    Blank node labels are ignored, as the store may change them.
    """
    lines = sorted({" ".join(serialize_anonymous_term(term) for term in triple) for triple in triples})
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def serialize_anonymous_term(term: object) -> str:
    """A term in N-Triples syntax, a blank node without its label."""
    return "_:" if isinstance(term, ox.BlankNode) else str(term)


def read_shipped_records(store: Store, base: str) -> dict[str, ShippedGraphRecord]:
    """The records of the shipped graphs, by the IRI of the graph."""
    rows = select_solutions(store, SHIPPED_RECORDS_QUERY.replace("?catalog", f"<{base}graph/catalog>"))
    return {
        row["graph"].value: ShippedGraphRecord(
            row["version"].value,
            row["modified"].value,
            row["files"].value,
            row["stored"].value,
        )
        for row in rows
    }


def iter_record_triples(graph: str, record: ShippedGraphRecord) -> Iterator[ox.Triple]:
    """A record in DCAT: a dataset with two distributions, the files and the triples, with checksums."""
    dataset = ox.NamedNode(graph)
    yield ox.Triple(dataset, RDF_TYPE, expand_curie("dcat:Dataset"))
    yield ox.Triple(dataset, expand_curie("dcat:version"), ox.Literal(record.version))
    yield ox.Triple(dataset, DCTERMS_MODIFIED, build_typed_literal(record.modified, "dateTime"))
    for part, title, digest in (
        ("files", "The graph as shipped with the package", record.files_digest),
        (
            "triples",
            "The graph as stored: sorted N-Triples, blank nodes without names",
            record.stored_digest,
        ),
    ):
        distribution, checksum = ox.NamedNode(f"{graph}#{part}"), ox.NamedNode(f"{graph}#{part}-checksum")
        yield ox.Triple(dataset, expand_curie("dcat:distribution"), distribution)
        yield ox.Triple(distribution, RDF_TYPE, expand_curie("dcat:Distribution"))
        yield ox.Triple(distribution, DCTERMS_TITLE, ox.Literal(title, language="en"))
        yield ox.Triple(distribution, expand_curie("spdx:checksum"), checksum)
        yield ox.Triple(checksum, RDF_TYPE, expand_curie("spdx:Checksum"))
        yield ox.Triple(checksum, expand_curie("spdx:algorithm"), SPDX_SHA256)
        yield ox.Triple(
            checksum, expand_curie("spdx:checksumValue"), build_typed_literal(digest, "hexBinary")
        )

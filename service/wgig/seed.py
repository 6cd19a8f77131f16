"""The graphs that come with the package: fill a store with them, keep them fresh, keep what a user changed.

The graph `catalog` of the store records, in DCAT, of each shipped graph: the version of the package it came
with, the digest of its files, and the digest of its triples as they were stored. A graph whose triples have
another digest now was changed by a user, and is not replaced unasked.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyoxigraph as ox

from ._version import __version__
from .projections import build_computed_graphs
from .rdf.literals import build_typed_literal
from .rdf.namespaces import (
    DCTERMS_MODIFIED,
    DCTERMS_NAMESPACE,
    DCTERMS_TITLE,
    EXTERNAL_NAMESPACES,
    RDF_TYPE,
    SPDX_SHA256,
    expand_curie,
)
from .rdf.serialization import normalize_triples
from .rdf.shipped import read_turtle_files
from .settings import SHIPPED_FOLDER, Settings
from .store.errors import StoreNotWritableError
from .store.folder import STARTUP_WAIT_SECONDS
from .store.inference.inference import Inference
from .store.store import Store
from .store.view import select_solutions

DCAT_NAMESPACE, SPDX_NAMESPACE = (EXTERNAL_NAMESPACES[prefix] for prefix in ("dcat", "spdx"))

# Folders of Turtle whose files together make one graph, and folders whose files are a graph each.
JOINED_GRAPH_FOLDERS = {"ontology": "ontology", "shapes": "shapes"}
SINGLE_GRAPH_FOLDERS = {"data": "", "data/papers": "paper/"}

SHIPPED_RECORDS_QUERY = f"""
SELECT ?graph ?version ?modified ?files ?stored {{
  GRAPH ?catalog {{
    ?graph a <{DCAT_NAMESPACE}Dataset> ; <{DCAT_NAMESPACE}version> ?version ;
      <{DCTERMS_NAMESPACE}modified> ?modified .
    BIND(IRI(CONCAT(STR(?graph), "#files-checksum")) AS ?f) ?f <{SPDX_NAMESPACE}checksumValue> ?files .
    BIND(IRI(CONCAT(STR(?graph), "#triples-checksum")) AS ?t) ?t <{SPDX_NAMESPACE}checksumValue> ?stored .
  }}
}}"""


@dataclass(frozen=True)
class ShippedGraphRecord:
    """What the catalog knows of a shipped graph: digests are SHA-256 in hexadecimal."""

    version: str
    modified: str
    files_digest: str
    stored_digest: str


def list_shipped_files(base: str, folder: Path = SHIPPED_FOLDER) -> dict[str, list[Path]]:
    """The Turtle files of each shipped graph, by the IRI of the graph."""
    joined = {name: sorted((folder / place).glob("*.ttl")) for place, name in JOINED_GRAPH_FOLDERS.items()}
    single = {
        f"{prefix}{path.stem}": [path]
        for place, prefix in SINGLE_GRAPH_FOLDERS.items()
        for path in sorted((folder / place).glob("*.ttl"))
    }
    return {f"{base}graph/{name}": paths for name, paths in (joined | single).items() if paths}


def open_filled_store(settings: Settings, say: Callable[[str], None]) -> Store:
    """The durable store of the settings, filled and up to date, to read and write. Raises StoreError.

    `say` gets a sentence when something takes time or was left undone.
    """
    computed = build_computed_graphs(settings, say)
    if settings.remote_query:
        from .remote.sharing import StoreSharing  # noqa: PLC0415  costs 0.1 s, and most stores are not shared
        from .remote.store import SharedStore  # noqa: PLC0415

        rules, inferred, _, first, last = computed
        inference = Inference(rules, inferred, settings.store, first, last)
        store: Store = SharedStore.join(settings.store, StoreSharing(settings), inference, say)
    else:
        store = Store.open(settings.store, *computed)
    if settings.data == "none":
        return store
    with store.exclusive_writer(STARTUP_WAIT_SECONDS):
        return fill_store(store, settings, say)


def fill_store(store: Store, settings: Settings, say: Callable[[str], None]) -> Store:
    """The store, filled with the shipped graphs as they are now."""
    if not store:
        shared = f"shared store at {settings.remote_query}"
        place = shared if settings.remote_query else f"store {settings.store}"
        say(f"Filling the {place} with the shipped graphs ...")
    newer = find_newer_version(store, settings.base)
    if newer:
        say(
            f"The shipped graphs in the store are of wgig {newer}, and stay; this is {__version__}, an older "
            "one. To take a graph as it has it: wgig load --shipped NAME"
        )
        return store
    kept = refresh_shipped_graphs(store, settings.base)
    if kept:
        names = " ".join(graph.removeprefix(f"{settings.base}graph/") for graph in kept)
        say(
            f"You changed {len(kept)} of the shipped graphs, and the package has newer ones; yours are kept. "
            f"To take the shipped ones: wgig load --shipped {names}"
        )
    return store


def find_newer_version(store: Store, base: str) -> str:
    """The version of a package newer than this one, from which the store was filled; empty without such."""
    versions = [one.version for one in read_shipped_records(store, base).values()]
    newest = max(versions, key=version_numbers, default="")
    return newest if version_numbers(newest) > version_numbers(__version__) else ""


def version_numbers(version: str) -> list[int]:
    """A version, to be compared with others."""
    return [int(number) for number in re.findall("[0-9]+", version)]


def open_store_snapshot(settings: Settings, say: Callable[[str], None]) -> Store:
    """A snapshot of the store of the settings, first filled and brought up to date where it can be written.

    Raises StoreError. `say` is told where what is inferred may not be what follows.
    """
    try:
        open_filled_store(settings, say)
    except StoreNotWritableError:
        snapshot = Store.open_read_only(settings.store)
        rules, inferred, _, first, last = build_computed_graphs(settings, say)
        if settings.data != "none" and Inference(rules, inferred, settings.store, first, last).is_due:
            say("What is inferred may be incomplete: a write is under way or was cut off. Ask again later.")
        return snapshot
    return Store.open_read_only(settings.store)


def refresh_shipped_graphs(store: Store, base: str, folder: Path = SHIPPED_FOLDER) -> list[str]:
    """Bring a store in line with the shipped graphs, all in one transaction: new, changed, and gone ones.

    Returns the IRIs of the graphs that were left as they are because a user changed them.
    """
    known = read_shipped_records(store, base)
    wanted = list_shipped_files(base, folder)
    changed = {
        graph: paths
        for graph, paths in wanted.items()
        if graph not in known or known[graph].files_digest != digest_files(paths)
    }
    gone: dict[str, list[Path]] = {graph: [] for graph in known if graph not in wanted}
    theirs = [graph for graph in changed | gone if is_user_changed(store, graph, known.get(graph))]
    replace_shipped_graphs(
        store, base, {graph: paths for graph, paths in (changed | gone).items() if graph not in theirs}
    )
    return [graph for graph in theirs if graph in changed]


def replace_shipped_graphs(store: Store, base: str, graphs: dict[str, list[Path]]) -> None:
    """Replace these graphs by what their files hold, and record it, all in one transaction.

    A graph without files goes. Raises SyntaxError naming file, line and column when a file does not parse.
    """
    if not graphs:
        return
    read_ones = {graph: read_turtle_files(paths) for graph, paths in graphs.items() if paths}
    records = {graph: one for graph, one in read_shipped_records(store, base).items() if graph not in graphs}
    records |= {graph: build_shipped_record(graphs[graph], triples) for graph, triples in read_ones.items()}
    contents: dict[str | None, list[ox.Triple] | None] = {graph: read_ones.get(graph) for graph in graphs}
    contents[f"{base}graph/catalog"] = [
        triple for pair in records.items() for triple in iter_record_triples(*pair)
    ]
    store.replace(contents)


def is_user_changed(store: Store, graph: str, known: ShippedGraphRecord | None) -> bool:
    """Whether a graph holds something else than what was put there from the package."""
    if known is None:
        return store.has_graph(graph)
    return digest_triples(store.triples(graph)) != known.stored_digest


def build_shipped_record(paths: Iterable[Path], triples: Iterable[ox.Triple]) -> ShippedGraphRecord:
    """The record of a graph that is being stored now."""
    distinct = set(normalize_triples(triples))
    return ShippedGraphRecord(
        version=__version__,
        modified=datetime.now(UTC).isoformat(timespec="seconds"),
        files_digest=digest_files(paths),
        stored_digest=digest_triples(distinct),
    )


def digest_files(paths: Iterable[Path]) -> str:
    """The SHA-256 of the files one after the other."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def digest_triples(triples: Iterable[ox.Triple]) -> str:
    """The SHA-256 of the triples as sorted N-Triples, whatever order they come in.

    All blank nodes count as the same one: the store gives them new names whenever it likes.
    """
    lines = sorted({" ".join(serialize_anonymous_term(term) for term in triple) for triple in triples})
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def serialize_anonymous_term(term: object) -> str:
    """A term as N-Triples writes it, but a blank node without its name."""
    return "_:" if isinstance(term, ox.BlankNode) else str(term)


def read_shipped_records(store: Store, base: str) -> dict[str, ShippedGraphRecord]:
    """The records of the shipped graphs, by the IRI of the graph."""
    found = select_solutions(store, SHIPPED_RECORDS_QUERY.replace("?catalog", f"<{base}graph/catalog>"))
    return {
        row["graph"].value: ShippedGraphRecord(
            row["version"].value,
            row["modified"].value,
            row["files"].value,
            row["stored"].value,
        )
        for row in found
    }


def iter_record_triples(graph: str, one: ShippedGraphRecord) -> Iterator[ox.Triple]:
    """A record as DCAT: a dataset whose files and whose triples are distributions with checksums."""
    dataset = ox.NamedNode(graph)

    yield ox.Triple(dataset, RDF_TYPE, expand_curie("dcat:Dataset"))
    yield ox.Triple(dataset, expand_curie("dcat:version"), ox.Literal(one.version))
    yield ox.Triple(dataset, DCTERMS_MODIFIED, build_typed_literal(one.modified, "dateTime"))
    for part, title, value in (
        ("files", "The graph as the package ships it", one.files_digest),
        (
            "triples",
            "The graph as it was stored: sorted N-Triples, blank nodes without names",
            one.stored_digest,
        ),
    ):
        distribution, checksum = ox.NamedNode(f"{graph}#{part}"), ox.NamedNode(f"{graph}#{part}-checksum")
        yield ox.Triple(dataset, expand_curie("dcat:distribution"), distribution)
        yield ox.Triple(distribution, RDF_TYPE, expand_curie("dcat:Distribution"))
        yield ox.Triple(distribution, DCTERMS_TITLE, ox.Literal(title, language="en"))
        yield ox.Triple(distribution, expand_curie("spdx:checksum"), checksum)
        yield ox.Triple(checksum, RDF_TYPE, expand_curie("spdx:Checksum"))
        yield ox.Triple(checksum, expand_curie("spdx:algorithm"), SPDX_SHA256)
        yield ox.Triple(checksum, expand_curie("spdx:checksumValue"), build_typed_literal(value, "hexBinary"))

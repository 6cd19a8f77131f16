"""`wgig dump` and `wgig stats`: dump the store, and count its content.

A dump file appears when it is complete.
"""

import argparse
import gzip
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from wgig_client.namespaces import namespaces_by_prefix

from ..problems import Problem
from ..rdf.formats import DATASET_FORMATS, GRAPH_FORMATS, TRIG, TURTLE, Format
from ..rdf.namespaces import shorten_iri
from ..seed import open_store_snapshot
from ..settings import Settings
from ..store.store import Store
from ..store.view import select_solutions
from ..text import suggest_near_name
from .console import get_offered_format, open_replacement_file, print_message, print_table


def run_dump(arguments: argparse.Namespace, settings: Settings) -> int:
    """Write the dump. Exit code 0.

    Raises Problem for wrong arguments, StoreError if the store cannot be read.
    """
    format_ = choose_dump_format(arguments)
    store = open_store_snapshot(settings, print_message)
    prefixes = namespaces_by_prefix(settings.base)
    graph = resolve_graph_name(store, arguments.graph, settings.base) if arguments.graph else None
    with open_dump_output(arguments.output) as out:
        if graph:
            out.write(store.serialize_graph(graph, format_.media_type, prefixes))
        else:
            store.dump(out, format_.media_type, prefixes)
    return 0


def choose_dump_format(arguments: argparse.Namespace) -> Format:
    """The requested format, or that of the suffix of the output file. Raises Problem 400 for others."""
    offered = (*GRAPH_FORMATS, *DATASET_FORMATS) if arguments.graph else DATASET_FORMATS
    name = arguments.format
    if name is None and arguments.output:
        name = arguments.output.name.removesuffix(".gz").rpartition(".")[2]
    if name is None:
        return TURTLE if arguments.graph else TRIG
    subject = "A single graph" if arguments.graph else "The whole store with its graphs"
    return get_offered_format(name, offered, subject)


def resolve_graph_name(store: Store, name: str, base: str) -> str:
    """The IRI of a graph, from its IRI or a name such as `issues`. Raises Problem 404 if there is none."""
    graphs = store.graphs()
    for iri in (name, f"{base}graph/{name}"):
        if iri in graphs:
            return iri
    names = [iri.removeprefix(f"{base}graph/") for iri in graphs]
    hint = suggest_near_name(name, names, "See: wgig stats")
    raise Problem(404, f"There is no graph {name}. {hint}")


@contextmanager
def open_dump_output(path: Path | None) -> Iterator[IO[bytes]]:
    """Yield the output of a dump: standard output, or a file, which is compressed if its name ends in .gz."""
    if path is None:
        yield sys.stdout.buffer
        return
    with open_replacement_file(path) as file:
        if path.suffix != ".gz":
            yield file
            return
        with gzip.open(file, "wb") as gzip_file:
            yield gzip_file  # type: ignore[misc]


GRAPH_COUNTS_QUERY = (
    "SELECT ?name (COUNT(*) AS ?count) { GRAPH ?name { ?s ?p ?o } } GROUP BY ?name ORDER BY ?name"
)
# Of the default graph, which the output of `wgig stats` calls the unnamed one.
UNNAMED_COUNT_QUERY = "SELECT (COUNT(*) AS ?count) { ?s ?p ?o }"
CLASS_COUNTS_QUERY = """
SELECT ?name (COUNT(DISTINCT ?s) AS ?count) { ?s a ?name } GROUP BY ?name ORDER BY DESC(?count) ?name"""


def run_stats(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the counts of quads by graph and of resources by class. Exit code 0. Raises StoreError."""
    store = open_store_snapshot(settings, print_message)
    graphs = {
        row["name"].value: int(row["count"].value) for row in select_solutions(store, GRAPH_COUNTS_QUERY)
    }
    classes = {
        row["name"].value: int(row["count"].value) for row in select_solutions(store, CLASS_COUNTS_QUERY)
    }
    unnamed_count = int(select_solutions(store, UNNAMED_COUNT_QUERY, union=False)[0]["count"].value)
    total = sum(graphs.values()) + unnamed_count
    output_format = arguments.format or ("table" if sys.stdout.isatty() else "json")
    if output_format == "json":
        print(
            json.dumps(
                {"quads": total, "unnamed": unnamed_count, "graphs": graphs, "classes": classes}, indent=2
            )
        )
        return 0
    for columns, counts in ((["graph", "quads"], graphs), (["class", "things"], classes)):
        print_table(
            columns, ((shorten_iri(name, settings.base), f"{count:,}") for name, count in counts.items())
        )
    print(f"{total:,} quads in {len(graphs):,} named graphs and the unnamed one ({unnamed_count:,})")
    return 0

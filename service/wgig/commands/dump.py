"""`wgig dump`: the store, or one graph of it, as RDF."""

import argparse
import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import IO

from ..formats import DATASETS, GRAPHS, TRIG, TURTLE, Format
from ..namespaces import namespaces
from ..problems import Problem
from ..settings import Settings
from ..shipped import open_to_read
from ..store import Store
from . import format_named, replaced, say


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Write the dump; a file appears when it is complete. Exit code 0. Raises Problem or StoreError."""
    format_ = chosen(arguments)
    store = open_to_read(settings, say)
    prefixes = namespaces(settings.base)
    graph = found(store, arguments.graph, settings.base) if arguments.graph else None
    with output(arguments.output) as out:
        if graph:
            out.write(store.graph(graph, format_.media_type, prefixes))
        else:
            store.dump(out, format_.media_type, prefixes)
    return 0


def chosen(arguments: argparse.Namespace) -> Format:
    """The format that is asked for, or that the name of the file means. Raises Problem."""
    offered = (*GRAPHS, *DATASETS) if arguments.graph else DATASETS
    name = arguments.format
    if name is None and arguments.output:
        name = arguments.output.name.removesuffix(".gz").rpartition(".")[2]
    if name is None:
        return TURTLE if arguments.graph else TRIG
    what = "One graph" if arguments.graph else "The whole store, with its graphs,"
    return format_named(name, offered, what)


def found(store: Store, name: str, base: str) -> str:
    """The IRI of a graph that is given by IRI or by its name below the base. Raises Problem 404."""
    there = store.graphs()
    for iri in (name, f"{base}graph/{name}"):
        if iri in there:
            return iri
    near = get_close_matches(name, [iri.removeprefix(f"{base}graph/") for iri in there], 1)
    hint = f"Did you mean {near[0]}?" if near else "See: wgig stats"
    raise Problem(404, f"There is no graph {name}. {hint}")


@contextmanager
def output(path: Path | None) -> Iterator[IO[bytes]]:
    """Where the dump goes: standard output, or a file that is compressed when its name ends in .gz."""
    if path is None:
        yield sys.stdout.buffer
        return
    with replaced(path) as file:
        if path.suffix != ".gz":
            yield file
            return
        with gzip.open(file, "wb") as compressed:
            yield compressed  # type: ignore[misc]

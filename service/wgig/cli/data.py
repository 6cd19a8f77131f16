"""`wgig load`, `wgig dump` and `wgig stats`: RDF files into and out of the store, and its statistics.

Each file is loaded whole or not at all, by the format of its name, decompressed on the fly; errors have line
and column, and `-` is standard input. A dump file appears when it is complete. Exit code 2 means that a file
could not be read.
"""

import argparse
import gzip
import io
import json
import re
import sys
import threading
import time
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any

import pyoxigraph as ox

from ..problems import Problem
from ..rdf.formats import DATASETS, GRAPHS, TRIG, TURTLE, Format
from ..rdf.namespaces import namespaces, shorten
from ..rdf.parsing import WellFormed
from ..rdf.serialization import rdf_format
from ..seed import open_filled, open_to_read, sources, take
from ..settings import STACK, Settings
from ..store.store import Store
from ..store.view import rows
from .console import format_named, progress, replaced, say, show

BUFFER = 1024 * 1024
NOTHING = "Nothing of this file was loaded."

# By the ending of a file's name: our own suffixes, and what other programs call the same.
OURS = {one.suffix: rdf_format(one.media_type) for one in (*GRAPHS, *DATASETS)}
FORMATS = OURS | {
    "owl": ox.RdfFormat.RDF_XML,
    "xml": ox.RdfFormat.RDF_XML,
    "json": ox.RdfFormat.JSON_LD,
}
PLACE = re.compile(r"Parser error [\w ]+: ")


class UnreadableError(Exception):
    """A file cannot be read, and nothing of it was loaded; the message is a sentence with line and column."""


class Source(io.RawIOBase):
    """The bytes of a file, decompressed where need be. Its faults are UnreadableError, not the store's.

    What it holds may be watched on the way: the watch gets all pieces, then an empty one.
    """

    def __init__(
        self,
        file: Any,
        name: str,
        reached: Callable[[int], None],
        watch: Callable[[memoryview], None] = lambda _: None,
    ) -> None:
        """Take a buffered binary file, its name, and a function that is told how far reading came.

        Where that cannot be known, as in a pipe, it is told 0.
        """
        super().__init__()
        self.file = file
        compressed = file.peek(2)[:2] == b"\x1f\x8b"
        self.bytes = gzip.GzipFile(fileobj=self.file) if compressed else self.file
        self.name = name
        self.reached = reached
        self.watch = watch
        self.begun = False

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, target: Any) -> int:
        """Fill the target as far as there is data, and tell how far into the file that was."""
        try:
            if not self.begun and self.bytes.peek(len(BOM_UTF8)).startswith(BOM_UTF8):
                self.bytes.read(len(BOM_UTF8))
            self.begun = True
            count: int = self.bytes.readinto(target)
            self.reached(self.file.tell() if self.file.seekable() else 0)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UnreadableError(
                f"{self.name}: the compressed data is damaged ({error}). {NOTHING}"
            ) from error
        except OSError as error:
            raise UnreadableError(f"{self.name}: {error.strerror or error}. {NOTHING}") from error
        self.watch(memoryview(target)[:count])
        return count


def load(
    store: Store,
    name: str,
    graph: str | None,
    format_: str | None,
    reached: Callable[[int], None] = lambda _: None,
) -> None:
    """Load one file, all of it or nothing; `-` is standard input.

    A graph format goes into `graph` (None: the unnamed one). A dataset format keeps its graphs, unless
    `graph` is given. `reached` is called with the number of bytes of the file that were read so far. Raises
    UnreadableError.
    """
    rdf_format = format_of(name, format_)
    try:
        given = sys.stdin.fileno() if name == "-" else name
        file = open(given, "rb", BUFFER, closefd=name != "-")  # noqa: SIM115  a Path is no number
    except OSError as error:
        raise UnreadableError(f"{name}: {error.strerror}. Name a file that can be read.") from error
    watch = [WellFormed().feed] if rdf_format == ox.RdfFormat.RDF_XML else []
    with file:
        source = Source(file, name, reached, *watch)
        try:
            store.bulk_load(io.BufferedReader(source, BUFFER), rdf_format, graph)
        except SyntaxError as error:
            raise UnreadableError(f"{fault(name, error)} {NOTHING}") from error


def format_of(name: str, format_: str | None) -> ox.RdfFormat:
    """The format that is given, or that the name of the file ends in. Raises UnreadableError."""
    suffix = format_ or name.removesuffix(".gz").rpartition(".")[2].lower()
    if suffix not in FORMATS:
        raise UnreadableError(
            f"{name}: its name tells no RDF format. Say which with --format ({', '.join(OURS)})."
        )
    return FORMATS[suffix]


def size_of(name: str) -> int | None:
    """The bytes of a file, None where that cannot be known."""
    path = Path(name)
    return path.stat().st_size if path.is_file() else None


def fault(name: str, error: SyntaxError) -> str:
    """What is wrong in a file, and at which line and column where that is known."""
    place = f", line {error.lineno}, column {error.offset}" if error.lineno else ""
    return f"{name}{place}: {PLACE.sub('', error.msg, count=1)}."


def run_load(arguments: argparse.Namespace, settings: Settings) -> int:
    """Load all files that can be read. Exit code 0, or 2 when one could not. Raises Problem, StoreError."""
    if not arguments.files and not arguments.shipped:
        raise Problem(400, "No file is given. Name RDF files, - for standard input, or --shipped graphs.")
    if arguments.graph:
        from ..rdf.sparql_lexer import absolute  # noqa: PLC0415  costs 10 ms, and most loads name no graph

        absolute(arguments.graph, "--graph")
    store = open_filled(settings, say)
    if arguments.shipped:
        take_shipped(store, arguments.shipped, settings.base)
    threading.stack_size(STACK)
    with ThreadPoolExecutor(1) as thread:  # one for all, as a shared store is kept for who began to load
        failed = load_all(store, arguments.files, arguments.graph, arguments.format, thread)
        if len(failed) < len(arguments.files):
            thread.submit(store.infer).result()
    for sentence in failed:
        say(sentence)
    return 2 if failed else 0


def load_all(
    store: Store, files: Sequence[str], graph: str | None, format_: str | None, thread: Executor
) -> list[str]:
    """Load the files one after the other; returns a sentence for each that cannot be read."""
    failed = []
    for name in files:
        started = time.monotonic()
        try:
            with progress(name, size_of(name)) as reached:
                load_stoppable(store, name, graph, format_, reached, thread)
        except UnreadableError as error:
            failed.append(str(error))
        else:
            print(f"Loaded {name} in {time.monotonic() - started:.1f} s", flush=True)
    return failed


def load_stoppable(  # noqa: PLR0913, PLR0917 - what to load, and how
    store: Store,
    name: str,
    graph: str | None,
    format_: str | None,
    reached: Callable[[int], None],
    thread: Executor,
) -> None:
    """Load one file, or nothing of it when the user interrupts. Raises UnreadableError, KeyboardInterrupt."""
    stopped = threading.Event()

    def reached_unless_stopped(count: int) -> None:
        if stopped.is_set():
            raise UnreadableError(f"{name}: stopped. {NOTHING}")
        reached(count)

    loading = thread.submit(load, store, name, graph, format_, reached_unless_stopped)
    try:
        loading.result()
    except KeyboardInterrupt as interrupt:
        stopped.set()
        done = loading.exception() is None
        raise KeyboardInterrupt(
            f"Stopped; {name} was loaded before." if done else f"Stopped; nothing of {name} was loaded."
        ) from interrupt


def take_shipped(store: Store, names: Sequence[str], base: str) -> None:
    """Replace graphs by those of the package. Raises Problem 404 for a name that it does not ship."""
    shipped = sources(base)
    wanted = [f"{base}graph/{name.removeprefix(f'{base}graph/')}" for name in names]
    for graph in wanted:
        if graph not in shipped:
            known = ", ".join(iri.removeprefix(f"{base}graph/") for iri in shipped)
            raise Problem(404, f"The package ships no graph {graph}. It ships: {known}.")
    take(store, base, {graph: shipped[graph] for graph in wanted})


def run_dump(arguments: argparse.Namespace, settings: Settings) -> int:
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


GRAPHS_QUERY = "SELECT ?name (COUNT(*) AS ?count) { GRAPH ?name { ?s ?p ?o } } GROUP BY ?name ORDER BY ?name"
UNNAMED = "SELECT (COUNT(*) AS ?count) { ?s ?p ?o }"
CLASSES = """
SELECT ?name (COUNT(DISTINCT ?s) AS ?count) { ?s a ?name } GROUP BY ?name ORDER BY DESC(?count) ?name"""


def run_stats(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print counts of quads by graph and of things by class. Exit code 0. Raises StoreError."""
    store = open_to_read(settings, say)
    graphs = {row["name"].value: int(row["count"].value) for row in rows(store, GRAPHS_QUERY)}
    classes = {row["name"].value: int(row["count"].value) for row in rows(store, CLASSES)}
    unnamed = int(rows(store, UNNAMED, union=False)[0]["count"].value)
    total = sum(graphs.values()) + unnamed
    form = arguments.format or ("table" if sys.stdout.isatty() else "json")
    if form == "json":
        print(
            json.dumps({"quads": total, "unnamed": unnamed, "graphs": graphs, "classes": classes}, indent=2)
        )
        return 0
    known = namespaces(settings.base)
    for columns, counts in ((["graph", "quads"], graphs), (["class", "things"], classes)):
        show(columns, ((shorten(name, known), f"{count:,}") for name, count in counts.items()))
    print(f"{total:,} quads in {len(graphs):,} named graphs and the unnamed one ({unnamed:,})")
    return 0

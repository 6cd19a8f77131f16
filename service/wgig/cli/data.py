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
from pathlib import Path
from typing import IO, Any

import pyoxigraph as ox

from ..problems import Problem
from ..rdf.formats import DATASET_FORMATS, GRAPH_FORMATS, TRIG, TURTLE, Format
from ..rdf.namespaces import namespaces_by_prefix, shorten_iri
from ..rdf.parsing import XmlChecker
from ..rdf.serialization import rdf_format
from ..seed import list_shipped_files, open_filled_store, open_store_snapshot, replace_shipped_graphs
from ..settings import THREAD_STACK_BYTES, Settings
from ..store.store import Store
from ..store.view import select_solutions
from ..text import suggest_near_name
from .console import get_offered_format, open_replacement_file, print_message, print_table, show_progress_bar

READ_BUFFER_BYTES = 1024 * 1024
NOTHING_LOADED = "Nothing of this file was loaded."

# By the ending of a file's name: our own suffixes, and what other programs call the same.
OWN_RDF_FORMATS = {one.suffix: rdf_format(one.media_type) for one in (*GRAPH_FORMATS, *DATASET_FORMATS)}
RDF_FORMATS_BY_ENDING = OWN_RDF_FORMATS | {
    "owl": ox.RdfFormat.RDF_XML,
    "xml": ox.RdfFormat.RDF_XML,
    "json": ox.RdfFormat.JSON_LD,
}
PARSER_PLACE_PATTERN = re.compile(r"Parser error [\w ]+: ")


class UnreadableFileError(Exception):
    """A file cannot be read, and nothing of it was loaded; the message is a sentence with line and column."""


class RdfFileSource(io.RawIOBase):
    """The bytes of a file, decompressed where need be. Its faults are UnreadableFileError, not the store's.

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
        self.stream = gzip.GzipFile(fileobj=self.file) if compressed else self.file
        self.name = name
        self.report_progress = reached
        self.watch = watch
        self.has_begun = False

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, target: Any) -> int:
        """Fill the target as far as there is data, and tell how far into the file that was."""
        try:
            if not self.has_begun and self.stream.peek(len(BOM_UTF8)).startswith(BOM_UTF8):
                self.stream.read(len(BOM_UTF8))
            self.has_begun = True
            count: int = self.stream.readinto(target)
            self.report_progress(self.file.tell() if self.file.seekable() else 0)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UnreadableFileError(
                f"{self.name}: the compressed data is damaged ({error}). {NOTHING_LOADED}"
            ) from error
        except OSError as error:
            raise UnreadableFileError(f"{self.name}: {error.strerror or error}. {NOTHING_LOADED}") from error
        self.watch(memoryview(target)[:count])
        return count


def load_rdf_file(
    store: Store,
    name: str,
    graph: str | None,
    format_: str | None,
    reached: Callable[[int], None] = lambda _: None,
) -> None:
    """Load one file, all of it or nothing; `-` is standard input.

    A graph format goes into `graph` (None: the unnamed one). A dataset format keeps its graphs, unless
    `graph` is given. `reached` is called with the number of bytes of the file that were read so far. Raises
    UnreadableFileError.
    """
    rdf_format = choose_load_format(name, format_)
    try:
        given = sys.stdin.fileno() if name == "-" else name
        file = open(given, "rb", READ_BUFFER_BYTES, closefd=name != "-")  # noqa: SIM115  a Path is no number
    except OSError as error:
        raise UnreadableFileError(f"{name}: {error.strerror}. Name a file that can be read.") from error
    watch = [XmlChecker().feed] if rdf_format == ox.RdfFormat.RDF_XML else []
    with file:
        source = RdfFileSource(file, name, reached, *watch)
        try:
            store.bulk_load(io.BufferedReader(source, READ_BUFFER_BYTES), rdf_format, graph)
        except SyntaxError as error:
            raise UnreadableFileError(f"{describe_syntax_error(name, error)} {NOTHING_LOADED}") from error


def choose_load_format(name: str, format_: str | None) -> ox.RdfFormat:
    """The format that is given, or that the name of the file ends in. Raises UnreadableFileError."""
    suffix = format_ or name.removesuffix(".gz").rpartition(".")[2].lower()
    if suffix not in RDF_FORMATS_BY_ENDING:
        raise UnreadableFileError(
            f"{name}: its name tells no RDF format. Say which with --format ({', '.join(OWN_RDF_FORMATS)})."
        )
    return RDF_FORMATS_BY_ENDING[suffix]


def find_file_size(name: str) -> int | None:
    """The bytes of a file, None where that cannot be known."""
    path = Path(name)
    return path.stat().st_size if path.is_file() else None


def describe_syntax_error(name: str, error: SyntaxError) -> str:
    """What is wrong in a file, and at which line and column where that is known."""
    place = f", line {error.lineno}, column {error.offset}" if error.lineno else ""
    return f"{name}{place}: {PARSER_PLACE_PATTERN.sub('', error.msg, count=1)}."


def run_load(arguments: argparse.Namespace, settings: Settings) -> int:
    """Load all files that can be read. Exit code 0, or 2 when one could not. Raises Problem, StoreError."""
    if not arguments.files and not arguments.shipped:
        raise Problem(400, "No file is given. Name RDF files, - for standard input, or --shipped graphs.")
    if arguments.graph:
        from ..rdf.sparql_lexer import check_absolute_iri  # noqa: PLC0415  costs 10 ms, and most loads name no graph

        check_absolute_iri(arguments.graph, "--graph")
    store = open_filled_store(settings, print_message)
    if arguments.shipped:
        load_shipped_graphs(store, arguments.shipped, settings.base)
    threading.stack_size(THREAD_STACK_BYTES)
    with ThreadPoolExecutor(1) as thread:  # one for all, as a shared store is kept for who began to load
        failed = load_rdf_files(store, arguments.files, arguments.graph, arguments.format, thread)
        if len(failed) < len(arguments.files):
            thread.submit(store.infer).result()
    for sentence in failed:
        print_message(sentence)
    return 2 if failed else 0


def load_rdf_files(
    store: Store, files: Sequence[str], graph: str | None, format_: str | None, thread: Executor
) -> list[str]:
    """Load the files one after the other; returns a sentence for each that cannot be read."""
    failed = []
    for name in files:
        started = time.monotonic()
        try:
            with show_progress_bar(name, find_file_size(name)) as reached:
                load_file_interruptibly(store, name, graph, format_, reached, thread)
        except UnreadableFileError as error:
            failed.append(str(error))
        else:
            print(f"Loaded {name} in {time.monotonic() - started:.1f} s", flush=True)
    return failed


def load_file_interruptibly(  # noqa: PLR0913, PLR0917 - what to load, and how
    store: Store,
    name: str,
    graph: str | None,
    format_: str | None,
    reached: Callable[[int], None],
    thread: Executor,
) -> None:
    """Load one file, or nothing of it on Ctrl-C. Raises UnreadableFileError, KeyboardInterrupt."""
    stopped = threading.Event()

    def reached_unless_stopped(count: int) -> None:
        if stopped.is_set():
            raise UnreadableFileError(f"{name}: stopped. {NOTHING_LOADED}")
        reached(count)

    loading = thread.submit(load_rdf_file, store, name, graph, format_, reached_unless_stopped)
    try:
        loading.result()
    except KeyboardInterrupt as interrupt:
        stopped.set()
        done = loading.exception() is None
        raise KeyboardInterrupt(
            f"Stopped; {name} was loaded before." if done else f"Stopped; nothing of {name} was loaded."
        ) from interrupt


def load_shipped_graphs(store: Store, names: Sequence[str], base: str) -> None:
    """Replace graphs by those of the package. Raises Problem 404 for a name that it does not ship."""
    shipped = list_shipped_files(base)
    wanted = [f"{base}graph/{name.removeprefix(f'{base}graph/')}" for name in names]
    for graph in wanted:
        if graph not in shipped:
            known = ", ".join(iri.removeprefix(f"{base}graph/") for iri in shipped)
            raise Problem(404, f"The package ships no graph {graph}. It ships: {known}.")
    replace_shipped_graphs(store, base, {graph: shipped[graph] for graph in wanted})


def run_dump(arguments: argparse.Namespace, settings: Settings) -> int:
    """Write the dump; a file appears when it is complete. Exit code 0. Raises Problem or StoreError."""
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
    """The format that is asked for, or that the name of the file means. Raises Problem."""
    offered = (*GRAPH_FORMATS, *DATASET_FORMATS) if arguments.graph else DATASET_FORMATS
    name = arguments.format
    if name is None and arguments.output:
        name = arguments.output.name.removesuffix(".gz").rpartition(".")[2]
    if name is None:
        return TURTLE if arguments.graph else TRIG
    what = "One graph" if arguments.graph else "The whole store, with its graphs,"
    return get_offered_format(name, offered, what)


def resolve_graph_name(store: Store, name: str, base: str) -> str:
    """The IRI of a graph that is given by IRI or by its name below the base. Raises Problem 404."""
    there = store.graphs()
    for iri in (name, f"{base}graph/{name}"):
        if iri in there:
            return iri
    names = [iri.removeprefix(f"{base}graph/") for iri in there]
    hint = suggest_near_name(name, names, "See: wgig stats")
    raise Problem(404, f"There is no graph {name}. {hint}")


@contextmanager
def open_dump_output(path: Path | None) -> Iterator[IO[bytes]]:
    """Where the dump goes: standard output, or a file that is compressed when its name ends in .gz."""
    if path is None:
        yield sys.stdout.buffer
        return
    with open_replacement_file(path) as file:
        if path.suffix != ".gz":
            yield file
            return
        with gzip.open(file, "wb") as compressed:
            yield compressed  # type: ignore[misc]


GRAPH_COUNTS_QUERY = (
    "SELECT ?name (COUNT(*) AS ?count) { GRAPH ?name { ?s ?p ?o } } GROUP BY ?name ORDER BY ?name"
)
UNNAMED_COUNT_QUERY = "SELECT (COUNT(*) AS ?count) { ?s ?p ?o }"
CLASS_COUNTS_QUERY = """
SELECT ?name (COUNT(DISTINCT ?s) AS ?count) { ?s a ?name } GROUP BY ?name ORDER BY DESC(?count) ?name"""


def run_stats(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print counts of quads by graph and of things by class. Exit code 0. Raises StoreError."""
    store = open_store_snapshot(settings, print_message)
    graphs = {
        row["name"].value: int(row["count"].value) for row in select_solutions(store, GRAPH_COUNTS_QUERY)
    }
    classes = {
        row["name"].value: int(row["count"].value) for row in select_solutions(store, CLASS_COUNTS_QUERY)
    }
    unnamed = int(select_solutions(store, UNNAMED_COUNT_QUERY, union=False)[0]["count"].value)
    total = sum(graphs.values()) + unnamed
    form = arguments.format or ("table" if sys.stdout.isatty() else "json")
    if form == "json":
        print(
            json.dumps({"quads": total, "unnamed": unnamed, "graphs": graphs, "classes": classes}, indent=2)
        )
        return 0
    for columns, counts in ((["graph", "quads"], graphs), (["class", "things"], classes)):
        print_table(
            columns, ((shorten_iri(name, settings.base), f"{count:,}") for name, count in counts.items())
        )
    print(f"{total:,} quads in {len(graphs):,} named graphs and the unnamed one ({unnamed:,})")
    return 0

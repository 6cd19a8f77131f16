"""`wgig load`, `wgig dump` and `wgig stats`: load RDF files, dump the store, and count its content.

Each file is loaded atomically and decompressed on the fly. Its suffix determines the format; `-` is standard
input. Error messages have line and column. A dump file appears when it is complete. Exit code 2 means that a
file could not be read.
"""

import argparse
import gc
import gzip
import hashlib
import io
import json
import re
import sys
import threading
import time
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import pyoxigraph as ox

from ..problems import Problem
from ..projections import Projections, make_projections
from ..rdf.formats import DATASET_FORMATS, GRAPH_FORMATS, TRIG, TURTLE, Format
from ..rdf.namespaces import namespaces_by_prefix, shorten_iri
from ..rdf.parsing import XmlChecker
from ..rdf.serialization import rdf_format
from ..seed import list_shipped_files, open_filled_store, open_store_snapshot, replace_shipped_graphs
from ..settings import THREAD_STACK_BYTES, Settings
from ..store.change_log import SourceFile
from ..store.store import Store
from ..store.view import select_solutions
from ..text import suggest_near_name
from .console import StageProgress, get_offered_format, open_replacement_file, print_message, print_table

READ_BUFFER_BYTES = 1024 * 1024
BYTES_PER_MB = 1_000_000
GC_THRESHOLD_OBJECTS = 100_000  # with the default of 700, garbage collection takes 10 % of a large load
# The stages of a load, and the share of the time that each takes with 10,000 papers.
LOAD_STAGE, CHECK_STAGE, INFERENCE_STAGE = "Loading", "Checking papers", "Inference"
COUNT_STAGE, INDEX_STAGE = "Counting statements", "Indexes"
LOAD_STAGES = {LOAD_STAGE: 18, CHECK_STAGE: 30, INFERENCE_STAGE: 17, COUNT_STAGE: 30, INDEX_STAGE: 5}
NOTHING_LOADED_MESSAGE = "Nothing of this file was loaded."

# The RDF formats by the suffix that this package writes.
MAIN_RDF_FORMATS_BY_SUFFIX = {
    format_.suffix: rdf_format(format_.media_type) for format_ in (*GRAPH_FORMATS, *DATASET_FORMATS)
}
# The RDF formats by all suffixes that are read.
RDF_FORMATS_BY_SUFFIX = MAIN_RDF_FORMATS_BY_SUFFIX | {
    "owl": ox.RdfFormat.RDF_XML,
    "xml": ox.RdfFormat.RDF_XML,
    "json": ox.RdfFormat.JSON_LD,
}
# The position in a message of pyoxigraph, such as "Parser error at line 1 column 2: ".
PARSER_POSITION_PATTERN = re.compile(r"Parser error [\w ]+: ")


class UnreadableFileError(Exception):
    """A file cannot be read, and nothing of it was loaded; the message has line and column if known."""


class RdfFileSource(io.RawIOBase):
    """The bytes of a file, decompressed and without byte order mark. Raises UnreadableFileError, not OSError.

    `check_chunk` is called with each chunk of bytes, and with an empty one at the end.
    """

    def __init__(
        self,
        file: Any,
        name: str,
        report_bytes: Callable[[int], None],
        check_chunk: Callable[[memoryview], None] = lambda _: None,
    ) -> None:
        """Take a buffered binary file and its name.

        `report_bytes` is called with the position in the file, which is 0 for a pipe.
        """
        super().__init__()
        self.file = file
        is_gzip = file.peek(2)[:2] == b"\x1f\x8b"
        self.stream = gzip.GzipFile(fileobj=self.file) if is_gzip else self.file
        self.name = name
        self.report_bytes = report_bytes
        self.check_chunk = check_chunk
        self.has_begun = False  # whether bytes have been read

    def readable(self) -> bool:
        """Always True."""
        return True

    def readinto(self, target: Any) -> int:
        """Read into the target, report the progress, and return the number of bytes read."""
        try:
            if not self.has_begun and self.stream.peek(len(BOM_UTF8)).startswith(BOM_UTF8):
                self.stream.read(len(BOM_UTF8))
            self.has_begun = True
            count: int = self.stream.readinto(target)
            self.report_bytes(self.file.tell() if self.file.seekable() else 0)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UnreadableFileError(
                f"{self.name}: the compressed data is damaged ({error}). {NOTHING_LOADED_MESSAGE}"
            ) from error
        except OSError as error:
            raise UnreadableFileError(
                f"{self.name}: {error.strerror or error}. {NOTHING_LOADED_MESSAGE}"
            ) from error
        self.check_chunk(memoryview(target)[:count])
        return count


def load_rdf_file(
    store: Store,
    name: str,
    graph: str | None,
    format_: str | None,
    report_bytes: Callable[[int], None] = lambda _: None,
) -> None:
    """Load one file atomically; `-` is standard input.

    With `graph`, all triples are loaded into it; otherwise quads into their graphs, and triples into the
    default graph. `report_bytes` is called with the number of bytes read so far. Raises UnreadableFileError.
    """
    rdf_format = choose_load_format(name, format_)
    try:
        path_or_descriptor = sys.stdin.fileno() if name == "-" else name
        file = open(path_or_descriptor, "rb", READ_BUFFER_BYTES, closefd=name != "-")  # noqa: SIM115  closed below
    except OSError as error:
        raise UnreadableFileError(f"{name}: {error.strerror}. Name a file that can be read.") from error
    chunk_checks = [XmlChecker().feed] if rdf_format == ox.RdfFormat.RDF_XML else []
    with file:
        source = RdfFileSource(file, name, report_bytes, *chunk_checks)
        reader = io.BufferedReader(source, READ_BUFFER_BYTES)
        try:
            store.bulk_load(reader, rdf_format, graph, describe_source_file(name, rdf_format))
        except SyntaxError as error:
            raise UnreadableFileError(
                f"{describe_syntax_error(name, error)} {NOTHING_LOADED_MESSAGE}"
            ) from error


def describe_source_file(name: str, rdf_format: ox.RdfFormat) -> SourceFile | None:
    """The name, media type and SHA-256 of a file; None for standard input and pipes."""
    if not Path(name).is_file():
        return None
    with Path(name).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return SourceFile(Path(name).name, rdf_format.media_type, digest)


def choose_load_format(name: str, format_: str | None) -> ox.RdfFormat:
    """The format for `--format`, or for the suffix of the file name. Raises UnreadableFileError."""
    suffix = format_ or name.removesuffix(".gz").rpartition(".")[2].lower()
    if suffix not in RDF_FORMATS_BY_SUFFIX:
        raise UnreadableFileError(
            f"{name}: its name has no RDF suffix. "
            f"Give the format with --format ({', '.join(MAIN_RDF_FORMATS_BY_SUFFIX)})."
        )
    return RDF_FORMATS_BY_SUFFIX[suffix]


def find_file_size(name: str) -> int | None:
    """The size of a file in bytes; None for a pipe, standard input or a missing file."""
    path = Path(name)
    return path.stat().st_size if path.is_file() else None


def describe_syntax_error(name: str, error: SyntaxError) -> str:
    """A sentence with the syntax error of a file, and its line and column if known."""
    position = f", line {error.lineno}, column {error.offset}" if error.lineno else ""
    return f"{name}{position}: {PARSER_POSITION_PATTERN.sub('', error.msg, count=1)}."


def run_load(arguments: argparse.Namespace, settings: Settings) -> int:
    """Load all readable files. Exit code 0, or 2 if a file cannot be read.

    Raises Problem for wrong arguments, StoreError if the store cannot be opened or written.
    """
    if not arguments.files and not arguments.shipped:
        raise Problem(400, "No file is given. Name RDF files, - for standard input, or --shipped graphs.")
    if arguments.graph:
        from ..rdf.sparql_lexer import check_absolute_iri  # noqa: PLC0415  costs 10 ms, and most loads name no graph

        check_absolute_iri(arguments.graph, "--graph")
    gc.set_threshold(GC_THRESHOLD_OBJECTS)
    progress = StageProgress(LOAD_STAGES)

    def report_checked(done: int, total: int) -> None:
        if progress.stage == CHECK_STAGE:
            progress.report(done, total)
            if done == total:
                progress.begin_stage(INFERENCE_STAGE)

    store = open_filled_store(settings, progress.print_message, report_checked)
    if arguments.shipped:
        load_shipped_graphs(store, arguments.shipped, settings.base)
    threading.stack_size(THREAD_STACK_BYTES)
    # One thread for all writes, as it holds the lock of a remote store.
    with progress.show(), ThreadPoolExecutor(1) as executor:
        was_interrupted = bool(store.list_interrupted_files(arguments.graph))
        errors = load_rdf_files(store, arguments.files, arguments.graph, arguments.format, executor, progress)
        projections = None
        if settings.data == "none":  # a store of plain RDF: what a service needs is built by it
            if store.is_loading:
                executor.submit(store.finish_load).result()
        elif store.is_loading or was_interrupted:
            projections = make_projections(store, settings.base)
            finish_load(store, projections, executor, progress, is_shared=bool(settings.remote_query))
        executor.submit(store.close).result()
        if projections:
            projections.save()
    for message in errors:
        print_message(message)
    return 2 if errors else 0


def load_rdf_files(  # noqa: PLR0913, PLR0917 - the arguments of the command, an executor and the progress
    store: Store,
    files: Sequence[str],
    graph: str | None,
    format_: str | None,
    executor: Executor,
    progress: StageProgress,
) -> list[str]:
    """Load the files one after the other, and return an error message for each that cannot be read."""
    errors = []
    sizes = [find_file_size(name) or 0 for name in files]
    interrupted_files = store.list_interrupted_files(graph)
    for number, name in enumerate(files):
        started = time.monotonic()
        try:
            if interrupted_files:
                file = describe_source_file(name, choose_load_format(name, format_))
                if file in interrupted_files:
                    print(f"{name} was loaded before the interruption", flush=True)
                    continue
            progress.begin_stage(LOAD_STAGE, f" {name}", is_announced=False)  # a line follows it

            def report_bytes(count: int, before: int = sum(sizes[:number])) -> None:
                progress.report((before + count) // BYTES_PER_MB, sum(sizes) // BYTES_PER_MB, "MB")

            load_file_interruptibly(store, name, graph, format_, report_bytes, executor)
        except UnreadableFileError as error:
            errors.append(str(error))
        else:
            print(f"Loaded {name} in {time.monotonic() - started:.1f} s", flush=True)
    return errors


def finish_load(
    store: Store, projections: Projections, executor: Executor, progress: StageProgress, *, is_shared: bool
) -> None:
    """Compute all that follows from the loaded quads, in the store and in those projections that are saved.

    The versions of resources follow from stated quads alone, so they are computed meanwhile. What fails of
    the projections is built by the service. Raises StoreError if the store itself cannot be written.
    """
    versions = projections.resource_versions
    with ExitStack() as stack:
        scans = list[Future[None]]()
        if store.is_loading:
            if not is_shared:  # a shared store is locked until its load is finished
                snapshot = stack.enter_context(store.snapshot(versions.snapshot_name))
                scanner = stack.enter_context(ThreadPoolExecutor(1))
                scans.append(scanner.submit(versions.scan_loaded_quads, snapshot, store.log_version))
            progress.begin_stage(CHECK_STAGE)
            executor.submit(store.finish_load).result()
        progress.begin_stage(COUNT_STAGE)
        projections.search_index.nice_increment = 0  # the load ends with the index
        builds = [projections.search_index.start_build()]
        executor.submit(store.update_descriptions).result()
        progress.begin_stage(INDEX_STAGE)
        for counts in (*projections.paper_counts.values(), projections.judgment_counts):
            builds.append(counts.start_build())
            wait(builds[-1:])  # all at once, or beside the descriptions, they take twice the time of the CPU
        wait(scans)
        builds.append(versions.start_build())
        wait(builds)
    for build in builds:
        if error := build.exception():
            print_message(f"The service builds what could not be built: {error}")


def load_file_interruptibly(  # noqa: PLR0913, PLR0917 - those of load_rdf_file and an executor
    store: Store,
    name: str,
    graph: str | None,
    format_: str | None,
    report_bytes: Callable[[int], None],
    executor: Executor,
) -> None:
    """Load one file; on Ctrl-C load nothing of it. Raises UnreadableFileError, KeyboardInterrupt."""
    stopped = threading.Event()

    def report_unless_stopped(count: int) -> None:
        if stopped.is_set():
            raise UnreadableFileError(f"{name}: stopped. {NOTHING_LOADED_MESSAGE}")
        report_bytes(count)

    future = executor.submit(load_rdf_file, store, name, graph, format_, report_unless_stopped)
    try:
        future.result()
    except KeyboardInterrupt as interrupt:
        stopped.set()
        was_loaded = future.exception() is None
        raise KeyboardInterrupt(
            f"Stopped; {name} was loaded before." if was_loaded else f"Stopped; nothing of {name} was loaded."
        ) from interrupt


def load_shipped_graphs(store: Store, names: Sequence[str], base: str) -> None:
    """Replace graphs by those in the data of the package. Raises Problem 404 for an unknown name."""
    shipped_files = list_shipped_files(base)
    graphs = [f"{base}graph/{name.removeprefix(f'{base}graph/')}" for name in names]
    for graph in graphs:
        if graph not in shipped_files:
            shipped_names = ", ".join(iri.removeprefix(f"{base}graph/") for iri in shipped_files)
            raise Problem(404, f"The package has no graph {graph}. Its graphs are: {shipped_names}.")
    replace_shipped_graphs(store, base, {graph: shipped_files[graph] for graph in graphs})


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
    subject = "One graph" if arguments.graph else "The whole store, with its graphs,"
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

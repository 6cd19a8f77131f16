"""`wgig load`: load RDF files into the store, and compute all that follows from them.

Each file is loaded atomically and decompressed on the fly. Its suffix determines the format; `-` is standard
input. Error messages have line and column. Exit code 2 means that a file could not be read. A load that was
interrupted goes on when the command is repeated.
"""

import argparse
import gc
import gzip
import hashlib
import io
import logging
import os
import signal
import sys
import threading
import time
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from ..problems import Problem
from ..projections import Projections, make_projections
from ..rdf.formats import DATASET_FORMATS, GRAPH_FORMATS
from ..rdf.parsing import XmlChecker
from ..rdf.serialization import rdf_format
from ..rdf.syntax_errors import MAX_EXPLAINED_CHARACTERS, explain_syntax_error
from ..seed import list_shipped_files, open_filled_store, replace_shipped_graphs
from ..settings import Settings
from ..store.change_log import SourceFile
from ..store.store import FINISHED_LOAD_TITLE, Store
from .console import StageProgress, print_message, run_on_thread
from .parser import EXIT_OK, EXIT_UNREADABLE

READ_BUFFER_BYTES = 1024 * 1024
BYTES_PER_MB = 1_000_000
GC_THRESHOLD_OBJECTS = 100_000  # with the default of 700, garbage collection takes 10 % of a large load
MAX_STOP_SECONDS = 1.0  # for which the end of the work is awaited after Ctrl-C
STOP_CHECK_SECONDS = 0.1
TRACKER_WARNING_FILTER = "ignore:resource_tracker:UserWarning"
# The stages of a load, and the share of the time that each takes with 10,000 papers.
LOAD_STAGE, CHECK_STAGE, INFERENCE_STAGE = "Loading", "Checking papers", "Inference"
COUNT_STAGE, INDEX_STAGE = "Counting statements", "Indexes"
LOAD_STAGES = {LOAD_STAGE: 18, CHECK_STAGE: 30, INFERENCE_STAGE: 17, COUNT_STAGE: 30, INDEX_STAGE: 5}
PLAIN_LOAD_STAGES = {LOAD_STAGE: 1}  # nothing follows from the statements in a store of plain RDF
NOTHING_LOADED_MESSAGE = "Nothing from this file was loaded."

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


class UnreadableFileError(Exception):
    """A file cannot be read, and nothing of it was loaded; the message has line and column if known."""


class LoadStoppedError(Exception):
    """The load was stopped by Ctrl-C."""


class RdfFileSource(io.RawIOBase):
    """The bytes of a file, decompressed and without byte order mark. Raises UnreadableFileError, not OSError.

    `check_chunk` is called with each chunk of bytes, and with an empty one at the end.
    """

    def __init__(
        self,
        file: Any,
        name: str,
        report_read: Callable[[int, bool], None],
        check_chunk: Callable[[memoryview], None] = lambda _: None,
    ) -> None:
        """Take a buffered binary file and its name.

        `report_read` is called with the position in the file, which is 0 for a pipe, and if it has ended.
        """
        super().__init__()
        self.file = file
        is_gzip = file.peek(2)[:2] == b"\x1f\x8b"
        self.stream = gzip.GzipFile(fileobj=self.file) if is_gzip else self.file
        self.name = name
        self.report_read = report_read
        self.check_chunk = check_chunk
        self.has_begun = False  # whether bytes have been read
        self.beginning = bytearray()  # of the bytes, which explains a syntax error

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
            self.report_read(self.file.tell() if self.file.seekable() else 0, not count)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UnreadableFileError(
                f"{self.name}: the compressed data is damaged ({error}). {NOTHING_LOADED_MESSAGE}"
            ) from error
        except OSError as error:
            raise UnreadableFileError(
                f"{self.name}: {error.strerror or error}. {NOTHING_LOADED_MESSAGE}"
            ) from error
        chunk = memoryview(target)[:count]
        if len(self.beginning) <= MAX_EXPLAINED_CHARACTERS:
            self.beginning += chunk
        self.check_chunk(chunk)
        return count


@contextmanager
def open_rdf_file(
    name: str,
    rdf_format: ox.RdfFormat,
    report_read: Callable[[int, bool], None] = lambda _count, _is_end: None,
) -> Iterator[RdfFileSource]:
    """Yield the decompressed bytes of a file; `-` is standard input. Raises UnreadableFileError."""
    try:
        path_or_descriptor = sys.stdin.fileno() if name == "-" else name
        file = open(path_or_descriptor, "rb", READ_BUFFER_BYTES, closefd=name != "-")  # noqa: SIM115  closed below
    except OSError as error:
        raise UnreadableFileError(f"{name}: {error.strerror}. Give a file that can be read.") from error
    chunk_checks = [XmlChecker().feed] if rdf_format == ox.RdfFormat.RDF_XML else []
    with file:
        yield RdfFileSource(file, name, report_read, *chunk_checks)


def load_rdf_file(
    store: Store,
    name: str,
    graph: str | None,
    format_: str | None,
    report_read: Callable[[int, bool], None] = lambda _count, _is_end: None,
) -> None:
    """Load one file atomically; `-` is standard input.

    With `graph`, all triples are loaded into it; otherwise quads into their graphs, and triples into the
    default graph. `report_read` is called with the number of bytes read so far, and whether the file has
    ended. Raises UnreadableFileError.
    """
    rdf_format = choose_load_format(name, format_)
    with open_rdf_file(name, rdf_format, report_read) as source:
        reader = io.BufferedReader(source, READ_BUFFER_BYTES)
        try:
            store.bulk_load(reader, rdf_format, graph, describe_source_file(name, rdf_format))
        except SyntaxError as error:
            text = source.beginning.decode(errors="replace")
            explanation = describe_syntax_error(name, text, rdf_format.media_type, error)
            raise UnreadableFileError(f"{explanation} {NOTHING_LOADED_MESSAGE}") from error


def is_empty_file(name: str, format_: str | None) -> bool:
    """Whether a file has no statement; False for standard input and pipes, which can be read only once."""
    if not Path(name).is_file():
        return False
    rdf_format = choose_load_format(name, format_)
    with open_rdf_file(name, rdf_format) as source:
        try:
            return next(ox.parse(io.BufferedReader(source, READ_BUFFER_BYTES), rdf_format), None) is None
        except SyntaxError:  # which loading reports
            return False


def find_unreadable_files(names: Sequence[str], format_: str | None) -> list[str]:
    """An error message for each file that cannot be opened, or whose format is not known."""
    errors = []
    for name in names:
        try:
            rdf_format = choose_load_format(name, format_)
            if not is_pipe(name):  # its writer would end when it is closed
                with open_rdf_file(name, rdf_format):
                    pass
        except UnreadableFileError as error:
            errors.append(str(error))
    return errors


def is_pipe(name: str) -> bool:
    """Whether a name is that of standard input, a pipe or a device."""
    path = Path(name)
    return name == "-" or (path.exists() and not path.is_file() and not path.is_dir())


def describe_source_file(name: str, rdf_format: ox.RdfFormat) -> SourceFile | None:
    """The name, media type and SHA-256 of a file; None for standard input and pipes."""
    if not Path(name).is_file():
        return None
    with Path(name).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return SourceFile(Path(name).name, rdf_format.media_type, digest)


def choose_load_format(name: str, format_: str | None, option: str = "--format") -> ox.RdfFormat:
    """The format that the option gives, or of the suffix of the file name. Raises UnreadableFileError."""
    suffix = format_ or name.removesuffix(".gz").rpartition(".")[2].lower()
    if suffix not in RDF_FORMATS_BY_SUFFIX:
        raise UnreadableFileError(
            f"{name}: its name has no RDF suffix. "
            f"Give the format with {option} ({', '.join(MAIN_RDF_FORMATS_BY_SUFFIX)})."
        )
    return RDF_FORMATS_BY_SUFFIX[suffix]


def find_file_size(name: str) -> int:
    """The size of a file in bytes; 0 for a pipe or standard input."""
    path = Path(name)
    return path.stat().st_size if path.is_file() else 0


def describe_syntax_error(name: str, text: str, media_type: str, error: SyntaxError) -> str:
    """The cause of the syntax error of a file with this text, and its line and column if known."""
    explained = explain_syntax_error(text, media_type, error)
    position = ", line {}, column {}".format(*explained.position) if explained.position else ""
    return f"{name}{position}: {explained.message}"


def run_load(arguments: argparse.Namespace, settings: Settings) -> int:
    """Load all files, and compute what follows. Exit code 0, or 2 if a file cannot be read.

    If a file cannot be opened, nothing is loaded. Raises Problem for wrong arguments, StoreError if the store
    cannot be opened or written, KeyboardInterrupt.
    """
    check_load_arguments(arguments, settings)
    errors = find_unreadable_files(arguments.files, arguments.format)
    if errors:
        for message in errors:
            print_message(f"{message} Nothing was loaded.")
        return EXIT_UNREADABLE
    gc.set_threshold(GC_THRESHOLD_OBJECTS)
    job = LoadJob(arguments, settings)
    with job.progress.show():
        outcome = run_on_thread(job.run)
        try:
            outcome.exception()  # waits for the end
        except KeyboardInterrupt:
            job.stop(outcome)
    if not outcome.done():  # the end of the process would wait for other threads
        print_message(job.describe_stop())
        sys.stdout.flush()
        os._exit(128 + signal.SIGINT)
    if job.stopped.is_set() and outcome.exception():
        raise KeyboardInterrupt(job.describe_stop())
    for message in outcome.result():
        print_message(message)
    if summary := job.summarize():
        print(summary)
    return EXIT_UNREADABLE if outcome.result() else EXIT_OK


def check_load_arguments(arguments: argparse.Namespace, settings: Settings) -> None:
    """Raise Problem for wrong arguments: no file, a graph that is not an IRI, or one that is computed."""
    if not arguments.files and not arguments.shipped:
        raise Problem(
            400, "No file was given. Give RDF files, - for standard input, or graphs with --shipped."
        )
    if arguments.graph:
        from ..rdf.sparql_lexer import check_absolute_iri  # noqa: PLC0415  costs 10 ms, and most loads name no graph

        check_absolute_iri(arguments.graph, "--graph")
        if arguments.graph.startswith(settings.base) or arguments.graph == settings.rules_graph_iri:
            from ..graphs.write_pipeline import check_writable_graph  # noqa: PLC0415  costs 0.2 s

            check_writable_graph(arguments.graph, settings)


class LoadJob:
    """One run of `wgig load`. It runs on a thread of its own, so that Ctrl-C can end the process at any time.

    All writes are on that thread, as it holds the lock of a remote store.
    """

    def __init__(self, arguments: argparse.Namespace, settings: Settings) -> None:
        """Take the arguments of the command, which were checked, and the settings."""
        self.arguments, self.settings = arguments, settings
        self.progress = StageProgress(PLAIN_LOAD_STAGES if settings.data == "none" else LOAD_STAGES)
        self.stopped = threading.Event()
        self.remaining_files = list(arguments.files)  # not yet loaded; the first one may be in work
        self.file_sizes = list(map(find_file_size, arguments.files))  # bytes
        self.is_read = False  # whether all of that file was read, so that it will be in the store
        self.new_files, self.stored_files = list[str](), list[str]()  # loaded by this command, and in all
        self.empty_files = list[str]()
        self.new_quads: int | None = None  # that the files have added; None if that is not known
        self.seconds = 0.0  # that the job took

    # These methods run on the thread of the job.

    def run(self) -> list[str]:
        """Load the files and compute what follows. Returns an error message for each that cannot be read.

        Raises Problem, StoreError, and LoadStoppedError after `stop`.
        """
        started = time.monotonic()
        self.block_interrupts()
        arguments, settings, progress = self.arguments, self.settings, self.progress
        store = open_filled_store(settings, progress.print_message, self.report_checked)
        if arguments.shipped:
            load_shipped_graphs(store, arguments.shipped, settings.base)
        interrupted_files = store.list_interrupted_files(arguments.graph)
        # A million quads are counted in 0.1 s, which would be long for a small file in a large store.
        is_counted = settings.data != "none" or not store
        quads_before = store.size()[0] if is_counted else 0
        errors = self.load_files(store, interrupted_files)
        if is_counted:
            self.new_quads = store.size()[0] - quads_before
        projections = None
        if store.is_loading or interrupted_files:
            if settings.data == "none":  # a store of plain RDF: what a service needs is built by it
                store.finish_load(FINISHED_LOAD_TITLE)
            else:
                projections = make_projections(store, settings.base)
                self.finish_load(store, projections)
            self.raise_if_stopped()
            store.mark_load_complete()
        store.close()
        if projections:
            projections.save()
        progress.end_stage()
        self.seconds = time.monotonic() - started
        return errors

    def block_interrupts(self) -> None:
        """Leave Ctrl-C to the main thread: this thread, those that it starts, and processes do not get it."""
        if self.settings.data != "none":  # then processes may be started
            from multiprocessing import resource_tracker  # noqa: PLC0415  costs 10 ms

            # The first call unblocks the signal. The tracker removes semaphores of killed processes.
            sys.warnoptions.append(TRACKER_WARNING_FILTER)
            resource_tracker.ensure_running()
            sys.warnoptions.remove(TRACKER_WARNING_FILTER)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})

    def raise_if_stopped(self) -> None:
        """Raise LoadStoppedError after `stop`."""
        if self.stopped.is_set():
            raise LoadStoppedError

    def report_checked(self, done: int, total: int) -> None:
        """Report the number of papers that were checked, and of all papers."""
        self.raise_if_stopped()
        if self.progress.stage == CHECK_STAGE:
            self.progress.report(done, total)
            if done == total:
                self.progress.begin_stage(INFERENCE_STAGE)

    def load_files(self, store: Store, interrupted_files: Sequence[SourceFile]) -> list[str]:
        """Load the files one after the other, and return an error message for each that cannot be read."""
        errors = []
        for name in self.arguments.files:
            self.raise_if_stopped()
            self.is_read = False
            try:
                self.load_file(store, name, interrupted_files)
            except UnreadableFileError as error:
                errors.append(str(error))
            self.remaining_files.pop(0)
        return errors

    def load_file(self, store: Store, name: str, interrupted_files: Sequence[SourceFile]) -> None:
        """Load one file, unless it is empty or was loaded before. Raises UnreadableFileError."""
        graph, format_ = self.arguments.graph, self.arguments.format
        if interrupted_files:
            file = describe_source_file(name, choose_load_format(name, format_))
            if file in interrupted_files:
                print(f"{name} was loaded before the interruption", flush=True)
                self.stored_files.append(name)
                return
        if is_empty_file(name, format_):
            self.empty_files.append(name)
            return
        self.progress.begin_stage(LOAD_STAGE, f" {name}")
        all_bytes = sum(self.file_sizes)
        bytes_before = sum(self.file_sizes[: -len(self.remaining_files)])

        def report_read(count: int, is_end: bool) -> None:
            self.raise_if_stopped()
            self.is_read = is_end
            self.progress.report((bytes_before + count) // BYTES_PER_MB, all_bytes // BYTES_PER_MB, "MB")

        load_rdf_file(store, name, graph, format_, report_read)
        self.new_files.append(name)
        self.stored_files.append(name)

    def finish_load(self, store: Store, projections: Projections) -> None:
        """Compute all that follows from the loaded quads, in the store and in the projections that are saved.

        The versions of resources follow from stated quads alone, so they are computed meanwhile. What fails
        of the projections is built by the service. Raises StoreError if the store itself cannot be written.
        """
        versions, progress = projections.resource_versions, self.progress
        with ExitStack() as stack:
            scans = list[Future[None]]()
            if store.is_loading:
                if not self.settings.remote_query:  # a shared store is locked until its load is finished
                    snapshot = stack.enter_context(store.snapshot(versions.snapshot_name))
                    scan = partial(versions.scan_loaded_quads, snapshot, store.log_version)
                    scans.append(run_on_thread(scan))
                    stack.callback(wait, scans)
                progress.begin_stage(CHECK_STAGE)
                store.finish_load(FINISHED_LOAD_TITLE)
            self.raise_if_stopped()
            progress.begin_stage(COUNT_STAGE)
            if not scans:
                # After an interruption, the engine may have descriptions already that the index needs, too.
                store.update_descriptions()
            projections.search_index.nice_increment = 0  # the load ends with the index
            builds = [projections.search_index.start_build()]
            store.update_descriptions()
            self.raise_if_stopped()
            progress.begin_stage(INDEX_STAGE)
            for projection in projections.saved:
                builds.append(projection.start_build())
                wait(builds[-1:])  # all at once, they take twice the time of the CPU
            wait(scans)
            builds.append(versions.start_build())
            wait(builds)
        self.raise_if_stopped()
        for build in builds:
            if error := build.exception():
                print_message(f"A part could not be built, so the service will build it: {error}")

    # These methods run on the main thread.

    def summarize(self) -> str:
        """The last line of the output, after `run`; empty if there was no file that could be read."""
        if self.new_files:
            count = "" if self.new_quads is None else f" ({self.new_quads:,} new quads)"
            return f"Loaded {describe_files(self.new_files)} in {self.seconds:.1f} s{count}"
        if self.stored_files:
            return f"Completed the interrupted load in {self.seconds:.1f} s"
        if self.empty_files:
            return f"Nothing to load: there are no statements in {describe_files(self.empty_files)}"
        return ""

    def stop(self, outcome: Future[list[str]]) -> None:
        """End the processes of the job, whose outcome is given, and wait for its end, but not for long.

        A file that was read completely is waited for, so that it is known whether it was loaded. What is
        interrupted goes on when the store is next opened.
        """
        import multiprocessing  # noqa: PLC0415  costs 10 ms

        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second Ctrl-C ends this process at once
        logging.disable()  # the failures that follow
        self.stopped.set()
        deadline = time.monotonic() + MAX_STOP_SECONDS
        while not outcome.done() and (self.is_storing_file or time.monotonic() < deadline):
            for process in multiprocessing.active_children():
                process.kill()
            wait([outcome], STOP_CHECK_SECONDS)

    @property
    def is_storing_file(self) -> bool:
        """Whether a file was read completely, and is not in the store yet."""
        return self.progress.stage == LOAD_STAGE and bool(self.remaining_files) and self.is_read

    def describe_stop(self) -> str:
        """A sentence that says what is in the store after `stop`, and how to go on."""
        is_shared, stage = bool(self.settings.remote_query), self.progress.stage
        if is_shared and stage in {CHECK_STAGE, INFERENCE_STAGE}:
            return "Stopped; the shared store contains either all of the files or none: see wgig stats."
        stored_files = [] if is_shared and self.remaining_files else self.stored_files
        is_repeatable = not any(map(is_pipe, stored_files))
        if self.remaining_files:
            rest = f"nothing from {self.remaining_files[0]}"
            if not stored_files:
                return f"Stopped; {rest} was loaded: repeat the command to load it."
            advice = (
                "repeat the command to load the remaining files"
                if is_repeatable
                else "load the remaining files without the others"
            )
            return f"Stopped with {describe_files(stored_files)} in the store, and {rest}: {advice}."
        if not stored_files:
            return "Stopped; no file was loaded."
        advice = "repeat the command or start wgig serve" if is_repeatable else "start wgig serve"
        return (
            f"Stopped with {describe_files(stored_files)} in the store, but before all steps were "
            f"complete: {advice} to complete them."
        )


def describe_files(names: Sequence[str]) -> str:
    """The name of one file, or the number of several ones."""
    return names[0] if len(names) == 1 else f"{len(names)} files"


def load_shipped_graphs(store: Store, names: Sequence[str], base: str) -> None:
    """Replace graphs by those in the data of the package. Raises Problem 404 for an unknown name."""
    shipped_files = list_shipped_files(base)
    graphs = [f"{base}graph/{name.removeprefix(f'{base}graph/')}" for name in names]
    for graph in graphs:
        if graph not in shipped_files:
            shipped_names = ", ".join(iri.removeprefix(f"{base}graph/") for iri in shipped_files)
            raise Problem(404, f"The package has no graph {graph}. Its graphs are: {shipped_names}.")
    replace_shipped_graphs(store, base, {graph: shipped_files[graph] for graph in graphs})

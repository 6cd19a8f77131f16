"""`wgig infer`: evaluate rules over graphs of a store, or over RDF files, and write what follows.

The rules are those of the user, so there is no limit on time and memory, except that rules which never end
are stopped at a number of rounds and of triples.
"""

import argparse
import io
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

import pyoxigraph as ox

from ..graphs.provenance import ProvenanceRecorder
from ..graphs.write_pipeline import list_computed_graphs
from ..problems import Problem
from ..rdf.formats import GRAPH_FORMATS, TURTLE, Format
from ..rdf.serialization import serialize_triples
from ..rules.evaluation import InferenceResult, evaluate_rules, make_blank_prefix
from ..rules.follower import describe_contradictions, iter_input_triples
from ..rules.result import DerivedGraph, build_result_commit, check_result_content, check_result_graph
from ..rules.rule_set import RuleFile, parse_rules, read_rule_files
from ..seed import open_filled_store, open_store_snapshot
from ..settings import HISTORY_KEPT, Settings
from ..shacl.reports.phrases import translate_shape_message
from ..store.errors import StoreNotWritableError
from ..store.folder import check_store_exists
from ..store.history import GraphHistory
from ..store.store import Store
from .console import get_offered_format, print_message, run_on_thread, show_progress_bar
from .data import open_dump_output, resolve_graph_name
from .files import is_same_file
from .load import (
    READ_BUFFER_BYTES,
    UnreadableFileError,
    choose_load_format,
    describe_syntax_error,
    open_rdf_file,
)
from .parser import EXIT_NO, EXIT_OK

MAX_TRIPLES = 1_000_000  # that follow, unless WGIG_RULES_TRIPLES is more: those of rules that never end


def run_infer(arguments: argparse.Namespace, settings: Settings) -> int:
    """Evaluate the rules. Exit code 0, or 1 if the data contradicts itself.

    Raises Problem for wrong arguments, rules that cannot be used or do not end, and unreadable files,
    StoreError if the store cannot be opened or written.
    """
    check_infer_arguments(arguments)
    files = read_rules(arguments, settings)  # before the store is opened
    if arguments.files or arguments.dry_run or arguments.output:
        result = infer_without_write(arguments, settings, files)
    else:
        result = infer_into_graph(arguments, settings, files)
    if result.contradictions:
        print_message(describe_contradictions(result.contradictions))
    return EXIT_NO if result.contradictions else EXIT_OK


def read_rules(arguments: argparse.Namespace, settings: Settings) -> tuple[RuleFile, ...]:
    """The files with rules, of which a message says what they import. Raises Problem."""
    try:
        files = read_rule_files(arguments.rules, settings)
        rules = parse_rules(files, settings)
    except Problem as problem:
        hint = describe_argument_order(arguments)
        raise Problem(problem.status, f"{problem.detail}{hint}", **problem.members) from problem
    for note in rules.shapes.notes if rules.shapes else ():
        if note.message == "imports":
            print_message(translate_shape_message(note.message, **dict(note.values))["en"])
    return files


def describe_argument_order(arguments: argparse.Namespace) -> str:
    """A sentence on where to write files with data, if there are only files after --rules; else empty."""
    if arguments.files or len(arguments.rules) < 2:
        return ""
    return " If a file after --rules is data, give it before --rules, or after --."


def check_infer_arguments(arguments: argparse.Namespace) -> None:
    """Raise Problem for arguments that are missing or contradict each other."""
    if arguments.files and (arguments.graph or arguments.into):
        option = "--graph" if arguments.graph else "--into"
        raise Problem(400, f"Rules are evaluated over files or over graphs of a store. Leave out {option}.")
    if not (arguments.files or arguments.into or arguments.output or arguments.dry_run):
        raise Problem(
            400,
            "Give a graph for what follows (--into), an output file (--output), or --dry-run."
            f"{describe_argument_order(arguments)}",
        )
    if arguments.into and arguments.output:
        raise Problem(400, "Give either --into or --output.")
    choose_triples_format(arguments)
    for name in (*arguments.files, *arguments.rules) if arguments.output else ():
        if is_same_file(name, arguments.output):
            raise Problem(
                400,
                f"The output would overwrite {name}, which is one of the files to read. Choose another one.",
            )


def choose_triples_format(arguments: argparse.Namespace) -> Format:
    """The requested format, or that of the suffix of the output file. Raises Problem 400 for others."""
    name = arguments.format
    if name is None and arguments.output:
        name = arguments.output.name.removesuffix(".gz").rpartition(".")[2]
    return get_offered_format(name, GRAPH_FORMATS, "What follows") if name else TURTLE


def infer_without_write(
    arguments: argparse.Namespace, settings: Settings, files: Sequence[RuleFile]
) -> InferenceResult:
    """Evaluate the rules, and write what follows to the output; with --dry-run only how much it is."""
    triples: Iterable[ox.Triple]
    if arguments.files:
        triples = read_files(arguments.files, arguments.input_format)
    else:
        with suppress(StoreNotWritableError):  # of a backup, which is only read
            check_store_exists(settings.store)
        store = open_store_snapshot(settings, print_message)
        inputs = resolve_inputs(store, arguments, settings)
        triples = iter_input_triples(store, inputs, list_computed_graphs(settings))
    result = evaluate(files, triples, settings, make_blank_prefix(str(arguments.output)))
    if not arguments.dry_run:
        body = serialize_triples(result.triples, choose_triples_format(arguments), settings.base)
        with open_dump_output(arguments.output) as out:
            out.write(body)
    return result


def infer_into_graph(
    arguments: argparse.Namespace, settings: Settings, files: Sequence[RuleFile]
) -> InferenceResult:
    """Evaluate the rules over graphs of the store, and replace the content of a graph by what follows."""
    graph = settings.resolve_graph_iri(arguments.into)
    computed = list_computed_graphs(settings).keys()
    store = open_filled_store(settings, print_message)
    try:
        inputs = resolve_inputs(store, arguments, settings)
        check_result_graph(graph, inputs, settings)
        check_result_content(store, graph)
        triples = iter_input_triples(store, inputs, {*computed, graph})
        result = evaluate(files, triples, settings, make_blank_prefix(graph))
        history = (
            GraphHistory(settings.base, store.old_contents) if settings.history == HISTORY_KEPT else None
        )
        recorder = ProvenanceRecorder(history, store) if history else None
        with store.exclusive_writer():
            commit = build_result_commit(store, recorder, DerivedGraph(graph, inputs, files), result.triples)
            if commit:
                store.commit([commit], is_bounded=False)
    finally:
        store.close()
    print_message(f"The graph <{graph}> {'has changed' if commit else 'has not changed'}.")
    return result


def resolve_inputs(store: Store, arguments: argparse.Namespace, settings: Settings) -> list[str]:
    """The IRIs of the graphs that the arguments name. Raises Problem 404 for an unknown one."""
    return [resolve_graph_name(store, name, settings.base) for name in arguments.graph]


def evaluate(
    files: Sequence[RuleFile], triples: Iterable[ox.Triple], settings: Settings, blank_prefix: str
) -> InferenceResult:
    """What follows from triples, with the progress on standard error. Raises Problem."""
    started = time.monotonic()
    with show_progress_bar("What follows", None, "triples") as show_count:
        rules = parse_rules(files, settings)
        work = run_on_thread(
            lambda: evaluate_rules(
                rules, triples, max(settings.rules_triples, MAX_TRIPLES), blank_prefix, show_count
            )
        )
        result = work.result()
    count = len(result.triples)
    print_message(
        f"{count:,} triple{'' if count == 1 else 's'} follow{'s' if count == 1 else ''}, and "
        f"{'is' if count == 1 else 'are'} not stated: in {result.rounds} round{'s' * (result.rounds > 1)}, "
        f"{time.monotonic() - started:.1f} s."
    )
    return result


def read_files(names: Iterable[str], input_format: str | None) -> Iterator[ox.Triple]:
    """The triples in RDF files (- is standard input). Raises Problem 400 for unreadable ones."""
    for name in names:
        try:
            format_ = choose_load_format(name, input_format, "--input-format")
            with open_rdf_file(name, format_) as source:
                try:
                    reader = io.BufferedReader(source, READ_BUFFER_BYTES)
                    quads = ox.parse(reader, format_, rename_blank_nodes=True)
                    yield from (quad.triple for quad in quads)
                except SyntaxError as error:
                    text = source.beginning.decode(errors="replace")
                    message = describe_syntax_error(name, text, format_.media_type, error)
                    raise Problem(400, message) from error
        except UnreadableFileError as error:
            raise Problem(400, str(error)) from error

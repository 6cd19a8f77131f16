"""The changes of a SPARQL Update: the graphs that it may change, read from its text, and a dry run on a copy.

The engine parses some texts differently from the grammar. So every IRI outside a WHERE counts as a graph, and
if a graph name may be hidden, all graphs count: the predicted scope may be too large, never too small.

An update of only INSERT DATA and DELETE DATA is compared with just those quads. Any other update runs on a
snapshot of the store (a trial). Snapshots that a crash left are deleted when the store is opened.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import dropwhile
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pyoxigraph as ox

from ..problems import Problem
from ..rdf.sparql_lexer import SparqlText, SparqlToken, TokenStep, find_first_word, walk_tokens
from .change import (
    WHOLE_STORE,
    Change,
    WriteScope,
    compare_contents,
    parse_change,
    scope_of_graphs,
    scope_of_quads,
    serialize_change,
)
from .view import StoreView, remove_snapshots

ALL_GRAPHS_KEYWORDS = ("ALL", "NAMED")  # CLEAR ALL, DROP NAMED
UPDATE_PROLOGUE_KEYWORDS = ("PREFIX", "BASE")  # between operations, they change the meaning of later names
# The engine needs no space after a keyword: with the prefix ex, GRAPHex:name may be the graph ex:name.
GRAPH_NAME_KEYWORDS = (
    "ADD",
    "CLEAR",
    "COPY",
    "CREATE",
    "DROP",
    "GRAPH",
    "INTO",
    "MOVE",
    "SILENT",
    "TO",
    "WITH",
)


class UpdateTargets(NamedTuple):
    """The quads and graphs that an update may change.

    `quads` are its quads if it has only INSERT DATA and DELETE DATA, else None. `graphs` are the IRIs of the
    named graphs that it may change (None: any); it may always change the unnamed graph.
    """

    quads: set[ox.Quad] | None
    graphs: set[str] | None

    @property
    def scope(self) -> WriteScope:
        """The scope of everything that the update may change."""
        if self.quads is not None:
            return scope_of_quads(self.quads, {quad.graph_name for quad in self.quads})
        if self.graphs is None:
            return WHOLE_STORE
        return scope_of_graphs([ox.DefaultGraph(), *map(ox.NamedNode, self.graphs)])


def read_update_targets(update: SparqlText, base: str | None = None) -> UpdateTargets:
    """The targets of an update, read from its text. Relative IRIs are resolved against `base`."""
    quads = parse_update_data(update, base)
    if quads is None:
        graphs = find_target_graphs(update, base)
        update.release_long_tokens()
        return UpdateTargets(None, graphs)
    return UpdateTargets(
        quads, {quad.graph_name.value for quad in quads if isinstance(quad.graph_name, ox.NamedNode)}
    )


def parse_update_data(update: SparqlText, base: str | None = None) -> set[ox.Quad] | None:
    """The quads of INSERT DATA and DELETE DATA; None if the update has any other operation.

    Also None if it has blank nodes, which get new labels, or syntax that TriG does not have.
    """
    try:
        first = find_first_word(update.tokens)
        if first is None:
            return set()
        blocks = "".join(iter_data_blocks(update, first))
        update.release_long_tokens()  # before the quads need as much memory
        return set(ox.parse(update.text[: first.start] + blocks, format=ox.RdfFormat.TRIG, base_iri=base))
    except (Problem, SyntaxError):
        return None


def iter_data_blocks(update: SparqlText, first: SparqlToken) -> Iterator[str]:
    """The text inside the braces of INSERT DATA and DELETE DATA.

    Raises SyntaxError for other operations, blank nodes, and names that may be hidden.
    """
    start = 0
    for step in walk_operations(update, first):
        token = step.token
        is_ambiguous = "\\" in token.text or may_hide_graph(step)
        if is_ambiguous or token.kind == "blank" or token.text in ("[", "(", "<<", "{|", "~"):
            raise SyntaxError("a blank node, or an escape that may hide a graph name")
        if not step.depth and token.text.upper() not in ("INSERT", "DELETE", "DATA", "}", ";"):
            raise SyntaxError("an operation other than INSERT DATA and DELETE DATA")
        if token.text == "{" and step.depth == 1:
            start = token.start + 1
        elif token.text == "}" and not step.depth:
            yield update.text[start : token.start] + (
                " . " if step.previous.text not in (".", "{", "}") else " "
            )


def walk_operations(update: SparqlText, first: SparqlToken) -> Iterator[TokenStep]:
    """The tokens after the prologue, beginning with the `first` keyword."""
    return walk_tokens(dropwhile(lambda token: token.start < first.start, update.tokens))


def find_target_graphs(update: SparqlText, base: str | None = None) -> set[str] | None:
    """The IRIs of all named graphs that the update may change; None: any.

    Relative IRIs are resolved against `base`.
    """
    try:
        first = find_first_word(update.tokens)
        if first is None:
            return set()
        steps = list(iter_steps_outside_patterns(walk_operations(update, first)))
        if any(map(may_hide_graph, steps)):
            return None
        names = {step.token.text for step in steps if step.token.kind in ("iri", "name")}
        return resolve_graph_names(update.text[: first.start], names, base)
    except (Problem, SyntaxError):  # the engine rejects it, or parses it differently
        return None


def iter_steps_outside_patterns(steps: Iterable[TokenStep]) -> Iterator[TokenStep]:
    """The tokens of the operations outside WHERE clauses. DELETE WHERE is included, as it is a template.

    Raises SyntaxError if a bracket is not closed, as the end of a WHERE is uncertain then.
    """
    brackets: Sequence[str] = ()
    is_in_where = False
    for step in steps:
        brackets = step.brackets
        if not step.depth:
            starts_where = step.token.word == "WHERE" and not step.previous.word.endswith("DELETE")
            is_in_where = starts_where or (is_in_where and step.token.text != ";")
        if not is_in_where:
            yield step
    if brackets:
        raise SyntaxError("a bracket is open")


def may_hide_graph(step: TokenStep) -> bool:
    """Whether the token may refer to a graph whose IRI or prefixed name is not a token of the text."""
    token = step.token
    return (
        any(word in token.word for word in (*ALL_GRAPHS_KEYWORDS, *UPDATE_PROLOGUE_KEYWORDS))
        or (token.kind == "variable" and step.previous.text.upper().endswith("GRAPH"))
        or (token.kind == "name" and token.text.upper().startswith(GRAPH_NAME_KEYWORDS))
    )


def resolve_graph_names(prologue: str, names: set[str], base: str | None) -> set[str]:
    """The absolute IRIs of these IRIs and prefixed names. Raises SyntaxError for an undeclared prefix."""
    query = f"{prologue} SELECT * {{ VALUES ?iri {{ {' '.join(names)} }} }}"
    solutions = ox.Store().query(query, base_iri=base)
    assert isinstance(solutions, ox.QuerySolutions)
    return {solution["iri"].value for solution in solutions}


# Snapshots for dry runs, in `aside`, have names with this prefix. No name is used twice: the process of a
# failed dry run may still write into its snapshot while that is removed. The suffix is added when a process
# begins to use it.
TRIAL_FOLDER_PREFIX, TAKEN_TRIAL_SUFFIX = "trial-", "-taken"


class TrialUpdate(NamedTuple):
    """The text of an update, the base of its relative IRIs, and its targets."""

    text: str
    base: str | None
    targets: UpdateTargets


# Calls a function with a folder and an update, possibly in another process; all three can be pickled. The
# change is serialized: pickling its quads takes ten times as long.
TrialRunner = Callable[[Callable[[Path, TrialUpdate], bytes | None], Path, TrialUpdate], bytes | None]


def run_trial_in_process(
    function: Callable[[Path, TrialUpdate], bytes | None], folder: Path, update: TrialUpdate
) -> bytes | None:
    """Call the function in this process."""
    return function(folder, update)


def dry_run_update(store: StoreView, update: TrialUpdate, run: TrialRunner) -> Change | None:
    """The change that an update would make to a store; None if it is too large to compare.

    If the store is on disk, `run` evaluates updates other than INSERT DATA and DELETE DATA, on a snapshot in
    a folder. Raises the errors of the engine and of `run`, StoreError and OSError.
    """
    if update.targets.quads is not None:
        return run_trial_update(copy_named_quads(store, update.targets.quads), update)
    snapshot = store.snapshot(f"{TRIAL_FOLDER_PREFIX}{uuid4().hex}")
    if store.folder is None or snapshot.folder is None:
        return run_trial_update(snapshot.open_quads(), update)
    try:
        change = run(run_trial_in_folder, snapshot.folder, update)
        return None if change is None else parse_change(change)
    finally:
        remove_snapshots(store.folder, TRIAL_FOLDER_PREFIX)


def run_trial_update(copy: ox.Store, update: TrialUpdate) -> Change | None:
    """Run the update on a copy. Returns the change, None if it is too large to compare."""
    scope = update.targets.scope
    before = scope.read_contents(copy)
    copy.update(update.text, base_iri=update.base)
    after = scope.read_contents(copy) if before else None
    return compare_contents(before, after) if before and after else None


def run_trial_in_folder(folder: Path, update: TrialUpdate) -> bytes | None:
    """Run the update on the snapshot in a folder, and return the serialized change.

    The folder is renamed, so that it can be used only once.
    """
    try:
        taken_folder = folder.rename(folder.with_name(folder.name + TAKEN_TRIAL_SUFFIX))
    except FileNotFoundError as error:
        raise MemoryError("The process that previously ran this update was killed.") from error
    change = run_trial_update(ox.Store(taken_folder), update)
    return None if change is None else serialize_change(change)


def copy_named_quads(store: StoreView, candidates: Iterable[ox.Quad]) -> ox.Store:
    """A store of the candidates that exist: INSERT DATA and DELETE DATA depend on no other quads."""
    copy = ox.Store()
    copy.extend(candidates)
    for name in list(copy.named_graphs()):
        if not store.has_graph(name.value):
            copy.remove_graph(name)
    for quad in list(copy):
        if not store.has_quad(quad):
            copy.remove(quad)
    return copy

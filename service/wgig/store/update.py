"""What a SPARQL update changes: the graphs that it may touch, from its text, and a dry run on a copy.

The engine reads some texts differently from the grammar. So every IRI outside a WHERE counts as a graph, and
where a graph name may be hidden, all graphs do: the predicted scope may be too large, never too small.

An update that only names data (INSERT DATA, DELETE DATA) is compared with just those quads. Any other runs on
a copy of the store, which on disk shares its files with the store; copies left by a crash are deleted.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import dropwhile
from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox

from ..problems import Problem
from ..rdf.sparql_lexer import SparqlText, SparqlToken, TokenStep, find_first_word, walk_tokens
from .change import WHOLE_STORE, Change, WriteScope, compare_contents, scope_of_graphs, scope_of_quads
from .files import ASIDE_FOLDER
from .snapshot import open_linked_copy

ALL_GRAPHS_KEYWORDS = ("ALL", "NAMED")  # CLEAR ALL, DROP NAMED
UPDATE_PROLOGUE_KEYWORDS = ("PREFIX", "BASE")
# The engine needs no space behind a keyword: with the prefix ex, GRAPHex:name may be the graph ex:name.
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
    """What an update may change: no more than the `quads` that it names, if it is made of nothing else.

    `graphs` are the IRIs of the graphs that it may change beside the unnamed one; None: it may be any.
    """

    quads: set[ox.Quad] | None
    graphs: set[str] | None

    @property
    def scope(self) -> WriteScope:
        """A look at all that the update may change."""
        if self.quads is not None:
            return scope_of_quads(self.quads, {one.graph_name for one in self.quads})
        if self.graphs is None:
            return WHOLE_STORE
        return scope_of_graphs([ox.DefaultGraph(), *map(ox.NamedNode, self.graphs)])


def read_update_targets(update: SparqlText, base: str | None = None) -> UpdateTargets:
    """What an update may change, as its text says. Relative IRIs are resolved against `base`."""
    quads = parse_update_data(update, base)
    if quads is None:
        graphs = find_target_graphs(update, base)
        update.release_long_tokens()
        return UpdateTargets(None, graphs)
    return UpdateTargets(
        quads, {one.graph_name.value for one in quads if isinstance(one.graph_name, ox.NamedNode)}
    )


def parse_update_data(update: SparqlText, base: str | None = None) -> set[ox.Quad] | None:
    """The quads that INSERT DATA and DELETE DATA name; None where the update is made of anything else.

    Nothing is said of blank nodes, which get names of their own, nor of what is not written as in TriG.
    """
    try:
        first = find_first_word(update.tokens)
        if first is None:
            return set()
        blocks = "".join(iter_data_blocks(update, first))
        update.release_long_tokens()  # before the quads take as much memory
        return set(ox.parse(update.text[: first.start] + blocks, format=ox.RdfFormat.TRIG, base_iri=base))
    except (Problem, SyntaxError):
        return None


def iter_data_blocks(update: SparqlText, first: SparqlToken) -> Iterator[str]:
    """What stands in the braces of INSERT DATA and DELETE DATA. Raises SyntaxError for anything else."""
    start = 0
    for step in walk_operations(update, first):
        token = step.token
        unclear = "\\" in token.text or may_hide_graph(step)
        if unclear or token.kind == "blank" or token.text in ("[", "(", "<<", "{|", "~"):
            raise SyntaxError("a node without a name, or one that is not plainly named")
        if not step.depth and token.text.upper() not in ("INSERT", "DELETE", "DATA", "}", ";"):
            raise SyntaxError("no mere data")
        if token.text == "{" and step.depth == 1:
            start = token.start + 1
        elif token.text == "}" and not step.depth:
            yield update.text[start : token.start] + (
                " . " if step.previous.text not in (".", "{", "}") else " "
            )


def walk_operations(update: SparqlText, first: SparqlToken) -> Iterator[TokenStep]:
    """The tokens behind the prologue, which the `first` word ends."""
    return walk_tokens(dropwhile(lambda token: token.start < first.start, update.tokens))


def find_target_graphs(update: SparqlText, base: str | None = None) -> set[str] | None:
    """The IRIs of all graphs that the update may change, beside the unnamed graph; None: it may be any.

    Relative IRIs are resolved against `base`.
    """
    try:
        first = find_first_word(update.tokens)
        if first is None:
            return set()
        steps = list(iter_steps_outside_patterns(walk_operations(update, first)))
        if any(map(may_hide_graph, steps)):
            return None
        named = {one.token.text for one in steps if one.token.kind in ("iri", "name")}
        return resolve_graph_names(update.text[: first.start], named, base)
    except (Problem, SyntaxError):  # the engine refuses it, or reads it in its own way
        return None


def iter_steps_outside_patterns(steps: Iterable[TokenStep]) -> Iterator[TokenStep]:
    """The tokens of the operations that stand in no WHERE; that of DELETE WHERE is its template as well.

    Raises SyntaxError where a bracket stays open, for then a WHERE may end elsewhere.
    """
    brackets: Sequence[str] = ()
    pattern = False
    for step in steps:
        brackets = step.brackets
        if not step.depth:
            begins = step.token.word == "WHERE" and not step.previous.word.endswith("DELETE")
            pattern = begins or (pattern and step.token.text != ";")
        if not pattern:
            yield step
    if brackets:
        raise SyntaxError("a bracket is open")


def may_hide_graph(step: TokenStep) -> bool:
    """Whether a graph may be meant here that the text does not name, or not plainly."""
    token = step.token
    return (
        any(word in token.word for word in (*ALL_GRAPHS_KEYWORDS, *UPDATE_PROLOGUE_KEYWORDS))
        or (token.kind == "variable" and step.previous.text.upper().endswith("GRAPH"))
        or (token.kind == "name" and token.text.upper().startswith(GRAPH_NAME_KEYWORDS))
    )


def resolve_graph_names(prologue: str, names: set[str], base: str | None) -> set[str]:
    """The IRIs, and those that are given as prefix and local name, in full. Raises SyntaxError."""
    query = f"{prologue} SELECT * {{ VALUES ?iri {{ {' '.join(names)} }} }}"
    solutions = ox.Store().query(query, base_iri=base)
    assert isinstance(solutions, ox.QuerySolutions)
    return {one["iri"].value for one in solutions}


TRIAL_FOLDER = "trial"
TAKEN_TRIAL_FOLDER = "trial-taken"


class TrialUpdate(NamedTuple):
    """An update as the engine gets it, the base of its relative IRIs, and what it may change."""

    text: str
    base: str | None
    targets: UpdateTargets


# Calls a function with a folder and an update, wherever that is; all of it can be pickled.
TrialRunner = Callable[[Callable[[Path, TrialUpdate], Change | None], Path, TrialUpdate], Change | None]


def run_trial_here(
    function: Callable[[Path, TrialUpdate], Change | None], place: Path, asked: TrialUpdate
) -> Change | None:
    """Call the function in this process."""
    return function(place, asked)


def dry_run_update(
    quads: ox.Store, folder: Path | None, asked: TrialUpdate, run: TrialRunner
) -> Change | None:
    """What an update would change in the quads of a store; None where that is too much to be told.

    One that states more than data is evaluated by `run`, on a copy in a folder where the store is in one.
    Raises as the engine does for the update itself, what `run` raises, and OSError.
    """
    if asked.targets.quads is not None:
        return run_trial_update(copy_named_quads(quads, asked.targets.quads), asked)
    if folder is None:
        return run_trial_update(copy_all_quads(quads), asked)
    try:
        with open_linked_copy(quads, folder, TRIAL_FOLDER) as place:
            return run(run_trial_in_folder, place, asked)
    finally:
        remove_trial_copies(folder)


def run_trial_update(copy: ox.Store, asked: TrialUpdate) -> Change | None:
    """What the update changes in a copy, which is of no use then."""
    look = asked.targets.scope
    before = look(copy)
    copy.update(asked.text, base_iri=asked.base)
    after = look(copy) if before else None
    return compare_contents(before, after) if before and after else None


def run_trial_in_folder(place: Path, asked: TrialUpdate) -> Change | None:
    """What the update changes in the copy in a folder, which is taken for that: it may be tried only once."""
    return run_trial_update(ox.Store(place.rename(place.with_name(TAKEN_TRIAL_FOLDER))), asked)


def copy_named_quads(quads: ox.Store, named: Iterable[ox.Quad]) -> ox.Store:
    """A copy of these quads as far as they are there: an update that names all quads looks at no others."""
    copy = ox.Store()
    copy.extend(named)
    for name in list(copy.named_graphs()):
        if not quads.contains_named_graph(name):
            copy.remove_graph(name)
    for one in list(copy):
        if one not in quads:
            copy.remove(one)
    return copy


def copy_all_quads(quads: ox.Store) -> ox.Store:
    """A copy of all quads."""
    copy = ox.Store()
    copy.extend(quads)
    for name in quads.named_graphs():
        copy.add_graph(name)
    return copy


def remove_trial_copies(folder: Path) -> None:
    """Remove the copies in the folder of a store, which a crash may have left."""
    for one in (TRIAL_FOLDER, TAKEN_TRIAL_FOLDER):
        shutil.rmtree(folder / ASIDE_FOLDER / one, ignore_errors=True)

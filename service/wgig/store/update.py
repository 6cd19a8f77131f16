"""What a SPARQL update changes: the graphs that it may touch, from its text, and a dry run on a copy.

The engine reads some texts differently from the grammar. So every IRI outside a WHERE counts as a graph, and
where a graph name may be hidden, all graphs do: the predicted scope may be too large, never too small.

An update that only names data (INSERT DATA, DELETE DATA) is compared with just those quads. Any other runs on
a copy of the store, which on disk shares its files with the store; copies left by a crash are deleted.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox

from ..problems import Problem
from ..rdf.sparql_lexer import Step, first_word, walk
from .change import Change, Look, among, between, everywhere, in_graphs
from .files import ASIDE

ALL = ("ALL", "NAMED")  # CLEAR ALL, DROP NAMED
PROLOGUE = ("PREFIX", "BASE")
# The engine needs no space behind a keyword: with the prefix ex, GRAPHex:name may be the graph ex:name.
KEYWORDS = ("ADD", "CLEAR", "COPY", "CREATE", "DROP", "GRAPH", "INTO", "MOVE", "SILENT", "TO", "WITH")


def reach(text: str, base: str | None = None) -> Look:
    """A look at all that the update may change. Relative IRIs are resolved against `base`."""
    quads = data(text, base)
    if quads is not None:
        return among(quads, {one.graph_name for one in quads})
    names = targets(text, base)
    return everywhere if names is None else in_graphs([ox.DefaultGraph(), *map(ox.NamedNode, names)])


def data(text: str, base: str | None = None) -> set[ox.Quad] | None:
    """The quads that INSERT DATA and DELETE DATA name; None where the update is made of anything else.

    Nothing is said of blank nodes, which get names of their own, nor of what is not written as in TriG.
    """
    try:
        first = first_word(text)
        if first is None:
            return set()
        blocks = "".join(data_blocks(text[first.start :]))
        return set(ox.parse(text[: first.start] + blocks, format=ox.RdfFormat.TRIG, base_iri=base))
    except (Problem, SyntaxError):
        return None


def data_blocks(text: str) -> Iterator[str]:
    """What stands in the braces of INSERT DATA and DELETE DATA. Raises SyntaxError for anything else."""
    start = 0
    for step in walk(text):
        token = step.token
        unclear = "\\" in token.text or hides_a_name(step)
        if unclear or token.kind == "blank" or token.text in ("[", "(", "<<", "{|", "~"):
            raise SyntaxError("a node without a name, or one that is not plainly named")
        if not step.depth and token.text.upper() not in ("INSERT", "DELETE", "DATA", "}", ";"):
            raise SyntaxError("no mere data")
        if token.text == "{" and step.depth == 1:
            start = token.start + 1
        elif token.text == "}" and not step.depth:
            yield text[start : token.start] + (" . " if step.previous.text not in (".", "{", "}") else " ")


def targets(text: str, base: str | None = None) -> set[str] | None:
    """The IRIs of all graphs that the update may change, beside the unnamed graph; None: it may be any.

    Relative IRIs are resolved against `base`.
    """
    try:
        first = first_word(text)
        if first is None:
            return set()
        steps = list(outside_patterns(text[first.start :]))
        if any(map(hides_a_name, steps)):
            return None
        named = {one.token.text for one in steps if one.token.kind in ("iri", "name")}
        return resolved(text[: first.start], named, base)
    except (Problem, SyntaxError):  # the engine refuses it, or reads it in its own way
        return None


def outside_patterns(text: str) -> Iterator[Step]:
    """The tokens of the operations that stand in no WHERE; that of DELETE WHERE is its template as well.

    Raises SyntaxError where a bracket stays open, for then a WHERE may end elsewhere.
    """
    brackets: Sequence[str] = ()
    pattern = False
    for step in walk(text):
        brackets = step.brackets
        if not step.depth:
            begins = step.token.word == "WHERE" and not step.previous.word.endswith("DELETE")
            pattern = begins or (pattern and step.token.text != ";")
        if not pattern:
            yield step
    if brackets:
        raise SyntaxError("a bracket is open")


def hides_a_name(step: Step) -> bool:
    """Whether a graph may be meant here that the text does not name, or not plainly."""
    token = step.token
    return (
        any(word in token.word for word in (*ALL, *PROLOGUE))
        or (token.kind == "variable" and step.previous.text.upper().endswith("GRAPH"))
        or (token.kind == "name" and token.text.upper().startswith(KEYWORDS))
    )


def resolved(prologue: str, names: set[str], base: str | None) -> set[str]:
    """The IRIs, and those that are given as prefix and local name, in full. Raises SyntaxError."""
    query = f"{prologue} SELECT * {{ VALUES ?iri {{ {' '.join(names)} }} }}"
    solutions = ox.Store().query(query, base_iri=base)
    assert isinstance(solutions, ox.QuerySolutions)
    return {one["iri"].value for one in solutions}


FOLDER = "trial"
TAKEN = "trial-taken"


class Asked(NamedTuple):
    """An update, and the base of its relative IRIs. `plain` names the same graphs, and may be read faster."""

    text: str
    base: str | None
    plain: str


# Calls a function with a folder and an update, wherever that is; all of it can be pickled.
Run = Callable[[Callable[[Path, Asked], Change | None], Path, Asked], Change | None]


def here(function: Callable[[Path, Asked], Change | None], place: Path, asked: Asked) -> Change | None:
    """Call the function in this process."""
    return function(place, asked)


def dry_run(quads: ox.Store, folder: Path | None, asked: Asked, run: Run) -> Change | None:
    """What an update would change in the quads of a store; None where that is too much to be told.

    One that states more than data is evaluated by `run`, on a copy in a folder where the store is in one.
    Raises as the engine does for the update itself, what `run` raises, and OSError.
    """
    named = data(asked.plain, asked.base)
    if named is not None:
        return changed(named_only(quads, named), asked)
    if folder is None:
        return changed(copied(quads), asked)
    with beside(quads, folder) as place:
        return run(changed_in, place, asked)


def changed(copy: ox.Store, asked: Asked) -> Change | None:
    """What the update changes in a copy, which is of no use then."""
    look = reach(asked.plain, asked.base)
    before = look(copy)
    copy.update(asked.text, base_iri=asked.base)
    after = look(copy) if before else None
    return between(before, after) if before and after else None


def changed_in(place: Path, asked: Asked) -> Change | None:
    """What the update changes in the copy in a folder, which is taken for that: it may be tried only once."""
    return changed(ox.Store(place.rename(place.with_name(TAKEN))), asked)


def named_only(quads: ox.Store, named: Iterable[ox.Quad]) -> ox.Store:
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


def copied(quads: ox.Store) -> ox.Store:
    """A copy of all quads."""
    copy = ox.Store()
    copy.extend(quads)
    for name in quads.named_graphs():
        copy.add_graph(name)
    return copy


@contextmanager
def beside(quads: ox.Store, folder: Path) -> Iterator[Path]:
    """A folder with a copy of all quads, which shares files with the store; it is gone afterwards."""
    tidy(folder)
    place = folder / ASIDE / FOLDER
    place.parent.mkdir(exist_ok=True)
    try:
        quads.backup(str(place))
        yield place
    finally:
        tidy(folder)


def tidy(folder: Path) -> None:
    """Remove the copies in the folder of a store, which a crash may have left."""
    for one in (FOLDER, TAKEN):
        shutil.rmtree(folder / ASIDE / one, ignore_errors=True)

"""What an update may change, as far as its text alone tells: these quads, these graphs, or anything.

The engine reads some texts in another way than the grammar does. So every IRI that stands outside of a WHERE
counts as a graph, and where a name may hide, all graphs do: what is said here may be more than what changes,
never less.
"""

from collections.abc import Iterator, Sequence

import pyoxigraph as ox

from ..problems import Problem
from ..sparql import Step, first_word, walk
from .changes import Look, among, everywhere, in_graphs

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

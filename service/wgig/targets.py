"""Which graphs an update may change, as far as its text alone tells.

The engine reads some texts in another way than the grammar does. So every IRI that stands outside of a WHERE
counts as a graph, and where a name may hide, all graphs do: what is said here may be more than what changes,
never less.
"""

from collections.abc import Iterator, Sequence

import pyoxigraph as ox

from .problems import Problem
from .sparql import Step, first_word, walk

ALL = ("ALL", "NAMED")  # CLEAR ALL, DROP NAMED
PROLOGUE = ("PREFIX", "BASE")
# The engine needs no space behind a keyword: with the prefix ex, GRAPHex:name may be the graph ex:name.
KEYWORDS = ("ADD", "CLEAR", "COPY", "CREATE", "DROP", "GRAPH", "INTO", "MOVE", "SILENT", "TO", "WITH")


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

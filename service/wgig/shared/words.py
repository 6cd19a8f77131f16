"""Terms and quads as they stand in an update."""

from collections.abc import Callable, Iterable

import pyoxigraph as ox

from ..writes.commit import data


def literal(value: str) -> str:
    """A text."""
    return str(ox.Literal(value))


def conditional(quads: Iterable[ox.Quad], is_exact: Callable[[ox.Quad], bool]) -> tuple[str, str]:
    """Quads as they stand in a conditional update, and what gives the variables in them their values.

    The object of one that is not exact is computed, as written out it would come to be another.
    """
    exact: list[ox.Quad] = []
    what, bound = [""], list[str]()
    for number, one in enumerate(quads):
        if is_exact(one):
            exact.append(one)
            continue
        assert isinstance(one.object, ox.Literal)
        what.append(f"GRAPH {one.graph_name} {{ {one.subject} {one.predicate} ?o{number} }}")
        bound.append(f"BIND(STRDT({literal(one.object.value)}, {one.object.datatype}) AS ?o{number})")
    what[0] = data(exact)
    return " ".join(what), " ".join(bound)

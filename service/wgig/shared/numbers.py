"""Numbers that are equal, which some services take for one."""

import pyoxigraph as ox

from ..namespaces import OUTSIDE

NUMERIC = frozenset(f"{OUTSIDE['xsd']}{name}" for name in ("integer", "decimal", "double", "float"))


def has_equal(quads: ox.Store, quad: ox.Quad) -> bool:
    """Whether another number of equal value stands beside the one of a quad."""
    value = number(quad.object)
    if value is None:
        return False
    beside = quads.quads_for_pattern(quad.subject, quad.predicate, None, quad.graph_name)
    return any(one.object != quad.object and number(one.object) == value for one in beside)


def number(term: object) -> float | None:
    """The value of a number; None for all else."""
    if not isinstance(term, ox.Literal) or term.datatype.value not in NUMERIC:
        return None
    try:
        return float(term.value)
    except ValueError:
        return None

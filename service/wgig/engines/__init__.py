"""The SHACL engines: one that is fast, and the reference that it is held against. Both find the same."""

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, NamedTuple

import pyoxigraph as ox

# A term of RDF 1.1: a NamedNode, a BlankNode or a Literal. Documents with triple terms are refused.
Term = Any

NAMES = ("shifty", "pyshacl")


class Result(NamedTuple):
    """A validation result: the code of the rule, the focus node, and the value where the rule names one."""

    code: str
    focus: Term
    value: Term | None


Engine = Callable[[Iterable[ox.Triple]], set[Result]]


def engine(name: str) -> Engine:
    """The function that checks the triples of a paper, all that they refer to being known.

    The engine is prepared at the first call, which takes a fraction of a second.
    """
    found: Engine = import_module(f".{name}", __name__).results
    return found

"""SHACL engines: shifty in Rust by default, and pySHACL as the reference; both find the same.

An engine is prepared on its first call, which takes a fraction of a second; pySHACL is a hundred times as
slow. Shifty prepares shapes and vocabulary once; then a paper takes a millisecond. It checks shapes and
vocabulary as part of the data.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING

import pyoxigraph as ox

from . import rules, vocabulary
from .results import Term, ValidationResult

if TYPE_CHECKING:
    import shifty

ENGINE_NAMES = ("shifty", "pyshacl")

Engine = Callable[[Iterable[ox.Triple]], set[ValidationResult]]


def get_shacl_engine(name: str) -> Engine:
    """The function that checks the triples of a paper, all that they refer to being known.

    The engine is prepared at the first call, which takes a fraction of a second.
    """
    if name == "pyshacl":
        from . import pyshacl_engine  # noqa: PLC0415  costs 0.1 s, and comparisons alone ask for it

        return pyshacl_engine.find_pyshacl_results
    return find_shifty_results


def find_shifty_results(triples: Iterable[ox.Triple]) -> set[ValidationResult]:
    """What the rules find in a paper."""
    data = serialize_engine_triples(triples)
    # The report of the standard costs four times as much as these reasons. As each rule has one constraint,
    # it would tell no more.
    found = get_shifty_validator().validate_algebra(data, graph_mode="union", infer=False, sort_results=False)
    return {
        parse_shifty_result(violation.shape_name or "", violation.focus_node, reason.value)
        for violation in found.violations
        for reason in violation.reasons
    }


@cache
def get_shifty_validator() -> "shifty.PreparedValidator":
    """The rules together with the vocabulary, which the engine looks at as at the paper itself."""
    import shifty  # noqa: PLC0415  costs 20 ms, and most commands check nothing

    return shifty.PreparedValidator(
        serialize_engine_triples([*rules.constraint_triples(), *vocabulary.vocabulary_triples()])
    )


def serialize_engine_triples(triples: Iterable[ox.Triple]) -> bytes:
    """The triples as N-Triples."""
    return ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b""


def parse_shifty_result(shape: str, focus: str, value: str) -> ValidationResult:
    """A result, from terms as N-Triples writes them."""
    rule = rules.rules_by_code()[shape.removeprefix(rules.SHAPES_NAMESPACE)]
    return ValidationResult(
        rule.code, parse_shifty_term(focus), parse_shifty_term(value) if rule.has_value else None
    )


def parse_shifty_term(written: str) -> Term:
    """A term, from how N-Triples writes it."""
    if written.startswith("<"):
        return ox.NamedNode(written[1:-1])
    line = f"<x:> <x:> {written} ."
    found: Term = next(iter(ox.parse(line, format=ox.RdfFormat.N_TRIPLES))).object
    return found

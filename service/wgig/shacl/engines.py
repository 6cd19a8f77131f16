"""SHACL engines: shifty (Rust) by default, and pySHACL as the reference; both return the same results.

An engine is prepared on its first call, which takes a fraction of a second. Then shifty checks a paper in a
millisecond, and pySHACL takes 100 times as long. Shifty checks the shapes and the vocabulary as part of the
data.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING

import pyoxigraph as ox

from ..rdf.serialization import serialize_n_triples
from . import rules, vocabulary
from .results import Term, ValidationResult

if TYPE_CHECKING:
    import shifty

ENGINE_NAMES = ("shifty", "pyshacl")

Engine = Callable[[Iterable[ox.Triple]], set[ValidationResult]]


def get_shacl_engine(name: str) -> Engine:
    """The function that checks the triples of a paper; it has the shapes and the vocabulary.

    The engine is prepared on its first call, which takes a fraction of a second.
    """
    if name == "pyshacl":
        from . import pyshacl_engine  # noqa: PLC0415  costs 0.1 s, and only comparisons need it

        return pyshacl_engine.find_pyshacl_results
    return find_shifty_results


def find_shifty_results(triples: Iterable[ox.Triple]) -> set[ValidationResult]:
    """The validation results of the shapes for a paper."""
    data = serialize_n_triples(triples)
    # The standard validation report costs four times as much as these reasons. It would tell no more, as each
    # rule has one constraint.
    report = get_shifty_validator().validate_algebra(
        data, graph_mode="union", infer=False, sort_results=False
    )
    return {
        parse_shifty_result(violation.shape_name or "", violation.focus_node, reason.value)
        for violation in report.violations
        for reason in violation.reasons
    }


@cache
def get_shifty_validator() -> "shifty.PreparedValidator":
    """The prepared engine with the shapes and the vocabulary, which it checks as part of the data."""
    import shifty  # noqa: PLC0415  costs 20 ms, and most commands check nothing

    return shifty.PreparedValidator(
        serialize_n_triples([*rules.constraint_triples(), *vocabulary.vocabulary_triples()])
    )


def parse_shifty_result(shape: str, focus: str, value: str) -> ValidationResult:
    """A result from terms in N-Triples syntax."""
    rule = rules.rules_by_code()[shape.removeprefix(rules.SHAPES_NAMESPACE)]
    return ValidationResult(
        rule.code, parse_shifty_term(focus), parse_shifty_term(value) if rule.reports_value else None
    )


def parse_shifty_term(serialized: str) -> Term:
    """A term from its N-Triples syntax."""
    if serialized.startswith("<"):
        return ox.NamedNode(serialized[1:-1])
    line = f"<x:> <x:> {serialized} ."
    term: Term = next(iter(ox.parse(line, format=ox.RdfFormat.N_TRIPLES))).object
    return term

"""SHACL engines: shifty (Rust) by default, and pySHACL as the reference; both return the same results.

An engine loads the shapes and the vocabulary on its first call, which takes a fraction of a second. After
that, shifty checks a paper in a millisecond; pySHACL takes 100 times as long. Shifty checks the shapes and
the vocabulary as part of the data.
"""

import gc
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
    """The function that checks the triples of papers by the shapes, with the engine of this name."""
    if name == "pyshacl":
        from . import pyshacl_engine  # noqa: PLC0415  takes 0.1 s, and only comparisons need it

        return pyshacl_engine.find_pyshacl_results
    return find_shifty_results


def find_shifty_results(triples: Iterable[ox.Triple]) -> set[ValidationResult]:
    """The validation results of the shapes for the triples of papers."""
    data = serialize_n_triples(triples)
    # The standard validation report takes four times as long as this list of reasons. It would contain no
    # more, as each rule has one constraint.
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
    """The validator of shifty with the shapes and the vocabulary, which it checks as part of the data."""
    import shifty  # noqa: PLC0415  takes 20 ms, and most commands check nothing

    validator = shifty.PreparedValidator(
        serialize_n_triples([*rules.constraint_triples(), *vocabulary.vocabulary_triples()])
    )
    gc.freeze()  # what was loaded for it is never freed, so garbage collection can ignore it
    return validator


def parse_shifty_result(shape: str, focus: str, value: str) -> ValidationResult:
    """The result for the local name or IRI of a shape, and a focus node and value in N-Triples syntax."""
    rule = rules.rules_by_code()[shape.removeprefix(rules.SHAPES_NAMESPACE)]
    return ValidationResult(
        rule.code, parse_shifty_term(focus), parse_shifty_term(value) if rule.reports_value else None
    )


def parse_shifty_term(serialized: str) -> Term:
    """A term from its N-Triples syntax."""
    if serialized.startswith("<"):
        return ox.NamedNode(serialized[1:-1])
    line = f"<x:> <x:> {serialized} ."  # the term as the object of a made-up triple
    term: Term = next(iter(ox.parse(line, format=ox.RdfFormat.N_TRIPLES))).object
    return term

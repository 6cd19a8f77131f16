"""The fast engine: shifty, in Rust. Shapes and vocabulary are prepared once, a paper takes a millisecond."""

from collections.abc import Iterable
from functools import cache

import pyoxigraph as ox
import shifty

from .. import known, rules
from . import Result, Term


def results(triples: Iterable[ox.Triple]) -> set[Result]:
    """What the rules find in a paper."""
    data = n_triples(triples)
    # The report of the standard costs four times as much as these reasons. As each rule has one constraint,
    # it would tell no more.
    found = prepared().validate_algebra(data, graph_mode="union", infer=False, sort_results=False)
    return {
        result(violation.shape_name or "", violation.focus_node, reason.value)
        for violation in found.violations
        for reason in violation.reasons
    }


@cache
def prepared() -> shifty.PreparedValidator:
    """The rules together with the vocabulary, which the engine looks at as at the paper itself."""
    return shifty.PreparedValidator(n_triples([*rules.constraints(), *known.vocabulary()]))


def n_triples(triples: Iterable[ox.Triple]) -> bytes:
    """The triples as N-Triples."""
    return ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b""


def result(shape: str, focus: str, value: str) -> Result:
    """A result, from terms as N-Triples writes them."""
    rule = rules.rules()[shape.removeprefix(rules.SHAPES)]
    return Result(rule.code, term(focus), term(value) if rule.has_value else None)


def term(written: str) -> Term:
    """A term, from how N-Triples writes it."""
    if written.startswith("<"):
        return ox.NamedNode(written[1:-1])
    line = f"<x:> <x:> {written} ."
    found: Term = next(iter(ox.parse(line, format=ox.RdfFormat.N_TRIPLES))).object
    return found

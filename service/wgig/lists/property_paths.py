"""Property paths of SPARQL, followed in either direction by look-ups of single statements.

A path is a sequence of steps. Alternatives, as in `(^org:member|wgig:drafter)/wgig:country`, are several
paths.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, product
from typing import Any

import pyoxigraph as ox

from ..resources.property_path import PathStep, parse_property_path
from ..store.change import QuadMatcher

Nodes = set[Any]  # RDF terms


PathSteps = Sequence[PathStep]


def parse_alternative_paths(text: str, base: str) -> list[PathSteps]:
    """The alternative paths of a property path with prefixed names, `a`, `^`, `/`, `|` and brackets."""
    return [parse_property_path(path, base) for path in expand_alternatives(text)]


def expand_alternatives(text: str) -> Iterator[str]:
    """The texts of the alternative paths of a property path: sequences without brackets."""
    for alternative in split_outside_brackets(text, "|"):
        elements = split_outside_brackets(alternative, "/")
        choices = (
            list(expand_alternatives(element[1:-1])) if element.startswith("(") else [element]
            for element in elements
        )
        yield from map("/".join, product(*choices))


def split_outside_brackets(text: str, separator: str) -> list[str]:
    """The parts of a text between separators that are not within brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == separator and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def build_join_pattern(paths: Iterable[PathSteps], start: str, end: str) -> str:
    """The SPARQL pattern of alternative paths between two variables, for reading all that they connect.

    Each step is a subquery: the engine reads all its statements in one scan and joins them by hash. For a
    property path, it would look up each step of each path in the store, which takes 6 to 20 times as long.
    """
    alternatives = (f"{{ {' '.join(build_step_patterns(path, start, end))} }}" for path in paths)
    return f"{{ {' UNION '.join(alternatives)} }}"


def build_step_patterns(path: PathSteps, start: str, end: str) -> Iterator[str]:
    """The subquery of each step of a path between two variables."""
    variables = [start, *(f"{end}_{number}" for number in range(1, len(path))), end]
    for step, (first, second) in zip(path, pairwise(variables), strict=True):
        subject, object_ = (second, first) if step.is_inverse else (first, second)
        yield f"{{ SELECT {first} {second} WHERE {{ {subject} {step.predicate} {object_} }} }}"


def follow_path(match: QuadMatcher, nodes: Nodes, path: PathSteps) -> Nodes:
    """The nodes that the path leads to from any of the given nodes."""
    for step in path:
        nodes = {
            end
            for node in nodes
            for end in (
                find_subjects(match, step.predicate, node)
                if step.is_inverse
                else find_objects(match, node, step.predicate)
            )
        }
    return nodes


def follow_back(match: QuadMatcher, quad: ox.Quad, path: PathSteps) -> Nodes:
    """The nodes from which a path leads along a statement, at any of its steps."""
    starts: Nodes = set()
    for position, step in enumerate(path):
        if step.predicate == quad.predicate:
            node = quad.object if step.is_inverse else quad.subject
            starts |= follow_path(match, {node}, [earlier.inverse for earlier in reversed(path[:position])])
    return starts


def find_objects(match: QuadMatcher, subject: Any, predicate: ox.NamedNode) -> Nodes:
    """The values of a property of a node."""
    if isinstance(subject, ox.Literal | ox.Triple):
        return set()
    return {quad.object for quad in match(subject, predicate, None)}


def find_subjects(match: QuadMatcher, predicate: ox.NamedNode, object_: Any) -> Nodes:
    """The nodes that have this value for a property."""
    return {quad.subject for quad in match(None, predicate, object_)}

"""Property paths of SPARQL, followed in either direction by look-ups of single statements.

A path is a sequence of steps. Alternatives, as in `(^org:member|wgig:drafter)/wgig:country`, are several
paths.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyoxigraph as ox

from ..rdf.namespaces import RDF_TYPE, expand_curie
from ..store.change import QuadMatcher

Nodes = set[Any]  # RDF terms


@dataclass(frozen=True)
class PathStep:
    """A step of a property path: a property, and whether it is followed from object to subject."""

    predicate: ox.NamedNode
    is_inverse: bool

    @property
    def inverse(self) -> "PathStep":
        """The step in the opposite direction."""
        return PathStep(self.predicate, not self.is_inverse)


PropertyPath = Sequence[PathStep]


def parse_property_path(text: str, base: str) -> list[PropertyPath]:
    """The alternative paths of a property path with prefixed names, `a`, `^`, `/`, `|` and brackets."""
    return [
        path
        for alternative in split_outside_brackets(text, "|")
        for path in parse_sequence(split_outside_brackets(alternative, "/"), base)
    ]


def parse_sequence(elements: Sequence[str], base: str) -> list[PropertyPath]:
    """The paths of consecutive elements: steps, or property paths in brackets."""
    paths: list[PropertyPath] = [()]
    for element in elements:
        if element.startswith("("):
            ends = parse_property_path(element[1:-1], base)
        else:
            name = element.removeprefix("^")
            predicate = RDF_TYPE if name == "a" else expand_curie(name, base)
            ends = [(PathStep(predicate, is_inverse=element.startswith("^")),)]
        paths = [(*path, *end) for path in paths for end in ends]
    return paths


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


def follow_path(match: QuadMatcher, nodes: Nodes, path: PropertyPath) -> Nodes:
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


def follow_back(match: QuadMatcher, quad: ox.Quad, path: PropertyPath) -> Nodes:
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

"""The neighborhood of a thing as a picture: what points to it on the left, what it leads to on the right."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..namespaces import OUTSIDE
from . import drawn, href, words
from .picture import GAP, HIGH, WIDE, Box, Drawn, Picture

MOST, LABEL = 7, 20  # neighbors on a side, and letters of what a line stands for
ROOM = 200  # between two columns, for what the lines stand for
# What leads to everything, and so tells little.
PLAIN = frozenset(
    OUTSIDE[prefix] + name
    for prefix, name in (
        ("rdf", "type"),
        ("dcterms", "source"),
        ("dcterms", "license"),
        ("dcterms", "subject"),
        ("dcterms", "relation"),
        ("skos", "inScheme"),
        ("skos", "topConceptOf"),
        ("skos", "broaderTransitive"),
        ("skos", "narrowerTransitive"),
    )
)


class Neighbor(NamedTuple):
    """A thing that is linked with another, and what the link is called."""

    iri: str
    by: ox.Literal


class Around(NamedTuple):
    """The neighbors of a thing, on each side, with their picture, and how many more there are."""

    picture: Picture
    left: list[Neighbor]
    right: list[Neighbor]
    beside: int


def around(
    title: str, left: Sequence[Any], right: Sequence[Any], labels: Mapping[str, ox.Literal], base: str
) -> Around:
    """The neighborhood of a thing by the groups of what points to it, and of what it leads to."""
    sides = [neighbors(left), neighbors(right)]
    shown = [some[:MOST] for some in sides]
    picture = Picture()
    rows = max(map(len, shown), default=0)
    middle = 1 + max(0, rows - 1) * (HIGH + GAP) / 2
    start = 1 + (WIDE + ROOM if shown[0] else 0)
    (center,) = picture.column(start, [(title, None, "self")], middle)
    for place, some in enumerate(shown):
        named: list[Drawn] = [(called(one.iri, labels), href(one.iri, base), "") for one in some]
        top = 1 + (rows - len(some)) * (HIGH + GAP) / 2
        boxes = picture.column(start + WIDE + ROOM if place else 1, named, top)
        for box, one in zip(boxes, some, strict=True):
            join(picture, *((center, box) if place else (box, center)), one.by.value)
    return Around(picture, shown[0], shown[1], sum(map(len, sides)) - sum(map(len, shown)))


def join(picture: Picture, start: Box, end: Box, by: str) -> None:
    """Draw the link between two boxes, and say beside the outer one what it is."""
    outer = end if start.kind == "self" else start
    picture.join(start, end, by, drawn(by, LABEL), outer)


def neighbors(groups: Sequence[Any]) -> list[Neighbor]:
    """The things of groups of values, one of each group in turn, each thing once."""
    named = [
        [
            Neighbor(value.term.value, group.label)
            for value in group.values
            if isinstance(value.term, ox.NamedNode)
        ]
        for group in groups
        if group.iri not in PLAIN
    ]
    turns = (one for turn in zip_longest(*named) for one in turn if one)
    found: dict[str, Neighbor] = {}
    for one in turns:
        found.setdefault(one.iri, one)
    return [*found.values()]


def called(iri: str, labels: Mapping[str, ox.Literal]) -> str:
    """What a thing is called."""
    return labels[iri].value if iri in labels else words(iri)

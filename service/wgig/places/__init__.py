"""Where in a text each of its triples is written.

The engine yields triples in the order of the document and tells no positions. So the text is walked once more
for its structure alone, in the same order, and the two are laid side by side. Where they do not fit together,
nothing is told rather than something wrong.
"""

from collections.abc import Sequence
from typing import NamedTuple

import pyoxigraph as ox

from . import jsonld, turtle
from .spot import Spot

__all__ = ["Place", "Spot", "place_of", "spots"]


class Place(NamedTuple):
    """A place in a text, both counted from one; a column is a character."""

    line: int
    column: int


def place_of(text: str, offset: int) -> Place:
    """The place of the character at an offset."""
    return Place(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


FINDERS = {
    "text/turtle": turtle.find,
    "application/trig": turtle.find,
    "application/n-triples": turtle.find_lines,
    "application/n-quads": turtle.find_lines,
    "application/ld+json": jsonld.find,
}


def spots(text: str, media_type: str, triples: Sequence[ox.Triple]) -> list[Spot]:
    """The spot of each triple of the text, in the order of the engine; none where they cannot be told."""
    find = FINDERS.get(media_type)
    return [Spot(*one) for one in find(text, triples)] if find else []

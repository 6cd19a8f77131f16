"""Where in a text each of its triples is written.

The engine yields triples in the order of the document and tells no positions. So the text is walked once more
for its structure alone, in the same order, and the two are laid side by side. Where they do not fit together,
nothing is told rather than something wrong.
"""

from collections.abc import Sequence
from functools import partial

import pyoxigraph as ox

from . import positions_jsonld, positions_turtle
from .positions_jsonld import NO_CONTEXTS, KnownContexts
from .positions_turtle import TriplePosition

POSITION_FINDERS = {
    "text/turtle": positions_turtle.find_turtle_offsets,
    "application/trig": positions_turtle.find_turtle_offsets,
    "application/n-triples": positions_turtle.find_n_triples_offsets,
    "application/n-quads": positions_turtle.find_n_triples_offsets,
}


def find_triple_positions(
    text: str, media_type: str, triples: Sequence[ox.Triple], known: KnownContexts = NO_CONTEXTS
) -> list[TriplePosition]:
    """The spot of each triple of the text, in the order of the engine; none where they cannot be told.

    JSON-LD may name the `known` contexts by their IRIs.
    """
    finders = POSITION_FINDERS | {
        "application/ld+json": partial(positions_jsonld.find_jsonld_offsets, known=known)
    }
    find = finders.get(media_type)
    return [TriplePosition(*one) for one in find(text, triples)] if find else []

"""Source positions of the triples in a document.

pyoxigraph yields triples in the order of the document, but without positions. So the text is scanned a second
time, only for its structure, in the same order, and the two sequences are matched. If they do not match,
no positions are returned, as they might be wrong.
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
    text: str, media_type: str, triples: Sequence[ox.Triple], known_contexts: KnownContexts = NO_CONTEXTS
) -> list[TriplePosition]:
    """The position of each triple of the text, in the order of `triples`; empty if they cannot be determined.

    JSON-LD may refer to the contexts `known_contexts` by their IRIs.
    """
    finders = POSITION_FINDERS | {
        "application/ld+json": partial(positions_jsonld.find_jsonld_offsets, known_contexts=known_contexts)
    }
    find_offsets = finders.get(media_type)
    return [TriplePosition(*offsets) for offsets in find_offsets(text, triples)] if find_offsets else []

"""Figures as a file of VoID: what the service says of its own data, of any papers."""

import pyoxigraph as ox

from ..about.figures import Figures
from ..about.void import Void
from ..formats import TURTLE
from ..rdf import serialize, term


def void(figures: Figures, base: str) -> bytes:
    """The figures in Turtle."""
    described = Void(base)
    _, come = described.turned(ox.Store(), figures)
    what = ox.Triple(described.dataset, term("rdf:type"), term("void:Dataset"))
    return serialize({*come, what}, TURTLE, base)

"""The place of one triple."""

from typing import NamedTuple

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
FIRST, REST, NIL, TYPE = f"{RDF}first", f"{RDF}rest", f"{RDF}nil", f"{RDF}type"

Offsets = tuple[int, int, int]


class Spot(NamedTuple):
    """Where the terms of a triple begin: offsets into the text in characters, -1 where unknown.

    What is only implied stands at the bracket that implies it: a blank node at its `[` or `{`, the cells of a
    list, rdf:first and rdf:rest at the bracket of the list.
    """

    subject: int
    predicate: int
    object: int

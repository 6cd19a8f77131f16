"""The triples of a CONSTRUCT or DESCRIBE."""

from typing import TYPE_CHECKING

import pyoxigraph as ox

if TYPE_CHECKING:
    import rdflib


class Triples(list[ox.Triple]):
    """Triples of pyoxigraph, in the order in which they came."""

    def to_rdflib(self) -> "rdflib.Graph":
        """The triples as a graph of rdflib."""
        import rdflib  # noqa: PLC0415  costs 0.2 s

        lines = ox.serialize(self, format=ox.RdfFormat.N_TRIPLES) or b""
        return rdflib.Graph().parse(data=lines.decode(), format="nt")

"""When graphs changed: by their last recorded write, or else by the release that they came with.

That a service loaded the graphs of a release is not a change.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import NamedTuple

import pyoxigraph as ox

from .._version import __released__, __version__
from ..rdf.namespaces import DCTERMS_MODIFIED, expand_curie
from .change import BEGINNING_OF_TIME
from .history import GraphHistory
from .store import Store

DCAT_VERSION = expand_curie("dcat:version")
RELEASE_TIME = datetime.combine(date.fromisoformat(__released__), time(), UTC)


class GraphDate(NamedTuple):
    """When a graph was written, or if `version` is not empty, when that version of the package was released.

    `time` is None if the date of the release is not known.
    """

    time: datetime | None
    version: str


def find_graph_dates(
    history: GraphHistory | None, store: Store, graphs: Sequence[str], base: str
) -> dict[str, GraphDate]:
    """The dates of those graphs that have one, by the IRI of the graph."""
    catalog, writes = f"{base}graph/catalog", history.find_write_times(store, graphs) if history else {}
    dates = {graph: GraphDate(written, "") for graph, written in writes.items()}
    for graph in graphs:
        stated = {
            triple.predicate: triple.object.value
            for triple in store.triples(catalog, ox.NamedNode(graph))
            if isinstance(triple.object, ox.Literal)
        }
        version, loaded = stated.get(DCAT_VERSION), stated.get(DCTERMS_MODIFIED)
        if version and loaded and datetime.fromisoformat(loaded) > writes.get(graph, BEGINNING_OF_TIME):
            dates[graph] = GraphDate(RELEASE_TIME if version == __version__ else None, version)
    return dates


def find_graph_date(
    history: GraphHistory | None, store: Store, graph: str | None, base: str
) -> GraphDate | None:
    """The date of a graph; None for the default graph, and if it has none."""
    return find_graph_dates(history, store, [graph], base).get(graph) if graph else None

"""A measurement of one query, with made-up figures of this service (`own`) and of Oxigraph (`peer`).

The figures are by name, such as `p50`. The `way` is FIRST or REPEATED.
"""

from bench.compare.peers import OURS, OXIGRAPH
from bench.serving.http import QueryMeasurement


def make_measurement(way: str, own: dict[str, float], peer: dict[str, float]) -> QueryMeasurement:
    return QueryMeasurement(
        papers=1000,
        question="coverage matrix",
        way=way,
        rows=1,
        figures={OURS: own, OXIGRAPH: peer},
        refused={},
    )

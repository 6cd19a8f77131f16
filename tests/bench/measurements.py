"""A measurement of one query, with made-up figures."""

from bench.compare.peers import OURS, OXIGRAPH
from bench.serving.http import Measured


def measured(way: str, own: dict[str, float], peer: dict[str, float]) -> Measured:
    return Measured(1000, "coverage matrix", way, 1, {OURS: own, OXIGRAPH: peer}, {})

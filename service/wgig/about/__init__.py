"""What the store says about itself: how much there is of what, what there is to get, what can be asked."""

import pyoxigraph as ox

NAMES = ("void", "dcat", "queries")  # of the graphs that say it, below graph/ of the base


def graphs(base: str) -> frozenset[ox.NamedNode]:
    """The graphs that say it, which are left out of what they describe."""
    return frozenset(ox.NamedNode(f"{base}graph/{name}") for name in NAMES)

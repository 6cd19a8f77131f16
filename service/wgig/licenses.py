"""Under which license graphs are, as they state it of themselves."""

from collections.abc import Iterable

import pyoxigraph as ox

from .namespaces import OUTSIDE
from .remembering import for_version
from .view import View

LICENSE = ox.NamedNode(f"{OUTSIDE['dcterms']}license")


def license_of(view: View, graphs: Iterable[str | None]) -> str:
    """The IRI of the license that each of these graphs has; empty where one has none, or several."""
    every = set[str]()
    for graph in graphs:
        stated = view.match(ox.NamedNode(graph), LICENSE) if graph else ()
        own = {one.object.value for one in stated if isinstance(one.object, ox.NamedNode)}
        every |= own or {""}
        if len(every) > 1:
            return ""
    return "".join(every)


@for_version(1)
def license_of_all(view: View, version: int) -> str:
    """The license of all that a store holds in a version, as `license_of`."""
    del version  # which makes the cache forget
    unnamed = [None] if any(True for _ in view.triples(None)) else []
    return license_of(view, [*unnamed, *view.graphs()])

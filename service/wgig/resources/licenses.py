"""Licenses: the license that all graphs share. A graph has a license if it states exactly one."""

from collections.abc import Iterable

import pyoxigraph as ox

from ..rdf.namespaces import DCTERMS_LICENSE
from ..store.store import Store
from ..store.version_cache import cache_for_version
from ..store.view import StoreView


def shared_license(view: StoreView, graphs: Iterable[str | None]) -> str:
    """The IRI of the license that all these graphs have; empty if they differ or one has none.

    None stands for the default graph, which has no license.
    """
    licenses = set[str]()
    for graph in graphs:
        quads = view.match(ox.NamedNode(graph), DCTERMS_LICENSE) if graph else ()
        graph_licenses = {quad.object.value for quad in quads if isinstance(quad.object, ox.NamedNode)}
        licenses |= graph_licenses or {""}
        if len(licenses) > 1:
            return ""
    return "".join(licenses)


@cache_for_version(1)
def store_license(store: Store) -> str:
    """The license that all graphs of a store have, as `shared_license`; cached until the store changes."""
    default_graph = [None] if any(True for _ in store.triples(None)) else []
    return shared_license(store, [*default_graph, *store.graphs()])

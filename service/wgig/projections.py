"""All projections of a store: the data that is derived from it and updated with each commit.

Computed graphs are part of the store: they change in the transaction of the write, or soon after. All other
projections are outside the store: each, except the dumps, gets every durable change after its first use. This
module does not import the web framework, because `wgig load` uses the computed graphs, too. The projections
outside the store are imported when they are made, because the import takes 0.16 s.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from .graphs.description.derived import DescriptionGraphs
from .rdf import shipped
from .settings import Settings
from .shacl.conformance_graph import ConformanceGraph
from .store.commit import ComputedGraph, GraphDescriber

if TYPE_CHECKING:
    from .graphs.dumps import StoreDumps
    from .lists.counts import CellCounts
    from .lists.list_index import ListIndex
    from .search.index import FullTextIndex
    from .store.resource_versions.projection import ResourceVersionsProjection
    from .store.saved_projection import SavedProjection
    from .store.size import GraphSizes, StoreSize
    from .store.store import Store


class ComputedGraphs(NamedTuple):
    """The inference rules of a store, and the graphs that are computed before and after inference.

    `print_message` gets a message if the computation takes long.
    """

    rules: Sequence[str]
    inferred_graph: str
    print_message: Callable[[str], None]
    before_rules: Sequence[ComputedGraph]
    after_rules: Sequence[GraphDescriber]


@dataclass(frozen=True)
class Projections:
    """The projections outside a store, in the order in which they get a change; the dumps get none."""

    store_size: "StoreSize"
    dumps: "StoreDumps"
    resource_versions: "ResourceVersionsProjection"
    search_index: "FullTextIndex"
    paper_counts: "Mapping[str, CellCounts]"
    judgment_counts: "CellCounts"
    link_counts: "CellCounts"
    list_index: "ListIndex"
    graph_sizes: "GraphSizes"

    @property
    def saved(self) -> "list[SavedProjection[Any]]":
        """Those in memory that take long to build, so that they are saved when the store is closed."""
        return [
            *self.paper_counts.values(),
            self.judgment_counts,
            self.link_counts,
            self.list_index,
            self.graph_sizes,
        ]

    def open_saved(self) -> None:
        """Read what was saved, before a write makes it outdated."""
        for projection in self.saved:
            projection.open()

    def save(self) -> None:
        """Save those in memory that take long to build. The store must be closed for writing."""
        for projection in self.saved:
            projection.save()


def build_computed_graphs(
    settings: Settings,
    print_message: Callable[[str], None],
    report_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> ComputedGraphs:
    """The computed graphs of a store with these settings; none for a store without shipped data.

    `report_progress` gets the number of papers that are checked and of all papers.
    """
    inferred = f"{settings.base}graph/inferred"
    if settings.data == "none":
        return ComputedGraphs((), inferred, print_message, (), ())
    conformance_graph = ConformanceGraph(settings.base, settings.shacl, print_message, report_progress)
    return ComputedGraphs(
        shipped.read_inference_rules(),
        inferred,
        print_message,
        (conformance_graph,),
        (DescriptionGraphs(settings.base),),
    )


def make_projections(store: "Store", base: str) -> Projections:
    """Make the projections of a store. Each gets commits only after it is opened or first used.

    `wgig serve` opens the versions of resources and the search index at startup. The dumps get no commits:
    they compare the version of the store on each request.
    """
    from wgig_client.namespaces import namespaces_by_prefix  # noqa: PLC0415

    from .graphs.dumps import StoreDumps  # noqa: PLC0415
    from .lists.counts import DIMENSION_PATHS, CellCounts, Dimension, JudgmentCells, LinkCells  # noqa: PLC0415
    from .lists.list_index import ListIndex  # noqa: PLC0415
    from .search.index import FullTextIndex  # noqa: PLC0415
    from .store.resource_versions.projection import ResourceVersionsProjection  # noqa: PLC0415
    from .store.size import GraphSizes, StoreSize  # noqa: PLC0415

    return Projections(
        store_size=StoreSize(store),
        dumps=StoreDumps(store, namespaces_by_prefix(base)),
        resource_versions=ResourceVersionsProjection(store, base),
        search_index=FullTextIndex(store, base),
        paper_counts={name: CellCounts(store, Dimension(name, base)) for name in DIMENSION_PATHS},
        judgment_counts=CellCounts(store, JudgmentCells(base)),
        link_counts=CellCounts(store, LinkCells(base)),
        list_index=ListIndex(store, base),
        graph_sizes=GraphSizes(store),
    )

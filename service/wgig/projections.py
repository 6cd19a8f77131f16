"""What follows a commit: each projection of the store that is kept in line with it, in one table.

Computed graphs are a part of the store: they change in the transaction of the write, or soon after. All
others are beside it: once one was asked, it is told of each change that is durable. Nothing here needs the
web framework, as `wgig load` needs the computed graphs as well; what stands beside the store is imported when
it is made, as that costs 0.16 s.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .graphs.description.derived import DescriptionGraphs
from .rdf import shipped
from .settings import Settings
from .shacl.conformance_graph import ConformanceGraph
from .store.commit import ComputedGraph, GraphDescriber

if TYPE_CHECKING:
    from .graphs.dumps import StoreDumps
    from .lists.counts import PaperCounts
    from .lists.papers_index import PapersIndex
    from .search.index import FullTextIndex
    from .store.changelog.sync import ChangeLogSync
    from .store.size import StoreSize
    from .store.store import Store


class ComputedGraphs(NamedTuple):
    """The graphs that are computed from others: by rules, before them, and when all else is in line."""

    rules: Sequence[str]
    inferred_graph: str
    say: Callable[[str], None]
    before_rules: Sequence[ComputedGraph]
    after_rules: Sequence[GraphDescriber]


@dataclass(frozen=True)
class Projections:
    """One of each projection beside a store, in the order in which they are told of a change."""

    store_size: "StoreSize"
    dumps: "StoreDumps"
    change_log: "ChangeLogSync"
    search_index: "FullTextIndex"
    paper_counts: "Mapping[str, PaperCounts]"
    papers_index: "PapersIndex"


def build_computed_graphs(settings: Settings, say: Callable[[str], None]) -> ComputedGraphs:
    """The computed graphs of a store with these settings: none where no data is shipped with it."""
    inferred = f"{settings.base}graph/inferred"
    if settings.data == "none":
        return ComputedGraphs((), inferred, say, (), ())
    board = ConformanceGraph(settings.base, settings.shacl, say)
    return ComputedGraphs(
        shipped.read_inference_rules(), inferred, say, (board,), (DescriptionGraphs(settings.base),)
    )


def make_projections(store: "Store", base: str) -> Projections:
    """Make each projection beside a store. None is told of a change before it is first asked, or opened.

    `wgig serve` opens the stream and the index at its start. The dumps are told of nothing: they compare the
    version of the store when somebody asks for one.
    """
    from .graphs.dumps import StoreDumps  # noqa: PLC0415
    from .lists.counts import DIMENSION_PATHS, PaperCounts  # noqa: PLC0415
    from .lists.papers_index import PapersIndex  # noqa: PLC0415
    from .rdf.namespaces import namespaces_by_prefix  # noqa: PLC0415
    from .search.index import FullTextIndex  # noqa: PLC0415
    from .store.changelog.sync import ChangeLogSync  # noqa: PLC0415
    from .store.size import StoreSize  # noqa: PLC0415

    return Projections(
        store_size=StoreSize(store),
        dumps=StoreDumps(store, namespaces_by_prefix(base)),
        change_log=ChangeLogSync(store, base),
        search_index=FullTextIndex(store, base),
        paper_counts={side: PaperCounts(store, base, side) for side in DIMENSION_PATHS},
        papers_index=PapersIndex(store, base),
    )

"""What follows a commit: each projection of the store that is kept in line with it, in one table.

Computed graphs are a part of the store: they change in the transaction of the write, or soon after. All
others are beside it: once one was asked, it is told of each change that is durable. Nothing here needs the
web framework, as `wgig load` needs the computed graphs as well; what stands beside the store is imported when
it is made, as that costs 0.16 s.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .graphs.description.derived import Portrait
from .rdf import shipped
from .settings import Settings
from .shacl.conformance_graph import Board
from .store.commit import Computed, Describing

if TYPE_CHECKING:
    from .graphs.dumps import Dumps
    from .lists.counts import Cells
    from .lists.papers_index import Shelf
    from .search.index import Index
    from .store.changelog.sync import Stream
    from .store.projections import Census
    from .store.store import Store


class ComputedGraphs(NamedTuple):
    """The graphs that are computed from others: by rules, before them, and when all else is in line."""

    rules: Sequence[str]
    inferred: str
    say: Callable[[str], None]
    first: Sequence[Computed]
    last: Sequence[Describing]


@dataclass(frozen=True)
class Projections:
    """One of each projection beside a store, in the order in which they are told of a change."""

    census: "Census"
    dumps: "Dumps"
    stream: "Stream"
    index: "Index"
    counts: "Mapping[str, Cells]"
    papers: "Shelf"


def computed_graphs(settings: Settings, say: Callable[[str], None]) -> ComputedGraphs:
    """The computed graphs of a store with these settings: none where no data is shipped with it."""
    inferred = f"{settings.base}graph/inferred"
    if settings.data == "none":
        return ComputedGraphs((), inferred, say, (), ())
    board = Board(settings.base, settings.shacl, say)
    return ComputedGraphs(shipped.rules(), inferred, say, (board,), (Portrait(settings.base),))


def make_projections(store: "Store", base: str) -> Projections:
    """Make each projection beside a store. None is told of a change before it is first asked, or opened.

    `wgig serve` opens the stream and the index at its start. The dumps are told of nothing: they compare the
    version of the store when somebody asks for one.
    """
    from .graphs.dumps import Dumps  # noqa: PLC0415
    from .lists.counts import SIDES, Cells  # noqa: PLC0415
    from .lists.papers_index import Shelf  # noqa: PLC0415
    from .rdf.namespaces import namespaces  # noqa: PLC0415
    from .search.index import Index  # noqa: PLC0415
    from .store.changelog.sync import Stream  # noqa: PLC0415
    from .store.projections import Census  # noqa: PLC0415

    return Projections(
        census=Census(store),
        dumps=Dumps(store, namespaces(base)),
        stream=Stream(store, base),
        index=Index(store, base),
        counts={side: Cells(store, base, side) for side in SIDES},
        papers=Shelf(store, base),
    )

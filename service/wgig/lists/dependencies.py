"""FastAPI dependencies of handlers that count or list papers or judgments.

`pages.dependencies` explains why they are `async`.
"""

from collections.abc import Mapping
from typing import Annotated, NamedTuple

from fastapi import Depends, Request

from ..store.size import StoreSize
from .counts import CellCounts
from .list_index import ListIndex

# By dimension, the classification by which papers are counted: issue, category, stakeholder-group or posted.
Counts = Mapping[str, CellCounts]


async def get_counts(request: Request) -> Counts:
    """The counts of papers by dimension."""
    counts: Counts = request.app.state.service.projections.paper_counts
    return counts


async def get_judgment_counts(request: Request) -> CellCounts:
    """The counts of judgments by cell of the coverage matrix."""
    counts: CellCounts = request.app.state.service.projections.judgment_counts
    return counts


class CountSources(NamedTuple):
    """The counts of papers by dimension, and of links by the name of `counts.COUNTED_LINKS`."""

    papers: Counts
    links: CellCounts


async def get_count_sources(request: Request) -> CountSources:
    """The counts of papers, and of the resources that link to each resource."""
    service = request.app.state.service
    return CountSources(service.projections.paper_counts, service.projections.link_counts)


async def get_store_size(request: Request) -> StoreSize:
    """The size of the store: its numbers of quads and graphs."""
    store_size: StoreSize = request.app.state.service.projections.store_size
    return store_size


async def get_list_index(request: Request) -> ListIndex:
    """The index of lists in memory."""
    index: ListIndex = request.app.state.service.projections.list_index
    return index


CountsDep = Annotated[Counts, Depends(get_counts)]
JudgmentCountsDep = Annotated[CellCounts, Depends(get_judgment_counts)]
CountSourcesDep = Annotated[CountSources, Depends(get_count_sources)]
StoreSizeDep = Annotated[StoreSize, Depends(get_store_size)]
ListIndexDep = Annotated[ListIndex, Depends(get_list_index)]

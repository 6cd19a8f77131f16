"""What handlers that count papers depend on. Why each is `async`: `pages.dependencies`."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request

from .counts import PaperCounts
from .papers_index import PapersIndex

Counts = Mapping[str, PaperCounts]  # by side


async def get_counts(request: Request) -> Counts:
    """The counts of papers, by the side of the matrix."""
    counts: Counts = request.app.state.service.projections.paper_counts
    return counts


async def get_papers(request: Request) -> PapersIndex:
    """The papers at hand."""
    papers: PapersIndex = request.app.state.service.projections.papers_index
    return papers


CountsDep = Annotated[Counts, Depends(get_counts)]
PapersDep = Annotated[PapersIndex, Depends(get_papers)]

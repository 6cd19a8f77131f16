"""FastAPI dependencies of handlers that count or list papers. Why they are async: `pages.dependencies`."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request

from .counts import PaperCounts
from .papers_index import PapersIndex

Counts = Mapping[str, PaperCounts]  # by what the papers are counted by, such as "issue"


async def get_counts(request: Request) -> Counts:
    """The counts of papers, by what they are counted by."""
    counts: Counts = request.app.state.service.projections.paper_counts
    return counts


async def get_papers(request: Request) -> PapersIndex:
    """The index of papers in memory."""
    papers: PapersIndex = request.app.state.service.projections.papers_index
    return papers


CountsDep = Annotated[Counts, Depends(get_counts)]
PapersDep = Annotated[PapersIndex, Depends(get_papers)]

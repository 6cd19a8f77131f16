"""FastAPI dependencies for search; `async`, as FastAPI runs others on a thread."""

from typing import Annotated

from fastapi import Depends, Request

from ..http.work_queue import WorkQueue
from .index import FullTextIndex


async def get_index(request: Request) -> FullTextIndex:
    """The full-text index."""
    index: FullTextIndex = request.app.state.service.projections.search_index
    return index


async def get_searches(request: Request) -> WorkQueue:
    """The work queue of searches."""
    searches: WorkQueue = request.app.state.service.queues.searches
    return searches


IndexDep = Annotated[FullTextIndex, Depends(get_index)]
SearchesDep = Annotated[WorkQueue, Depends(get_searches)]

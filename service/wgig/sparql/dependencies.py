"""FastAPI dependencies of handlers that run queries. `pages.dependencies` explains why each is `async`."""

from typing import Annotated

from fastapi import Depends, Request

from .running import RunningQueries
from .service import QueryService


async def get_queries(request: Request) -> QueryService:
    """The QueryService of the application."""
    queries: QueryService = request.app.state.service.queries
    return queries


async def get_running(request: Request) -> RunningQueries:
    """The RunningQueries of the application."""
    running: RunningQueries = request.app.state.service.running
    return running


QueriesDep = Annotated[QueryService, Depends(get_queries)]
RunningDep = Annotated[RunningQueries, Depends(get_running)]

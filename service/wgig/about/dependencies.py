"""FastAPI dependencies of handlers that report on the service. Why they are async: `pages.dependencies`."""

from typing import Annotated

from fastapi import Depends, Request

from ..http.status import ServiceStatus
from ..store.size import StoreSize


async def get_status(request: Request) -> ServiceStatus:
    """The status of the service."""
    status: ServiceStatus = request.app.state.service.status
    return status


async def get_census(request: Request) -> StoreSize:
    """The size of the store."""
    census: StoreSize = request.app.state.service.projections.store_size
    return census


StatusDep = Annotated[ServiceStatus, Depends(get_status)]
CensusDep = Annotated[StoreSize, Depends(get_census)]

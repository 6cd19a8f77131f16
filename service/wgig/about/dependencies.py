"""What handlers that tell how the service is depend on. Why each is `async`: `pages.dependencies`."""

from typing import Annotated

from fastapi import Depends, Request

from ..http.status import ServiceStatus
from ..store.size import StoreSize


async def get_status(request: Request) -> ServiceStatus:
    """What the service knows of itself."""
    status: ServiceStatus = request.app.state.service.status
    return status


async def get_census(request: Request) -> StoreSize:
    """How much the store holds."""
    census: StoreSize = request.app.state.service.projections.store_size
    return census


StatusDep = Annotated[ServiceStatus, Depends(get_status)]
CensusDep = Annotated[StoreSize, Depends(get_census)]

"""FastAPI dependencies of handlers that report on the service.

They are async because FastAPI would run other functions on a thread, which takes longer.
"""

from typing import Annotated

from fastapi import Depends, Request

from ..http.status import ServiceStatus
from ..resources.dependencies import ResourceVersionsDep
from ..search.dependencies import IndexDep
from ..store.size import StoreSize


async def get_status(request: Request) -> ServiceStatus:
    """The status of the service."""
    status: ServiceStatus = request.app.state.service.status
    return status


async def get_store_size(request: Request) -> StoreSize:
    """The size of the store: its numbers of quads and graphs."""
    store_size: StoreSize = request.app.state.service.projections.store_size
    return store_size


async def get_failed_projections(index: IndexDep, resource_versions: ResourceVersionsDep) -> list[str]:
    """The names of the projections that are opened at the start and could not be built."""
    return [projection.name for projection in (index, resource_versions) if projection.is_broken]


StatusDep = Annotated[ServiceStatus, Depends(get_status)]
StoreSizeDep = Annotated[StoreSize, Depends(get_store_size)]
FailedProjectionsDep = Annotated[list[str], Depends(get_failed_projections)]

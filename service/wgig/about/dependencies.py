"""FastAPI dependencies of handlers that report on the service.

They are async because FastAPI would run other functions on a thread, which takes longer.
"""

from typing import Annotated

from fastapi import Depends, Request

from ..http.status import ServiceStatus
from ..store.size import StoreSize


async def get_status(request: Request) -> ServiceStatus:
    """The status of the service."""
    status: ServiceStatus = request.app.state.service.status
    return status


async def get_store_size(request: Request) -> StoreSize:
    """The size of the store: its numbers of quads and graphs."""
    store_size: StoreSize = request.app.state.service.projections.store_size
    return store_size


StatusDep = Annotated[ServiceStatus, Depends(get_status)]
StoreSizeDep = Annotated[StoreSize, Depends(get_store_size)]

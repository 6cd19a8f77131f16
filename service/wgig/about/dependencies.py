"""FastAPI dependencies of handlers that report on the service.

They are async because FastAPI would run other functions on a thread, which takes longer.
"""

from typing import Annotated

from fastapi import Depends, Request

from ..http.status import ServiceStatus


async def get_status(request: Request) -> ServiceStatus:
    """The status of the service."""
    status: ServiceStatus = request.app.state.service.status
    return status


StatusDep = Annotated[ServiceStatus, Depends(get_status)]

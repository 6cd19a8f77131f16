"""FastAPI dependencies of handlers that report on the service.

They are async because FastAPI would run other functions on a thread, which takes longer.
"""

from typing import Annotated

from fastapi import Depends, Request

from ..feeds.notifications import ChangeNotifier
from ..http.status import ServiceStatus


async def get_status(request: Request) -> ServiceStatus:
    """The status of the service."""
    status: ServiceStatus = request.app.state.service.status
    return status


async def get_notifier(request: Request) -> ChangeNotifier:
    """What tells other services of changes."""
    notifier: ChangeNotifier = request.app.state.service.notifier
    return notifier


StatusDep = Annotated[ServiceStatus, Depends(get_status)]
NotifierDep = Annotated[ChangeNotifier, Depends(get_notifier)]

"""FastAPI dependencies of handlers that read the change log; `async`, as FastAPI runs others on a thread."""

from typing import Annotated

from fastapi import Depends, Request

from ..store.changelog.sync import ChangeLogSync


async def get_change_log(request: Request) -> ChangeLogSync:
    """The change log and its synchronization with the store."""
    change_log: ChangeLogSync = request.app.state.service.projections.change_log
    return change_log


ChangeLogDep = Annotated[ChangeLogSync, Depends(get_change_log)]

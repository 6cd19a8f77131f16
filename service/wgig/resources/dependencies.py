"""FastAPI dependencies of handlers that read the change log. Why they are `async`: `pages.dependencies`."""

from typing import Annotated

from fastapi import Depends, Request

from ..store.changelog.sync import ChangeLogSync


async def get_stream(request: Request) -> ChangeLogSync:
    """The change log, kept in line with the store."""
    stream: ChangeLogSync = request.app.state.service.projections.change_log
    return stream


StreamDep = Annotated[ChangeLogSync, Depends(get_stream)]

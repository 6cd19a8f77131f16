"""FastAPI dependencies of handlers that read the versions of resources.

They are `async`, as FastAPI runs others on a thread.
"""

from typing import Annotated

from fastapi import Depends, Request

from ..store.resource_versions.projection import ResourceVersionsProjection


async def get_resource_versions(request: Request) -> ResourceVersionsProjection:
    """The versions of resources, which follow the store."""
    versions: ResourceVersionsProjection = request.app.state.service.projections.resource_versions
    return versions


ResourceVersionsDep = Annotated[ResourceVersionsProjection, Depends(get_resource_versions)]

"""Work for a client only as long as it is there."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

Result = TypeVar("Result")


async def while_there(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """What the work comes to, which is canceled when the client of a request goes away.

    The body of the request has been read. Raises ClientDisconnect.
    """
    working, leaving = asyncio.create_task(work), asyncio.create_task(gone(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.wait((working, leaving))
    return working.result()


async def gone(request: Request) -> None:
    """Wait until the client of a request goes away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass

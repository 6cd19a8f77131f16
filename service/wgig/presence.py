"""Work for a client only as long as it is there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect
from starlette.types import Receive

SOON = 0.05  # seconds of work before it is worth to look whether somebody waits for it


@asynccontextmanager
async def while_there(receive: Receive) -> AsyncIterator[None]:
    """Around work for a client whose request has been received: canceled when the client goes away.

    Raises ClientDisconnect then.
    """
    loop = asyncio.get_running_loop()
    watching: set[asyncio.Task[None]] = set()
    try:
        async with asyncio.timeout(None) as work:

            async def watch() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                work.reschedule(loop.time())

            timer = loop.call_later(SOON, lambda: watching.add(loop.create_task(watch())))
            try:
                yield
            finally:
                timer.cancel()
                for task in watching:
                    task.cancel()
    except TimeoutError as error:
        if work.expired():
            raise ClientDisconnect from error
        raise

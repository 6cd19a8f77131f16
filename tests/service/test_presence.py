"""Work is done for those who wait for it."""

import asyncio

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message
from wgig.presence import while_there

SCOPE = {"type": "http", "method": "POST", "path": "/", "headers": []}


def asked(leaves: asyncio.Event) -> Request:
    """A request whose client goes away at a signal."""

    async def receive() -> Message:
        await leaves.wait()
        return {"type": "http.disconnect"}

    return Request(SCOPE, receive)


def test_who_waits_gets_what_the_work_comes_to() -> None:
    async def work() -> int:
        return 1

    async def whole() -> int:
        return await while_there(asked(asyncio.Event()), work())

    assert asyncio.run(whole()) == 1


def test_what_the_work_raises_is_raised() -> None:
    async def work() -> int:
        raise ZeroDivisionError

    async def whole() -> int:
        return await while_there(asked(asyncio.Event()), work())

    with pytest.raises(ZeroDivisionError):
        asyncio.run(whole())


def test_work_for_a_client_that_goes_away_is_given_up() -> None:
    async def whole() -> bool:
        leaves, given_up = asyncio.Event(), asyncio.Event()

        async def work() -> None:
            leaves.set()
            try:
                await asyncio.Event().wait()
            finally:
                given_up.set()

        with pytest.raises(ClientDisconnect):
            await while_there(asked(leaves), work())
        return given_up.is_set()

    assert asyncio.run(whole())

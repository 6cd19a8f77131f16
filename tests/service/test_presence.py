"""Work is done for those who wait for it."""

import asyncio

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive
from wgig import presence
from wgig.presence import while_there


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked at once whether the client is there."""
    monkeypatch.setattr(presence, "SOON", 0)


def client(leaves: asyncio.Event) -> Receive:
    """A client that goes away at a signal."""

    async def receive() -> Message:
        await leaves.wait()
        return {"type": "http.disconnect"}

    return receive


def test_who_waits_gets_what_the_work_comes_to() -> None:
    async def whole() -> int:
        async with while_there(client(asyncio.Event())):
            return 1

    assert asyncio.run(whole()) == 1


@pytest.mark.parametrize("kind", [ZeroDivisionError, TimeoutError])
def test_what_the_work_raises_is_raised(kind: type[Exception]) -> None:
    async def whole() -> None:
        async with while_there(client(asyncio.Event())):
            raise kind

    with pytest.raises(kind):
        asyncio.run(whole())


def test_work_for_a_client_that_goes_away_is_given_up() -> None:
    given_up = []

    async def whole() -> None:
        leaves = asyncio.Event()
        async with while_there(client(leaves)):
            leaves.set()
            try:
                await asyncio.Event().wait()
            finally:
                given_up.append(True)

    with pytest.raises(ClientDisconnect):
        asyncio.run(whole())
    assert given_up

"""What goes out as it comes ends with its connection, or with its client.

Work is done for those who wait for it.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive
from wgig.http import responses
from wgig.http.responses import ResponseAbortedError, StreamedResponse, cancel_on_disconnect


async def pieces(*given: bytes, breaks: bool = False) -> AsyncIterator[bytes]:
    for one in given:
        yield one
    if breaks:
        raise ResponseAbortedError


def sent(response: StreamedResponse, method: str = "GET", *, leaves: bool = False) -> list[Message]:
    """What is sent to a client, who may leave as soon as something is."""
    messages: list[Message] = []

    async def receive() -> Message:
        if not leaves:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        messages.append(message)
        if leaves:
            await asyncio.Event().wait()

    asyncio.run(response({"type": "http", "method": method}, receive, send))
    return messages


def test_each_piece_goes_out_and_then_the_end() -> None:
    closed: list[bool] = []
    start, *bodies = sent(StreamedResponse(pieces(b"a", b"b"), {"x": "y"}, lambda: closed.append(True)))
    assert (b"x", b"y") in start["headers"]
    assert [(one["body"], one["more_body"]) for one in bodies] == [(b"a", True), (b"b", True), (b"", False)]
    assert closed


def test_head_gets_no_piece_and_ends_the_work() -> None:
    closed: list[bool] = []
    assert len(sent(StreamedResponse(pieces(b"a"), {}, lambda: closed.append(True)), "HEAD")) == 2
    assert closed


def test_what_breaks_off_has_no_end() -> None:
    closed: list[bool] = []
    with pytest.raises(ResponseAbortedError):
        sent(StreamedResponse(pieces(b"a", breaks=True), {}, lambda: closed.append(True)))
    assert closed


def test_a_client_that_leaves_before_the_first_piece_ends_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "DISCONNECT_WATCH_SECONDS", 0)
    closed: list[bool] = []
    with pytest.raises(ClientDisconnect):
        sent(StreamedResponse(pieces(b"a"), {}, lambda: closed.append(True)), leaves=True)
    assert closed


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked at once whether the client is there."""
    monkeypatch.setattr(responses, "DISCONNECT_WATCH_SECONDS", 0)


def client(leaves: asyncio.Event) -> Receive:
    """A client that goes away at a signal."""

    async def receive() -> Message:
        await leaves.wait()
        return {"type": "http.disconnect"}

    return receive


def test_who_waits_gets_what_the_work_comes_to() -> None:
    async def whole() -> int:
        async with cancel_on_disconnect(client(asyncio.Event())):
            return 1

    assert asyncio.run(whole()) == 1


@pytest.mark.parametrize("kind", [ZeroDivisionError, TimeoutError])
def test_what_the_work_raises_is_raised(kind: type[Exception]) -> None:
    async def whole() -> None:
        async with cancel_on_disconnect(client(asyncio.Event())):
            raise kind

    with pytest.raises(kind):
        asyncio.run(whole())


def test_work_for_a_client_that_goes_away_is_given_up() -> None:
    given_up = []

    async def whole() -> None:
        leaves = asyncio.Event()
        async with cancel_on_disconnect(client(leaves)):
            leaves.set()
            try:
                await asyncio.Event().wait()
            finally:
                given_up.append(True)

    with pytest.raises(ClientDisconnect):
        asyncio.run(whole())
    assert given_up

"""Streamed responses, and the cancellation of work when a client disconnects."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive
from wgig.http import responses
from wgig.http.responses import (
    ResponseAbortedError,
    StreamedResponse,
    cancel_on_disconnect,
    matches_entity_tag,
)


@pytest.fixture(autouse=True)
def watch_immediately(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watch for disconnects without delay."""
    monkeypatch.setattr(responses, "DISCONNECT_WATCH_SECONDS", 0)


async def iter_chunks(*chunks: bytes, aborts: bool = False) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    if aborts:
        raise ResponseAbortedError


def send_response(
    response: StreamedResponse, method: str = "GET", *, disconnects: bool = False
) -> list[Message]:
    """The messages that a response sends; `disconnects`: the client disconnects after the first message."""
    messages: list[Message] = []

    async def receive() -> Message:
        if not disconnects:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        messages.append(message)
        if disconnects:
            await asyncio.Event().wait()

    asyncio.run(response({"type": "http", "method": method}, receive, send))
    return messages


def test_all_chunks_and_the_end_are_sent() -> None:
    closed: list[bool] = []
    start, *body_messages = send_response(
        StreamedResponse(iter_chunks(b"a", b"b"), {"x": "y"}, lambda: closed.append(True))
    )
    assert (b"x", b"y") in start["headers"]
    assert [(message["body"], message["more_body"]) for message in body_messages] == [
        (b"a", True),
        (b"b", True),
        (b"", False),
    ]
    assert closed


def test_head_gets_no_chunks_and_closes_stream() -> None:
    closed: list[bool] = []
    response = StreamedResponse(iter_chunks(b"a"), {}, lambda: closed.append(True))
    assert len(send_response(response, "HEAD")) == 2  # the start and the empty end
    assert closed


def test_aborted_stream_has_no_end_message() -> None:
    closed: list[bool] = []
    with pytest.raises(ResponseAbortedError):
        send_response(StreamedResponse(iter_chunks(b"a", aborts=True), {}, lambda: closed.append(True)))
    assert closed


def test_disconnect_before_first_chunk_closes_stream() -> None:
    closed: list[bool] = []
    with pytest.raises(ClientDisconnect):
        send_response(StreamedResponse(iter_chunks(b"a"), {}, lambda: closed.append(True)), disconnects=True)
    assert closed


def receive_after(disconnected: asyncio.Event) -> Receive:
    """An ASGI `receive` that returns the disconnect when the event is set."""

    async def receive() -> Message:
        await disconnected.wait()
        return {"type": "http.disconnect"}

    return receive


def test_result_of_cancelable_block_is_returned() -> None:
    async def run_block() -> int:
        async with cancel_on_disconnect(receive_after(asyncio.Event())):
            return 1

    assert asyncio.run(run_block()) == 1


@pytest.mark.parametrize("exception_class", [ZeroDivisionError, TimeoutError])
def test_exception_of_cancelable_block_is_raised(exception_class: type[Exception]) -> None:
    async def run_block() -> None:
        async with cancel_on_disconnect(receive_after(asyncio.Event())):
            raise exception_class

    with pytest.raises(exception_class):
        asyncio.run(run_block())


def test_cancelable_block_is_canceled_on_disconnect() -> None:
    canceled = []

    async def run_block() -> None:
        disconnected = asyncio.Event()
        async with cancel_on_disconnect(receive_after(disconnected)):
            disconnected.set()
            try:
                await asyncio.Event().wait()
            finally:
                canceled.append(True)

    with pytest.raises(ClientDisconnect):
        asyncio.run(run_block())
    assert canceled


@pytest.mark.parametrize(
    ("fields", "tag", "weak", "is_match"),
    [
        (['"a"'], '"a"', False, True),
        (['"b", "a"'], '"a"', False, True),
        (['"b"', 'W/"a"'], '"a"', True, True),
        (['W/"a"'], '"a"', False, False),
        (["*"], '"a"', False, True),
        (['"b,*,c"'], '"a"', False, False),  # one tag
        (['"b,c"'], '"b,c"', False, True),
        (["a"], '"a"', False, False),  # without quotes, it is no tag
    ],
)
def test_entity_tags_of_a_condition_are_compared(
    fields: list[str], tag: str, weak: bool, is_match: bool
) -> None:
    assert matches_entity_tag(fields, tag, weak=weak) is is_match

"""What holds whoever answers, also when the answer breaks off."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send
from wgig.guard import Guard

REQUEST = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": []}


async def nothing_comes() -> Message:
    raise AssertionError("nobody reads")


def passed(scope: Scope, sent: list[Message]) -> None:
    """Let a guarded application answer that begins well and then fails."""

    async def half(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("half way")

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(Guard(half, "http://base/")(scope, nothing_comes, send))


def test_half_an_answer_does_not_look_whole(caplog: pytest.LogCaptureFixture) -> None:
    sent: list[Message] = []
    with pytest.raises(ValueError, match="half way"):
        passed(REQUEST, sent)
    assert [one["type"] for one in sent] == ["http.response.start"]
    assert (b"x-content-type-options", b"nosniff") in sent[0]["headers"]
    assert "half way" in caplog.text


def test_what_is_no_request_is_let_through() -> None:
    sent: list[Message] = []
    with pytest.raises(ValueError, match="half way"):
        passed({"type": "lifespan"}, sent)
    assert sent[0]["headers"] == []


def test_a_client_that_goes_away_is_no_mistake_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    sent: list[Message] = []

    async def gone() -> Message:
        return {"type": "http.disconnect"}

    async def reading(scope: Scope, receive: Receive, _: Send) -> None:
        await Request(scope, receive).body()

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(Guard(reading, "http://base/")(REQUEST, gone, send))
    assert (sent, caplog.text) == ([], "")

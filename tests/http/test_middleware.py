"""What holds whoever answers, also when the answer breaks off."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send
from wgig.http.middleware import FREE_BODY_BYTES, RequestGuardMiddleware, UploadBudget, is_host_field
from wgig.problems import Problem

REQUEST = {
    "type": "http",
    "http_version": "1.0",
    "method": "GET",
    "path": "/",
    "raw_path": b"/",
    "query_string": b"",
    "headers": [],
}


async def nothing_comes() -> Message:
    raise AssertionError("nobody reads")


def passed(scope: Scope, sent: list[Message]) -> None:
    """Let a guarded application answer that begins well and then fails."""

    async def half(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("half way")

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(RequestGuardMiddleware(half, "http://base/", UploadBudget(0))(scope, nothing_comes, send))


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

    asyncio.run(RequestGuardMiddleware(reading, "http://base/", UploadBudget(0))(REQUEST, gone, send))
    assert (sent, caplog.text) == ([], "")


def upload(guard: RequestGuardMiddleware, size: int, end: asyncio.Event) -> asyncio.Task[None]:
    """A request whose body is of that size so far, and goes on until the end."""
    pieces = [{"type": "http.request", "body": b"x" * size, "more_body": True}]

    async def receive() -> Message:
        if not pieces:
            await end.wait()
            return {"type": "http.request", "body": b"", "more_body": False}
        return pieces.pop()

    async def send(_: Message) -> None:
        raise AssertionError("nothing is sent")

    return asyncio.create_task(guard(REQUEST, receive, send))


def test_uploads_share_their_room_and_leave_some_to_small_ones() -> None:
    refused: list[Problem] = []

    async def reading(scope: Scope, receive: Receive, _: Send) -> None:
        try:
            await Request(scope, receive).body()
        except Problem as problem:
            refused.append(problem)

    async def several() -> None:
        guard, end = RequestGuardMiddleware(reading, "http://base/", UploadBudget(1000)), asyncio.Event()
        large = [upload(guard, FREE_BODY_BYTES + 400, end) for _ in range(2)]
        late, small = upload(guard, FREE_BODY_BYTES + 400, end), upload(guard, FREE_BODY_BYTES, end)
        async with asyncio.timeout(5):
            await late
        assert [(one.status, one.headers["Retry-After"]) for one in refused] == [(503, "10")]
        assert not any(one.done() for one in (*large, small))
        end.set()
        await asyncio.gather(*large, small)
        await upload(guard, FREE_BODY_BYTES + 1000, end)
        assert len(refused) == 1

    asyncio.run(several())


@pytest.mark.parametrize(
    "host",
    ["", "localhost", "a-b.example:8000", "192.0.2.1:80", "[::1]", "[2001:db8::1]:443", "my_service:65535"],
)
def test_a_host_is_a_name_or_an_address_and_a_port(host: str) -> None:
    assert is_host_field(host.encode())


@pytest.mark.parametrize("host", ["a b", "a:x", "a:65536", "a/b", "[::1", "[1:2]", "a@b", 'a"', "<", "\xfc"])
def test_what_would_not_stand_in_an_address_is_no_host(host: str) -> None:
    assert not is_host_field(host.encode("latin-1"))

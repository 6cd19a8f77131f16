"""RequestGuardMiddleware: security headers, aborted responses, disconnects, upload budget and hosts."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send
from wgig.http.middleware import FREE_BODY_BYTES, RequestGuardMiddleware, UploadBudget, is_host_field
from wgig.problems import Problem

REQUEST_SCOPE = {
    "type": "http",
    "http_version": "1.0",
    "method": "GET",
    "path": "/",
    "raw_path": b"/",
    "query_string": b"",
    "headers": [],
}


async def fail_to_receive() -> Message:
    raise AssertionError("the body must not be read")


def run_failing_app(scope: Scope, sent: list[Message]) -> None:
    """Run, behind the middleware, an application that starts a response and then fails."""

    async def fail_after_start(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("half way")

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(
        RequestGuardMiddleware(fail_after_start, "http://base/", UploadBudget(0))(
            scope, fail_to_receive, send
        )
    )


def test_aborted_response_is_not_completed(caplog: pytest.LogCaptureFixture) -> None:
    sent: list[Message] = []
    with pytest.raises(ValueError, match="half way"):
        run_failing_app(REQUEST_SCOPE, sent)
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert (b"x-content-type-options", b"nosniff") in sent[0]["headers"]
    assert "half way" in caplog.text


def test_lifespan_events_pass_through() -> None:
    sent: list[Message] = []
    with pytest.raises(ValueError, match="half way"):
        run_failing_app({"type": "lifespan"}, sent)
    assert sent[0]["headers"] == []  # the middleware adds no security headers


def test_client_disconnect_is_not_logged_as_error(caplog: pytest.LogCaptureFixture) -> None:
    sent: list[Message] = []

    async def disconnect() -> Message:
        return {"type": "http.disconnect"}

    async def read_body(scope: Scope, receive: Receive, _: Send) -> None:
        await Request(scope, receive).body()

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(
        RequestGuardMiddleware(read_body, "http://base/", UploadBudget(0))(REQUEST_SCOPE, disconnect, send)
    )
    assert (sent, caplog.text) == ([], "")


def start_upload(guard: RequestGuardMiddleware, size: int, finished: asyncio.Event) -> asyncio.Task[None]:
    """Start a request that has sent `size` bytes of its body, and sends the rest when `finished` is set."""
    messages = [{"type": "http.request", "body": b"x" * size, "more_body": True}]

    async def receive() -> Message:
        if not messages:
            await finished.wait()
            return {"type": "http.request", "body": b"", "more_body": False}
        return messages.pop()

    async def send(_: Message) -> None:
        raise AssertionError("no response must be sent")

    return asyncio.create_task(guard(REQUEST_SCOPE, receive, send))


def test_uploads_share_budget_and_small_ones_are_free() -> None:
    problems: list[Problem] = []

    async def read_body(scope: Scope, receive: Receive, _: Send) -> None:
        try:
            await Request(scope, receive).body()
        except Problem as problem:
            problems.append(problem)

    async def run_uploads() -> None:
        guard, finished = (
            RequestGuardMiddleware(read_body, "http://base/", UploadBudget(1000)),
            asyncio.Event(),
        )
        # Both use 400 of 1000 bytes of the budget; a third one would exceed it.
        large_uploads = [start_upload(guard, FREE_BODY_BYTES + 400, finished) for _ in range(2)]
        refused_upload, small_upload = (
            start_upload(guard, FREE_BODY_BYTES + 400, finished),
            start_upload(guard, FREE_BODY_BYTES, finished),
        )
        async with asyncio.timeout(5):
            await refused_upload
        assert [(problem.status, problem.headers["Retry-After"]) for problem in problems] == [(503, "10")]
        assert not any(task.done() for task in (*large_uploads, small_upload))
        finished.set()
        await asyncio.gather(*large_uploads, small_upload)
        await start_upload(guard, FREE_BODY_BYTES + 1000, finished)
        assert len(problems) == 1

    asyncio.run(run_uploads())


@pytest.mark.parametrize(
    "host",
    ["", "localhost", "a-b.example:8000", "192.0.2.1:80", "[::1]", "[2001:db8::1]:443", "my_service:65535"],
)
def test_valid_host_is_accepted(host: str) -> None:
    assert is_host_field(host.encode())


@pytest.mark.parametrize("host", ["a b", "a:x", "a:65536", "a/b", "[::1", "[1:2]", "a@b", 'a"', "<", "\xfc"])
def test_invalid_host_is_refused(host: str) -> None:
    assert not is_host_field(host.encode("latin-1"))

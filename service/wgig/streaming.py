"""An answer that goes out as it comes, and breaks off with its connection where it cannot be ended."""

from collections.abc import AsyncIterator, Callable, Mapping

from fastapi import Response
from starlette.types import Receive, Scope, Send

from .presence import while_there


class BrokenOffError(Exception):
    """An answer has begun and cannot be ended; the connection ends in its place."""


class Streamed(Response):
    """A response whose body comes piece by piece."""

    def __init__(
        self, pieces: AsyncIterator[bytes], headers: Mapping[str, str], close: Callable[[], None]
    ) -> None:
        """Take the pieces of the body, in the coding that the headers name, and the header fields.

        `close` is called when no more of them is wanted.
        """
        self.pieces, self.close = pieces, close
        self.status_code, self.background = 200, None
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the pieces as fast as the client takes them; none for HEAD."""
        try:
            async with while_there(receive):
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                if scope["method"] != "HEAD":
                    async for piece in self.pieces:
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self.close()

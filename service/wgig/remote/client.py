"""HTTP client of a remote SPARQL service, in one event loop (SPARQL 1.1 Protocol, sections 2.1 and 2.2).

Authentication is Basic, Digest or Bearer, with a secret from a file that must not be readable by others.
Response bodies arrive in the event loop and are read by threads; a truncated body raises
TruncatedResponseError. TCP acknowledgments are sent immediately, as a service may wait up to 40 ms for one
before it sends more (Nagle's algorithm, RFC 896).
"""

import asyncio
import base64
import io
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from io import RawIOBase
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp

from ..http.bodies import FORM_MEDIA_TYPE, SPARQL_QUERY_MEDIA_TYPE
from ..settings import read_secret_file
from ..store.errors import StoreDeclinedError, StoreUnavailableError

AUTH_KINDS = ("basic", "digest", "bearer")


class RemoteCredentials:
    """The credentials sent with each request."""

    def __init__(self, setting: str) -> None:
        """Take WGIG_REMOTE_AUTH: `basic:FILE`, `digest:FILE` or `bearer:FILE`, or empty for no credentials.

        The file contains `user:password`, or the token for bearer. Raises ValueError for a wrong setting or
        file.
        """
        self.kind, _, path = setting.partition(":")
        if not setting:
            self.secret = ""
            return
        if self.kind not in AUTH_KINDS or not path:
            raise ValueError(
                f"WGIG_REMOTE_AUTH is {setting!r}. Set it to basic:FILE, digest:FILE or bearer:FILE, or "
                "leave it empty."
            )
        self.secret = read_secret_file(Path(path), "WGIG_REMOTE_AUTH")
        if self.kind != "bearer" and ":" not in self.secret:
            raise ValueError(
                f"The file {path} of WGIG_REMOTE_AUTH has no colon. Its content must be user:password."
            )

    @property
    def headers(self) -> dict[str, str]:
        """The Authorization header for Basic and Bearer; empty for Digest."""
        if self.kind == "basic":
            return {"Authorization": f"Basic {base64.b64encode(self.secret.encode()).decode()}"}
        return {"Authorization": f"Bearer {self.secret}"} if self.kind == "bearer" else {}

    @property
    def middlewares(self) -> tuple[aiohttp.DigestAuthMiddleware, ...]:
        """The aiohttp middleware for Digest authentication; empty for the other kinds."""
        return (aiohttp.DigestAuthMiddleware(*self.user_and_password),) if self.kind == "digest" else ()

    @property
    def user_and_password(self) -> tuple[str, str]:
        """The user name and the password."""
        name, _, password = self.secret.partition(":")
        return name, password


REMOTE_CONNECT_SECONDS = 5
MAX_REFUSAL_BYTES = 2_000  # maximum bytes that are read of an error response
MAX_REMOTE_CONNECTIONS = 64
LARGE_REQUEST_BYTES = 2**20  # request bodies of at least this size are sent in chunks
CREDENTIALS_SUGGESTION = (
    "Check the credentials in the file of WGIG_REMOTE_AUTH, and the kind (basic, digest or bearer) before it."
)
# Statuses from a gateway in front of the service; it is unknown whether the service executed the request.
GATEWAY_STATUSES = (502, 503, 504)
MAX_URL_PARAMETERS = 20  # more parameters are sent in the body, as services limit the length of URLs

UrlParameters = Sequence[tuple[str, str]]


class RefusedError(StoreDeclinedError):
    """The service refused a request. `status` is the HTTP status, `message` the text of the response."""

    def __init__(self, status: int, message: str) -> None:
        """Take the status, and the message of the service, which may be empty."""
        reason = message or "no reason was given"
        suggestion = f" {CREDENTIALS_SUGGESTION}" if status in (401, 403) else ""
        super().__init__(f"The shared store refused a request ({status}): {reason.rstrip('.')}.{suggestion}")
        self.status, self.message = status, message


class TruncatedResponseError(StoreUnavailableError):
    """A response ended before it was complete."""


class RemoteClient:
    """HTTP client of the remote service. Use and close it in the event loop in which it was created."""

    def __init__(self, credentials: RemoteCredentials, read_timeout_seconds: float) -> None:
        """Take the credentials, and the maximum seconds between two chunks of a response."""
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=MAX_REMOTE_CONNECTIONS),
            headers={"Accept-Encoding": "identity", **credentials.headers},
            middlewares=credentials.middlewares,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=REMOTE_CONNECT_SECONDS, sock_read=read_timeout_seconds
            ),
            read_bufsize=256 * 1024,
            trust_env=False,
        )

    @asynccontextmanager
    async def open(
        self, url: str, text: str, media_type: str, accept: str = "*/*", parameters: UrlParameters = ()
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a query or an update, and yield the response, whose body has not been read.

        Raises RefusedError, TruncatedResponseError if the response ends early, and StoreUnavailableError.
        """
        if len(parameters) > MAX_URL_PARAMETERS:
            assert media_type == SPARQL_QUERY_MEDIA_TYPE  # updates have no parameters
            text, media_type, parameters = urlencode([("query", text), *parameters]), FORM_MEDIA_TYPE, ()
        headers = {"Content-Type": f"{media_type}; charset=utf-8", "Accept": accept}
        data = text.encode()
        # aiohttp sends a file in chunks, between which other tasks of the event loop can run.
        body = data if len(data) < LARGE_REQUEST_BYTES else io.BytesIO(data)
        try:
            async with self.session.post(
                url,
                data=body,
                headers=headers,
                params=list(parameters),
                allow_redirects=False,  # a redirect may lead to any host
            ) as response:
                send_quick_acknowledgment(response)
                if response.status in GATEWAY_STATUSES:
                    raise StoreUnavailableError(
                        f"The shared store does not respond: a gateway returned status {response.status}."
                    )
                if response.status >= 300:
                    message = (await response.content.read(MAX_REFUSAL_BYTES)).decode("utf-8", "replace")
                    raise RefusedError(response.status, " ".join(message.split()))
                yield response
        except aiohttp.ClientPayloadError as error:
            raise TruncatedResponseError("The response from the shared store was cut off.") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise StoreUnavailableError(
                f"The shared store does not respond: {describe_connection_error(error)}."
            ) from error

    async def read_response(
        self, url: str, text: str, media_type: str, accept: str = "*/*", parameters: UrlParameters = ()
    ) -> bytes:
        """The whole body of the response. Raises the same errors as `open`."""
        async with self.open(url, text, media_type, accept, parameters) as response:
            body = bytearray()
            while chunk := await read_response_chunk(response):
                body += chunk
            return bytes(body)

    async def close(self) -> None:
        """Close the connections."""
        await self.session.close()


async def read_response_chunk(response: aiohttp.ClientResponse) -> bytes:
    """The next bytes of the body of a response; empty at its end."""
    chunk = await response.content.readany()
    send_quick_acknowledgment(response)
    return chunk


def send_quick_acknowledgment(response: aiohttp.ClientResponse) -> None:
    """Acknowledge received data now, as the service may send more only after an acknowledgment."""
    transport = response.connection and response.connection.transport
    if transport and (option := getattr(socket, "TCP_QUICKACK", None)):  # only on Linux
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, option, 1)


def describe_connection_error(error: BaseException) -> str:
    """The reason of a failed connection, as a part of a sentence."""
    if isinstance(error, asyncio.TimeoutError):
        return "the connection timed out"
    if isinstance(error, aiohttp.ClientConnectorError):
        reason = error.os_error.strerror or str(error.os_error)
        return f"cannot connect to {error.host}, port {error.port}: {reason}"
    return str(error) or type(error).__name__


class ResponseStream:
    """The body of a response as a stream of chunks. Raises TruncatedResponseError if it ends early."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        """Take a response whose body has not been read."""
        self.response = response
        self.buffered = bytearray()

    async def buffer(self, max_bytes: int) -> bool:
        """Buffer the body until it ends or exceeds `max_bytes`. Returns True if it has ended."""
        while len(self.buffered) <= max_bytes:
            chunk = await self.receive()
            if not chunk:
                return True
            self.buffered += chunk
        return False

    async def next_bytes(self) -> bytes:
        """The next bytes; empty at the end."""
        if not self.buffered:
            return await self.receive()
        chunk, self.buffered = bytes(self.buffered), bytearray()
        return chunk

    async def receive(self) -> bytes:
        """The next bytes from the connection; empty at the end."""
        try:
            return await read_response_chunk(self.response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TruncatedResponseError("The response from the shared store was cut off.") from error


class ResponseBodyReader(RawIOBase):
    """The body of a response as a blocking file for a thread; raises TruncatedResponseError if truncated."""

    def __init__(self, loop: asyncio.AbstractEventLoop, stream: ResponseStream) -> None:
        """Take the stream, and the event loop in which it is read."""
        super().__init__()
        self.loop, self.stream = loop, stream
        self.unread = memoryview(b"")

    def readable(self) -> bool:
        """Always true."""
        return True

    def readinto(self, target: Any) -> int:
        """Wait for bytes, copy them into `target`, and return their number, which is 0 at the end."""
        if not self.unread:
            self.unread = memoryview(
                asyncio.run_coroutine_threadsafe(self.stream.next_bytes(), self.loop).result()
            )
        count = min(len(target), len(self.unread))
        target[:count], self.unread = self.unread[:count], self.unread[count:]
        return count

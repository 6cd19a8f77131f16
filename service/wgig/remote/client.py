"""HTTP client of a remote SPARQL service, in one event loop (SPARQL 1.1 Protocol, sections 2.1 and 2.2).

Authentication is Basic, Digest or Bearer, from a file that must not be readable by others. Response bodies
arrive in the event loop and are read by threads; a truncated body raises CutOffError. Delayed acknowledgments
are avoided, as a service may send no more before one arrives (Nagle's algorithm, RFC 896), for up to 40 ms.
"""

import asyncio
import base64
import io
import socket
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from io import RawIOBase
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp

from ..http.bodies import FORM_MEDIA_TYPE, SPARQL_QUERY_MEDIA_TYPE
from ..store.errors import StoreDeclinedError, StoreUnavailableError

AUTH_KINDS = ("basic", "digest", "bearer")
# Reading by the group is allowed: Kubernetes and systemd hand secrets to the user of a service in that way.
INSECURE_MODE_BITS = stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP


class RemoteCredentials:
    """The credentials sent with each request. Raises ValueError for a wrong setting or an unusable file."""

    def __init__(self, setting: str) -> None:
        """`setting` is `basic:FILE`, `digest:FILE` or `bearer:FILE`, or empty for none.

        The file has `user:password`, or the token for bearer.
        """
        self.kind, _, path = setting.partition(":")
        if not setting:
            self.secret = ""
            return
        if self.kind not in AUTH_KINDS or not path:
            raise ValueError(
                f"WGIG_REMOTE_AUTH is {setting!r}. Write basic:FILE, digest:FILE, bearer:FILE, or nothing."
            )
        self.secret = read_secret_file(Path(path))
        if self.kind != "bearer" and ":" not in self.secret:
            raise ValueError(
                f"The file {path} of WGIG_REMOTE_AUTH has no colon. Write user:password into it."
            )

    @property
    def headers(self) -> dict[str, str]:
        """The Authorization header for Basic and Bearer; empty for Digest."""
        if self.kind == "basic":
            return {"Authorization": f"Basic {base64.b64encode(self.secret.encode()).decode()}"}
        return {"Authorization": f"Bearer {self.secret}"} if self.kind == "bearer" else {}

    @property
    def middlewares(self) -> tuple[aiohttp.DigestAuthMiddleware, ...]:
        """The aiohttp middleware that answers the challenges of Digest; empty for the other kinds."""
        return (aiohttp.DigestAuthMiddleware(*self.user_and_password),) if self.kind == "digest" else ()

    @property
    def user_and_password(self) -> tuple[str, str]:
        """The user name and the password."""
        name, _, password = self.secret.partition(":")
        return name, password


def read_secret_file(path: Path) -> str:
    """The secret in a file. Raises ValueError where the file cannot be read, or other users can access it."""
    try:
        if path.stat().st_mode & INSECURE_MODE_BITS:
            raise ValueError(
                f"Other users can access the file {path} of WGIG_REMOTE_AUTH. Run chmod 600 {path}."
            )
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise ValueError(f"The file {path} of WGIG_REMOTE_AUTH cannot be read: {error.strerror}.") from error


REMOTE_CONNECT_SECONDS = 5
MAX_REFUSAL_BYTES = 2_000  # bytes of the body of an error response that are read
MAX_REMOTE_CONNECTIONS = 64
LARGE_REQUEST_BYTES = 2**20  # request bodies of at least this size are sent in chunks
LOGIN_SUGGESTION = (
    "Check the credentials in the file of WGIG_REMOTE_AUTH, and the kind (basic, digest or bearer) before it."
)
# Such a response comes from a gateway in front of the service, and does not say whether the request was done.
GATEWAY_STATUSES = (502, 503, 504)
MAX_ADDRESS_PARAMETERS = 20  # more parameters go into the body, as services limit the length of URLs

UrlParameters = Sequence[tuple[str, str]]


class RefusedError(StoreDeclinedError):
    """The service refused a request. `status` is the HTTP status, `message` what the service says."""

    def __init__(self, status: int, message: str) -> None:
        """`message` is the message of the service, which may be empty."""
        reason = message or "it does not say why"
        suggestion = f" {LOGIN_SUGGESTION}" if status in (401, 403) else ""
        super().__init__(f"The shared store refused a request ({status}): {reason.rstrip('.')}.{suggestion}")
        self.status, self.message = status, message


class CutOffError(StoreUnavailableError):
    """A response ended before it was complete."""


class RemoteClient:
    """HTTP client of the service, to be used and closed in the event loop in which it was made."""

    def __init__(self, credentials: RemoteCredentials, read_timeout_seconds: float) -> None:
        """`read_timeout_seconds` is how many seconds may pass between two chunks of a response."""
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
        """The response to a query or an update, with its body still unread.

        Raises RefusedError, CutOffError where the response ends early, and StoreUnavailableError.
        """
        if len(parameters) > MAX_ADDRESS_PARAMETERS:
            assert media_type == SPARQL_QUERY_MEDIA_TYPE
            text, media_type, parameters = urlencode([("query", text), *parameters]), FORM_MEDIA_TYPE, ()
        headers = {"Content-Type": f"{media_type}; charset=utf-8", "Accept": accept}
        data = text.encode()
        # aiohttp sends a file in chunks, so that other tasks of the event loop run in between.
        body = data if len(data) < LARGE_REQUEST_BYTES else io.BytesIO(data)
        try:
            async with self.session.post(
                url,
                data=body,
                headers=headers,
                params=list(parameters),
                allow_redirects=False,  # which may lead to any host
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
            raise CutOffError("The response of the shared store was cut off.") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise StoreUnavailableError(
                f"The shared store does not respond: {describe_connection_error(error)}."
            ) from error

    async def read_answer(
        self, url: str, text: str, media_type: str, accept: str = "*/*", parameters: UrlParameters = ()
    ) -> bytes:
        """The whole body of the response. Raises as `open` does."""
        async with self.open(url, text, media_type, accept, parameters) as response:
            body = bytearray()
            while chunk := await read_more_bytes(response):
                body += chunk
            return bytes(body)

    async def close(self) -> None:
        """Close the connections."""
        await self.session.close()


async def read_more_bytes(response: aiohttp.ClientResponse) -> bytes:
    """The next bytes of the body of a response; empty at its end."""
    chunk = await response.content.readany()
    send_quick_acknowledgment(response)
    return chunk


def send_quick_acknowledgment(response: aiohttp.ClientResponse) -> None:
    """Acknowledge received data at once: a service may wait up to 40 ms for it before sending (RFC 896)."""
    transport = response.connection and response.connection.transport
    if transport and (option := getattr(socket, "TCP_QUICKACK", None)):  # only on Linux
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, option, 1)


def describe_connection_error(error: BaseException) -> str:
    """Why a connection failed, in a few words for a message."""
    if isinstance(error, asyncio.TimeoutError):
        return "the connection timed out"
    if isinstance(error, aiohttp.ClientConnectorError):
        reason = error.os_error.strerror or str(error.os_error)
        return f"cannot connect to {error.host}, port {error.port}: {reason}"
    return str(error) or type(error).__name__


class AnswerStream:
    """The body of a response as a stream of chunks. Raises CutOffError where it ends early."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        """Nothing is read yet."""
        self.response = response
        self.buffered = bytearray()

    async def buffer(self, max_bytes: int) -> bool:
        """Read ahead until more than `max_bytes` bytes are buffered; whether that is the whole body."""
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
            return await read_more_bytes(self.response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise CutOffError("The response of the shared store was cut off.") from error


class AnswerBodyReader(RawIOBase):
    """The body of a response as a blocking file for a thread. Raises CutOffError where it ends early."""

    def __init__(self, loop: asyncio.AbstractEventLoop, stream: AnswerStream) -> None:
        """`loop` is the event loop in which `stream` is read."""
        super().__init__()
        self.loop, self.stream = loop, stream
        self.rest = memoryview(b"")

    def readable(self) -> bool:
        """Always true."""
        return True

    def readinto(self, target: Any) -> int:
        """Copy bytes into `target` as soon as there are some; how many, 0 at the end."""
        if not self.rest:
            self.rest = memoryview(
                asyncio.run_coroutine_threadsafe(self.stream.next_bytes(), self.loop).result()
            )
        count = min(len(target), len(self.rest))
        target[:count], self.rest = self.rest[:count], self.rest[count:]
        return count

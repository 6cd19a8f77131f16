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
# A group may read it, as a cluster and systemd give a secret to the one user of a service in that way.
INSECURE_MODE_BITS = stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP


class RemoteCredentials:
    """What is sent along with each request. Raises ValueError where the setting or its file does not fit."""

    def __init__(self, setting: str) -> None:
        """Take `basic:FILE` or `digest:FILE` with `user:password`, `bearer:FILE` with a token, or nothing."""
        self.kind, _, name = setting.partition(":")
        if not setting:
            self.secret = ""
            return
        if self.kind not in AUTH_KINDS or not name:
            raise ValueError(
                f"WGIG_REMOTE_AUTH is {setting!r}. Write basic:FILE, digest:FILE, bearer:FILE, or nothing."
            )
        self.secret = read_secret_file(Path(name))
        if self.kind != "bearer" and ":" not in self.secret:
            raise ValueError(
                f"The file {name} of WGIG_REMOTE_AUTH has no colon. Write user:password into it."
            )

    @property
    def headers(self) -> dict[str, str]:
        """The fields of each request."""
        if self.kind == "basic":
            return {"Authorization": f"Basic {base64.b64encode(self.secret.encode()).decode()}"}
        return {"Authorization": f"Bearer {self.secret}"} if self.kind == "bearer" else {}

    @property
    def middlewares(self) -> tuple[aiohttp.DigestAuthMiddleware, ...]:
        """What answers the challenges of the service."""
        return (aiohttp.DigestAuthMiddleware(*self.user_and_password),) if self.kind == "digest" else ()

    @property
    def user_and_password(self) -> tuple[str, str]:
        """The name and the password."""
        name, _, password = self.secret.partition(":")
        return name, password


def read_secret_file(path: Path) -> str:
    """The secret in a file. Raises ValueError where it cannot be read, or where all can read it."""
    try:
        if path.stat().st_mode & INSECURE_MODE_BITS:
            raise ValueError(f"All can read the file {path} of WGIG_REMOTE_AUTH. Run chmod 600 {path}.")
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise ValueError(f"The file {path} of WGIG_REMOTE_AUTH cannot be read: {error.strerror}.") from error


REMOTE_CONNECT_SECONDS = 5  # seconds
MAX_REFUSAL_BYTES = 2_000  # bytes of what a service says of a refusal
MAX_REMOTE_CONNECTIONS = 64
LARGE_REQUEST_BYTES = 2**20  # bytes of a body that are not sent at once
LOGIN_SUGGESTION = (
    "Look at the user and password in the file of WGIG_REMOTE_AUTH, and at basic or digest before it."
)
# What stands before a service says so, and not whether it does what it was asked.
GATEWAY_STATUSES = (502, 503, 504)
MAX_ADDRESS_PARAMETERS = 20  # parameters, which services take in one of some thousand characters

UrlParameters = Sequence[tuple[str, str]]


class RefusedError(StoreDeclinedError):
    """The service does not do what it was asked; `status` is that of HTTP, `said` what it says."""

    def __init__(self, status: int, said: str) -> None:
        """Take both."""
        told = said or "it does not say why"
        mend = f" {LOGIN_SUGGESTION}" if status in (401, 403) else ""
        super().__init__(f"The shared store refused a request ({status}): {told.rstrip('.')}.{mend}")
        self.status, self.message = status, said


class CutOffError(StoreUnavailableError):
    """An answer ended before its end."""


class RemoteClient:
    """Asks a service. It is used and closed in the event loop in which it is made."""

    def __init__(self, access: RemoteCredentials, patience: float) -> None:
        """Take who we are, and the seconds that the service may be silent in."""
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=MAX_REMOTE_CONNECTIONS),
            headers={"Accept-Encoding": "identity", **access.headers},
            middlewares=access.middlewares,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=REMOTE_CONNECT_SECONDS, sock_read=patience
            ),
            read_bufsize=256 * 1024,
            trust_env=False,
        )

    @asynccontextmanager
    async def open(
        self, url: str, text: str, media_type: str, accept: str = "*/*", parameters: UrlParameters = ()
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a query or an update, whose body is still to be read.

        Raises RefusedError, CutOffError where it does not come to its end, and StoreUnavailableError.
        """
        if len(parameters) > MAX_ADDRESS_PARAMETERS:
            assert media_type == SPARQL_QUERY_MEDIA_TYPE
            text, media_type, parameters = urlencode([("query", text), *parameters]), FORM_MEDIA_TYPE, ()
        fields = {"Content-Type": f"{media_type}; charset=utf-8", "Accept": accept}
        data = text.encode()
        # A file lets others go on in between.
        body = data if len(data) < LARGE_REQUEST_BYTES else io.BytesIO(data)
        try:
            async with self.session.post(
                url,
                data=body,
                headers=fields,
                params=list(parameters),
                allow_redirects=False,  # to wherever that is
            ) as answer:
                send_quick_acknowledgment(answer)
                if answer.status in GATEWAY_STATUSES:
                    raise StoreUnavailableError(f"The shared store does not answer: it said {answer.status}.")
                if answer.status >= 300:
                    said = (await answer.content.read(MAX_REFUSAL_BYTES)).decode("utf-8", "replace")
                    raise RefusedError(answer.status, " ".join(said.split()))
                yield answer
        except aiohttp.ClientPayloadError as error:
            raise CutOffError("The shared store broke off its answer.") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise StoreUnavailableError(
                f"The shared store does not answer: {describe_connection_error(error)}."
            ) from error

    async def read_answer(
        self, url: str, text: str, media_type: str, accept: str = "*/*", parameters: UrlParameters = ()
    ) -> bytes:
        """The whole answer. Raises as `open` does."""
        async with self.open(url, text, media_type, accept, parameters) as answer:
            body = bytearray()
            while some := await read_more_bytes(answer):
                body += some
            return bytes(body)

    async def close(self) -> None:
        """End the connections."""
        await self.session.close()


async def read_more_bytes(answer: aiohttp.ClientResponse) -> bytes:
    """The next bytes of the body of an answer; none at the end."""
    some = await answer.content.readany()
    send_quick_acknowledgment(answer)
    return some


def send_quick_acknowledgment(answer: aiohttp.ClientResponse) -> None:
    """Have the system acknowledge what came: a service may send no more before (RFC 896), for up to 40 ms."""
    transport = answer.connection and answer.connection.transport
    if transport and (option := getattr(socket, "TCP_QUICKACK", None)):  # which Linux has
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, option, 1)


def describe_connection_error(error: BaseException) -> str:
    """What went wrong, in a few words."""
    if isinstance(error, asyncio.TimeoutError):
        return "it was silent for too long"
    if isinstance(error, aiohttp.ClientConnectorError):
        why = error.os_error.strerror or str(error.os_error)
        return f"nobody can be reached at {error.host} port {error.port}: {why}"
    return str(error) or type(error).__name__


class AnswerStream:
    """The body of an answer, as it comes. Raises CutOffError where it ends too early."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        """Nothing has come yet."""
        self.answer = answer
        self.buffered = bytearray()

    async def buffer(self, size: int) -> bool:
        """Hold what comes until that is more than so many bytes; whether it is all."""
        while len(self.buffered) <= size:
            some = await self.receive()
            if not some:
                return True
            self.buffered += some
        return False

    async def next_bytes(self) -> bytes:
        """The next bytes; none at the end."""
        if not self.buffered:
            return await self.receive()
        some, self.buffered = bytes(self.buffered), bytearray()
        return some

    async def receive(self) -> bytes:
        """The next bytes from outside."""
        try:
            return await read_more_bytes(self.answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise CutOffError("The shared store broke off its answer.") from error


class AnswerBodyReader(RawIOBase):
    """The body of an answer, for a thread. Raises CutOffError where it ends too early."""

    def __init__(self, loop: asyncio.AbstractEventLoop, coming: AnswerStream) -> None:
        """Nothing is read yet."""
        super().__init__()
        self.loop, self.stream = loop, coming
        self.rest = memoryview(b"")

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, target: Any) -> int:
        """Fill the target as far as something has come; 0 at the end."""
        if not self.rest:
            self.rest = memoryview(
                asyncio.run_coroutine_threadsafe(self.stream.next_bytes(), self.loop).result()
            )
        count = min(len(target), len(self.rest))
        target[:count], self.rest = self.rest[:count], self.rest[count:]
        return count

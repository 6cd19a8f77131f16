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

from ..store.errors import DeclinedError, UnavailableError

KINDS = ("basic", "digest", "bearer")
# A group may read it, as a cluster and systemd give a secret to the one user of a service in that way.
TOO_OPEN = stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP


class Access:
    """What is sent along with each request. Raises ValueError where the setting or its file does not fit."""

    def __init__(self, setting: str) -> None:
        """Take `basic:FILE` or `digest:FILE` with `user:password`, `bearer:FILE` with a token, or nothing."""
        self.kind, _, name = setting.partition(":")
        if not setting:
            self.word = ""
            return
        if self.kind not in KINDS or not name:
            raise ValueError(
                f"WGIG_REMOTE_AUTH is {setting!r}. Write basic:FILE, digest:FILE, bearer:FILE, or nothing."
            )
        self.word = read(Path(name))
        if self.kind != "bearer" and ":" not in self.word:
            raise ValueError(
                f"The file {name} of WGIG_REMOTE_AUTH has no colon. Write user:password into it."
            )

    @property
    def fields(self) -> dict[str, str]:
        """The fields of each request."""
        if self.kind == "basic":
            return {"Authorization": f"Basic {base64.b64encode(self.word.encode()).decode()}"}
        return {"Authorization": f"Bearer {self.word}"} if self.kind == "bearer" else {}

    @property
    def middlewares(self) -> tuple[aiohttp.DigestAuthMiddleware, ...]:
        """What answers the challenges of the service."""
        return (aiohttp.DigestAuthMiddleware(*self.pair),) if self.kind == "digest" else ()

    @property
    def pair(self) -> tuple[str, str]:
        """The name and the password."""
        name, _, password = self.word.partition(":")
        return name, password


def read(path: Path) -> str:
    """The secret in a file. Raises ValueError where it cannot be read, or where all can read it."""
    try:
        if path.stat().st_mode & TOO_OPEN:
            raise ValueError(f"All can read the file {path} of WGIG_REMOTE_AUTH. Run chmod 600 {path}.")
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise ValueError(f"The file {path} of WGIG_REMOTE_AUTH cannot be read: {error.strerror}.") from error


CONNECT = 5  # seconds
SAID = 2_000  # bytes of what a service says of a refusal
CONNECTIONS = 64
LARGE = 2**20  # bytes of a body that are not sent at once
LOGIN = "Look at the user and password in the file of WGIG_REMOTE_AUTH, and at basic or digest before it."
GATEWAY = (502, 503, 504)  # what stands before a service says so, and not whether it does what it was asked
QUERY, UPDATE = "application/sparql-query", "application/sparql-update"
FORM = "application/x-www-form-urlencoded"
MOST_IN_ADDRESS = 20  # parameters, which services take in one of some thousand characters

Parameters = Sequence[tuple[str, str]]


class RefusedError(DeclinedError):
    """The service does not do what it was asked; `status` is that of HTTP, `said` what it says."""

    def __init__(self, status: int, said: str) -> None:
        """Take both."""
        told = said or "it does not say why"
        mend = f" {LOGIN}" if status in (401, 403) else ""
        super().__init__(f"The shared store refused a request ({status}): {told.rstrip('.')}.{mend}")
        self.status, self.said = status, said


class CutOffError(UnavailableError):
    """An answer ended before its end."""


class Client:
    """Asks a service. It is used and closed in the event loop in which it is made."""

    def __init__(self, access: Access, patience: float) -> None:
        """Take who we are, and the seconds that the service may be silent in."""
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            headers={"Accept-Encoding": "identity", **access.fields},
            middlewares=access.middlewares,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=patience),
            read_bufsize=256 * 1024,
            trust_env=False,
        )

    @asynccontextmanager
    async def open(
        self, url: str, text: str, media_type: str, accept: str = "*/*", parameters: Parameters = ()
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a query or an update, whose body is still to be read.

        Raises RefusedError, CutOffError where it does not come to its end, and UnavailableError.
        """
        if len(parameters) > MOST_IN_ADDRESS:
            assert media_type == QUERY
            text, media_type, parameters = urlencode([("query", text), *parameters]), FORM, ()
        fields = {"Content-Type": f"{media_type}; charset=utf-8", "Accept": accept}
        data = text.encode()
        body = data if len(data) < LARGE else io.BytesIO(data)  # which lets others go on in between
        try:
            async with self.session.post(
                url,
                data=body,
                headers=fields,
                params=list(parameters),
                allow_redirects=False,  # to wherever that is
            ) as answer:
                acknowledge(answer)
                if answer.status in GATEWAY:
                    raise UnavailableError(f"The shared store does not answer: it said {answer.status}.")
                if answer.status >= 300:
                    said = (await answer.content.read(SAID)).decode("utf-8", "replace")
                    raise RefusedError(answer.status, " ".join(said.split()))
                yield answer
        except aiohttp.ClientPayloadError as error:
            raise CutOffError("The shared store broke off its answer.") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnavailableError(f"The shared store does not answer: {told(error)}.") from error

    async def whole(
        self, url: str, text: str, media_type: str, accept: str = "*/*", parameters: Parameters = ()
    ) -> bytes:
        """The whole answer. Raises as `open` does."""
        async with self.open(url, text, media_type, accept, parameters) as answer:
            body = bytearray()
            while some := await more(answer):
                body += some
            return bytes(body)

    async def close(self) -> None:
        """End the connections."""
        await self.session.close()


async def more(answer: aiohttp.ClientResponse) -> bytes:
    """The next bytes of the body of an answer; none at the end."""
    some = await answer.content.readany()
    acknowledge(answer)
    return some


def acknowledge(answer: aiohttp.ClientResponse) -> None:
    """Have the system acknowledge what came: a service may send no more before (RFC 896), for up to 40 ms."""
    transport = answer.connection and answer.connection.transport
    if transport and (option := getattr(socket, "TCP_QUICKACK", None)):  # which Linux has
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, option, 1)


def told(error: BaseException) -> str:
    """What went wrong, in a few words."""
    if isinstance(error, asyncio.TimeoutError):
        return "it was silent for too long"
    if isinstance(error, aiohttp.ClientConnectorError):
        why = error.os_error.strerror or str(error.os_error)
        return f"nobody can be reached at {error.host} port {error.port}: {why}"
    return str(error) or type(error).__name__


class Coming:
    """The body of an answer, as it comes. Raises CutOffError where it ends too early."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        """Nothing has come yet."""
        self.answer = answer
        self.held = bytearray()

    async def hold(self, size: int) -> bool:
        """Hold what comes until that is more than so many bytes; whether it is all."""
        while len(self.held) <= size:
            some = await self.more()
            if not some:
                return True
            self.held += some
        return False

    async def next(self) -> bytes:
        """The next bytes; none at the end."""
        if not self.held:
            return await self.more()
        some, self.held = bytes(self.held), bytearray()
        return some

    async def more(self) -> bytes:
        """The next bytes from outside."""
        try:
            return await more(self.answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise CutOffError("The shared store broke off its answer.") from error


class Body(RawIOBase):
    """The body of an answer, for a thread. Raises CutOffError where it ends too early."""

    def __init__(self, loop: asyncio.AbstractEventLoop, coming: Coming) -> None:
        """Nothing is read yet."""
        super().__init__()
        self.loop, self.coming = loop, coming
        self.rest = memoryview(b"")

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, target: Any) -> int:
        """Fill the target as far as something has come; 0 at the end."""
        if not self.rest:
            self.rest = memoryview(asyncio.run_coroutine_threadsafe(self.coming.next(), self.loop).result())
        count = min(len(target), len(self.rest))
        target[:count], self.rest = self.rest[:count], self.rest[count:]
        return count

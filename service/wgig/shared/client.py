"""Requests to a SPARQL service, in one event loop (SPARQL 1.1 Protocol, sections 2.1 and 2.2)."""

import asyncio
import io
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import aiohttp

from ..opening import DeclinedError, UnavailableError
from .access import Access

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

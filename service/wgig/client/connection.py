"""HTTP connections of the client: base URL, timeouts and retries with backoff.

A service may be given by its own URL or that of its SPARQL endpoint. 429 and 503 with Retry-After are
retried, as nothing was begun; an unreachable service is retried after 0.2 s, then twice as long each time. A
response is whole or raises ServiceError.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpx

from .errors import ServiceError, refused

ENDPOINT = "sparql"


def service(url: str) -> str:
    """The address of a service, with a slash at the end."""
    return f"{url.rstrip('/').removesuffix(f'/{ENDPOINT}')}/"


def endpoint(url: str) -> str:
    """The address of the SPARQL endpoint: that of a service ends with a slash, or is that of a host alone."""
    is_service = url.endswith("/") or "/" not in url.partition("://")[2]
    return f"{service(url)}{ENDPOINT}" if is_service else url


CONNECT = 10.0  # seconds
BUSY = (429, 503)  # whose Retry-After says that nothing was begun
FIRST_PAUSE = 0.2  # seconds before a service is tried again that cannot be reached; then twice as many


class Limits(NamedTuple):
    """How long to wait: seconds for the next piece of an answer, tries after the first, seconds for those."""

    timeout: float = 60.0
    retries: int = 3
    patience: float = 30.0


USUAL = Limits()


class Piece(NamedTuple):
    """The begin of an answer, and whether it is all of it."""

    body: bytes
    headers: httpx.Headers
    is_whole: bool


class LostError(ServiceError):
    """No whole answer came. `begun`: a part of one did."""

    def __init__(self, title: str, detail: str, *, begun: bool):
        """Name what happened."""
        super().__init__(None, title, detail)
        self.begun = begun


class Connection:
    """A service at a URL, by connections that are kept open."""

    def __init__(
        self, url: str, limits: Limits = USUAL, transport: httpx.BaseTransport | None = None
    ) -> None:
        """Nothing is sent yet. Raises ValueError for what is no address."""
        if not url.startswith(("http://", "https://")):
            raise ValueError(
                f"{url!r} is no address of a service. Give one that begins with http:// or https://."
            )
        self.url, self.limits = service(url), limits
        self.sleep: Callable[[float], None] = time.sleep
        self.http = httpx.Client(
            base_url=self.url,
            timeout=httpx.Timeout(limits.timeout, connect=min(CONNECT, limits.timeout)),
            follow_redirects=True,
            transport=transport,
        )

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The whole answer to a request that changes nothing. Raises ServiceError.

        What was not begun is tried again: where the service is busy and says for how long, or not reached.
        """
        return self.tried(lambda: self.once(method, path, **options), again=True)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The whole answer to a write. Raises ServiceError.

        It is tried again only where the service says that it was not begun.
        """
        return self.tried(lambda: self.once(method, path, **options), again=False)

    def tried(self, attempt: Callable[[], httpx.Response], *, again: bool) -> httpx.Response:
        """What an attempt gives; `again`: one may follow where nothing came of it. Raises ServiceError."""
        left = self.limits.patience
        for number in range(self.limits.retries + 1):
            try:
                response = attempt()
            except LostError as error:
                pause = FIRST_PAUSE * 2**number if again and not error.begun else None
                failed: ServiceError = error
            else:
                if response.is_success:
                    return response
                failed, pause = refused(response), retry_after(response)
            if pause is None or pause > left or number == self.limits.retries:
                raise failed
            left -= pause
            self.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def once(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The whole answer to a request, whatever it says. Raises LostError."""
        with self.answer(method, path, **options) as response:
            response.read()
            return response

    def begin(self, most: int, seconds: float, method: str, path: str, **options: Any) -> Piece:
        """The begin of an answer: at most so many bytes, in so many seconds. Raises ServiceError."""
        due = time.monotonic() + seconds
        with self.answer(method, path, timeout=seconds, **options) as response:
            if not response.is_success:
                response.read()
                raise refused(response)
            body = bytearray()
            for piece in response.iter_bytes():
                body += piece
                if len(body) > most:
                    return Piece(bytes(body[:most]), response.headers, is_whole=False)
                if time.monotonic() > due:
                    raise LostError("Too slow", f"The answer took longer than {seconds} seconds.", begun=True)
            return Piece(bytes(body), response.headers, is_whole=True)

    @contextmanager
    def answer(self, method: str, path: str, **options: Any) -> Iterator[httpx.Response]:
        """Around an answer that is still to be read. Raises LostError where it does not come whole.

        Raises ServiceError for what no address can hold, before anything is sent.
        """
        begun = False
        try:
            with self.http.stream(method, path, **options) as response:
                begun = True
                yield response
        except httpx.InvalidURL as error:
            raise ServiceError(
                None, "Not sent", f"No address can hold this: {error}. Ask for less."
            ) from error
        except httpx.TimeoutException as error:
            waited = options.get("timeout", self.limits.timeout)
            said = f"{self.url} sent nothing for {waited} seconds and was given up. Ask for less."
            raise LostError("Too slow", said, begun=True) from error
        except httpx.RequestError as error:
            said = str(error) or type(error).__name__
            if begun:
                raise LostError(
                    "Broken off",
                    f"The answer broke off, so there is none: {said}.",
                    begun=True,
                ) from error
            raise LostError(
                "Not reached", f"{self.url} cannot be reached: {said}. Is it the right address?", begun=False
            ) from error


def retry_after(response: httpx.Response) -> float | None:
    """For how many seconds a busy service wants to be left alone; None where it does not say.

    The field holds seconds or a time (RFC 9110, section 10.2.3).
    """
    field = response.headers.get("retry-after", "")
    if response.status_code not in BUSY or not field:
        return None
    if field.isdecimal():
        return float(field)
    try:
        moment = parsedate_to_datetime(field)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())

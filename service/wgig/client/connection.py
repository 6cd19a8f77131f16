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

from .errors import ServiceError, build_service_error

SPARQL_ENDPOINT_PATH = "sparql"


def normalize_service_url(url: str) -> str:
    """The address of a service, with a slash at the end."""
    return f"{url.rstrip('/').removesuffix(f'/{SPARQL_ENDPOINT_PATH}')}/"


def sparql_endpoint_url(url: str) -> str:
    """The address of the SPARQL endpoint: that of a service ends with a slash, or is that of a host alone."""
    is_service = url.endswith("/") or "/" not in url.partition("://")[2]
    return f"{normalize_service_url(url)}{SPARQL_ENDPOINT_PATH}" if is_service else url


CONNECT_TIMEOUT_SECONDS = 10.0  # seconds
BUSY_STATUSES = (429, 503)  # whose Retry-After says that nothing was begun
# Seconds before a service is tried again that cannot be reached; then twice as many.
FIRST_RETRY_PAUSE_SECONDS = 0.2


class RequestLimits(NamedTuple):
    """How long to wait: seconds for the next piece of an answer, tries after the first, seconds for those."""

    timeout: float = 60.0
    retries: int = 3
    patience: float = 30.0


DEFAULT_REQUEST_LIMITS = RequestLimits()


class PartialResponse(NamedTuple):
    """The begin of an answer, and whether it is all of it."""

    body: bytes
    headers: httpx.Headers
    is_whole: bool


class IncompleteResponseError(ServiceError):
    """No whole answer came. `begun`: a part of one did."""

    def __init__(self, title: str, detail: str, *, begun: bool):
        """Name what happened."""
        super().__init__(None, title, detail)
        self.begun = begun


class Connection:
    """A service at a URL, by connections that are kept open."""

    def __init__(
        self,
        url: str,
        limits: RequestLimits = DEFAULT_REQUEST_LIMITS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Nothing is sent yet. Raises ValueError for what is no address."""
        if not url.startswith(("http://", "https://")):
            raise ValueError(
                f"{url!r} is no address of a service. Give one that begins with http:// or https://."
            )
        self.url, self.limits = normalize_service_url(url), limits
        self.sleep: Callable[[float], None] = time.sleep
        self.http_client = httpx.Client(
            base_url=self.url,
            timeout=httpx.Timeout(limits.timeout, connect=min(CONNECT_TIMEOUT_SECONDS, limits.timeout)),
            follow_redirects=True,
            transport=transport,
        )

    def close(self) -> None:
        """Close the connections."""
        self.http_client.close()

    def send_read(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The whole answer to a request that changes nothing. Raises ServiceError.

        What was not begun is tried again: where the service is busy and says for how long, or not reached.
        """
        return self.retry_request(lambda: self.send_once(method, path, **options), again=True)

    def send_write(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The whole answer to a write. Raises ServiceError.

        It is tried again only where the service says that it was not begun.
        """
        return self.retry_request(lambda: self.send_once(method, path, **options), again=False)

    def retry_request(self, attempt: Callable[[], httpx.Response], *, again: bool) -> httpx.Response:
        """What an attempt gives; `again`: one may follow where nothing came of it. Raises ServiceError."""
        left = self.limits.patience
        for number in range(self.limits.retries + 1):
            try:
                response = attempt()
            except IncompleteResponseError as error:
                pause = FIRST_RETRY_PAUSE_SECONDS * 2**number if again and not error.begun else None
                failed: ServiceError = error
            else:
                if response.is_success:
                    return response
                failed, pause = build_service_error(response), parse_retry_after(response)
            if pause is None or pause > left or number == self.limits.retries:
                raise failed
            left -= pause
            self.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def send_once(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The whole answer to a request, whatever it says. Raises IncompleteResponseError."""
        with self.stream_response(method, path, **options) as response:
            response.read()
            return response

    def read_partial(
        self, most: int, seconds: float, method: str, path: str, **options: Any
    ) -> PartialResponse:
        """The begin of an answer: at most so many bytes, in so many seconds. Raises ServiceError."""
        due = time.monotonic() + seconds
        with self.stream_response(method, path, timeout=seconds, **options) as response:
            if not response.is_success:
                response.read()
                raise build_service_error(response)
            body = bytearray()
            for piece in response.iter_bytes():
                body += piece
                if len(body) > most:
                    return PartialResponse(bytes(body[:most]), response.headers, is_whole=False)
                if time.monotonic() > due:
                    raise IncompleteResponseError(
                        "Too slow", f"The answer took longer than {seconds} seconds.", begun=True
                    )
            return PartialResponse(bytes(body), response.headers, is_whole=True)

    @contextmanager
    def stream_response(self, method: str, path: str, **options: Any) -> Iterator[httpx.Response]:
        """Around an answer that is still to be read. Raises IncompleteResponseError where it is cut off.

        Raises ServiceError for what no address can hold, before anything is sent.
        """
        begun = False
        try:
            with self.http_client.stream(method, path, **options) as response:
                begun = True
                yield response
        except httpx.InvalidURL as error:
            raise ServiceError(
                None, "Not sent", f"No address can hold this: {error}. Ask for less."
            ) from error
        except httpx.TimeoutException as error:
            waited = options.get("timeout", self.limits.timeout)
            said = f"{self.url} sent nothing for {waited} seconds and was given up. Ask for less."
            raise IncompleteResponseError("Too slow", said, begun=True) from error
        except httpx.RequestError as error:
            said = str(error) or type(error).__name__
            if begun:
                raise IncompleteResponseError(
                    "Broken off",
                    f"The answer broke off, so there is none: {said}.",
                    begun=True,
                ) from error
            raise IncompleteResponseError(
                "Not reached", f"{self.url} cannot be reached: {said}. Is it the right address?", begun=False
            ) from error


def parse_retry_after(response: httpx.Response) -> float | None:
    """For how many seconds a busy service wants to be left alone; None where it does not say.

    The field holds seconds or a time (RFC 9110, section 10.2.3).
    """
    field = response.headers.get("retry-after", "")
    if response.status_code not in BUSY_STATUSES or not field:
        return None
    if field.isdecimal():
        return float(field)
    try:
        moment = parsedate_to_datetime(field)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())

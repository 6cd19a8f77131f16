"""HTTP connections of the client: base URL, timeouts and retries with backoff.

A service can be given by its own URL or that of its SPARQL endpoint. 429 and 503 with Retry-After are
retried, as the service has not started the request; an unreachable service is retried after 0.2 s, then after
twice as long each time. An incomplete response raises ServiceError.
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
    """The URL of a service, ending in a slash, from its URL or that of its SPARQL endpoint."""
    return f"{url.rstrip('/').removesuffix(f'/{SPARQL_ENDPOINT_PATH}')}/"


def sparql_endpoint_url(url: str) -> str:
    """The URL of the SPARQL endpoint. A URL is that of a service if it ends in a slash or is only a host."""
    is_service = url.endswith("/") or "/" not in url.partition("://")[2]
    return f"{normalize_service_url(url)}{SPARQL_ENDPOINT_PATH}" if is_service else url


CONNECT_TIMEOUT_SECONDS = 10.0
BUSY_STATUSES = (429, 503)  # with Retry-After: the service has not started the request
# Pause before the first retry of an unreachable service; it doubles each time.
FIRST_RETRY_PAUSE_SECONDS = 0.2


class RequestLimits(NamedTuple):
    """Limits on waiting for a response.

    `timeout`: seconds without receiving any data; `retries`: attempts after the first one; `patience`:
    seconds of all pauses between attempts together.
    """

    timeout: float = 60.0
    retries: int = 3
    patience: float = 30.0


DEFAULT_REQUEST_LIMITS = RequestLimits()


class PartialResponse(NamedTuple):
    """The first bytes of a response body, and whether they are the whole body."""

    body: bytes
    headers: httpx.Headers
    is_whole: bool


class IncompleteResponseError(ServiceError):
    """No complete response arrived; `begun` says whether a part of one did."""

    def __init__(self, title: str, detail: str, *, begun: bool):
        """Store the error with no status."""
        super().__init__(None, title, detail)
        self.begun = begun


class Connection:
    """HTTP requests to the service at a URL, over connections that are kept open."""

    def __init__(
        self,
        url: str,
        limits: RequestLimits = DEFAULT_REQUEST_LIMITS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Prepare the client; nothing is sent yet. Raises ValueError for a URL that is not HTTP(S)."""
        if not url.startswith(("http://", "https://")):
            raise ValueError(
                f"{url!r} is not the URL of a service. Give one that begins with http:// or https://."
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
        """The complete response to a request that changes nothing. Raises ServiceError.

        Retried if the service was busy and sent Retry-After, or could not be reached.
        """
        return self.retry_request(lambda: self.send_once(method, path, **options), retry_unreachable=True)

    def send_write(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The complete response to a write. Raises ServiceError.

        Retried only if the service was busy and sent Retry-After, so that nothing was written.
        """
        return self.retry_request(lambda: self.send_once(method, path, **options), retry_unreachable=False)

    def retry_request(
        self, attempt: Callable[[], httpx.Response], *, retry_unreachable: bool
    ) -> httpx.Response:
        """The first successful response of an attempt. Raises ServiceError of the last one.

        `retry_unreachable`: also retry if no response began.
        """
        remaining_seconds = self.limits.patience
        for number in range(self.limits.retries + 1):
            try:
                response = attempt()
            except IncompleteResponseError as error:
                pause = (
                    FIRST_RETRY_PAUSE_SECONDS * 2**number if retry_unreachable and not error.begun else None
                )
                last_error: ServiceError = error
            else:
                if response.is_success:
                    return response
                last_error, pause = build_service_error(response), parse_retry_after(response)
            if pause is None or pause > remaining_seconds or number == self.limits.retries:
                raise last_error
            remaining_seconds -= pause
            self.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def send_once(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The complete response to one request, of any status. Raises IncompleteResponseError."""
        with self.stream_response(method, path, **options) as response:
            response.read()
            return response

    def read_partial(
        self, max_bytes: int, timeout_seconds: float, method: str, path: str, **options: Any
    ) -> PartialResponse:
        """At most the first `max_bytes` of a response, within `timeout_seconds`. Raises ServiceError."""
        deadline = time.monotonic() + timeout_seconds
        with self.stream_response(method, path, timeout=timeout_seconds, **options) as response:
            if not response.is_success:
                response.read()
                raise build_service_error(response)
            body = bytearray()
            for piece in response.iter_bytes():
                body += piece
                if len(body) > max_bytes:
                    return PartialResponse(bytes(body[:max_bytes]), response.headers, is_whole=False)
                if time.monotonic() > deadline:
                    raise IncompleteResponseError(
                        "Too slow", f"The response took longer than {timeout_seconds} seconds.", begun=True
                    )
            return PartialResponse(bytes(body), response.headers, is_whole=True)

    @contextmanager
    def stream_response(self, method: str, path: str, **options: Any) -> Iterator[httpx.Response]:
        """A response whose body is still to be read. Raises IncompleteResponseError if it is cut off.

        Raises ServiceError for arguments that do not fit into a URL, before anything is sent.
        """
        begun = False
        try:
            with self.http_client.stream(method, path, **options) as response:
                begun = True
                yield response
        except httpx.InvalidURL as error:
            raise ServiceError(
                None, "Not sent", f"The URL would be invalid: {error}. Shorten or correct the arguments."
            ) from error
        except httpx.TimeoutException as error:
            seconds = options.get("timeout", self.limits.timeout)
            detail = (
                f"{self.url} sent nothing for {seconds} seconds. Request less at once, or raise the timeout."
            )
            raise IncompleteResponseError("Too slow", detail, begun=True) from error
        except httpx.RequestError as error:
            reason = str(error) or type(error).__name__
            if begun:
                raise IncompleteResponseError(
                    "Response cut off",
                    f"The connection broke during the response, which is discarded: {reason}.",
                    begun=True,
                ) from error
            raise IncompleteResponseError(
                "Unreachable", f"{self.url} cannot be reached: {reason}. Is it the right URL?", begun=False
            ) from error


def parse_retry_after(response: httpx.Response) -> float | None:
    """The seconds to wait by the Retry-After header of a 429 or 503; None without a valid one.

    The header holds seconds or a date (RFC 9110, section 10.2.3).
    """
    retry_after = response.headers.get("retry-after", "")
    if response.status_code not in BUSY_STATUSES or not retry_after:
        return None
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        retry_time = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, (retry_time.replace(tzinfo=retry_time.tzinfo or UTC) - datetime.now(UTC)).total_seconds())

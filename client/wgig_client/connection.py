"""HTTP connections of the client: base URL, timeouts and retries with backoff.

A service is identified by its base URL or the URL of its SPARQL endpoint. Responses 429 and 503 with
Retry-After are retried, as the service has not started the request. An unreachable service is retried after
0.2 s; the pause doubles each time. An incomplete response raises ServiceError.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpx2

from .errors import ServiceError, build_service_error

SPARQL_ENDPOINT_PATH = "sparql"


def normalize_service_url(url: str) -> str:
    """The base URL of a service, ending in a slash, from its base URL or that of its SPARQL endpoint."""
    return f"{url.rstrip('/').removesuffix(f'/{SPARQL_ENDPOINT_PATH}')}/"


def sparql_endpoint_url(url: str) -> str:
    """The URL of a SPARQL endpoint, for this URL or for the base URL of a service.

    A URL that ends in a slash or has no path is a base URL; any other is the URL of an endpoint.
    """
    is_base_url = url.endswith("/") or "/" not in url.partition("://")[2]
    return f"{normalize_service_url(url)}{SPARQL_ENDPOINT_PATH}" if is_base_url else url


CONNECT_TIMEOUT_SECONDS = 10.0
BUSY_STATUSES = (429, 503)  # with Retry-After, they mean that the service has not started the request
# Pause before the first retry of an unreachable service; it doubles each time.
FIRST_RETRY_PAUSE_SECONDS = 0.2


class RequestLimits(NamedTuple):
    """Limits on waiting for a response.

    `timeout` is the longest time in seconds without received data, `retries` the maximum number of attempts
    after the first one, and `patience` the maximum total of the pauses between attempts, in seconds.
    """

    timeout: float = 60.0
    retries: int = 3
    patience: float = 30.0


DEFAULT_REQUEST_LIMITS = RequestLimits()


class PartialResponse(NamedTuple):
    """The first bytes of a response body, the headers, and whether the bytes are the whole body."""

    body: bytes
    headers: httpx2.Headers
    is_whole: bool


class IncompleteResponseError(ServiceError):
    """No complete response arrived; `begun` is True if a part of the response may have arrived."""

    def __init__(self, title: str, detail: str, *, begun: bool):
        """Take the title and detail of the error, which has no HTTP status."""
        super().__init__(None, title, detail)
        self.begun = begun


class Connection:
    """Sends HTTP requests to the service at a URL, over connections that are kept open."""

    def __init__(
        self,
        url: str,
        limits: RequestLimits = DEFAULT_REQUEST_LIMITS,
        transport: httpx2.BaseTransport | None = None,  # None for the network
    ) -> None:
        """Create the HTTP client without connecting. Raises ValueError for a URL that is not HTTP(S)."""
        if not url.startswith(("http://", "https://")):
            raise ValueError(
                f"{url!r} is not the URL of a service. Use a URL that begins with http:// or https://."
            )
        self.url, self.limits = normalize_service_url(url), limits
        self.sleep: Callable[[float], None] = time.sleep  # tests replace it
        self.http_client = httpx2.Client(
            base_url=self.url,
            timeout=httpx2.Timeout(limits.timeout, connect=min(CONNECT_TIMEOUT_SECONDS, limits.timeout)),
            follow_redirects=True,
            transport=transport,
        )

    def close(self) -> None:
        """Close the connections."""
        self.http_client.close()

    def send_read(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """The complete response to a request that changes nothing. Raises ServiceError if it fails.

        The request is retried if the service was busy and sent Retry-After, or could not be reached.
        """
        return self.retry_request(lambda: self.send_once(method, path, **options), retry_unreachable=True)

    def send_write(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """The complete response to a write. Raises ServiceError if it fails.

        The write is retried only if the service was busy and sent Retry-After, so that nothing was written.
        """
        return self.retry_request(lambda: self.send_once(method, path, **options), retry_unreachable=False)

    def retry_request(
        self, attempt: Callable[[], httpx2.Response], *, retry_unreachable: bool
    ) -> httpx2.Response:
        """The first successful response. Raises the ServiceError of the last attempt.

        With `retry_unreachable`, a request is also repeated if no response has begun.
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

    def send_once(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """The complete response to one request, of any status. Raises IncompleteResponseError."""
        with self.stream_response(method, path, **options) as response:
            response.read()
            return response

    def read_partial(
        self, max_bytes: int, timeout_seconds: float, method: str, path: str, **options: Any
    ) -> PartialResponse:
        """At most the first `max_bytes` of a response.

        Raises ServiceError for an error status, or if they take longer than `timeout_seconds`.
        """
        deadline = time.monotonic() + timeout_seconds
        with self.stream_response(method, path, timeout=timeout_seconds, **options) as response:
            if not response.is_success:
                response.read()
                raise build_service_error(response)
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > max_bytes:
                    return PartialResponse(bytes(body[:max_bytes]), response.headers, is_whole=False)
                if time.monotonic() > deadline:
                    raise IncompleteResponseError(
                        "Request timed out",
                        f"The response took longer than {timeout_seconds} seconds.",
                        begun=True,
                    )
            return PartialResponse(bytes(body), response.headers, is_whole=True)

    @contextmanager
    def stream_response(self, method: str, path: str, **options: Any) -> Iterator[httpx2.Response]:
        """Yield a response whose body has not been read. Raises IncompleteResponseError if it is cut off.

        Raises ServiceError before anything is sent if the URL would be invalid, such as too long.
        """
        begun = False
        try:
            with self.http_client.stream(method, path, **options) as response:
                begun = True
                yield response
        except httpx2.InvalidURL as error:
            raise ServiceError(
                None, "Not sent", f"The URL would be invalid: {error}. Shorten or correct the arguments."
            ) from error
        except httpx2.TimeoutException as error:
            seconds = options.get("timeout", self.limits.timeout)
            detail = (
                f"{self.url} sent nothing for {seconds} seconds. Request less data, or increase the timeout."
            )
            raise IncompleteResponseError("Request timed out", detail, begun=True) from error
        except httpx2.RequestError as error:
            reason = str(error) or type(error).__name__
            if begun:
                raise IncompleteResponseError(
                    "Response cut off",
                    f"The connection was lost during the response, which was discarded: {reason}.",
                    begun=True,
                ) from error
            raise IncompleteResponseError(
                "Unreachable", f"{self.url} cannot be reached: {reason}. Check the URL.", begun=False
            ) from error


def parse_retry_after(response: httpx2.Response) -> float | None:
    """The seconds to wait according to the Retry-After header of a 429 or 503; None without a valid header.

    The value of the header is a number of seconds or a date (RFC 9110, section 10.2.3).
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

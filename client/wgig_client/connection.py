"""HTTP connections of the client: base URL, timeouts and retries with backoff.

A service is identified by its base URL or the URL of its SPARQL endpoint. Responses 429 and 503 with
Retry-After are retried, as the service has not started the request. An unreachable service is retried after
0.2 s; the pause doubles each time. An incomplete response raises ServiceError. Connection and AsyncConnection
differ only in how they wait.
"""

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, NamedTuple

import anyio
import httpx2

from .calls import Call, Result, check_media_type
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

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the arguments: Exception would pickle the message."""
        return partial(IncompleteResponseError, begun=self.begun), (self.title, self.detail)


class RetrySchedule:
    """Decides, within the limits, whether and when a failed request is sent again."""

    def __init__(self, limits: RequestLimits, *, retry_unreachable: bool) -> None:
        """Take the limits. With `retry_unreachable`, a request is also repeated if no response has begun."""
        self.limits, self.retry_unreachable = limits, retry_unreachable
        self.remaining_seconds = limits.patience
        self.attempts = 0

    def choose_pause(self, outcome: httpx2.Response | IncompleteResponseError) -> float:
        """The seconds until the next attempt after this outcome. Raises its ServiceError if there is none."""
        if isinstance(outcome, IncompleteResponseError):
            error: ServiceError = outcome
            is_retried = self.retry_unreachable and not outcome.begun
            pause: float | None = FIRST_RETRY_PAUSE_SECONDS * 2.0**self.attempts if is_retried else None
        else:
            error, pause = build_service_error(outcome), parse_retry_after(outcome)
        if pause is None or pause > self.remaining_seconds or self.attempts == self.limits.retries:
            raise error
        self.remaining_seconds -= pause
        self.attempts += 1
        return pause


class Connection:
    """Sends HTTP requests to the service at a URL, over connections that are kept open."""

    def __init__(
        self,
        url: str,
        limits: RequestLimits = DEFAULT_REQUEST_LIMITS,
        transport: httpx2.BaseTransport | None = None,  # None for the network
    ) -> None:
        """Create the HTTP client without connecting. Raises ValueError for a URL that is not HTTP(S)."""
        self.url, self.limits = validate_service_url(url), limits
        self.sleep: Callable[[float], None] = time.sleep  # tests replace it
        self.http_client = httpx2.Client(
            base_url=self.url,
            timeout=build_timeout(limits),
            follow_redirects=True,
            transport=transport,
        )

    def close(self) -> None:
        """Close the connections."""
        self.http_client.close()

    def run_call(self, call: Call[Result]) -> Result:
        """The result of a call. Raises ServiceError if it fails.

        A request is sent again if the service was busy and sent Retry-After, so that it did not start, and
        one that changes nothing also if the service could not be reached.
        """
        schedule = RetrySchedule(self.limits, retry_unreachable=not call.is_write)
        while True:
            try:
                outcome: httpx2.Response | IncompleteResponseError = self.send_once(call)
            except IncompleteResponseError as error:
                outcome = error
            if isinstance(outcome, httpx2.Response) and outcome.is_success:
                return call.parse(outcome)
            self.sleep(schedule.choose_pause(outcome))

    def send_once(self, call: Call[Result]) -> httpx2.Response:
        """The complete response to one request, of any status. Raises IncompleteResponseError."""
        with self.stream_response(call.method, call.path, **call.options) as response:
            if response.is_success:
                check_media_type(call.options, response)
            if call.receive and response.is_success:
                for chunk in response.iter_raw():
                    call.receive(chunk)
            else:
                response.read()
            return response

    def send_read(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """The complete response to a request that changes nothing. Raises ServiceError if it fails."""
        return self.run_call(Call(method, path, options, lambda response: response))

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
            check_media_type(options, response)
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
        except (httpx2.InvalidURL, httpx2.RequestError) as error:
            seconds = options.get("timeout", self.limits.timeout)
            raise explain_request_error(error, self.url, seconds, begun=begun) from error


class AsyncConnection:
    """Sends HTTP requests as Connection does, in asynchronous code."""

    def __init__(
        self,
        url: str,
        limits: RequestLimits = DEFAULT_REQUEST_LIMITS,
        transport: httpx2.AsyncBaseTransport | None = None,  # None for the network
    ) -> None:
        """Create the HTTP client without connecting. Raises ValueError for a URL that is not HTTP(S)."""
        self.url, self.limits = validate_service_url(url), limits
        self.sleep: Callable[[float], Awaitable[None]] = anyio.sleep  # tests replace it
        self.http_client = httpx2.AsyncClient(
            base_url=self.url,
            timeout=build_timeout(limits),
            follow_redirects=True,
            transport=transport,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self.http_client.aclose()

    async def run_call(self, call: Call[Result]) -> Result:
        """The result of a call, as that of Connection."""
        schedule = RetrySchedule(self.limits, retry_unreachable=not call.is_write)
        while True:
            try:
                outcome: httpx2.Response | IncompleteResponseError = await self.send_once(call)
            except IncompleteResponseError as error:
                outcome = error
            if isinstance(outcome, httpx2.Response) and outcome.is_success:
                return call.parse(outcome)
            await self.sleep(schedule.choose_pause(outcome))

    async def send_once(self, call: Call[Result]) -> httpx2.Response:
        """The complete response to one request, of any status. Raises IncompleteResponseError."""
        async with self.stream_response(call.method, call.path, **call.options) as response:
            if response.is_success:
                check_media_type(call.options, response)
            if call.receive and response.is_success:
                async for chunk in response.aiter_raw():
                    call.receive(chunk)
            else:
                await response.aread()
            return response

    @asynccontextmanager
    async def stream_response(self, method: str, path: str, **options: Any) -> AsyncIterator[httpx2.Response]:
        """Yield a response whose body has not been read; raises as that of Connection does."""
        begun = False
        try:
            async with self.http_client.stream(method, path, **options) as response:
                begun = True
                yield response
        except (httpx2.InvalidURL, httpx2.RequestError) as error:
            seconds = options.get("timeout", self.limits.timeout)
            raise explain_request_error(error, self.url, seconds, begun=begun) from error


def validate_service_url(url: str) -> str:
    """The base URL of a service. Raises ValueError for a URL that is not HTTP(S)."""
    try:
        parsed_url = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise ValueError(f"{url!r} is not a URL: {error}.") from error
    if parsed_url.scheme not in ("http", "https") or not parsed_url.host:
        raise ValueError(
            f"{url!r} is not the URL of a service. Use a URL that begins with http:// or https://."
        )
    if parsed_url.query or parsed_url.fragment:
        raise ValueError(f"{url!r} is not the URL of a service. Leave out what follows its path.")
    return normalize_service_url(str(parsed_url))


def hide_user(url: str) -> str:
    """The URL without user and password."""
    return re.sub(r"(?<=//)[^/@]*@", "", url)


def build_timeout(limits: RequestLimits) -> httpx2.Timeout:
    """The timeouts of a request."""
    return httpx2.Timeout(limits.timeout, connect=min(CONNECT_TIMEOUT_SECONDS, limits.timeout))


def explain_request_error(
    error: httpx2.InvalidURL | httpx2.RequestError, url: str, timeout_seconds: float, *, begun: bool
) -> ServiceError:
    """The error for a request without a complete response; `begun`: a part of the response had arrived."""
    url = hide_user(url)
    if isinstance(error, httpx2.InvalidURL):
        return ServiceError(
            None, "Not sent", f"The URL would be invalid: {error}. Shorten or correct the arguments."
        )
    if isinstance(error, httpx2.ConnectTimeout):
        detail = f"{url} accepts no connection. Check the URL, and that the service runs."
        return IncompleteResponseError("Unreachable", detail, begun=False)
    if isinstance(error, httpx2.TimeoutException):
        detail = (
            f"{url} sent nothing for {timeout_seconds:g} seconds. Request less data, or increase the timeout."
        )
        return IncompleteResponseError("Request timed out", detail, begun=True)
    reason = str(error) or type(error).__name__
    if begun:
        detail = f"The connection was lost during the response, which was discarded: {reason}."
        return IncompleteResponseError("Response cut off", detail, begun=True)
    detail = f"{url} cannot be reached: {reason}. Check the URL."
    return IncompleteResponseError("Unreachable", detail, begun=False)


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

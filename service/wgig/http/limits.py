"""Rate limits: a token bucket for each client, which refills over time. An empty bucket results in 429.

A bucket is stored as one number, the time at which it will be full. Full buckets are not stored, and the
number of buckets is limited, so that memory is bounded. Several processes can share the buckets. The state of
a bucket is sent in the headers of draft-ietf-httpapi-ratelimit-headers-10.
"""

import time
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network
from math import ceil
from typing import Any, NamedTuple, Protocol

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..i18n import gettext_noop
from ..problems import Problem, build_sentence
from ..settings import Settings
from .access_log import REQUEST_RECORD_KEY
from .middleware import send_problem, set_security_headers

CLIENT_IPV6_BITS = 64  # network bits of an IPv6 address, which a client cannot choose


@lru_cache
def identify_client(address: str) -> str:
    """The key of the bucket of a client: its IPv4 address, or the /64 network of its IPv6 address."""
    try:
        return str(IPv6Network((IPv6Address(address), CLIENT_IPV6_BITS), strict=False))
    except ValueError:
        return address


MAX_REMEMBERED_CLIENTS = 20_000  # clients with a stored bucket
UNLIMITED_PATHS = ("/health", "/ready")  # for monitors, which may share their address with other clients
RATE_LIMIT_POLICY = "client"  # the name of the limit in header fields
NO_LOCK: AbstractContextManager[object] = nullcontext()
CLOCK_TOLERANCE_SECONDS = 1e-6  # more than the rounding error of a clock that has run for years


class RateLimitStatus(NamedTuple):
    """The state of the bucket of a client after a request.

    `requests_left` more requests are allowed now. `reset_seconds` is the time until the bucket is full again,
    or if it is empty, until the next request is allowed. `is_refused`: it was already empty, which results in
    429.
    """

    requests_left: int
    reset_seconds: int
    is_refused: bool

    def format_field(self) -> bytes:
        """The value of the RateLimit header."""
        return b'"%s";r=%d;t=%d' % (RATE_LIMIT_POLICY.encode(), self.requests_left, self.reset_seconds)


class Buckets(Protocol):
    """The times at which the buckets of clients are full, by the monotonic clock."""

    def lock(self) -> AbstractContextManager[object]:
        """A context in which no other process changes a bucket."""

    def get(self, client: str) -> float:
        """When the bucket of a client is full; 0 if it is not stored, as it is full."""

    def set(self, client: str, full_at: float, now: float) -> None:
        """Store a bucket. Buckets that are full `now`, or nearly, may be dropped."""


class LocalBuckets:
    """The buckets of one process, at most MAX_REMEMBERED_CLIENTS."""

    def __init__(self) -> None:
        """Start with full buckets."""
        self.full_at: dict[str, float] = {}

    def lock(self) -> AbstractContextManager[object]:
        """No lock, as no other process has these buckets."""
        return NO_LOCK

    def get(self, client: str) -> float:
        """When the bucket of a client is full; 0 if it is not stored."""
        return self.full_at.get(client, 0.0)

    def set(self, client: str, full_at: float, now: float) -> None:
        """Store a bucket. If there are too many, drop the full ones, and keep the emptiest half."""
        if client not in self.full_at and len(self.full_at) >= MAX_REMEMBERED_CLIENTS:
            buckets = sorted((end, other) for other, end in self.full_at.items() if end > now)
            self.full_at = {other: end for end, other in buckets[-MAX_REMEMBERED_CLIENTS // 2 :]}
        self.full_at[client] = full_at


class RateLimiter:
    """The limit of requests of each client. Not thread-safe. There is none if WGIG_RATE_REQUESTS is 0."""

    def __init__(self, settings: Settings, buckets: Buckets | None = None) -> None:
        """Start with `buckets`, by default full ones of this process."""
        self.buckets = buckets or LocalBuckets()
        self.apply_settings(settings)

    def apply_settings(self, settings: Settings) -> None:
        """Use the limits of these settings from now on."""
        self.max_requests, self.window_seconds = settings.rate_requests, settings.rate_seconds
        self.is_enabled = self.max_requests > 0
        self.policy_field = b'"%s";q=%d;w=%d' % (
            RATE_LIMIT_POLICY.encode(),
            self.max_requests,
            self.window_seconds,
        )

    def take(self, client: str) -> RateLimitStatus:
        """Take a token from the bucket of a client, if it is not empty. Returns the state of the bucket."""
        key = identify_client(client)
        seconds_per_token = self.window_seconds / self.max_requests
        with self.buckets.lock():
            now = time.monotonic()
            full_at = max(now, self.buckets.get(key)) + seconds_per_token
            # The tokens left, as the time that adds them.
            spare_seconds = self.window_seconds - (full_at - now)
            if spare_seconds < -CLOCK_TOLERANCE_SECONDS:
                return RateLimitStatus(0, ceil(-spare_seconds - CLOCK_TOLERANCE_SECONDS), is_refused=True)
            self.buckets.set(key, full_at, now)
        requests_left = int((spare_seconds + CLOCK_TOLERANCE_SECONDS) / seconds_per_token)
        reset_seconds = full_at - now if requests_left else seconds_per_token - spare_seconds
        return RateLimitStatus(requests_left, ceil(reset_seconds - CLOCK_TOLERANCE_SECONDS), is_refused=False)

    def is_exhausted(self, client: str) -> bool:
        """Whether the bucket of a client is empty, so that `take` would refuse the request."""
        spare_seconds = self.window_seconds - (self.buckets.get(identify_client(client)) - time.monotonic())
        return spare_seconds < self.window_seconds / self.max_requests - CLOCK_TOLERANCE_SECONDS

    def header_fields(self, status: RateLimitStatus) -> list[tuple[bytes, bytes]]:
        """The headers RateLimit-Policy and RateLimit of a response."""
        return [(b"ratelimit-policy", self.policy_field), (b"ratelimit", status.format_field())]

    def build_problem(self, status: RateLimitStatus) -> Problem:
        """The Problem 429 for a request of a client with an empty bucket."""
        limit_message = gettext_noop(
            "This client exceeded the rate limit of %(requests)s requests in %(seconds)s seconds."
        )
        retry_message = gettext_noop("Send the request again in %(seconds)s seconds.")
        detail = [
            build_sentence(limit_message, requests=self.max_requests, seconds=self.window_seconds),
            build_sentence(retry_message, seconds=status.reset_seconds),
        ]
        members: dict[str, Any] = {"violated-policies": [RATE_LIMIT_POLICY]}
        return Problem(429, detail, headers={"Retry-After": str(status.reset_seconds)}, **members)


class RateLimitMiddleware:
    """ASGI middleware that refuses requests of clients that exceed the rate limit."""

    def __init__(self, app: ASGIApp, limiter: RateLimiter, base: str) -> None:
        """Wrap `app`; `base` is the base IRI of the graph, for problem documents."""
        self.app, self.limiter, self.base = app, limiter, base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request to `app`, or send 429; both with the RateLimit headers."""
        if not self.limiter.is_enabled or scope["type"] != "http" or scope["path"] in UNLIMITED_PATHS:
            return await self.app(scope, receive, send)
        status = self.limiter.take(scope[REQUEST_RECORD_KEY].client)

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = [*message["headers"], *self.limiter.header_fields(status)]
                if status.is_refused:  # `app`, which would set them, is not called
                    set_security_headers(MutableHeaders(raw=fields))
                message = {**message, "headers": fields}
            await send(message)

        if status.is_refused:
            problem = self.limiter.build_problem(status)
            return await send_problem(self.base, scope, send_with_limits, problem)
        return await self.app(scope, receive, send_with_limits)

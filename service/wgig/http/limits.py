"""Rate limits: a token bucket for each client, which fills again with time; 429 where it is empty.

A bucket is one number: when it will be full. What is full need not be kept, so that memory is bounded whoever
comes. Told to clients in the fields of draft-ietf-httpapi-ratelimit-headers-10.
"""

import time
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network
from math import ceil
from typing import Any, NamedTuple

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..problems import Problem
from ..settings import Settings
from .access_log import REQUEST_RECORD_KEY
from .middleware import send_problem, set_security_headers

CLIENT_IPV6_BITS = 64  # bits of an address of IPv6 that a client does not choose


@lru_cache
def identify_client(address: str) -> str:
    """Who counts as one client: an address, or the network of one of IPv6, where a client has many."""
    try:
        return str(IPv6Network((IPv6Address(address), CLIENT_IPV6_BITS), strict=False))
    except ValueError:
        return address


MAX_REMEMBERED_CLIENTS = 20_000  # clients that are remembered, those with the emptiest buckets
UNLIMITED_PATHS = ("/health", "/ready")  # what monitors ask, by whose address others may come
RATE_LIMIT_POLICY = "client"
CLOCK_TOLERANCE_SECONDS = 1e-6  # seconds, more than is lost in adding to a clock that has run for years


class RateLimitStatus(NamedTuple):
    """What a client has left after a request: how many more, and in how many seconds there will be others.

    `is_refused` tells that there was none left for this one.
    """

    requests_left: int
    reset_seconds: int
    is_refused: bool

    def format_field(self) -> bytes:
        """The field that tells it."""
        return b'"%s";r=%d;t=%d' % (RATE_LIMIT_POLICY.encode(), self.requests_left, self.reset_seconds)


class RateLimiter:
    """The buckets of all clients, for one thread. Nothing is limited where the setting is 0."""

    def __init__(self, settings: Settings) -> None:
        """All are full."""
        self.full_at: dict[str, float] = {}
        self.apply_settings(settings)

    def apply_settings(self, settings: Settings) -> None:
        """Go by these settings from now on."""
        self.max_requests, self.window_seconds = settings.rate_requests, settings.rate_seconds
        self.is_enabled = self.max_requests > 0
        self.policy_field = b'"%s";q=%d;w=%d' % (
            RATE_LIMIT_POLICY.encode(),
            self.max_requests,
            self.window_seconds,
        )

    def take(self, client: str) -> RateLimitStatus:
        """Take a token out of the bucket of a client, if there is one."""
        now, whose, each = time.monotonic(), identify_client(client), self.window_seconds / self.max_requests
        full = max(now, self.full_at.get(whose, 0.0)) + each
        spare = self.window_seconds - (full - now)  # in seconds of filling
        if spare < -CLOCK_TOLERANCE_SECONDS:
            return RateLimitStatus(0, ceil(-spare - CLOCK_TOLERANCE_SECONDS), is_refused=True)
        if whose not in self.full_at and len(self.full_at) >= MAX_REMEMBERED_CLIENTS:
            self.forget_clients(now)
        self.full_at[whose] = full
        left = int((spare + CLOCK_TOLERANCE_SECONDS) / each)
        return RateLimitStatus(
            left, ceil((full - now if left else each - spare) - CLOCK_TOLERANCE_SECONDS), is_refused=False
        )

    def forget_clients(self, now: float) -> None:
        """Forget the buckets that are full, and of the others the fuller half."""
        kept = sorted((full, one) for one, full in self.full_at.items() if full > now)
        self.full_at = {one: full for full, one in kept[-MAX_REMEMBERED_CLIENTS // 2 :]}

    def header_fields(self, taken: RateLimitStatus) -> list[tuple[bytes, bytes]]:
        """The header fields that tell a client where it stands."""
        return [(b"ratelimit-policy", self.policy_field), (b"ratelimit", taken.format_field())]

    def build_problem(self, taken: RateLimitStatus) -> Problem:
        """The refusal of a request for which nothing was left."""
        sentence = (
            f"This client has made {self.max_requests} requests in {self.window_seconds} seconds, "
            f"and one more is too many. Send it again in {taken.reset_seconds} seconds."
        )
        members: dict[str, Any] = {"violated-policies": [RATE_LIMIT_POLICY]}
        return Problem(429, sentence, headers={"Retry-After": str(taken.reset_seconds)}, **members)


class RateLimitMiddleware:
    """ASGI middleware: lets pass what a client may, and refuses the rest."""

    def __init__(self, app: ASGIApp, limits: RateLimiter, base: str) -> None:
        """Stand before `app`; `base` is the base IRI of the graph."""
        self.app, self.limiter, self.base = app, limits, base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if not self.limiter.is_enabled or scope["type"] != "http" or scope["path"] in UNLIMITED_PATHS:
            return await self.app(scope, receive, send)
        taken = self.limiter.take(scope[REQUEST_RECORD_KEY].client)

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = [*message["headers"], *self.limiter.header_fields(taken)]
                if taken.is_refused:
                    set_security_headers(MutableHeaders(raw=fields))
                message = {**message, "headers": fields}
            await send(message)

        if taken.is_refused:
            return await send_problem(self.base, scope, telling, self.limiter.build_problem(taken))
        return await self.app(scope, receive, telling)

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
from .access_log import NOTED
from .middleware import refuse, secure

NETWORK = 64  # bits of an address of IPv6 that a client does not choose


@lru_cache
def party(address: str) -> str:
    """Who counts as one client: an address, or the network of one of IPv6, where a client has many."""
    try:
        return str(IPv6Network((IPv6Address(address), NETWORK), strict=False))
    except ValueError:
        return address


MOST = 20_000  # clients that are remembered, those with the emptiest buckets
FREE = ("/health", "/ready")  # what monitors ask, by whose address others may come
POLICY = "client"
TINY = 1e-6  # seconds, more than is lost in adding to a clock that has run for years


class Taken(NamedTuple):
    """What a client has left after a request: how many more, and in how many seconds there will be others.

    `refused` tells that there was none left for this one.
    """

    left: int
    seconds: int
    refused: bool

    def field(self) -> bytes:
        """The field that tells it."""
        return b'"%s";r=%d;t=%d' % (POLICY.encode(), self.left, self.seconds)


class Limits:
    """The buckets of all clients, for one thread. Nothing is limited where the setting is 0."""

    def __init__(self, settings: Settings) -> None:
        """All are full."""
        self.full: dict[str, float] = {}
        self.follow(settings)

    def follow(self, settings: Settings) -> None:
        """Go by these settings from now on."""
        self.requests, self.seconds = settings.rate_requests, settings.rate_seconds
        self.on = self.requests > 0
        self.policy = b'"%s";q=%d;w=%d' % (POLICY.encode(), self.requests, self.seconds)

    def take(self, client: str) -> Taken:
        """Take a token out of the bucket of a client, if there is one."""
        now, whose, each = time.monotonic(), party(client), self.seconds / self.requests
        full = max(now, self.full.get(whose, 0.0)) + each
        spare = self.seconds - (full - now)  # in seconds of filling
        if spare < -TINY:
            return Taken(0, ceil(-spare - TINY), refused=True)
        if whose not in self.full and len(self.full) >= MOST:
            self.forget(now)
        self.full[whose] = full
        left = int((spare + TINY) / each)
        return Taken(left, ceil((full - now if left else each - spare) - TINY), refused=False)

    def forget(self, now: float) -> None:
        """Forget the buckets that are full, and of the others the fuller half."""
        kept = sorted((full, one) for one, full in self.full.items() if full > now)
        self.full = {one: full for full, one in kept[-MOST // 2 :]}

    def fields(self, taken: Taken) -> list[tuple[bytes, bytes]]:
        """The header fields that tell a client where it stands."""
        return [(b"ratelimit-policy", self.policy), (b"ratelimit", taken.field())]

    def problem(self, taken: Taken) -> Problem:
        """The refusal of a request for which nothing was left."""
        sentence = (
            f"This client has made {self.requests} requests in {self.seconds} seconds, and one more is too "
            f"many. Send it again in {taken.seconds} seconds."
        )
        members: dict[str, Any] = {"violated-policies": [POLICY]}
        return Problem(429, sentence, headers={"Retry-After": str(taken.seconds)}, **members)


class Limiting:
    """ASGI middleware: lets pass what a client may, and refuses the rest."""

    def __init__(self, app: ASGIApp, limits: Limits, base: str) -> None:
        """Stand before `app`; `base` is the base IRI of the graph."""
        self.app, self.limits, self.base = app, limits, base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if not self.limits.on or scope["type"] != "http" or scope["path"] in FREE:
            return await self.app(scope, receive, send)
        taken = self.limits.take(scope[NOTED].client)

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = [*message["headers"], *self.limits.fields(taken)]
                if taken.refused:
                    secure(MutableHeaders(raw=fields))
                message = {**message, "headers": fields}
            await send(message)

        if taken.refused:
            return await refuse(self.base, scope, telling, self.limits.problem(taken))
        return await self.app(scope, receive, telling)

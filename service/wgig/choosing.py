"""The choice of a language for pages: by `_lang` in an address, and by the cookie that remembers it.

`_lang` does what Accept-Language does: it moves what is said around the data, and which of several texts is
shown. (`lang` asks for texts of the data in certain languages, and leaves out the others.)
"""

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .catalogues import SPOKEN
from .shortcuts import REQUEST
from .speaking import Reading, reading

COOKIE = "lang"
ONE = "|".join(SPOKEN).encode()
IN_ADDRESS = re.compile(rb"(?:^|(?<=&))_lang=(%s)(?:&|$)" % ONE)
IN_COOKIE = re.compile(rb"(?:^|;)\s*lang=(%s)\s*(?=;|$)" % ONE)
REMEMBER = f"{COOKIE}=%s; Path=/; Max-Age={365 * 24 * 3600}; HttpOnly; SameSite=Lax"


class Choosing:
    """ASGI middleware: makes a choice the first of Accept-Language, and has it remembered."""

    def __init__(self, app: ASGIApp) -> None:
        """Pass what is chosen to `app`."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with what its pages are to speak."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        chosen = IN_ADDRESS.search(scope["query_string"])
        tongue = chosen[1] if chosen else remembered(scope)
        if tongue:
            scope = speaking(scope, tongue)
        reading.set(Reading(scope, chosen=bool(chosen)))
        if not chosen:
            return await self.app(scope, receive, send)

        async def remembering(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = MutableHeaders(scope=message)
                if fields.get("content-type", "").startswith("text/html"):
                    fields.append("Set-Cookie", REMEMBER % chosen[1].decode())
            await send(message)

        return await self.app(scope, receive, remembering)


def remembered(scope: Scope) -> bytes | None:
    """The language that a browser chose before; it goes for pages alone."""
    fields = Headers(scope=scope)
    if "cookie" not in fields or "text/html" not in fields.get("accept", ""):
        return None
    found = IN_COOKIE.search(fields["cookie"].encode("latin-1"))
    return found[1] if found else None


def speaking(scope: Scope, tongue: bytes) -> Scope:
    """The request with a language before those that it likes, and no other trace of the choice.

    Its bytes are not those of another request that says the same, so that nothing may be known by them.
    """
    liked = (b"accept-language", tongue)
    fields = [pair for pair in scope["headers"] if pair[0] != b"cookie"]
    query = IN_ADDRESS.sub(b"", scope["query_string"], count=1).rstrip(b"&")
    changed = {"headers": [liked, *fields], "query_string": query}
    return {key: value for key, value in scope.items() if key != REQUEST} | changed

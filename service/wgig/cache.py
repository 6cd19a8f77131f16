"""Whole answers, kept and given again as long as the data is the same (RFC 9111)."""

import asyncio
from collections import OrderedDict
from functools import lru_cache
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .answers import CONDITIONAL, matches
from .codings import choose
from .formats import weights
from .noting import FIELD, NOTED, TRACE
from .presence import while_there
from .readers.answerers import InLine
from .recording import Entry, Recording
from .shortcuts import REQUEST, Shortcuts

BY_BODY = ("POST", "QUERY")
# What is of the connection, or of one request alone.
OWN = (b"connection", b"content-length", b"expect", b"transfer-encoding", b"upgrade", FIELD, TRACE)
QUESTIONS = ("/sparql",)  # where these only ask
LARGEST_QUESTION = 16 * 1024  # bytes of a body that counts as part of the address
SHARE = 4  # an answer takes at most this part of the room
OVERHEAD = 1000  # bytes that an entry takes beside its body

KEYED = frozenset((b"accept", b"content-encoding", b"content-type", b"host"))
LANGUAGE = b"accept-language"
# What the paths begin with of files, of which parts may be asked for, and which the system keeps; and of the
# form, which says whether there are tokens, as they come and go without a write.
APART = ("/dump", "/write")
OF_BODY = (b"content-encoding", b"content-length", b"content-type")

Key = tuple[Any, ...]


class Cache:
    """ASGI middleware: gives an answer again without a question as long as the data has the same version.

    It keeps up to `room` bytes. Of those who ask the same at once, one asks and the others wait for it.
    """

    def __init__(self, app: ASGIApp, answerers: InLine, shortcuts: Shortcuts, room: int) -> None:
        """Nothing is kept yet; what is given may be given by `shortcuts` the next time."""
        self.app, self.shortcuts, self.room = app, shortcuts, room
        self.answerers = answerers
        self.metrics = shortcuts.metrics
        self.under_way: dict[Key, asyncio.Future[None]] = {}
        self.clear()

    def clear(self) -> None:
        """Forget all answers."""
        self.as_of, self.size = self.answerers.version, 0
        self.entries: OrderedDict[Key, Entry] = OrderedDict()
        self.varies: dict[str, frozenset[bytes]] = {}
        self.metrics.kept = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give the answer that is kept, or ask for it and keep it."""
        if scope["type"] != "http" or not may_be_kept(scope):
            return await self.app(scope, receive, send)
        question, rest = b"", receive
        if scope["method"] in BY_BODY:
            first = await receive()
            receive = again(first, rest)
            if first["type"] != "http.request" or first.get("more_body", False):
                return await self.app(scope, receive, send)
            question = first.get("body", b"")
        key = self.key(scope, question)
        while not (entry := await self.found(key, scope["path"])) and key in self.under_way:
            if receive is rest:
                receive = again(await receive(), rest)
            try:
                async with while_there(rest):
                    await asyncio.shield(self.under_way[key])
            except ClientDisconnect:  # nobody is left to answer
                return None
        if entry:
            self.metrics.hits += 1
            return await give(entry, scope, send, self.shortcuts)
        self.metrics.misses += 1
        if scope["method"] == "HEAD":  # whose answer is not whole
            return await self.app(scope, receive, send)
        return await self.ask(key, scope, receive, send)

    def key(self, scope: Scope, question: bytes) -> Key:
        """What makes one answer differ from another."""
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        names = KEYED | self.varies.get(scope["path"], frozenset())
        fields = tuple(pair for pair in scope["headers"] if pair[0] in names)
        if reads_english(tuple(value for name, value in fields if name == LANGUAGE)):
            fields = tuple(pair for pair in fields if pair[0] != LANGUAGE)
        codings = tuple(value for name, value in scope["headers"] if name == b"accept-encoding")
        address = (scope["scheme"], scope["root_path"], scope["raw_path"], scope["query_string"])
        return (method, *address, fields, coding_of(codings), question)

    async def found(self, key: Key, path: str) -> Entry | None:
        """The answer that is kept for a key, if it is still true."""
        entry = self.lookup(key)
        if entry and path in QUESTIONS:  # in whose place something may be asked that looks by itself
            await self.answerers.in_line()
            entry = self.lookup(key)
        return entry

    def lookup(self, key: Key) -> Entry | None:
        """The answer that is kept for a key."""
        if self.as_of != self.answerers.version:
            self.clear()
        entry = self.entries.get(key)
        if entry:
            self.entries.move_to_end(key)
        return entry

    async def ask(self, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the application answer, and keep that.

        A condition is judged here, as a 304 would leave nothing to keep.
        """
        as_of, recording = self.answerers.version, Recording(self.room // SHARE)
        conditional = any(name == b"if-none-match" for name, _ in scope["headers"])
        flight = self.under_way[key] = asyncio.get_running_loop().create_future()
        held: list[Message] = []

        async def record(message: Message) -> None:
            recording.take(message)
            if recording.ended and as_of == self.answerers.version:
                self.keep_recorded(scope, key, recording)
            # Nobody waits for the client of another: what goes out as it comes is asked for by each.
            if recording.ended or not recording.at_once:
                self.land(key, flight)
            # Such an answer has a tag that nobody knows yet, and may be more than can be held.
            if conditional and recording.at_once:
                held.append(message)
                return
            while held:
                await send(held.pop(0))
            await send(message)

        try:
            await self.app(without_condition(scope) if conditional else scope, receive, record)
        finally:
            self.land(key, flight)
        if held:
            assert recording.entry
            await give(recording.entry, scope, send, self.shortcuts)

    def keep_recorded(self, scope: Scope, key: Key, recording: Recording) -> None:
        """Keep an answer that was taken down whole."""
        if recording.entry:
            self.varies[scope["path"]] = self.varies.get(scope["path"], frozenset()) | recording.varies()
            self.keep(self.key(scope, key[-1]), recording.entry)

    def land(self, key: Key, flight: "asyncio.Future[None]") -> None:
        """Let those look again who waited for this answer."""
        if self.under_way.get(key) is flight:
            del self.under_way[key]
            flight.set_result(None)

    def keep(self, key: Key, entry: Entry) -> None:
        """Keep an answer, and as many of those before as there is room for."""
        before = self.entries.pop(key, None)
        self.entries[key] = entry
        self.size += size(entry) - (size(before) if before else 0)
        while self.size > self.room:
            _, oldest = self.entries.popitem(last=False)
            self.size -= size(oldest)
        self.metrics.kept = self.size


def may_be_kept(scope: Scope) -> bool:
    """Whether the answer to a request may be kept, or one that is kept be given."""
    if scope["path"].startswith(APART):
        return False
    length = 0
    for name, value in scope["headers"]:
        if name == b"authorization" or (name == b"cache-control" and b"no-cache" in value):
            return False
        if name == b"content-length" and value.isdigit():
            length = int(value)
    if scope["method"] in BY_BODY:
        return scope["path"] in QUESTIONS and 0 < length <= LARGEST_QUESTION
    return scope["method"] in ("GET", "HEAD")


async def give(entry: Entry, scope: Scope, send: Send, shortcuts: Shortcuts) -> None:
    """Send an answer that is kept, or 304 to who has it already (RFC 9110, section 13.1.2)."""
    condition = [value.decode("latin-1") for name, value in scope["headers"] if name == b"if-none-match"]
    known = scope["method"] in CONDITIONAL and bool(condition) and matches(condition, entry.tag, weak=True)
    status = 304 if known else 200
    headers = [pair for pair in entry.headers if pair[0] not in OF_BODY] if known else entry.headers
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if entry.packed and not known and scope["method"] != "HEAD":
        for piece in entry.pieces():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)  # others come in between
        await send({"type": "http.response.body", "body": b""})
        return
    body = b"" if known or scope["method"] == "HEAD" else entry.body
    await send({"type": "http.response.body", "body": body})
    if may_be_short(scope):
        noted = scope.get(NOTED)
        whose = (noted.route, noted.client) if noted else ("", "")
        shortcuts.add(scope[REQUEST], status, headers, body, *whose)


def may_be_short(scope: Scope) -> bool:
    """Whether the bytes of the request are known, have no body, and say nothing that is theirs alone."""
    if not scope.get(REQUEST) or scope["http_version"] != "1.1":
        return False
    return not any(name in OWN for name, _ in scope["headers"])


def without_condition(scope: Scope) -> Scope:
    """The request without its condition."""
    return {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"if-none-match"]}


def again(first: Message, receive: Receive) -> Receive:
    """What gives the first message once more, then those after it."""
    messages = [first]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed


def size(entry: Entry) -> int:
    """About how many bytes an entry takes."""
    return len(entry.body) + OVERHEAD


@lru_cache(256)
def reads_english(fields: tuple[bytes, ...]) -> bool:
    """Whether a client names English alone in its Accept-Language fields, which it gets without as well."""
    liked = weights(one.decode("latin-1") for one in fields)
    return all(one.partition("-")[0] == "en" for one in liked)


@lru_cache(256)
def coding_of(fields: tuple[bytes, ...]) -> str:
    """The coding for a client with these Accept-Encoding fields."""
    return choose(one.decode("latin-1") for one in fields)

"""Response cache: whole responses, reused as long as the store is at the same version (RFC 9111).

It holds up to a set number of bytes; one response may take a quarter of them. Concurrent requests for the
same response are coalesced: one computes it and the others wait. Conditional requests are answered with 304
(RFC 9110, section 13.1.2), and a POST or QUERY to /sparql of up to 16 KiB is cached by its body. Not cached:
dumps, of which ranges may be requested and which the file system caches, and the form for papers, whose
content depends on tokens, which change without a write.
"""

import asyncio
import io
from collections import OrderedDict
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, Protocol

import zstandard
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .access_log import FIELD, NOTED, TRACE
from .fast_path import REQUEST, Shortcuts
from .negotiation import choose, weights
from .responses import CONDITIONAL, matches, while_there

LARGE = (
    64 * 1024
)  # bytes of a plain body, from which on it is kept compressed, and given in pieces of that size

RawHeaders = list[tuple[bytes, bytes]]


class Entry(NamedTuple):
    """A whole answer: its header fields, its entity tag, and its body, which may be `packed`."""

    headers: RawHeaders
    tag: str
    body: bytes
    packed: bool

    def pieces(self) -> Iterator[bytes]:
        """The body as it was sent."""
        if not self.packed:
            yield self.body
            return
        reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(self.body))
        while piece := reader.read(LARGE):
            yield piece


class Recording:
    """An answer that is taken down, unless it is none to keep or takes more than `most` bytes."""

    def __init__(self, most: int) -> None:
        """Nothing was sent yet."""
        self.left = most
        self.headers: dict[bytes, bytes] = {}
        self.raw: RawHeaders = []
        self.pieces: list[bytes] = []
        self.length = 0
        self.coder: zstandard.ZstdCompressionObj | None = None
        self.wanted, self.ended = True, False

    def take(self, message: Message) -> None:
        """Take down a message of the answer."""
        if message["type"] == "http.response.start":
            self.raw = list(message["headers"])
            self.headers = dict(self.raw)
            public = b"no-store" not in self.headers.get(b"cache-control", b"")
            self.wanted = message["status"] == 200 and b"etag" in self.headers and public
        elif self.wanted:
            self.write(message.get("body", b""))
            self.ended = not message.get("more_body", False)
            if self.ended and self.coder:
                self.hold(self.coder.flush())
            self.wanted = self.left >= 0

    def write(self, piece: bytes) -> None:
        """Take down a piece of the body; a body that grows large is packed from then on."""
        self.length += len(piece)
        if self.coder is None and self.length > LARGE and b"content-encoding" not in self.headers:
            self.coder = zstandard.ZstdCompressor(level=3).compressobj()
            before, self.pieces = b"".join(self.pieces), []
            self.left += len(before)
            piece = before + piece
        self.hold(self.coder.compress(piece) if self.coder else piece)

    def hold(self, piece: bytes) -> None:
        """Hold some bytes of the body as it is kept."""
        self.pieces.append(piece)
        self.left -= len(piece)

    @property
    def at_once(self) -> bool:
        """Whether it is an answer to keep whose length was known before it went out."""
        return self.wanted and b"content-length" in self.headers

    @cached_property
    def entry(self) -> Entry | None:
        """The whole answer, when all was sent; None where it was not whole, or is not to be kept."""
        if not (self.wanted and self.ended):
            return None
        fields = [pair for pair in self.raw if pair[0] != b"content-length"]
        fields.append((b"content-length", str(self.length).encode()))
        return Entry(fields, self.headers[b"etag"].decode(), b"".join(self.pieces), self.coder is not None)

    def varies(self) -> frozenset[bytes]:
        """The names of the request's fields that the answer depends on, beside those of every key."""
        names = self.headers.get(b"vary", b"").lower().replace(b" ", b"").split(b",")
        return frozenset(names) - {b"accept-encoding"}


class InLine(Protocol):
    """What knows which writes its answers see."""

    @property
    def version(self) -> int:
        """The number of the last write that they see."""

    async def in_line(self) -> None:
        """See all that was written by now, wherever. Raises UnavailableError where that cannot be known."""


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

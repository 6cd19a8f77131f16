"""Whatever is asked of a route, it answers: never with a failure of its own, never with a traceback."""

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import pytest
from fastapi import FastAPI
from hypothesis import strategies as st
from wgig.app import ROUTES, create_app, make_service
from wgig.settings import SHIPPED_FOLDER, Settings

from tests.fixtures.stores import filled
from tests.fuzz.budget import hold
from tests.fuzz.pieces import mixed, spliced
from tests.hostile.targets import TARGETS, Target, called

pytestmark = pytest.mark.long

TOKEN = "secret"
EXAMPLES = 8  # requests to each route
SHARE = 0.6 / len(TARGETS)  # of the time that there is
# What a 5xx may be: it lacks a library, or another service; it is too much; the disk is full.
DOCUMENTED = {501, 502, 503, 507}
METHODS = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "QUERY",
    "PATCH",
    "OPTIONS",
    "TRACE",
    "get",
    "G\u00c9T",
    "X" * 40,
]

VALUES = [
    "", "spam", "issue/spam", "https://w3id.org/wgig/id/issue/spam", "https://w3id.org/wgig/graph/issues",
    "1", "2",
    "json", "ttl", "text/turtle", "html", "csv", "en", "fr,en;q=0.5", "schema.org", "skos", "draft",
    "final", "papers",
    "SELECT * { ?s ?p ?o } LIMIT 5", "ASK { ?s a ?o FILTER(?x > 1) }", "CONSTRUCT WHERE { ?s ?p ?o } LIMIT 3",
    "SELECT (COUNT(*) AS ?n) { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
    "DESCRIBE <https://w3id.org/wgig/id/issue/spam>",
    "INSERT DATA { GRAPH <x:g> { <x:a> <x:b> 1 } }", "LOAD <http://127.0.0.1:9/>", "2005-01-20",
    "20200101T000000000000Z",
    '{"q0": {"query": "spam", "type": "issue", "limit": 3}}',
    '{"ids": ["issue/spam"], "properties": [{"id": "rdfs:label"}]}',
]  # fmt: skip
FIELDS = {
    "Accept": ["*/*", "text/html", "text/turtle;q=0.5, application/json",
    "application/ld+json;profile=\"a\"", "text/*"],
    "Accept-Language": ["en", "fr;q=0.9, ar", "*;q=0", "zh-Hant-TW"],
    "Accept-Encoding": ["gzip", "br;q=0.1, zstd", "identity;q=0, *;q=0"],
    "Accept-Profile": ["<https://schema.org/>", "skos;q=0.5", "<a>, <b>;q=1"],
    "Accept-Datetime": ["Thu, 26 Nov 2026 10:00:00 GMT", "2026-11-26"],
    "Prefer": ["return=minimal", "wait=10, handling=lenient"],
    "Authorization": [f"Bearer {TOKEN}", "Bearer x", "Basic YTpi", "Bearer"],
    "Content-Type": [
        "application/x-www-form-urlencoded", "text/turtle", "application/sparql-query",
        "application/sparql-update",
        "application/ld+json", "application/trig", "application/rdf+xml", "text/markdown",
        "application/n-quads",
        "multipart/form-data; boundary=x", "multipart/form-data", "application/json; charset=utf-16",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ],
    "Content-Encoding": ["gzip", "identity", "br"],
    "Content-Range": ["bytes 0-1/2", "bytes */5"],
    "Range": ["bytes=0-10", "bytes=-5", "bytes=5-1", "bytes=0-1,4-5", "rows=1-2"],
    "If-Range": ['"abc"', "Thu, 26 Nov 2026 10:00:00 GMT"],
    "If-Match": ["*", '"abc"', 'W/"abc", "d"'],
    "If-None-Match": ["*", '"abc"', 'W/"abc"'],
    "If-Modified-Since": ["Thu, 26 Nov 2026 10:00:00 GMT", "yesterday"],
    "Host": ["localhost", "[::1]:80", "a:99999", "a b"],
    "Origin": ["https://example.org", "null"],
    "Cookie": ["lang=fr", "lang=\x01; a", "wgig=%00"],
    "X-Forwarded-For": ["203.0.113.1", "unknown, 1"],
    "X-Forwarded-Proto": ["https"],
    "Transfer-Encoding": ["chunked", "gzip"],
    "Upgrade": ["websocket"],
    "Slug": ["a", "é"],
    "WGIG-Query-Id": ["6f1c0f9e-1b5a-4c5e-9d8e-2f3a4b5c6d7e", "1"],
    "Last-Event-ID": ["1"],
}  # fmt: skip
NAMES = sorted(
    {name for one in TARGETS for name in one.parameters} | {"_lang", "_mediatype", "access_token", "x"}
)
EXAMPLE = SHIPPED_FOLDER / "data/examples"
BODIES = [
    b"", b"query=ASK%7B%7D", b"update=CLEAR+ALL", b"text=a&format=ttl&profile=final", b"queries=%7B%7D",
    b"\xff\xfe",
    *(one.encode() for one in VALUES),
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.ttl"\r\n\r\n<a> a <b> .\r\n--x--\r\n',
    b"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description/></rdf:RDF>",
    b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    b'{"@context": {"@vocab": "x:"}, "@id": "x:a", "b": [1, {"@value": "c", "@language": "en"}]}',
    (EXAMPLE / "community-networks.ttl").read_bytes(),
    (EXAMPLE / "community-networks.md").read_bytes(),
]  # fmt: skip


class Request(NamedTuple):
    """A request as a server gives it to an application."""

    method: str
    path: bytes
    query: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Answer(NamedTuple):
    """An answer, and what was written into the log meanwhile."""

    status: int
    headers: dict[str, str]
    body: bytes


def field(name: str) -> st.SearchStrategy[tuple[bytes, bytes]]:
    """A field of a header, which a server takes: no control characters, no line breaks."""
    return mixed(FIELDS[name]).map(lambda one: (name.lower().encode(), shown(one)))


def shown(text: str) -> bytes:
    """A value of a field as a server gives it."""
    kept = "".join(one for one in text if one == "\t" or " " <= one != "\x7f")
    return kept.encode("utf-8", "replace").strip()


def requests(target: Target) -> st.SearchStrategy[Request]:
    """Requests to a route: most to the point, so that they get far."""
    begin, brace, _ = target.path.partition("{")
    usual = target.at()
    part = (
        st.one_of(st.just(usual), mixed([usual[len(begin) :], *VALUES]).map(lambda one: begin + one))
        if brace
        else st.just(usual)
    )
    names = st.sampled_from([*target.parameters * 3, *NAMES])
    pairs = st.lists(st.tuples(names, mixed(VALUES)), max_size=3)
    return st.builds(
        Request,
        st.one_of(st.just(target.method), st.just(target.method), st.sampled_from(METHODS)),
        part.map(escaped),
        st.one_of(
            pairs.map(encoded),
            mixed(["a=1", "&&", "query=%"]).map(
                lambda one: quote(one, safe="%&=;+", errors="replace").encode()
            ),
        ),
        st.lists(st.sampled_from(sorted(FIELDS)).flatmap(field), max_size=4),
        spliced(BODIES),
    )


def escaped(path: str) -> bytes:
    """A path as it stands in a request."""
    return quote(path, safe="/%:;,@!$&'()*+=~", errors="replace").encode()


def encoded(pairs: list[tuple[str, str]]) -> bytes:
    """A query string."""
    return "&".join(f"{name}={quote(value, errors='replace')}" for name, value in pairs).encode()


async def asked(app: FastAPI, request: Request) -> Answer:
    """The answer of an application to a request."""
    named = [("host", b"localhost")] if not any(name == b"host" for name, _ in request.headers) else []
    headers = [*((name.encode(), value) for name, value in named), *request.headers]
    headers.append((b"content-length", str(len(request.body)).encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(request.path.decode("ascii")),
        "raw_path": request.path,
        "query_string": request.query,
        "root_path": "",
        "headers": headers,
        "client": ("203.0.113.1", 1),
        "server": ("localhost", 80),
        "state": {},
    }
    given = iter([{"type": "http.request", "body": request.body, "more_body": False}])
    answered = asyncio.Event()
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if (first := next(given, None)) is None:
            await answered.wait()
            return {"type": "http.disconnect"}
        return first

    async def send(message: Any) -> None:
        messages.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            answered.set()

    await asyncio.wait_for(app(scope, receive, send), 60)
    start = messages[0]
    fields = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start["headers"]}
    return Answer(start["status"], fields, b"".join(one.get("body", b"") for one in messages[1:]))


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """A service with all that it has at its first start, which may be written."""
    return create_app(make_service(Settings(token=TOKEN, query_seconds=5), filled()))


@pytest.fixture
def quiet() -> Iterator[None]:
    """Nothing is said of what is refused."""
    log = logging.getLogger("wgig")
    before = log.level
    log.setLevel(logging.CRITICAL)
    yield
    log.setLevel(before)


def test_each_route_is_fuzzed() -> None:
    fuzzed = {(one.method, one.path) for one in TARGETS}
    assert {
        (method, path.replace(":path}", "}"))
        for path, methods, *_ in ROUTES
        for method in methods
        if method != "HEAD"
    } <= fuzzed


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("target", TARGETS, ids=called)
def test_a_route_answers_whatever_is_asked(app: FastAPI, target: Target) -> None:
    def answers(request: Request) -> None:
        answer = asyncio.run(asked(app, request))
        text = answer.body.decode("utf-8", "replace")
        assert answer.status < 500 or answer.status in DOCUMENTED, text
        assert "Traceback (most recent call last)" not in text
        if answer.status >= 400 and request.method != "HEAD":
            kind = answer.headers["content-type"].partition(";")[0]
            assert kind in {"application/problem+json", "text/html"} | NOT_PROBLEMS.get(target.path, set())
            if kind == "application/problem+json":
                assert json.loads(text)["status"] == answer.status

    hold(answers, requests(target), EXAMPLES, SHARE)


# What says in its own form that nothing can be done.
NOT_PROBLEMS: dict[str, set[str]] = {}

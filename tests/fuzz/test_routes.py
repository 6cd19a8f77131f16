"""Every route responds to fuzzed requests without an undocumented 5xx and without a traceback."""

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

from tests.fixtures.stores import fill_memory_store
from tests.fuzz.budget import run_fuzz_test
from tests.fuzz.strategies import fuzz_bytes, fuzz_texts
from tests.hostile.targets import TARGETS, Target, target_id

pytestmark = pytest.mark.long

TOKEN = "secret"
EXAMPLE_COUNT = 8  # requests to each route
TIME_SHARE = 0.6 / len(TARGETS)  # of FUZZ_SECONDS for each route; test_parsers.py has the other 40 %
# Missing library; failure of another service; overload; full disk.
DOCUMENTED_SERVER_ERRORS = {501, 502, 503, 507}
METHODS = [  # valid and invalid ones
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

PARAMETER_VALUES = [
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
HEADER_VALUES = {
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
PARAMETER_NAMES = sorted(
    {name for target in TARGETS for name in target.parameters} | {"_lang", "_mediatype", "access_token", "x"}
)
EXAMPLES_FOLDER = SHIPPED_FOLDER / "data/examples"
BODIES = [
    b"", b"query=ASK%7B%7D", b"update=CLEAR+ALL", b"text=a&format=ttl&profile=final", b"queries=%7B%7D",
    b"\xff\xfe",
    *(value.encode() for value in PARAMETER_VALUES),
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.ttl"\r\n\r\n<a> a <b> .\r\n--x--\r\n',
    b"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description/></rdf:RDF>",
    b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    b'{"@context": {"@vocab": "x:"}, "@id": "x:a", "b": [1, {"@value": "c", "@language": "en"}]}',
    (EXAMPLES_FOLDER / "community-networks.ttl").read_bytes(),
    (EXAMPLES_FOLDER / "community-networks.md").read_bytes(),
]  # fmt: skip


class Request(NamedTuple):
    """A request as an ASGI server passes it to an application."""

    method: str
    path: bytes
    query: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Response(NamedTuple):
    """A response with header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def fuzz_header_field(name: str) -> st.SearchStrategy[tuple[bytes, bytes]]:
    """Header fields of a name, with values that an HTTP server accepts."""
    return fuzz_texts(HEADER_VALUES[name]).map(
        lambda value: (name.lower().encode(), encode_field_value(value))
    )


def encode_field_value(text: str) -> bytes:
    """The bytes of a field value, without control characters."""
    allowed = "".join(character for character in text if character == "\t" or " " <= character != "\x7f")
    return allowed.encode("utf-8", "replace").strip()


def fuzz_requests(target: Target) -> st.SearchStrategy[Request]:
    """Requests to a route. Most have a valid path and method, so that they pass the first checks."""
    prefix, brace, _ = target.path.partition("{")
    valid_path = target.fill_path()
    path = st.just(valid_path)
    if brace:
        path |= fuzz_texts([valid_path[len(prefix) :], *PARAMETER_VALUES]).map(lambda value: prefix + value)
    # The parameters of the route are four times as likely as others.
    names = st.sampled_from([*target.parameters * 3, *PARAMETER_NAMES])
    pairs = st.lists(st.tuples(names, fuzz_texts(PARAMETER_VALUES)), max_size=3)
    return st.builds(
        Request,
        st.one_of(st.just(target.method), st.just(target.method), st.sampled_from(METHODS)),
        path.map(encode_path),
        st.one_of(
            pairs.map(encode_query_string),
            fuzz_texts(["a=1", "&&", "query=%"]).map(
                lambda query: quote(query, safe="%&=;+", errors="replace").encode()
            ),
        ),
        st.lists(st.sampled_from(sorted(HEADER_VALUES)).flatmap(fuzz_header_field), max_size=4),
        fuzz_bytes(BODIES),
    )


def encode_path(path: str) -> bytes:
    return quote(path, safe="/%:;,@!$&'()*+=~", errors="replace").encode()


def encode_query_string(pairs: list[tuple[str, str]]) -> bytes:
    return "&".join(f"{name}={quote(value, errors='replace')}" for name, value in pairs).encode()


async def send_request(app: FastAPI, request: Request) -> Response:
    """The response of an application to a request."""
    headers = [*request.headers]
    if not any(name == b"host" for name, _ in headers):
        headers.insert(0, (b"host", b"localhost"))
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
    incoming = iter([{"type": "http.request", "body": request.body, "more_body": False}])
    is_complete = asyncio.Event()
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if (message := next(incoming, None)) is None:
            await is_complete.wait()
            return {"type": "http.disconnect"}
        return message

    async def send(message: Any) -> None:
        messages.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            is_complete.set()

    await asyncio.wait_for(app(scope, receive, send), 60)
    start, *body_messages = messages
    fields = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start["headers"]}
    body = b"".join(message.get("body", b"") for message in body_messages)
    return Response(start["status"], fields, body)


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """A service with the data of its first start, which accepts writes with the token."""
    return create_app(make_service(Settings(token=TOKEN, query_seconds=5), fill_memory_store()))


@pytest.fixture
def silent_log() -> Iterator[None]:
    """Suppress log messages about refused requests."""
    log = logging.getLogger("wgig")
    level = log.level
    log.setLevel(logging.CRITICAL)
    yield
    log.setLevel(level)


def test_each_route_is_fuzzed() -> None:
    fuzzed = {(target.method, target.path) for target in TARGETS}
    assert {
        (method, path.replace(":path}", "}"))
        for path, methods, *_ in ROUTES
        for method in methods
        if method != "HEAD"
    } <= fuzzed


@pytest.mark.usefixtures("silent_log")
@pytest.mark.parametrize("target", TARGETS, ids=target_id)
def test_route_responds_to_any_request(app: FastAPI, target: Target) -> None:
    def check_response(request: Request) -> None:
        response = asyncio.run(send_request(app, request))
        text = response.body.decode("utf-8", "replace")
        assert response.status < 500 or response.status in DOCUMENTED_SERVER_ERRORS, text
        assert "Traceback (most recent call last)" not in text
        if response.status >= 400 and request.method != "HEAD":
            media_type = response.headers["content-type"].partition(";")[0]
            assert media_type in {"application/problem+json", "text/html"}
            if media_type == "application/problem+json":
                assert json.loads(text)["status"] == response.status

    run_fuzz_test(check_response, fuzz_requests(target), EXAMPLE_COUNT, TIME_SHARE)

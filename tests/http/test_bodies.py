"""Strict parsing of request bodies, forms, multipart and content types."""

import asyncio
import gzip
import os
from itertools import count

import pytest
from starlette.requests import Request
from starlette.types import Message
from wgig.http import bodies
from wgig.http.bodies import (
    BodyPart,
    ContentType,
    decode_utf8_text,
    gunzip_body,
    parse_content_type,
    parse_form,
    parse_multipart,
)
from wgig.problems import Problem


@pytest.mark.parametrize(
    ("encoded", "pairs"),
    [
        (b"", []),
        (b"default", [("default", "")]),
        (b"default=&a=1&a=2", [("default", ""), ("a", "1"), ("a", "2")]),
        (b"q=1+1%2B1", [("q", "1 1+1")]),
        (b"q=a;b&&c=%2520", [("q", "a;b"), ("c", "%20")]),
        (b"q=a=b", [("q", "a=b")]),
        (b"q=%C3%A9", [("q", "é")]),
    ],
)
def test_form_is_split_at_ampersands_and_decoded_once(encoded: bytes, pairs: list[tuple[str, str]]) -> None:
    assert parse_form(encoded) == pairs


@pytest.mark.parametrize("encoded", [b"q=%FF", b"q=%00", b"q=%C3", b"q=100%", b"q=%zz", b"q=\xff"])
def test_form_with_invalid_encoding_is_refused(encoded: bytes) -> None:
    with pytest.raises(Problem) as caught:
        parse_form(encoded)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("header_value", "parsed"),
    [
        ("text/turtle", ContentType("text/turtle", {})),
        ("Text/Turtle;Charset=UTF-8", ContentType("text/turtle", {"charset": "UTF-8"})),
        ('text/turtle ; charset="utf-8";', ContentType("text/turtle", {"charset": "utf-8"})),
        (r'a/b;c="d\"e"', ContentType("a/b", {"c": 'd"e'})),
        ("", None),
        ("///", None),
        ("turtle", None),
        ("text/turtle, text/turtle", None),
        ("text/turtle/x", None),
        ("a/b" + "; " * 10_000 + "!", None),
        ("a/b" + ';a="\\"' * 10_000 + "!", None),
    ],
)
def test_content_type_is_parsed_or_none(header_value: str, parsed: ContentType | None) -> None:
    assert parse_content_type(header_value) == parsed


def test_text_must_be_utf8_without_nul() -> None:
    assert decode_utf8_text("é".encode(), "query") == "é"
    for body, message in ((b"\xff", "The query is not UTF-8"), (b"a\0b", "The query contains a NUL")):
        with pytest.raises(Problem, match=message):
            decode_utf8_text(body, "query")


def test_gzip_members_are_concatenated() -> None:
    assert gunzip_body(gzip.compress(b"one ") + gzip.compress(b"two"), max_bytes=7) == b"one two"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (gzip.compress(b"x" * 1_000_000), 413),
        (gzip.compress(b"whole")[:-3], 400),
        (b"plain", 400),
        (gzip.compress(b"a") + b"junk", 400),
    ],
)
def test_too_large_or_invalid_gzip_body_is_refused(body: bytes, status: int) -> None:
    with pytest.raises(Problem) as caught:
        gunzip_body(body, max_bytes=100)
    assert caught.value.status == status


def test_multipart_parts_have_names_and_types() -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="a"; filename="a.ttl"\r\n'
        b"Content-Type: text/turtle\r\n\r\n"
        b'<a:a> <a:b> "\r\n" .\r\n--b\r\nContent-Disposition: form-data; name="c"\r\n\r\nplain\r\n--b--\r\n'
    )
    assert parse_multipart(body, "b") == [
        BodyPart("a.ttl", "text/turtle", b'<a:a> <a:b> "\r\n" .', field_name="a"),
        BodyPart(file_name="", content_type="", body=b"plain", field_name="c"),
    ]


@pytest.mark.parametrize(("body", "boundary"), [(b"--b\r\nbroken", "b"), (b"", "b"), (b"--b\r\n\r\nx", "b")])
def test_malformed_multipart_body_is_refused(body: bytes, boundary: str) -> None:
    with pytest.raises(Problem, match="multipart"):
        parse_multipart(body, boundary)


def test_stalled_body_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_CHUNK_TIMEOUT_SECONDS", 0.01)
    messages: list[Message] = [{"type": "http.request", "body": b"a", "more_body": True}]

    async def receive() -> Message:
        return messages.pop() if messages else await asyncio.Event().wait()  # type: ignore[return-value]

    with pytest.raises(Problem, match="The body arrived too slowly") as caught:
        asyncio.run(bodies.read_request_body(Request({"type": "http", "headers": []}, receive), max_bytes=10))
    assert caught.value.status == 408


def test_too_slow_body_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = count()  # advances one second with each call
    monkeypatch.setattr(bodies, "current_time", lambda: float(next(clock)))
    messages: list[Message] = [
        {"type": "http.request", "body": b"a", "more_body": remaining > 0} for remaining in range(99)
    ]

    async def receive() -> Message:
        await asyncio.sleep(0)
        return messages.pop()

    with pytest.raises(Problem, match="less than 4096 bytes per second"):
        asyncio.run(
            bodies.read_request_body(Request({"type": "http", "headers": []}, receive), max_bytes=1000)
        )
    assert 60 < len(messages) < 80  # read for about 30 seconds of the clock, the initial deadline


def test_gzip_file_with_too_many_members_is_refused() -> None:
    with pytest.raises(Problem, match="more than 1000 members") as caught:
        gunzip_body(gzip.compress(b"", mtime=0) * 800_000, max_bytes=100)  # the rest would take seconds
    assert caught.value.status == 413


def test_gzip_member_may_span_many_chunks() -> None:
    content = os.urandom(300_000)
    assert gunzip_body(gzip.compress(content) + gzip.compress(b"end"), max_bytes=400_000) == content + b"end"


def test_form_with_too_many_pairs_is_refused() -> None:
    with pytest.raises(Problem, match="more than 10000 fields"):
        parse_form(b"a&" * 10_000)


@pytest.mark.parametrize(
    ("disposition", "name", "field"),
    [
        ('form-data; name="f"; filename="x.ttl"', "x.ttl", "f"),
        ("form-data; name=f; filename=x.ttl", "x.ttl", "f"),
        ("form-data; name=\"f\"; filename*=UTF-8''%C3%A9.ttl", "é.ttl", "f"),
        (r'form-data; name="f"; filename="a\".ttl"', 'a".ttl', "f"),
        ('form-data; name="f"; filename="é;x.ttl"', "é;x.ttl", "f"),
        ('form-data; name="f"', "", "f"),
        ("", "", ""),
    ],
)
def test_content_disposition_of_part_is_parsed(disposition: str, name: str, field: str) -> None:
    head = f"--b\r\nContent-Disposition: {disposition}\r\n\r\n".encode()
    (part,) = parse_multipart(head + b"body\r\n--b--\r\n", "b")
    assert (part.file_name, part.field_name, part.body) == (name, field, b"body")


@pytest.mark.parametrize("boundary", ["", "b" * 71])
def test_multipart_body_needs_boundary(boundary: str) -> None:
    with pytest.raises(Problem, match="no boundary of 1 to 70 characters"):
        parse_multipart(b"--b--\r\n", boundary)


def test_encoded_multipart_part_is_refused() -> None:
    with pytest.raises(Problem, match="has the encoding 'base64'"):
        parse_multipart(b"--b\r\nContent-Transfer-Encoding: Base64\r\n\r\nYQ==\r\n--b--\r\n", "b")

"""Whether an answer is whole, and nothing of an attack is more than text in it."""

import json
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import httpx
import icalendar

from tests.hostile.attacks import MARK

ADDRESSES = ("href", "src", "action", "formaction", "data", "srcdoc")
LARGEST = 60_000  # bytes of a refusal


class Page(HTMLParser):
    """Looks through a page for what an attack would bring in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.is_json = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.is_json = tag == "script" and given.get("type") == "application/ld+json"
        is_ours = given.keys() == {"type", "src"} and given["src"].startswith("/static/")
        if MARK in tag or (tag == "script" and not self.is_json and not is_ours):
            self.found.append(f"<{tag}>")
        self.found += [f'{name}="{value}"' for name, value in given.items() if is_foreign(name, value)]

    def handle_data(self, data: str) -> None:
        if self.is_json:
            json.loads(data)
        self.is_json = False


def is_foreign(name: str, value: str) -> bool:
    """Whether an attribute runs something, or leads where no page of ours leads."""
    leads = name in ADDRESSES and value.strip().lower().startswith(
        ("javascript:", "vbscript:", "data:", "//")
    )
    return MARK in name or name.startswith("on") or leads


def check(answer: httpx.Response, what: str) -> None:
    """Fail where an answer to an attack is no refusal, and no answer that holds it as text alone."""
    assert answer.status_code < 500 or answer.status_code == 501, (
        what,
        answer.status_code,
        answer.text[:300],
    )
    check_fields(answer, what)
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if kind == "text/html":
        assert not Page(answer.text).found, what
        assert "content-security-policy" in answer.headers, what
    elif kind.endswith(("/xml", "+xml")):
        root = ET.fromstring(answer.content)
        assert not [one.tag for one in root.iter() if MARK in one.tag or MARK in "".join(one.attrib)], what
    elif kind.endswith(("/json", "+json")) and answer.content:
        json.loads(answer.content)
    elif kind == "text/calendar":
        icalendar.Calendar.from_ical(answer.content)
    if answer.status_code >= 400:
        assert kind in ("application/problem+json", "text/html"), (what, kind)
        assert len(answer.content) < LARGEST, what


def check_fields(answer: httpx.Response, what: str) -> None:
    """Fail where a header field was split, or leads to another host."""
    for name, value in answer.headers.raw:
        assert not {*b"\r\n\0"} & {*name, *value}, (what, name, value)
        assert name.lower() != b"set-cookie", what
        assert len(value) < 40_000, (what, name)
    assert answer.headers["x-content-type-options"] == "nosniff", what
    location = answer.headers.get("location", "/")
    assert location.startswith("/"), (what, location)
    assert not location.startswith(("//", "/\\")), (what, location)


def is_told(answer: httpx.Response) -> bool:
    """Whether a query was answered, and what has no meaning beside it is named."""
    return answer.status_code == 200 and "parameters were ignored" in answer.headers.get("wgig-warning", "")

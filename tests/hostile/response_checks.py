"""Checks that a response is well formed and contains an attack only as text."""

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import httpx2
import icalendar

from tests.hostile.attacks import ATTACK_MARK

URL_ATTRIBUTES = ("href", "src", "action", "formaction", "data", "srcdoc")
JSON_SCRIPT_TYPES = ("application/ld+json", "application/json")  # data, which browsers do not run
DOCS_SCRIPT_PATTERN = re.compile(
    r"(?:\.{1,2}/)*assets/(?:docs|javascripts/(?:inline|bundle)\.[0-9a-f]{8}(?:\.min)?)\.js"
)
MAX_REFUSAL_BYTES = 60_000
MAX_HEADER_BYTES = 40_000  # of the value of a response header


class AttackFinder(HTMLParser):
    """Finds tags and attributes in a page that an attack has added."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.injections: list[str] = []
        self.is_json = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.is_json = tag == "script" and attributes.get("type") in JSON_SCRIPT_TYPES
        is_static_script = attributes.keys() == {"type", "src"} and attributes["src"].startswith("/static/")
        is_docs_script = attributes.keys() == {"src"} and DOCS_SCRIPT_PATTERN.fullmatch(attributes["src"])
        if ATTACK_MARK in tag or (
            tag == "script" and not (self.is_json or is_static_script or is_docs_script)
        ):
            self.injections.append(f"<{tag}>")
        self.injections += [
            f'{name}="{value}"' for name, value in attributes.items() if is_harmful(name, value)
        ]

    def handle_data(self, data: str) -> None:
        if self.is_json:
            json.loads(data)  # fails if an attack broke the JSON-LD of the page
        self.is_json = False


def is_harmful(name: str, value: str) -> bool:
    """Whether an attribute runs a script, or has a URL that no page of the service has."""
    has_harmful_url = name in URL_ATTRIBUTES and value.strip().lower().startswith(
        ("javascript:", "vbscript:", "data:", "//")
    )
    return ATTACK_MARK in name or name.startswith("on") or has_harmful_url


def is_protocol_error(response: httpx2.Response) -> bool:
    """Whether a response is a refusal of OAI-PMH, which has the status 200 by its protocol."""
    if response.status_code != 200 or response.headers["content-type"] != "text/xml; charset=utf-8":
        return False
    namespace = "{http://www.openarchives.org/OAI/2.0/}"
    root = ET.fromstring(response.content)
    names = [element.tag.removeprefix(namespace) for element in root]
    return root.tag == f"{namespace}OAI-PMH" and names == ["responseDate", "request", "error"]


def check_response(response: httpx2.Response, attack: str) -> None:
    """Check that the response to an attack is a refusal, or contains the attack only as text.

    `attack` describes the attack in the message of a failure.
    """
    # 501: the optional library for Parquet files is not installed.
    assert response.status_code < 500 or response.status_code == 501, (
        attack,
        response.status_code,
        response.text[:300],
    )
    check_headers(response, attack)
    media_type = response.headers.get("content-type", "").partition(";")[0]
    if media_type == "text/html":
        assert not AttackFinder(response.text).injections, attack
        assert "content-security-policy" in response.headers, attack
    elif media_type.endswith(("/xml", "+xml")):
        elements = ET.fromstring(response.content).iter()
        assert not [
            element.tag
            for element in elements
            if ATTACK_MARK in element.tag or ATTACK_MARK in "".join(element.attrib)
        ], attack
    elif media_type.endswith(("/json", "+json")) and response.content:
        json.loads(response.content)
    elif media_type == "text/calendar":
        icalendar.Calendar.from_ical(response.content)
    if response.status_code >= 400:
        assert media_type in ("application/problem+json", "text/html"), (attack, media_type)
        assert len(response.content) < MAX_REFUSAL_BYTES, attack


def check_headers(response: httpx2.Response, attack: str) -> None:
    """Check that no header was split, and that Location stays on this host."""
    for name, value in response.headers.raw:
        assert not {*b"\r\n\0"} & {*name, *value}, (attack, name, value)
        assert name.lower() != b"set-cookie", attack
        assert len(value) < MAX_HEADER_BYTES, (attack, name)
    assert response.headers["x-content-type-options"] == "nosniff", attack
    location = response.headers.get("location", "/")
    assert location.startswith("/"), (attack, location)
    assert not location.startswith(("//", "/\\")), (attack, location)


def ignores_parameter(response: httpx2.Response) -> bool:
    """Whether a query has a result and a warning that a parameter was ignored."""
    return response.status_code == 200 and "parameters were ignored" in response.headers.get(
        "wgig-warning", ""
    )

"""Addresses of the same thing in other formats, and the link to what describes the interface (RFC 8288)."""

import string
from collections.abc import Iterable
from urllib.parse import quote, urlencode

from fastapi import Request

from .bodies import Pairs
from .formats import Format
from .sparql import absolute

VISIBLE = string.ascii_letters + string.digits + string.punctuation + " "
SERVICE = '</openapi.json>; rel="service-desc"'


def address(name: str, pairs: Iterable[tuple[str, str]], suffix: str = "") -> str:
    """The path of what is called so, with these parameters, in the format of a suffix."""
    query = urlencode([pair for pair in pairs if pair[0] != "_mediatype"], safe=":,/")
    return f"/{name}{'.' if suffix else ''}{suffix}{'?' if query else ''}{query}"


def content_location(name: str, pairs: Pairs, format_: Format) -> dict[str, str]:
    """The field that names the address of just this answer."""
    return {"Content-Location": in_field(address(name, pairs, format_.suffix))}


def host(request: Request) -> str:
    """The service as asked, such as `http://localhost/`. Raises Problem 400 for a host that is none."""
    return absolute(str(request.base_url), "The address of the service")


def in_field(text: str) -> str:
    """The text as a header field may hold it, in printable ASCII: all else is percent-encoded."""
    return text if text.isascii() and text.isprintable() else quote(text, safe=VISIBLE)

"""Addresses of the same thing in other formats, and the Link fields that name them (RFC 8288)."""

import string
from collections.abc import Iterable, Sequence
from urllib.parse import quote, urlencode

from .bodies import Pairs
from .formats import Format
from .profiles.links import LICENSE


def address(name: str, pairs: Iterable[tuple[str, str]], suffix: str = "") -> str:
    """The path of what is called so, with these parameters, in the format of a suffix."""
    query = urlencode([pair for pair in pairs if pair[0] != "_mediatype"], safe=":,/")
    return f"/{name}{'.' if suffix else ''}{suffix}{'?' if query else ''}{query}"


def content_location(name: str, pairs: Pairs, format_: Format) -> dict[str, str]:
    """The field that names the address of just this answer."""
    return {"Content-Location": quote(address(name, pairs, format_.suffix), safe=string.printable)}


def others(name: str, pairs: Pairs, offered: Sequence[Format], format_: Format) -> list[str]:
    """Links to the other formats, to what describes the interface and the terms, and to the license."""
    return [
        *(
            f'<{address(name, pairs, one.suffix)}>; rel="alternate"; type="{one.media_type}"'
            for one in offered
            if one is not format_
        ),
        '</openapi.json>; rel="service-desc"',
        '</ontology>; rel="describedby"',
        f'<{LICENSE}>; rel="license"',
    ]

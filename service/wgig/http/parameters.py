"""Strict query parameters, and URLs and links of responses (RFC 8288).

A parameter that a route does not know, or that is repeated beyond what it takes, gets 400. Values in a header
field are printable ASCII; everything else is percent-encoded.
"""

import string
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from ..i18n import SPOKEN
from ..problems import Problem
from ..rdf.formats import Format
from ..rdf.sparql_lexer import absolute
from ..text import near
from .bodies import Pairs, parameters, values

if TYPE_CHECKING:  # costs 180 ms, and the shell needs none
    from fastapi import Request

PARAMETER = "_lang"  # of any page; where it means something, it is gone by now
BARE = ("default", "explain", "hints", "saved", "versions")  # which say all by being there
MOST = 50  # values of one parameter, if nothing else is said


def only(request: "Request", once: Sequence[str] = (), many: Sequence[str] = ()) -> Pairs:
    """The pairs of the query string, in which are no parameters but these. Raises Problem as `checked`."""
    return checked(parameters(request), once, many)


def checked(pairs: Pairs, once: Sequence[str] = (), many: Sequence[str] = (), most: int = MOST) -> Pairs:
    """The pairs. Raises Problem 400 for one that means nothing here, and for too many of a kind.

    Those of `once` may be given once, those of `many` as often as `most` says. The member `parameters` of the
    problem lists what there is, and `suggestion` is the one that was probably meant.
    """
    there = [*once, *many]
    for key in dict(pairs):
        if key == PARAMETER:
            raise no_such_language()
        if key not in there:
            raise no_such(key, there)
        number, allowed = len(values(pairs, key)), most if key in many else 1
        if number > allowed:
            times = "once" if allowed == 1 else f"{allowed} times at most"
            raise Problem(400, f"The parameter {key} is given {number} times. Give it {times}.")
        if key in BARE and any(values(pairs, key)):
            raise Problem(400, f"The parameter {key} has no value. Give it bare, or leave it out.")
    return pairs


def no_such_language() -> Problem:
    """The 400 for a language in which no page speaks, or more than one."""
    there = ", ".join(SPOKEN)
    return Problem(
        400,
        f"The parameter {PARAMETER} names one language of the pages. Give it once, as one of: {there}. "
        "Of a thing or a graph, the parameter lang asks for texts of the data in other languages.",
        languages=list(SPOKEN),
    )


def no_such(key: str, there: Sequence[str]) -> Problem:
    """The 400 for a parameter that means nothing."""
    meant = near(key, there)
    guess = f"Did you mean {meant}? " if meant else ""
    there_are = f"There are: {', '.join(there)}." if there else "There are none."
    members: dict[str, Any] = {"suggestion": meant} if meant else {}
    sentence = f"There is no parameter {key!r} here. {guess}{there_are}"
    return Problem(400, sentence, parameters=list(there), **members)


VISIBLE = string.ascii_letters + string.digits + string.punctuation + " "
SERVICE = '</openapi.json>; rel="service-desc"'


def address(name: str, pairs: Iterable[tuple[str, str]], suffix: str = "") -> str:
    """The path of what is called so, with these parameters, in the format of a suffix."""
    query = urlencode([pair for pair in pairs if pair[0] != "_mediatype"], safe=":,/")
    return f"/{name}{'.' if suffix else ''}{suffix}{'?' if query else ''}{query}"


def content_location(name: str, pairs: Pairs, format_: Format) -> dict[str, str]:
    """The field that names the address of just this answer."""
    return {"Content-Location": in_field(address(name, pairs, format_.suffix))}


def host(request: "Request") -> str:
    """The service as asked, such as `http://localhost/`. Raises Problem 400 for a host that is none."""
    return absolute(str(request.base_url), "The address of the service")


def in_field(text: str) -> str:
    """The text as a header field may hold it, in printable ASCII: all else is percent-encoded."""
    return text if text.isascii() and text.isprintable() else quote(text, safe=VISIBLE)


def query(pairs: Pairs) -> list[str]:
    """The parameters as an address has them."""
    return [urlencode([one], safe=":,/") for one in pairs]


def with_parameters(path: str, parameters: Iterable[str]) -> str:
    """The path with these parameters behind those that it has."""
    more = "&".join(parameters)
    return f"{path}{'&' if '?' in path else '?'}{more}" if more else path

"""A feed is given page by page, each of which links to those around it (RFC 5005, section 3)."""

from collections.abc import Mapping

from fastapi import Request, Response

from ..answers import answer
from ..formats import ATOM
from ..problems import Problem
from ..profiles.subject import with_parameters
from ..stream.keeping import Stream
from ..stream.log import Log
from .atom import Feed, written

ENTRIES = 50  # of a page
LAST = 10**18  # above every number


def around(here: str, parameter: str, given: str, following: str) -> dict[str, str]:
    """The links of a page to itself, the first and the next one, by what the parameter is there."""
    numbers = {"self": given, "first": "", "next": following}
    return {
        relation: with_parameters(here, [f"{parameter}={number}"] if number else [])
        for relation, number in numbers.items()
        if number or relation != "next"
    }


def whole(given: str, name: str) -> int:
    """A number from a parameter. Raises Problem 400."""
    if not (given.isascii() and given.isdecimal() and len(given) <= 18 and int(given)):
        raise Problem(
            400, f"{name} is {given!r}, which is no page. Follow the links, from the feed without {name} on."
        )
    return int(given)


async def log_of(request: Request) -> Log:
    """The versions of things, in line with the store."""
    stream: Stream = request.app.state.stream
    return await stream.ready()


def iri(request: Request, path: str) -> str:
    """The IRI of a feed, which is the same wherever it is served."""
    return f"{request.app.state.settings.base}{path}"


def given_as(request: Request, feed: Feed, headers: Mapping[str, str] | None = None) -> Response:
    """The feed as an answer, whose Link field leads on as well (RFC 8288)."""
    links = [
        f'<{address}>; rel="{relation}"' for relation, address in feed.links.items() if relation != "self"
    ]
    return answer(request, written(feed), ATOM, links=links, headers=headers)

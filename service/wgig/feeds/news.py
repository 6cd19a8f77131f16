"""Atom feeds of changed resources: /feed.atom, and one per kind such as /feed/paper.atom.

Newest first: what was created, updated or deleted. Feeds are paged by 50 entries (RFC 5005, section 3), with
links in the feed and in the Link header (RFC 8288). The IRI of a feed is the same wherever it is served.
"""

from collections.abc import Iterable, Mapping

from anyio.to_thread import run_sync
from fastapi import Request, Response

from ..http.parameters import only, with_parameters
from ..http.responses import answer
from ..pages.names import ITS_OWN, TITLES, title
from ..pages.rendering import href
from ..problems import Problem
from ..rdf.formats import ATOM
from ..resources.labels import labels
from ..store.changelog import queries
from ..store.changelog.log import CHANGED, GONE, Log
from ..store.changelog.queries import Last
from ..store.changelog.sync import Stream
from ..store.store import Store
from .atom import Entry, Feed, written

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


async def everything(request: Request) -> Response:
    """The things that changed last, whatever their kind, the last one first; `before` asks for older ones."""
    return await run_sync(of_all, request, await log_of(request))


async def of_kind(request: Request, name: str) -> Response:
    """The things of one kind that changed last, such as `paper.atom`. Raises Problem 404."""
    return await run_sync(of_one, request, await log_of(request), name)


def of_all(request: Request, log: Log) -> Response:
    """A page of the feed of all things."""
    kinds = [one for one in queries.kinds(log) if one not in ITS_OWN]
    return of_kinds(request, log, kinds, "What changed", "feed.atom")


def of_one(request: Request, log: Log, name: str) -> Response:
    """A page of the feed of one kind. Raises Problem 404."""
    feeds = {f"{one}.atom": one for one in queries.kinds(log)}
    if name not in feeds:
        there_are = ", ".join(f"/feed/{one}" for one in feeds)
        raise Problem(404, f"There is no feed {name!r}. Take /feed.atom, or of one kind: {there_are}.")
    kind = feeds[name]
    return of_kinds(request, log, [kind], f"{title(kind)}: what changed", f"feed/{name}")


def of_kinds(request: Request, log: Log, kinds: list[str], name: str, path: str) -> Response:
    """A page of the feed of things of some kinds. Raises Problem 400, 404."""
    given = dict(only(request, ("before",))).get("before")
    before = LAST if given is None else whole(given, "before")
    latest = queries.of_kinds(log, kinds, before, ENTRIES + 1)
    shown = latest[:ENTRIES]
    if given and (before > log.last or not shown or is_of_others(log, kinds, before)):
        raise Problem(404, f"The feed has no page before {before}. Its first one: /{path}")
    following = str(shown[-1].number) if len(latest) > ENTRIES else ""
    links = around(f"{request.base_url}{path}", "before", given or "", following)
    newest = shown[0].at if shown else log.began
    return given_as(request, Feed(iri(request, path), name, newest, links, entries(request, shown)))


def is_of_others(log: Log, kinds: list[str], number: int) -> bool:
    """Whether a thing of other kinds last changed with that number, which so is no page of theirs."""
    others = {"", *queries.kinds(log)}.difference(kinds)
    return any(one.number == number for one in queries.of_kinds(log, others, number + 1, 1))


def entries(request: Request, latest: list[Last]) -> Iterable[Entry]:
    """An entry for each thing."""
    store: Store = request.app.state.store
    base = request.app.state.settings.base
    called = labels(store, [one.iri for one in latest])
    for one in latest:
        kind, _, slug = one.iri.removeprefix(f"{base}id/").partition("/")
        summary = f"{TITLES.get(kind, title(kind))}: {'changed' if one.what == CHANGED else 'new'}."
        name = (one.iri in called and called[one.iri].value) or slug
        page = f"{str(request.base_url).rstrip('/')}{href(one.iri, base)}"
        yield Entry(one.iri, "" if one.what == GONE else name, one.at, page, summary, kind)

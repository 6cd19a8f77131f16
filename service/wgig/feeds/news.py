"""/feed.atom, /feed/paper.atom: which things are new, changed or gone, the last one first."""

from collections.abc import Iterable

from anyio.to_thread import run_sync
from fastapi import Request, Response

from ..kinds import ITS_OWN, TITLES, title
from ..labels import labels
from ..pages import href
from ..parameters import only
from ..problems import Problem
from ..store import Store
from ..stream import last
from ..stream.last import Last
from ..stream.log import Log
from ..stream.members import CHANGED, GONE
from .atom import Entry, Feed
from .paging import ENTRIES, LAST, around, given_as, iri, log_of, whole


async def everything(request: Request) -> Response:
    """The things that changed last, whatever their kind, the last one first; `before` asks for older ones."""
    return await run_sync(of_all, request, await log_of(request))


async def of_kind(request: Request, name: str) -> Response:
    """The things of one kind that changed last, such as `paper.atom`. Raises Problem 404."""
    return await run_sync(of_one, request, await log_of(request), name)


def of_all(request: Request, log: Log) -> Response:
    """A page of the feed of all things."""
    kinds = [one for one in last.kinds(log) if one not in ITS_OWN]
    return of_kinds(request, log, kinds, "What changed", "feed.atom")


def of_one(request: Request, log: Log, name: str) -> Response:
    """A page of the feed of one kind. Raises Problem 404."""
    feeds = {f"{one}.atom": one for one in last.kinds(log)}
    if name not in feeds:
        there_are = ", ".join(f"/feed/{one}" for one in feeds)
        raise Problem(404, f"There is no feed {name!r}. Take /feed.atom, or of one kind: {there_are}.")
    kind = feeds[name]
    return of_kinds(request, log, [kind], f"{title(kind)}: what changed", f"feed/{name}")


def of_kinds(request: Request, log: Log, kinds: list[str], name: str, path: str) -> Response:
    """A page of the feed of things of some kinds. Raises Problem 400, 404."""
    given = dict(only(request, ("before",))).get("before")
    before = LAST if given is None else whole(given, "before")
    latest = last.of_kinds(log, kinds, before, ENTRIES + 1)
    shown = latest[:ENTRIES]
    if given and (before > log.last or not shown or is_of_others(log, kinds, before)):
        raise Problem(404, f"The feed has no page before {before}. Its first one: /{path}")
    following = str(shown[-1].number) if len(latest) > ENTRIES else ""
    links = around(f"{request.base_url}{path}", "before", given or "", following)
    newest = shown[0].at if shown else log.began
    return given_as(request, Feed(iri(request, path), name, newest, links, entries(request, shown)))


def is_of_others(log: Log, kinds: list[str], number: int) -> bool:
    """Whether a thing of other kinds last changed with that number, which so is no page of theirs."""
    others = {"", *last.kinds(log)}.difference(kinds)
    return any(one.number == number for one in last.of_kinds(log, others, number + 1, 1))


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

"""Atom feeds of changed resources: /feed.atom, and one per kind such as /feed/paper.atom.

Newest first: what was created, updated or deleted. Feeds are paged by 50 entries (RFC 5005, section 3), with
links in the feed and in the Link header (RFC 8288). The IRI of a feed is the same wherever it is served.
"""

from collections.abc import Iterable, Mapping

from anyio.to_thread import run_sync
from fastapi import Request, Response

from ..http.parameters import add_url_parameters, check_query_parameters
from ..http.responses import respond_with_body
from ..pages.dependencies import ContextDep, RequestContext
from ..pages.names import INTERNAL_KINDS, KIND_TITLES, kind_title
from ..pages.rendering import find_href
from ..problems import Problem
from ..rdf.formats import ATOM, HTML
from ..resources.atom import AtomEntry, AtomFeed, AtomLink, serialize_atom_feed
from ..resources.dependencies import StreamDep
from ..resources.labels import find_labels
from ..store.changelog import queries
from ..store.changelog.log import ACTIVITY_DELETE, ACTIVITY_UPDATE, ChangeLog
from ..store.changelog.queries import LastChange

ENTRIES_PER_FEED_PAGE = 50  # of a page
MAX_CHANGE_NUMBER = 10**18  # above every number


def build_feed_links(here: str, parameter: str, given: str, following: str) -> list[AtomLink]:
    """The links of a page to itself, the first and the next one, by what the parameter is there."""
    numbers = {"self": given, "first": "", "next": following}
    return [
        AtomLink(relation, add_url_parameters(here, [(parameter, number)] if number else []))
        for relation, number in numbers.items()
        if number or relation != "next"
    ]


def parse_page_number(given: str, name: str) -> int:
    """A number from a parameter. Raises Problem 400."""
    if not (given.isascii() and given.isdecimal() and len(given) <= 18 and int(given)):
        raise Problem(
            400, f"{name} is {given!r}, which is no page. Follow the links, from the feed without {name} on."
        )
    return int(given)


def build_feed_iri(context: RequestContext, path: str) -> str:
    """The IRI of a feed, which is the same wherever it is served."""
    return f"{context.base}{path}"


def respond_with_feed(request: Request, feed: AtomFeed, headers: Mapping[str, str] | None = None) -> Response:
    """The feed as an answer, whose Link field leads on as well (RFC 8288)."""
    links = [f'<{one.address}>; rel="{one.relation}"' for one in feed.links if one.relation != "self"]
    return respond_with_body(request, serialize_atom_feed(feed), ATOM, links=links, headers=headers)


async def get_feed(context: ContextDep, stream: StreamDep) -> Response:
    """The things that changed last, whatever their kind, the last one first; `before` asks for older ones."""
    return await run_sync(respond_with_all_changes, context, await stream.get_current_log())


async def get_kind_feed(context: ContextDep, stream: StreamDep, name: str) -> Response:
    """The things of one kind that changed last, such as `paper.atom`. Raises Problem 404."""
    return await run_sync(respond_with_kind_changes, context, await stream.get_current_log(), name)


def respond_with_all_changes(context: RequestContext, log: ChangeLog) -> Response:
    """A page of the feed of all things."""
    kinds = [one for one in queries.list_logged_kinds(log) if one not in INTERNAL_KINDS]
    return respond_with_changed_resources(context, log, kinds, "What changed", "feed.atom")


def respond_with_kind_changes(context: RequestContext, log: ChangeLog, name: str) -> Response:
    """A page of the feed of one kind. Raises Problem 404."""
    feeds = {f"{one}.atom": one for one in queries.list_logged_kinds(log)}
    if name not in feeds:
        there_are = ", ".join(f"/feed/{one}" for one in feeds)
        raise Problem(404, f"There is no feed {name!r}. Take /feed.atom, or of one kind: {there_are}.")
    kind = feeds[name]
    return respond_with_changed_resources(
        context, log, [kind], f"{kind_title(kind)}: what changed", f"feed/{name}"
    )


def respond_with_changed_resources(
    context: RequestContext, log: ChangeLog, kinds: list[str], name: str, path: str
) -> Response:
    """A page of the feed of things of some kinds. Raises Problem 400, 404."""
    request = context.request
    given = dict(check_query_parameters(request, ("before",))).get("before")
    before = MAX_CHANGE_NUMBER if given is None else parse_page_number(given, "before")
    latest = queries.latest_changes_of_kinds(log, kinds, before, ENTRIES_PER_FEED_PAGE + 1)
    shown = latest[:ENTRIES_PER_FEED_PAGE]
    if given and (before > log.last_number or not shown or is_change_of_others(log, kinds, before)):
        raise Problem(404, f"The feed has no page before {before}. Its first one: /{path}")
    following = str(shown[-1].number) if len(latest) > ENTRIES_PER_FEED_PAGE else ""
    links = build_feed_links(f"{request.base_url}{path}", "before", given or "", following)
    newest = shown[0].changed_at if shown else log.start_time
    return respond_with_feed(
        request,
        AtomFeed(build_feed_iri(context, path), name, newest, links, iter_change_entries(context, shown)),
    )


def is_change_of_others(log: ChangeLog, kinds: list[str], number: int) -> bool:
    """Whether a thing of other kinds last changed with that number, which so is no page of theirs."""
    others = {"", *queries.list_logged_kinds(log)}.difference(kinds)
    return any(one.number == number for one in queries.latest_changes_of_kinds(log, others, number + 1, 1))


def iter_change_entries(context: RequestContext, latest: list[LastChange]) -> Iterable[AtomEntry]:
    """An entry for each thing."""
    store = context.store
    base = context.base
    called = find_labels(store, [one.iri for one in latest])
    for one in latest:
        kind, _, slug = one.iri.removeprefix(f"{base}id/").partition("/")
        happened = "changed" if one.activity == ACTIVITY_UPDATE else "new"
        summary = f"{KIND_TITLES.get(kind, kind_title(kind))}: {happened}."
        name = (one.iri in called and called[one.iri].value) or slug
        page = AtomLink(
            "alternate",
            f"{str(context.request.base_url).rstrip('/')}{find_href(one.iri, base)}",
            HTML.media_type,
        )
        is_gone = one.activity == ACTIVITY_DELETE
        yield AtomEntry(one.iri, name, one.changed_at, page, summary, kind, is_gone=is_gone)

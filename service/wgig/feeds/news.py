"""Atom feeds of changed resources: /feed.atom, and one per kind such as /feed/paper.atom.

Resources that were created, updated or deleted, the newest first. Feeds have pages of 50 entries (RFC 5005,
section 3), with links in the feed and in the Link header (RFC 8288). The IRI of a feed is the same on every
host.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import Depends, Path, Query, Request, Response

from ..http.operations import Operation
from ..http.parameter_models import ParameterModel, Text, describe_parameter
from ..http.parameters import add_url_parameters
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

ENTRIES_PER_FEED_PAGE = 50
MAX_CHANGE_NUMBER = 10**18  # greater than the number of any change


def build_feed_links(feed_url: str, parameter: str, current: str, following: str) -> list[AtomLink]:
    """The links of a page to itself, the first and the next one.

    `current` and `following` are the values of the parameter for this page and the next one; empty for the
    first page, and where there is no next one.
    """
    values_by_relation = {"self": current, "first": "", "next": following}
    return [
        AtomLink(relation, add_url_parameters(feed_url, [(parameter, value)] if value else []))
        for relation, value in values_by_relation.items()
        if value or relation != "next"
    ]


def parse_page_number(text: str, name: str) -> int:
    """A positive number from a parameter. Raises Problem 400."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 18 and int(text)):
        raise Problem(
            400,
            f"{name} is {text!r}, not a page. Start from the feed without {name}, and follow its links.",
        )
    return int(text)


def build_feed_iri(context: RequestContext, path: str) -> str:
    """The IRI of a feed, which is the same on every host."""
    return f"{context.base}{path}"


def respond_with_feed(request: Request, feed: AtomFeed, headers: Mapping[str, str] | None = None) -> Response:
    """The feed as a response, with its links also in the Link header (RFC 8288)."""
    links = [f'<{link.address}>; rel="{link.relation}"' for link in feed.links if link.relation != "self"]
    return respond_with_body(request, serialize_atom_feed(feed), ATOM, links=links, headers=headers)


class FeedParameters(ParameterModel):
    """Query parameters of a feed of changed resources."""

    before: Text = describe_parameter(
        "A later page of the feed, to which the page before links.",
        json_schema_extra={"pattern": "^[0-9]{1,18}$"},
    )


FeedName = Annotated[str, Path(description="A kind of things, with .atom.", examples=["issue.atom"])]


async def find_feed_kind(stream: StreamDep, name: FeedName) -> str:
    """The kind of things of a feed. Raises Problem 404."""
    kinds = await run_sync(queries.list_logged_kinds, await stream.get_current_log())
    feeds = {f"{one}.atom": one for one in kinds}
    if name not in feeds:
        there_are = ", ".join(f"/feed/{one}" for one in feeds)
        raise Problem(404, f"There is no feed {name!r}. There are /feed.atom, and for one kind: {there_are}.")
    return feeds[name]


FEED_OPERATION = Operation(formats=(ATOM,))
KIND_FEED_OPERATION = Operation(formats=(ATOM,), first=(find_feed_kind,))


async def get_feed(
    context: ContextDep, stream: StreamDep, parameters: Annotated[FeedParameters, Query()]
) -> Response:
    """The things that changed last, whatever their kind, the last one first; `before` asks for older ones."""
    log = await stream.get_current_log()
    return await run_sync(respond_with_all_changes, context, log, parameters.before)


async def get_kind_feed(
    context: ContextDep,
    stream: StreamDep,
    kind: Annotated[str, Depends(find_feed_kind)],
    parameters: Annotated[FeedParameters, Query()],
) -> Response:
    """The things of one kind that changed last, such as `paper.atom`. Raises Problem 404."""
    log = await stream.get_current_log()
    title, path = f"{kind_title(kind)}: what changed", f"feed/{kind}.atom"
    return await run_sync(
        respond_with_changed_resources, context, log, [kind], title, path, parameters.before
    )


def respond_with_all_changes(context: RequestContext, log: ChangeLog, given: str | None) -> Response:
    """A page of the feed of all things."""
    kinds = [one for one in queries.list_logged_kinds(log) if one not in INTERNAL_KINDS]
    return respond_with_changed_resources(context, log, kinds, "What changed", "feed.atom", given)


def respond_with_changed_resources(  # noqa: PLR0913, PLR0917 - what a page of a feed consists of
    context: RequestContext,
    log: ChangeLog,
    kinds: list[str],
    title: str,
    path: str,
    before_text: str | None,
) -> Response:
    """A page of a feed, from before the change numbered `before_text`. Raises Problem 400, 404."""
    request = context.request
    before = MAX_CHANGE_NUMBER if before_text is None else parse_page_number(before_text, "before")
    latest = queries.latest_changes_of_kinds(log, kinds, before, ENTRIES_PER_FEED_PAGE + 1)
    page_changes = latest[:ENTRIES_PER_FEED_PAGE]
    if before_text and (
        before > log.last_number or not page_changes or is_change_of_others(log, kinds, before)
    ):
        raise Problem(404, f"The feed has no page before {before}. Its first page: /{path}")
    following = str(page_changes[-1].number) if len(latest) > ENTRIES_PER_FEED_PAGE else ""
    links = build_feed_links(f"{request.base_url}{path}", "before", before_text or "", following)
    newest = page_changes[0].changed_at if page_changes else log.start_time
    return respond_with_feed(
        request,
        AtomFeed(
            build_feed_iri(context, path), title, newest, links, iter_change_entries(context, page_changes)
        ),
    )


def is_change_of_others(log: ChangeLog, kinds: list[str], number: int) -> bool:
    """Whether the change of that number is the last one of a resource of other kinds.

    Then there is no page before it in the feed of these kinds.
    """
    other_kinds = {"", *queries.list_logged_kinds(log)}.difference(kinds)
    return any(
        change.number == number for change in queries.latest_changes_of_kinds(log, other_kinds, number + 1, 1)
    )


def iter_change_entries(context: RequestContext, changes: list[LastChange]) -> Iterable[AtomEntry]:
    """An entry for each changed resource."""
    store = context.store
    base = context.base
    labels = find_labels(store, [change.iri for change in changes])
    for change in changes:
        kind, _, slug = change.iri.removeprefix(f"{base}id/").partition("/")
        verb = "changed" if change.activity == ACTIVITY_UPDATE else "new"
        summary = f"{KIND_TITLES.get(kind, kind_title(kind))}: {verb}."
        name = (change.iri in labels and labels[change.iri].value) or slug
        page = AtomLink(
            "alternate",
            f"{str(context.request.base_url).rstrip('/')}{find_href(change.iri, base)}",
            HTML.media_type,
        )
        is_deleted = change.activity == ACTIVITY_DELETE
        yield AtomEntry(change.iri, name, change.changed_at, page, summary, kind, is_deleted=is_deleted)

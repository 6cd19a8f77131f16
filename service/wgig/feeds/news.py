"""Atom feeds of changed resources: /feed.atom, and one per kind of resource, such as /feed/paper.atom.

A feed lists resources that were created, updated or deleted, the newest change first. The kind of a resource
is the segment of its IRI after `id/`. Feeds have pages of 50 entries (RFC 5005, section 3), with links in the
feed and in the Link header (RFC 8288). The IRI of a feed is the same on every host.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import Depends, Path, Query, Response

from ..http.operations import Operation
from ..http.parameter_models import ParameterModel, Text, describe_parameter
from ..http.parameters import add_url_parameters
from ..http.responses import respond_with_body
from ..pages.dependencies import ContextDep, RequestContext
from ..pages.names import INTERNAL_KINDS, kind_title
from ..pages.rendering import find_href
from ..problems import Problem
from ..rdf.formats import ATOM, HTML
from ..resources.atom import AtomEntry, AtomFeed, AtomLink, serialize_atom_feed
from ..resources.dependencies import ResourceVersionsDep
from ..settings import SERVICE_TITLE, parse_allowed_urls
from ..store.labels import find_labels
from ..store.resource_versions import queries
from ..store.resource_versions.database import ResourceVersions
from ..store.resource_versions.members import ACTIVITY_DELETE, ACTIVITY_UPDATE
from ..store.resource_versions.queries import LastChange

FEED_SUBTITLE = (
    "A feed of changes to the data, newest first. To follow it, add the address of this page to a feed "
    "reader. To see the changes as a page, go to {}"
)
ENTRIES_PER_FEED_PAGE = 50
MAX_NUMBER_DIGITS = 18  # in the value of a parameter that selects a page
MAX_CHANGE_NUMBER = 10**MAX_NUMBER_DIGITS  # greater than the number of any change


def build_feed_links(feed_url: str, parameter: str, current_value: str, next_value: str) -> list[AtomLink]:
    """The links of a page to itself, to the first page and to the next page.

    `current_value` and `next_value` are the values of the parameter for this page and the next one. The
    current value is empty for the first page; the next value is empty if there is no next page.
    """
    values_by_relation = {"self": current_value, "first": "", "next": next_value}
    return [
        AtomLink(relation, add_url_parameters(feed_url, [(parameter, value)] if value else []))
        for relation, value in values_by_relation.items()
        if value or relation != "next"
    ]


def parse_page_number(text: str, name: str) -> int:
    """The positive number in a text, which selects a page. Raises Problem 400 about `name`."""
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_NUMBER_DIGITS and int(text)):
        raise Problem(
            400,
            f"{name} is {text!r}, not a page number. Start from the first page, and follow its links.",
        )
    return int(text)


def build_feed_iri(context: RequestContext, path: str) -> str:
    """The IRI of the feed at this path (without a leading slash); it does not depend on the host."""
    return f"{context.base}{path}"


def respond_with_feed(
    context: RequestContext, feed: AtomFeed, headers: Mapping[str, str] | None = None
) -> Response:
    """The feed as a response, with its links also in the Link header (RFC 8288)."""
    feed = feed._replace(links=announce_hub(context, feed.links))
    has_hub = feed.links[0].relation == "hub"
    links = [
        f'<{link.address}>; rel="{link.relation}"'
        for link in feed.links
        if has_hub or link.relation != "self"
    ]
    return respond_with_body(context.request, serialize_atom_feed(feed), ATOM, links=links, headers=headers)


def announce_hub(context: RequestContext, links: Sequence[AtomLink]) -> list[AtomLink]:
    """The links of a feed, with the hub that is told of its changes, if there is one (WebSub, section 4).

    Then the link to the feed itself is the address under which the hub knows it. The hub is not told of the
    other pages of a feed, nor of the results of a query with parameters.
    """
    hubs = parse_allowed_urls(context.settings.hub, "WGIG_HUB")
    request_base = str(context.request.base_url)
    feed_url = next(link.address for link in links if link.relation == "self")
    if not hubs or "?" in feed_url:
        return [*links]
    topic = context.settings.public_base + feed_url.removeprefix(request_base)
    return [
        *(AtomLink("hub", hub) for hub in hubs),
        *(link._replace(address=topic) if link.relation == "self" else link for link in links),
    ]


class FeedParameters(ParameterModel):
    """Query parameters of a feed of changed resources."""

    before: Text = describe_parameter(
        "A change number: only earlier changes are listed. Each page links to the next one.",
        json_schema_extra={"pattern": f"^[0-9]{{1,{MAX_NUMBER_DIGITS}}}$"},
        examples=["1000"],
    )


FeedName = Annotated[str, Path(description="A kind of resource, with .atom.", examples=["issue.atom"])]


async def find_feed_kind(resource_versions: ResourceVersionsDep, name: FeedName) -> str:
    """The kind of resources in the feed of this name. Raises Problem 404 if there is no such feed."""
    kinds = await run_sync(queries.list_versioned_kinds, await resource_versions.get_versions())
    kinds_by_name = {f"{kind}.atom": kind for kind in kinds}
    if name not in kinds_by_name:
        paths = ", ".join(f"/feed/{feed_name}" for feed_name in kinds_by_name)
        raise Problem(404, f"There is no feed {name!r}. Choose from: /feed.atom, {paths}.")
    return kinds_by_name[name]


FEED_OPERATION = Operation(formats=(ATOM,))
KIND_FEED_OPERATION = Operation(formats=(ATOM,), early_dependencies=(find_feed_kind,))


async def get_feed(
    context: ContextDep,
    resource_versions: ResourceVersionsDep,
    parameters: Annotated[FeedParameters, Query()],
) -> Response:
    """The most recently changed resources of all kinds, newest first. With `before`, older changes."""
    versions = await resource_versions.get_versions()
    return await run_sync(respond_with_all_changes, context, versions, parameters.before)


async def get_kind_feed(
    context: ContextDep,
    resource_versions: ResourceVersionsDep,
    kind: Annotated[str, Depends(find_feed_kind)],
    parameters: Annotated[FeedParameters, Query()],
) -> Response:
    """The most recently changed resources of one kind, such as `paper.atom`, newest first."""
    versions = await resource_versions.get_versions()
    title, path = f"{SERVICE_TITLE}: what changed in {kind_title(kind)}", f"feed/{kind}.atom"
    return await run_sync(
        respond_with_changed_resources, context, versions, [kind], title, path, parameters.before
    )


def respond_with_all_changes(
    context: RequestContext, versions: ResourceVersions, before_text: str | None
) -> Response:
    """A page of the feed of all resources. Raises Problem as `respond_with_changed_resources` does."""
    kinds = [kind for kind in queries.list_versioned_kinds(versions) if kind not in INTERNAL_KINDS]
    return respond_with_changed_resources(
        context, versions, kinds, f"{SERVICE_TITLE}: what changed", "feed.atom", before_text
    )


def respond_with_changed_resources(  # noqa: PLR0913, PLR0917 - a page of a feed needs all of these
    context: RequestContext,
    versions: ResourceVersions,
    kinds: list[str],
    title: str,
    path: str,
    before_text: str | None,
) -> Response:
    """A page of a feed with the changes before the number `before_text`; None for the first page.

    Raises Problem 400 if it is not a number, 404 if no page links to it.
    """
    request = context.request
    before = MAX_CHANGE_NUMBER if before_text is None else parse_page_number(before_text, "before")
    latest = queries.latest_changes_of_kinds(versions, kinds, before, ENTRIES_PER_FEED_PAGE + 1)
    page_changes = latest[:ENTRIES_PER_FEED_PAGE]
    if before_text and (
        before > versions.last_number or not page_changes or is_change_of_other_kind(versions, kinds, before)
    ):
        raise Problem(404, f"The feed has no page before {before}. Its first page is /{path}")
    next_value = str(page_changes[-1].number) if len(latest) > ENTRIES_PER_FEED_PAGE else ""
    links = build_feed_links(f"{request.base_url}{path}", "before", before_text or "", next_value)
    newest = page_changes[0].changed_at if page_changes else versions.start_time
    page_url = f"{request.base_url}changes"
    return respond_with_feed(
        context,
        AtomFeed(
            build_feed_iri(context, path),
            title,
            newest,
            [*links, AtomLink("alternate", page_url, HTML.media_type)],
            iter_change_entries(context, page_changes),
            subtitle=FEED_SUBTITLE.format(page_url),
        ),
    )


def is_change_of_other_kind(versions: ResourceVersions, kinds: list[str], number: int) -> bool:
    """Whether the change of this number is the last change of a resource that is not of these kinds.

    No page of the feed of these kinds links to such a number. Resources outside of `id/` have the kind "".
    """
    other_kinds = {"", *queries.list_versioned_kinds(versions)}.difference(kinds)
    return any(
        change.number == number
        for change in queries.latest_changes_of_kinds(versions, other_kinds, number + 1, 1)
    )


def iter_change_entries(context: RequestContext, changes: list[LastChange]) -> Iterable[AtomEntry]:
    """An entry for each changed resource."""
    store = context.store
    base = context.base
    labels = find_labels(store, [change.iri for change in changes])
    for change in changes:
        kind, _, slug = change.iri.removeprefix(f"{base}id/").partition("/")
        # A deleted entry is written without a summary.
        status = "Changed in" if change.activity == ACTIVITY_UPDATE else "Added to"
        summary = f"{status} “{kind_title(kind)}”."
        name = (change.iri in labels and labels[change.iri].value) or slug
        page = AtomLink(
            "alternate",
            f"{str(context.request.base_url).rstrip('/')}{find_href(change.iri, base)}",
            HTML.media_type,
        )
        is_deleted = change.activity == ACTIVITY_DELETE
        yield AtomEntry(change.iri, name, change.changed_at, page, summary, kind, is_deleted=is_deleted)

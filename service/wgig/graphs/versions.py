"""Old versions of graphs over HTTP: Memento (RFC 7089), and the difference between two versions.

`?version=` names a version, which never changes and is cached as immutable. Accept-Datetime on the graph
redirects to the version of that time. `?versions` gives the TimeMap as application/link-format (section 5) or
JSON. A difference is the N-Triples lines that were added and removed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

import pyoxigraph as ox
from fastapi import Response

from ..http.bodies import get_query_parameters, parameter_values
from ..http.negotiation import choose_response_format
from ..http.parameters import add_url_parameters
from ..http.responses import IMMUTABLE_CACHE_CONTROL, respond_with_body, respond_with_json
from ..pages.dependencies import RequestContext
from ..pages.rendering import graph_path
from ..problems import Problem
from ..rdf.formats import GRAPH_FORMATS, JSON, Format
from ..rdf.serialization import serialize_triples
from ..rdf.sparql_lexer import check_absolute_iri
from ..store.history import GraphVersion, list_graph_versions

LINK_FORMAT = Format("application/link-format", "link", "Link format")
MEMENTO_VARY = "Accept, Accept-Encoding, Accept-Datetime, Accept-Language, Accept-Profile"


def respond_with_memento(context: RequestContext, graph: str | None) -> Response:
    """The version of a graph that `?version=` names, which never changes. Raises Problem 404, 406."""
    request = context.request
    name = parameter_values(get_query_parameters(request), "version")[0]
    every = list_graph_versions(context.history, context.store, graph)
    found = next((one for one in every if one.name == name), None)
    if found is None:
        raise unknown_version_problem(context, graph, name)
    format_ = choose_response_format(request, GRAPH_FORMATS)
    assert context.history  # else there are no versions
    lines = context.history.read_version(context.store, graph, found)
    if lines is None:
        raise Problem(404, "What became of this version was not recorded, so it cannot be had any more.")
    triples = [one.triple for one in ox.parse(lines, ox.RdfFormat.N_TRIPLES)]
    body = serialize_triples(triples, format_, context.base)
    headers = {"Memento-Datetime": format_http_date(found.moment)}
    if "authorization" not in request.headers:
        headers["Cache-Control"] = IMMUTABLE_CACHE_CONTROL
    around = [*memento_links(context, graph), *neighbor_version_links(context, graph, every, found)]
    return respond_with_body(request, body, format_, links=around, headers=headers)


def respond_with_timemap(context: RequestContext, graph: str | None) -> Response:
    """The list of the versions of a graph, as links (RFC 7089, section 5) or as JSON; it may be empty.

    Raises Problem 404 where no history is kept, and 406.
    """
    request = context.request
    if context.history is None:
        raise Problem(404, "This service keeps no history, and so lists no versions of graphs.")
    every = list_graph_versions(context.history, context.store, graph)
    format_ = choose_response_format(request, (LINK_FORMAT, JSON))
    if format_ is JSON:
        return respond_with_json(
            context.request, {"versions": [build_version_json(context, graph, one) for one in every]}
        )
    home = str(request.base_url).rstrip("/")
    span = (
        f'; from="{format_http_date(every[0].moment)}"; until="{format_http_date(every[-1].moment)}"'
        if every
        else ""
    )
    listed = [
        f'<{home}{request_graph_path(context, graph)}>; rel="original timegate"',
        f'<{home}{timemap_path(context, graph)}>; rel="self"; type="{LINK_FORMAT.media_type}"{span}',
        *(memento_link(context, graph, one, version_relations(every, one), home) for one in every),
    ]
    return respond_with_body(request, ",\n".join(listed).encode(), format_)


def redirect_to_memento(context: RequestContext, graph: str | None) -> Response | None:
    """The way to the version that was current at the Accept-Datetime, where that is asked and known.

    Raises Problem 400 for what is no date (RFC 7089, section 4.5.3).
    """
    moment = parse_accept_datetime(context.request.headers.getlist("accept-datetime"))
    every = list_graph_versions(context.history, context.store, graph) if moment else []
    if not moment or not every:
        return None
    known = [one for one in every if one.since is None or one.since.replace(microsecond=0) <= moment]
    found = known[-1] if known else every[0]
    where = memento_path(context, graph, found)
    for media_type in parameter_values(get_query_parameters(context.request), "_mediatype"):
        where = add_url_parameters(where, [("_mediatype", media_type)])
    headers = {
        "Location": where,
        "Vary": MEMENTO_VARY,
        "Link": ", ".join(memento_links(context, graph)),
        "Cache-Control": "no-cache",
    }
    return Response(status_code=302, headers=headers)


def parse_accept_datetime(fields: Sequence[str]) -> datetime | None:
    """The moment in the Accept-Datetime fields; None where there is none. Raises Problem 400."""
    if len(fields) > 1:
        raise Problem(400, "The request has more than one field Accept-Datetime. Send one.")
    asked = "".join(fields)
    if not asked:
        return None
    try:
        moment = parsedate_to_datetime(asked)
    except ValueError as error:
        raise Problem(
            400, f"Accept-Datetime is {asked!r}. Write it as in {format_http_date(datetime.now(UTC))}."
        ) from error
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def unknown_version_problem(context: RequestContext, graph: str | None, name: str) -> Problem:
    """The 404 for a version, with the list of those that there are; the member `graph` leads to its page."""
    listed = "This service keeps no history."
    if context.history is not None:
        listed = f"Its versions: {timemap_path(context, graph)}"
    return Problem(
        404, f"There is no version {name!r} of this graph. {listed}", graph=request_graph_path(context, graph)
    )


def memento_links(context: RequestContext, graph: str | None) -> list[str]:
    """The links from a graph and its versions to the graph and to their list."""
    if context.history is None:
        return []
    return [
        f'<{request_graph_path(context, graph)}>; rel="original timegate"',
        f'<{timemap_path(context, graph)}>; rel="timemap"; type="{LINK_FORMAT.media_type}"',
    ]


def neighbor_version_links(
    context: RequestContext, graph: str | None, every: Sequence[GraphVersion], found: GraphVersion
) -> list[str]:
    """The links from a version to those beside it, the first and the last, and to itself."""
    at = every.index(found)
    rels: dict[int, list[str]] = {}
    for rel, number in (("first", 0), ("prev", at - 1), ("next", at + 1), ("last", len(every) - 1)):
        if 0 <= number < len(every):
            rels.setdefault(number, []).append(rel)
    rels.setdefault(at, [])
    return [memento_link(context, graph, every[number], rels[number]) for number in sorted(rels)]


def version_relations(every: Sequence[GraphVersion], one: GraphVersion) -> list[str]:
    """Whether a version is the first or the last."""
    return ["first"] * (one is every[0]) + ["last"] * (one is every[-1])


def memento_link(
    context: RequestContext, graph: str | None, one: GraphVersion, rels: Sequence[str], home: str = ""
) -> str:
    """The link to a version."""
    rel = " ".join([*rels, "memento"])
    return (
        f'<{home}{memento_path(context, graph, one)}>; rel="{rel}"; datetime="{format_http_date(one.moment)}"'
    )


def build_version_json(context: RequestContext, graph: str | None, one: GraphVersion) -> dict[str, object]:
    """What the list in JSON says of a version."""
    return {
        "version": memento_path(context, graph, one),
        "since": one.since and one.since.isoformat(),
        "until": one.until and one.until.isoformat(),
        "triples": one.triples,
        "added": one.added,
        "removed": one.removed,
        "by": one.who,
    }


def request_graph_path(context: RequestContext, graph: str | None) -> str:
    """Where the graph is read."""
    settings = context.settings
    return graph_path(graph, settings.base)


def timemap_path(context: RequestContext, graph: str | None) -> str:
    """Where the list of the versions is read."""
    return add_url_parameters(request_graph_path(context, graph), [("versions", None)])


def memento_path(context: RequestContext, graph: str | None, one: GraphVersion) -> str:
    """Where a version is read."""
    return add_url_parameters(request_graph_path(context, graph), [("version", one.name)])


def format_http_date(moment: datetime) -> str:
    """A moment as HTTP writes it (RFC 9110, section 5.6.7)."""
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)


@dataclass(frozen=True)
class GraphVersionDiff:
    """Two versions of a graph (None: there was none), and the lines of N-Triples that differ, sorted."""

    before: GraphVersion | None
    after: GraphVersion
    removed: list[str]
    added: list[str]


def diff_graph_versions(context: RequestContext, graph: str | None) -> GraphVersionDiff:
    """What the version that `changes` names changed; with `about`, only of the thing of this IRI.

    Blank nodes count by their names. Raises Problem 404 for a version that there is not, 400 for no IRI.
    """
    name = parameter_values(get_query_parameters(context.request), "changes")[0]
    every = list_graph_versions(context.history, context.store, graph)
    place = next((place for place, one in enumerate(every) if one.name == name), None)
    if place is None:
        raise unknown_version_problem(context, graph, name)
    before = every[place - 1] if place else None
    old, new = read_version_lines(context, graph, before), read_version_lines(context, graph, every[place])
    about = "".join(
        f"<{check_absolute_iri(one, 'about')}> "
        for one in parameter_values(get_query_parameters(context.request), "about")
    )
    gone, come = (sorted(one for one in those if one.startswith(about)) for those in (old - new, new - old))
    return GraphVersionDiff(before, every[place], gone, come)


def read_version_lines(context: RequestContext, graph: str | None, version: GraphVersion | None) -> set[str]:
    """The lines of a version. Raises Problem 404 where it cannot be had any more."""
    if version is None:
        return set()
    assert context.history  # else there are no versions
    found = context.history.read_version(context.store, graph, version)
    if found is None:
        raise Problem(404, "What became of this version was not recorded, so it cannot be had any more.")
    return set(found.decode().splitlines())

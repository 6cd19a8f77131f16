"""Old versions of graphs over HTTP: Memento (RFC 7089), and the difference between two versions.

`?version=` names a version (a memento), which never changes and is cached as immutable. A request for the
graph with Accept-Datetime is redirected to the version of that time. `?versions` returns the TimeMap, which
lists the versions, as application/link-format (section 5) or JSON. It lists erased versions, too, which get
410, and marks them. A difference is the sets of N-Triples lines removed and added.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

import pyoxigraph as ox
from fastapi import Response

from ..http.negotiation import choose_response_format
from ..http.parameters import add_url_parameters
from ..http.responses import IMMUTABLE_CACHE_CONTROL, respond_with_body, respond_with_json
from ..pages.dependencies import RequestContext
from ..pages.rendering import graph_path
from ..problems import Problem
from ..rdf.formats import GRAPH_FORMATS, JSON, Format
from ..rdf.serialization import serialize_triples
from ..rdf.sparql_lexer import check_absolute_iri
from ..store.errors import MissingChangesError
from ..store.history import GraphVersion, find_erased_digests, list_graph_versions

LINK_FORMAT = Format("application/link-format", "link", "Link format")
ERASED_ATTRIBUTE = '; title="erased"'  # of the link to a memento whose content was erased
# The Vary header of responses that depend on Accept-Datetime.
MEMENTO_VARY = "Accept, Accept-Encoding, Accept-Datetime, Accept-Language, Accept-Profile, Cookie"


def respond_with_memento(
    context: RequestContext, graph: str | None, version_name: str, media_type: str | None
) -> Response:
    """The version of a graph that `?version=` names, which never changes.

    Raises Problem 404 for an unknown version, 406 for an unsupported format.
    """
    request = context.request
    versions = list_graph_versions(context.history, context.store, graph)
    memento = next((version for version in versions if version.name == version_name), None)
    if memento is None:
        raise unknown_version_problem(context, graph, version_name)
    format_ = choose_response_format(request, GRAPH_FORMATS, media_type)
    content = read_version_content(context, graph, memento)
    triples = [quad.triple for quad in ox.parse(content, ox.RdfFormat.N_TRIPLES)]
    body = serialize_triples(triples, format_, context.base)
    headers = {"Memento-Datetime": format_http_date(memento.time)}
    if "authorization" not in request.headers:
        headers["Cache-Control"] = IMMUTABLE_CACHE_CONTROL
    links = [*timegate_links(context, graph), *version_navigation_links(context, graph, versions, memento)]
    return respond_with_body(request, body, format_, links=links, headers=headers)


def respond_with_timemap(context: RequestContext, graph: str | None, media_type: str | None) -> Response:
    """The TimeMap of a graph as links (RFC 7089, section 5) or JSON; it may be empty.

    Raises Problem 404 if no history is kept, 406 for an unsupported format.
    """
    request = context.request
    if context.history is None:
        raise Problem(404, "This service keeps no history, so there is no list of versions.")
    versions = list_graph_versions(context.history, context.store, graph)
    format_ = choose_response_format(request, (LINK_FORMAT, JSON), media_type)
    erased_digests = find_erased_digests(context.history, context.store, versions)
    if format_ is JSON:
        items = [
            build_version_json(context, graph, version) | {"erased": version.content_digest in erased_digests}
            for version in versions
        ]
        return respond_with_json(context.request, {"versions": items})
    host = str(request.base_url).rstrip("/")
    period = (
        f'; from="{format_http_date(versions[0].time)}"; until="{format_http_date(versions[-1].time)}"'
        if versions
        else ""
    )
    links = [
        f'<{host}{graph_path_in_context(context, graph)}>; rel="original timegate"',
        f'<{host}{timemap_path(context, graph)}>; rel="self"; type="{LINK_FORMAT.media_type}"{period}',
        *(
            memento_link(context, graph, version, version_relations(versions, version), host)
            + (ERASED_ATTRIBUTE if version.content_digest in erased_digests else "")
            for version in versions
        ),
    ]
    return respond_with_body(request, ",\n".join(links).encode(), format_)


def redirect_to_memento(
    context: RequestContext, graph: str | None, media_type: str | None
) -> Response | None:
    """A 302 to the version that was current at Accept-Datetime; None without that field or without versions.

    Raises Problem 400 for a malformed date (RFC 7089, section 4.5.3).
    """
    time = parse_accept_datetime(context.request.headers.getlist("accept-datetime"))
    versions = list_graph_versions(context.history, context.store, graph) if time else []
    if not time or not versions:
        return None
    candidates = [
        version
        for version in versions
        if version.since is None or version.since.replace(microsecond=0) <= time
    ]
    location = memento_path(context, graph, candidates[-1] if candidates else versions[0])
    if media_type is not None:
        location = add_url_parameters(location, [("_mediatype", media_type)])
    headers = {
        "Location": location,
        "Vary": MEMENTO_VARY,
        "Link": ", ".join(timegate_links(context, graph)),
        "Cache-Control": "no-cache",
    }
    return Response(status_code=302, headers=headers)


def parse_accept_datetime(fields: Sequence[str]) -> datetime | None:
    """The time in the Accept-Datetime field; None without a field. Raises Problem 400 if it is invalid."""
    if len(fields) > 1:
        raise Problem(400, "The request has more than one Accept-Datetime field. Send one.")
    field = "".join(fields)
    if not field:
        return None
    try:
        time = parsedate_to_datetime(field)
    except ValueError as error:
        raise Problem(
            400, f"Accept-Datetime is {field!r}. Write a date such as {format_http_date(datetime.now(UTC))}."
        ) from error
    return time.replace(tzinfo=time.tzinfo or UTC)


def unknown_version_problem(context: RequestContext, graph: str | None, version_name: str) -> Problem:
    """The 404 for an unknown version of a graph.

    Its message has the address of the TimeMap, its JSON member `graph` the path of the graph.
    """
    advice = "This service keeps no history."
    if context.history is not None:
        advice = f"Its versions: {timemap_path(context, graph)}"
    return Problem(
        404,
        f"There is no version {version_name!r} of this graph. {advice}"
        if version_name
        else f"Name a version of this graph. {advice}",
        graph=graph_path_in_context(context, graph),
    )


def timegate_links(context: RequestContext, graph: str | None) -> list[str]:
    """The links from a graph or a version to the graph (its TimeGate) and to its TimeMap."""
    if context.history is None:
        return []
    return [
        f'<{graph_path_in_context(context, graph)}>; rel="original timegate"',
        f'<{timemap_path(context, graph)}>; rel="timemap"; type="{LINK_FORMAT.media_type}"',
    ]


def version_navigation_links(
    context: RequestContext, graph: str | None, versions: Sequence[GraphVersion], memento: GraphVersion
) -> list[str]:
    """The links from a version to the first, previous, next and last version, and to itself."""
    position = versions.index(memento)
    relations: dict[int, list[str]] = {}
    for relation, index in (
        ("first", 0),
        ("prev", position - 1),
        ("next", position + 1),
        ("last", len(versions) - 1),
    ):
        if 0 <= index < len(versions):
            relations.setdefault(index, []).append(relation)
    relations.setdefault(position, [])
    return [memento_link(context, graph, versions[index], relations[index]) for index in sorted(relations)]


def version_relations(versions: Sequence[GraphVersion], version: GraphVersion) -> list[str]:
    """The link relations of a version: `first`, `last`, both or none."""
    relations = ("first", versions[0]), ("last", versions[-1])
    return [relation for relation, end in relations if version is end]


def memento_link(
    context: RequestContext,
    graph: str | None,
    version: GraphVersion,
    relations: Sequence[str],
    host: str = "",
) -> str:
    """The link to a version; `host` is put before its path."""
    relation = " ".join([*relations, "memento"])
    target = f"{host}{memento_path(context, graph, version)}"
    return f'<{target}>; rel="{relation}"; datetime="{format_http_date(version.time)}"'


def build_version_json(
    context: RequestContext, graph: str | None, version: GraphVersion
) -> dict[str, object]:
    """A version as an item of the TimeMap in JSON."""
    return {
        "version": memento_path(context, graph, version),
        "since": version.since and version.since.isoformat(),
        "until": version.until and version.until.isoformat(),
        "triples": version.triples,
        "added": version.added,
        "removed": version.removed,
        "by": version.writer_name,
    }


def graph_path_in_context(context: RequestContext, graph: str | None) -> str:
    """The path of a graph in this service."""
    return graph_path(graph, context.base)


def timemap_path(context: RequestContext, graph: str | None) -> str:
    """The path of the TimeMap of the graph."""
    return add_url_parameters(graph_path_in_context(context, graph), [("versions", None)])


def memento_path(context: RequestContext, graph: str | None, version: GraphVersion) -> str:
    """The path of a version."""
    return add_url_parameters(graph_path_in_context(context, graph), [("version", version.name)])


def format_http_date(time: datetime) -> str:
    """A time as an HTTP date (RFC 9110, section 5.6.7)."""
    return format_datetime(time.astimezone(UTC).replace(microsecond=0), usegmt=True)


@dataclass(frozen=True)
class GraphVersionDiff:
    """Two versions of a graph, and the N-Triples lines removed and added between them, sorted.

    `before` is None for the first version.
    """

    before: GraphVersion | None
    after: GraphVersion
    removed: list[str]
    added: list[str]


def diff_graph_versions(
    context: RequestContext, graph: str | None, version_name: str, resource_iri: str | None
) -> GraphVersionDiff:
    """The difference between a version of a graph and the previous one; blank nodes are compared by label.

    With `resource_iri` (`?about=`), only the statements about that resource. Raises Problem 404 for an
    unknown version, 400 if `resource_iri` is not an IRI.
    """
    versions = list_graph_versions(context.history, context.store, graph)
    index = next((index for index, version in enumerate(versions) if version.name == version_name), None)
    if index is None:
        raise unknown_version_problem(context, graph, version_name)
    before = versions[index - 1] if index else None
    old_lines = read_version_lines(context, graph, before)
    new_lines = read_version_lines(context, graph, versions[index])
    prefix = "" if resource_iri is None else f"<{check_absolute_iri(resource_iri, 'about')}> "
    removed, added = (
        sorted(line for line in lines if line.startswith(prefix))
        for lines in (old_lines - new_lines, new_lines - old_lines)
    )
    return GraphVersionDiff(before, versions[index], removed, added)


def read_version_lines(context: RequestContext, graph: str | None, version: GraphVersion | None) -> set[str]:
    """The N-Triples lines of a version, or an empty set if `version` is None. Raises Problem 404."""
    if version is None:
        return set()
    # str.splitlines would also split at the line separators that literals may contain, such as U+2028.
    return {line.decode() for line in read_version_content(context, graph, version).splitlines()}


def read_version_content(context: RequestContext, graph: str | None, version: GraphVersion) -> bytes:
    """The content of a version as N-Triples.

    Raises Problem 404 if it was not kept, 410 if it was erased or is kept no longer.
    """
    assert context.history  # without a history there are no versions
    try:
        content = context.history.read_version(context.store, graph, version)
    except MissingChangesError as error:
        detail = f"{error} Who wrote it and when remains recorded."
        raise Problem(410, detail, slug="no-longer-kept") from error
    if content is None:
        raise Problem(
            404,
            "The content of this version was not kept, because a write that was not recorded replaced it.",
        )
    return content

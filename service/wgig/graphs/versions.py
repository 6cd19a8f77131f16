"""Old versions of graphs over HTTP: Memento (RFC 7089), and the difference between two versions.

`?version=` names a version, which never changes and is cached as immutable. Accept-Datetime on the graph
redirects to the version of that time. `?versions` gives the TimeMap as application/link-format (section 5) or
JSON. A difference is the N-Triples lines that were added and removed.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import quote

import pyoxigraph as ox
from fastapi import Request, Response

from ..http.bodies import parameters, values
from ..http.responses import answer, pick
from ..pages.rendering import graph_path
from ..problems import Problem
from ..rdf.formats import GRAPHS, JSON, Format
from ..rdf.serialization import serialize
from ..rdf.sparql_lexer import absolute
from ..settings import Settings
from ..store.history import Version, versions

LINK_FORMAT = Format("application/link-format", "link", "Link format")
FOREVER = "public, max-age=31536000, immutable"
VARY = "Accept, Accept-Encoding, Accept-Datetime, Accept-Language, Accept-Profile"


def memento(request: Request, graph: str | None) -> Response:
    """The version of a graph that `?version=` names, which never changes. Raises Problem 404, 406."""
    name = values(parameters(request), "version")[0]
    every = versions(request, graph)
    found = next((one for one in every if one.name == name), None)
    if found is None:
        raise no_version(request, graph, name)
    format_ = pick(request, GRAPHS)
    lines = request.app.state.history.lines(request.app.state.store, graph, found)
    if lines is None:
        raise Problem(404, "What became of this version was not recorded, so it cannot be had any more.")
    triples = [one.triple for one in ox.parse(lines, ox.RdfFormat.N_TRIPLES)]
    body = serialize(triples, format_, request.app.state.settings.base)
    headers = {"Memento-Datetime": http_date(found.at)}
    if "authorization" not in request.headers:
        headers["Cache-Control"] = FOREVER
    around = [*links(request, graph), *neighbors(request, graph, every, found)]
    return answer(request, body, format_, links=around, headers=headers)


def timemap(request: Request, graph: str | None) -> Response:
    """The list of the versions of a graph, as links (RFC 7089, section 5) or as JSON; it may be empty.

    Raises Problem 404 where no history is kept, and 406.
    """
    if request.app.state.history is None:
        raise Problem(404, "This service keeps no history, and so lists no versions of graphs.")
    every = versions(request, graph)
    format_ = pick(request, (LINK_FORMAT, JSON))
    if format_ is JSON:
        body = json.dumps({"versions": [members(request, graph, one) for one in every]}, ensure_ascii=False)
        return answer(request, body.encode(), format_)
    home = str(request.base_url).rstrip("/")
    span = f'; from="{http_date(every[0].at)}"; until="{http_date(every[-1].at)}"' if every else ""
    listed = [
        f'<{home}{path(request, graph)}>; rel="original timegate"',
        f'<{home}{map_path(request, graph)}>; rel="self"; type="{LINK_FORMAT.media_type}"{span}',
        *(as_link(request, graph, one, place(every, one), home) for one in every),
    ]
    return answer(request, ",\n".join(listed).encode(), format_)


def of_its_time(request: Request, graph: str | None) -> Response | None:
    """The way to the version that was current at the Accept-Datetime, where that is asked and known.

    Raises Problem 400 for what is no date (RFC 7089, section 4.5.3).
    """
    moment = asked_moment(request.headers.getlist("accept-datetime"))
    every = versions(request, graph) if moment else []
    if not moment or not every:
        return None
    known = [one for one in every if one.since is None or one.since.replace(microsecond=0) <= moment]
    found = known[-1] if known else every[0]
    where = version_path(request, graph, found)
    for media_type in values(parameters(request), "_mediatype"):
        where = with_parameter(where, f"_mediatype={quote(media_type, safe='/')}")
    headers = {
        "Location": where,
        "Vary": VARY,
        "Link": ", ".join(links(request, graph)),
        "Cache-Control": "no-cache",
    }
    return Response(status_code=302, headers=headers)


def asked_moment(fields: Sequence[str]) -> datetime | None:
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
            400, f"Accept-Datetime is {asked!r}. Write it as in {http_date(datetime.now(UTC))}."
        ) from error
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def no_version(request: Request, graph: str | None, name: str) -> Problem:
    """The 404 for a version, with the list of those that there are; the member `graph` leads to its page."""
    listed = "This service keeps no history."
    if request.app.state.history is not None:
        listed = f"Its versions: {map_path(request, graph)}"
    return Problem(404, f"There is no version {name!r} of this graph. {listed}", graph=path(request, graph))


def links(request: Request, graph: str | None) -> list[str]:
    """The links from a graph and its versions to the graph and to their list."""
    if request.app.state.history is None:
        return []
    return [
        f'<{path(request, graph)}>; rel="original timegate"',
        f'<{map_path(request, graph)}>; rel="timemap"; type="{LINK_FORMAT.media_type}"',
    ]


def neighbors(request: Request, graph: str | None, every: Sequence[Version], found: Version) -> list[str]:
    """The links from a version to those beside it, the first and the last, and to itself."""
    at = every.index(found)
    rels: dict[int, list[str]] = {}
    for rel, number in (("first", 0), ("prev", at - 1), ("next", at + 1), ("last", len(every) - 1)):
        if 0 <= number < len(every):
            rels.setdefault(number, []).append(rel)
    rels.setdefault(at, [])
    return [as_link(request, graph, every[number], rels[number]) for number in sorted(rels)]


def place(every: Sequence[Version], one: Version) -> list[str]:
    """Whether a version is the first or the last."""
    return ["first"] * (one is every[0]) + ["last"] * (one is every[-1])


def as_link(request: Request, graph: str | None, one: Version, rels: Sequence[str], home: str = "") -> str:
    """The link to a version."""
    rel = " ".join([*rels, "memento"])
    return f'<{home}{version_path(request, graph, one)}>; rel="{rel}"; datetime="{http_date(one.at)}"'


def members(request: Request, graph: str | None, one: Version) -> dict[str, object]:
    """What the list in JSON says of a version."""
    return {
        "version": version_path(request, graph, one),
        "since": one.since and one.since.isoformat(),
        "until": one.until and one.until.isoformat(),
        "triples": one.triples,
        "added": one.added,
        "removed": one.removed,
        "by": one.who,
    }


def path(request: Request, graph: str | None) -> str:
    """Where the graph is read."""
    settings: Settings = request.app.state.settings
    return graph_path(graph, settings.base)


def map_path(request: Request, graph: str | None) -> str:
    """Where the list of the versions is read."""
    return with_parameter(path(request, graph), "versions")


def version_path(request: Request, graph: str | None, one: Version) -> str:
    """Where a version is read."""
    return with_parameter(path(request, graph), f"version={one.name}")


def with_parameter(path: str, parameter: str) -> str:
    """The path with one more parameter."""
    return f"{path}{'&' if '?' in path else '?'}{parameter}"


def http_date(moment: datetime) -> str:
    """A moment as HTTP writes it (RFC 9110, section 5.6.7)."""
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)


@dataclass(frozen=True)
class Difference:
    """Two versions of a graph (None: there was none), and the lines of N-Triples that differ, sorted."""

    before: Version | None
    after: Version
    gone: list[str]
    come: list[str]


def difference(request: Request, graph: str | None) -> Difference:
    """What the version that `changes` names changed; with `about`, only of the thing of this IRI.

    Blank nodes count by their names. Raises Problem 404 for a version that there is not, 400 for no IRI.
    """
    name = values(parameters(request), "changes")[0]
    every = versions(request, graph)
    place = next((place for place, one in enumerate(every) if one.name == name), None)
    if place is None:
        raise no_version(request, graph, name)
    before = every[place - 1] if place else None
    old, new = lines(request, graph, before), lines(request, graph, every[place])
    about = "".join(f"<{absolute(one, 'about')}> " for one in values(parameters(request), "about"))
    gone, come = (sorted(one for one in those if one.startswith(about)) for those in (old - new, new - old))
    return Difference(before, every[place], gone, come)


def lines(request: Request, graph: str | None, version: Version | None) -> set[str]:
    """The lines of a version. Raises Problem 404 where it cannot be had any more."""
    if version is None:
        return set()
    found = request.app.state.history.lines(request.app.state.store, graph, version)
    if found is None:
        raise Problem(404, "What became of this version was not recorded, so it cannot be had any more.")
    return set(found.decode().splitlines())

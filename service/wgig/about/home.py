"""The home page: what this is, and at a glance what is covered, what happened when, and what there is."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

import pyoxigraph as ox
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http import language
from ..http.parameters import host, only
from ..http.responses import answer, pick
from ..lists.counts import Cell, Cells
from ..lists.coverage_matrix import Matrix, matrix, named, view
from ..lists.definitions import LISTS
from ..lists.query import prefixed
from ..lists.timeline import chart
from ..lists.timeline_events import MAIN, Happened, happened, timeline
from ..pages import names
from ..problems import Problem
from ..rdf.formats import HTML
from ..resources import existence, mappings
from ..resources.alternates import common
from ..resources.labels import labels
from ..resources.representation import show
from ..sparql.examples import examples
from ..sparql.service import rows
from ..store.changelog.sync import Stream
from ..text import natural

SOON = 2  # seconds that the page waits for what is being counted
LATEST = 6  # papers
SHOWN = ("due-and-delivered", "issues-under-several-categories", "disagreements")
# What describes the service, for programs and people (RFC 8631, RFC 9727): relation, place, media type.
DESCRIBED = (
    ("api-catalog", "/.well-known/api-catalog", "application/linkset+json"),
    ("service-desc", "/openapi.json", "application/json"),
    ("service-doc", "/#ways", "text/html"),
    ("service-meta", "/.well-known/void", "text/turtle"),
    ("describedby", "/catalog", "text/turtle"),
)
POSTED = """SELECT ?paper ?day WHERE {{
  VALUES ?day {{ {days} }} ?paper wgig:posted ?day .
  FILTER EXISTS {{ VALUES ?class {{ wgig:IssuePaper wgig:AssessmentPaper }} ?paper a ?class }}
  FILTER NOT EXISTS {{ ?paper wgig:illustrative true }} FILTER (isIRI(?paper))
}} LIMIT {most}"""


@dataclass(frozen=True)
class Latest:
    """A paper that was posted of late: its IRI, what it is called, and the day."""

    iri: str
    name: ox.Literal
    day: str


async def home(request: Request) -> Response:
    """What this is, what it holds, and the ways in. Raises Problem 406 for a client that takes no HTML."""
    only(request)
    pick(request, (HTML,))
    counts = await counted(request)
    covered = await matrix_soon(request)
    what = await happened(request, MAIN)
    papers = await latest(request)
    is_done = None not in (counts, covered, what.papers)
    body = await run_in_threadpool(written, request, counts, covered, what, papers)
    links = [*common(), *(f'<{path}>; rel="{rel}"; type="{type_}"' for rel, path, type_ in DESCRIBED)]
    return answer(request, body, HTML, links=links, headers={} if is_done else {"Cache-Control": "no-store"})


def written(
    request: Request,
    counts: dict[str, int] | None,
    covered: Matrix | None,
    what: Happened,
    papers: list[Latest],
) -> bytes:
    """The page; what is None is being counted."""
    base = request.app.state.settings.base
    line = timeline(what).main
    return show(
        request,
        "home.html",
        counts=counts,
        titles=names.TITLES,
        name=names.called,
        lists=LISTS,
        matrix=covered and view(covered, base, language.ranges()),
        line=line,
        chart=chart(line),
        papers=papers,
        examples=examples(),
        shown=SHOWN,
        described=DESCRIBED,
        markup=mappings.catalog(base, host(request), list(map(names.title, counts or names.TITLES))),
    )


async def counted(request: Request) -> dict[str, int] | None:
    """How many things of each kind there are; None while it is being found out, for which nobody waits."""
    stream: Stream = request.app.state.stream
    try:
        return await run_in_threadpool(existence.counts, await stream.ready(SOON))
    except Problem:
        return None


async def matrix_soon(request: Request) -> Matrix | None:
    """The matrix of issues; None while the papers are being counted."""
    cells: Cells = request.app.state.cells["issue"]
    papers = await cells.soon(SOON)
    if papers is None:
        return None
    return matrix("issue", await rows(request, named("issue", {}, request.app.state.settings.base)), papers)


async def latest(request: Request) -> list[Latest]:
    """Some of the papers of the last days on which any was posted, those of the last one first."""
    cells: Cells = request.app.state.cells["posted"]
    days = last_days(await cells.soon(SOON) or {})
    if not days:
        return []
    query = prefixed(POSTED.format(days=" ".join(days), most=LATEST), request.app.state.settings.base)
    found = {paper.value: day.value for paper, day in await rows(request, query)}
    names = await run_in_threadpool(labels, request.app.state.store, found, language.ranges())
    papers = [Latest(iri, names.get(iri, ox.Literal(iri)), day) for iri, day in found.items()]
    by_name = sorted(papers, key=lambda one: natural(one.name.value))
    return sorted(by_name, key=lambda one: one.day, reverse=True)


def last_days(counts: Mapping[Cell, int]) -> list[str]:
    """The last days on which papers were posted, as SPARQL writes them: as few as have LATEST papers."""
    found: list[str] = []
    missing = LATEST
    days = sorted((cell[0] for cell in counts if len(cell) == 1 and cell[0][:1] == '"'), reverse=True)
    for day in islice(days, LATEST):
        if missing > 0:
            found.append(day)
            missing -= counts[day,]
    return found

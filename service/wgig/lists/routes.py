"""/papers, /issues and the other lists: chosen, sorted and paged, as JSON, RDF, CSV or a page."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pyoxigraph as ox
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http.bodies import Pairs, parameters, values
from ..http.parameters import SERVICE, address
from ..pages.rendering import words
from ..problems import Problem, unknown
from ..rdf.formats import CSV, HTML, JSON, JSON_LD, TURTLE, Format
from ..resources.alternates import Subject
from ..resources.existence import check_known
from ..resources.negotiation import SAME_IN_ALL, wish_alone
from ..resources.profiles import OWN, own
from ..resources.representation import graph_body, item_list, represent, show, turned
from ..settings import Settings
from ..shacl.rules import headings
from ..sparql.examples import by_keyword
from ..sparql.service import LARGEST, rows, tsv
from .counts import Cell, Cells
from .definitions import LISTS
from .page import SIDES, columns, for_people, has_fields, sheet
from .papers_index import FACETS, Shelf
from .papers_page import Chosen, choose, is_at_hand, lines, named, without
from .query import WHOLE, Asked, asked, every, selection, things, values_of
from .results import Found, around, as_csv, as_json, as_triples, best, found, pages

PAPERS = "papers"
SOON = 1  # seconds that somebody waits for a count of papers
OFFERED = (JSON, JSON_LD, CSV, TURTLE, HTML)


async def listing(request: Request) -> Response:
    """A list of things, with filters by their fields, a page at a time; CSV whole where no page is asked for.

    `sort` names fields, a minus before one that falls; `fields` names those that are given; `q` is looked for
    in what things are called, `year` in their dates. A filter that is given several times takes any of them.
    """
    name = request.scope["path"].removeprefix("/").partition(".")[0]
    base = request.app.state.settings.base
    what = asked(LISTS[name], given(request), base)
    wish = wish_alone(request, OFFERED, request.path_params.get("suffix", ""), {OWN: own(base)})
    await check_values(request, what)
    is_whole = wish.choices[0].format is CSV and not what.is_paged
    what = what.whole() if is_whole else what
    is_page = wish.choices[0].format is HTML
    what = for_people(what) if is_page else what
    is_narrowed = name == PAPERS and is_page and not has_fields(what)
    page = await (narrowed(request, what) if is_narrowed else looked_up(request, what, is_whole=is_whole))
    if is_whole and page.total > WHOLE:
        raise too_long(page.total)
    if what.page > pages(what, page):
        last = turned(request, what.on(pages(what, page)))
        raise Problem(404, f"There is no page {what.page}. The last one is {last}")
    iri = base.rstrip("/") + address(name, what.on(what.page))
    papers = await papers_soon(request, what) if is_page else None
    write = partial(written, request, what, page, papers)
    subject = Subject(iri, f"/{name}", lambda: (), write, formats=OFFERED, pairs=what.on(what.page))
    turns = [f'<{path}>; rel="{rel}"' for rel, path in links(request, what, page).items() if rel != "self"]
    more = [*reversed(turns), SERVICE]
    is_done = not is_page or papers is not None or "papers" not in columns(what)
    headers = SAME_IN_ALL if is_done else {**SAME_IN_ALL, "Cache-Control": "no-store"}
    return await run_in_threadpool(represent, request, wish, subject, more=more, headers=headers)


def given(request: Request) -> Pairs:
    """The parameters of a request; a field for words that was left empty in a form means nothing."""
    pairs = parameters(request)
    is_empty = values(pairs, "q") == [""]
    return [pair for pair in pairs if not (is_empty and pair[0] == "q")]


async def looked_up(request: Request, what: Asked, *, is_whole: bool) -> Found:
    """A page of a list with all fields. Raises Problem, 503 where it is too much."""
    settings: Settings = request.app.state.settings
    most = settings.result_bytes if is_whole else LARGEST
    return await run_in_threadpool(found, await tsv(request, selection(what, settings.base), most))


async def narrowed(request: Request, what: Asked) -> Chosen:
    """A page of the papers at hand, with what they can be narrowed by; all else is looked up by a query."""
    base = request.app.state.settings.base
    shelf: Shelf = request.app.state.shelf
    if is_at_hand(what):
        return await shelf.ask(choose, what, base)
    others = {name: terms for name, terms in what.wanted.items() if name not in FACETS}
    fitting = await rows(request, every(replace(what, wanted=others, q=None, year=None), base))
    return await shelf.ask(choose, what, base, [one.value for (one,) in fitting])


async def papers_soon(request: Request, what: Asked) -> Mapping[Cell, int] | None:
    """The papers by what the list has; None where they are being counted, or nobody wants to know."""
    if "papers" not in columns(what):
        return None
    cells: Cells = request.app.state.cells[SIDES[what.of.name]]
    return await cells.soon(SOON)


def too_long(total: int) -> Problem:
    """The 413 for a whole list of so many things: a table says nowhere that it is a part."""
    return Problem(
        413,
        f"The list has {total} things, and up to {WHOLE} are given as one table. Ask for page and size, or "
        "choose fewer things; whole tables of the main lists are at /tables.",
        total=total,
    )


def links(request: Request, what: Asked, page: Found | Chosen) -> dict[str, str]:
    """The addresses of this page and of those around it by relation, as this one was asked for."""
    return {rel: turned(request, pairs) for rel, pairs in turns(what, page).items()}


def turns(what: Asked, page: Found | Chosen) -> dict[str, Pairs]:
    """The parameters of this page and of those around it, by relation."""
    numbers = {"self": what.page, **around(what, page)}
    return {rel: what.on(number) for rel, number in numbers.items()}


async def check_values(request: Request, what: Asked) -> None:
    """Raises Problem 400 where things are chosen by a value that nothing has, with one that is near."""
    for field, iri in things(what):
        await check_known(request, field.name, field.type, iri)
    for name, terms in what.wanted.items():
        field = what.of.by_name[name]
        if field.type == "name":
            query = values_of(what.of, field, request.app.state.settings.base)
            texts = [value.value for (value,) in await rows(request, query)]
            for term in terms:
                if term.value not in texts:
                    raise unknown(f"Nothing in /{what.of.name} has as its {name}", term.value, texts)


def written(
    request: Request,
    what: Asked,
    page: Found | Chosen,
    papers: Mapping[Cell, int] | None,
    format_: Format,
) -> bytes:
    """A page of a list in a format."""
    base = request.app.state.settings.base
    if isinstance(page, Chosen):
        return papers_page(request, what, page)
    if format_ is HTML:
        return html(request, what, page, papers)
    if format_ is JSON:
        links_ = {rel: address(what.of.name, pairs, JSON.suffix) for rel, pairs in turns(what, page).items()}
        return as_json(what, page, base, links_)
    if format_ is CSV:
        return as_csv(what, page, base)
    return graph_body(request, as_triples(what, page, base), format_)


def papers_page(request: Request, what: Asked, page: Chosen) -> bytes:
    """A page of the list of papers, with what they can be narrowed by."""
    store, base = request.app.state.store, request.app.state.settings.base
    labels = named(store, page)
    called = {one.iri: labels.get(one.iri, ox.Literal(words(one.iri))) for one in page.papers}
    return show(
        request,
        "papers.html",
        asked=what,
        examples=by_keyword(what.of.name),
        chosen=page,
        lines=lines(store, page.papers, base),
        labels=labels,
        headings=headings(),
        without=partial(without, what),
        markup=item_list(request, what.of.title, called, page.total, first(what)),
        links=links(request, what, page),
        pages=pages(what, page),
        others=in_others(what),
    )


def first(what: Asked) -> int:
    """The number of the first thing on a page."""
    return (what.page - 1) * what.size + 1


def in_others(what: Asked) -> list[tuple[str, str]]:
    """The names of the other formats of a page of a list, and its addresses in them."""
    pairs = what.on(what.page)
    return [(one.title, address(what.of.name, pairs, one.suffix)) for one in OFFERED if one is not HTML]


def html(request: Request, what: Asked, page: Found, papers: Mapping[Cell, int] | None) -> bytes:
    """A page of a list for people."""
    called = {iri: ox.Literal(name_of(iri, said.get("label", []))) for iri, said in page.things.items()}
    return show(
        request,
        "list.html",
        asked=what,
        examples=by_keyword(what.of.name),
        total=page.total,
        sheet=sheet(request.app.state.store, what, page, request.app.state.settings.base, papers),
        markup=item_list(request, what.of.title, called, page.total, first(what)),
        links=links(request, what, page),
        pages=pages(what, page),
        others=in_others(what),
    )


def name_of(iri: str, texts: Sequence[Any]) -> str:
    """What a thing is called for a reader of English, or else the end of its IRI in words."""
    named = [one for one in texts if isinstance(one, ox.Literal)]
    return min(named, key=best).value if named else words(iri)

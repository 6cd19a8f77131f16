"""/search: full-text search over names, definitions and the texts of papers, best first, page by page."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pyoxigraph as ox
from fastapi import Request, Response

from ..http.bodies import Pairs
from ..http.parameters import only
from ..http.responses import answer
from ..http.work_queue import Turns
from ..pages import rendering
from ..pages.names import called
from ..problems import Problem
from ..rdf.formats import ATOM, HTML, JSON, JSON_LD, Format
from ..resources.alternates import Subject
from ..resources.labels import labels
from ..resources.negotiation import SAME_IN_ALL, wish_alone
from ..resources.profiles import OWN, Profile, own, profiles
from ..resources.representation import named_things, represent, turned
from . import index as search_index
from . import opensearch
from .database import about, distinct, entries
from .entries import Entry
from .index import Index
from .ranking import MOST, Found, Wanted, find
from .results import Results, hit, linked_data, listed
from .tokenizer import asked

OFFERED = (JSON, ATOM, HTML)
PARAMETERS = ("q", "lang", "kind", "page", "_mediatype", "_profile")
SCHEMA_ORG = "schema.org"
PAGE = 20  # things


async def search(request: Request) -> Response:
    """Things by words of theirs: names before texts, typing errors mended, what was found marked."""
    searches: Turns = request.app.state.searches
    return await searches.run(found, request)


def found(request: Request) -> Response:
    """The page of results that is asked for, or the form. Raises Problem 400, 404, 406 and 503."""
    given = single(request, PARAMETERS)
    there = offered(request.app.state.settings.base)
    wish = wish_alone(request, OFFERED, request.path_params.get("suffix", ""), there)
    index: Index = request.app.state.index
    is_page = wish.choices[0].format is HTML and not wish.listing
    if is_page and not given.get("q", "").strip():
        return answer(request, show(request, None, index), HTML, links=[opensearch.LINK], headers=SAME_IN_ALL)
    if "q" not in given:
        raise Problem(
            400, "Nothing is searched for. Give the words as the parameter q, as in /search?q=spam."
        )
    wanted = Wanted(
        asked(given["q"]),
        search_index.language(index, given.get("lang", "")),
        search_index.kind(index, given.get("kind", "")),
    )
    results = results_of(request, given, index.ask(find, wanted, index.frequent))
    around = [f'<{path}>; rel="{name}"' for name, path in results.turns.items()]
    pairs = parameters_of(given, results.page)
    iri = f"{request.app.state.settings.base}search?{urlencode(pairs)}"
    write = partial(body, request, results, pairs)
    subject = Subject(iri, "/search", lambda: (), write, formats=OFFERED, pairs=pairs, written=there)
    return represent(request, wish, subject, more=[opensearch.LINK, *around], headers=SAME_IN_ALL)


def offered(base: str) -> dict[str, Profile]:
    """The profiles of results: our own, and schema.org as JSON-LD."""
    linked = profiles(base)[SCHEMA_ORG]
    return {OWN: own(base), SCHEMA_ORG: replace(linked, formats=(JSON_LD,))}


def single(request: Request, allowed: Sequence[str]) -> dict[str, str]:
    """The parameters of a request, each given once; empty ones count as none. Raises Problem 400."""
    return {name: value for name, value in only(request, allowed) if value}


def results_of(request: Request, given: dict[str, str], found: Found) -> Results:
    """The results on the page that is asked for. Raises Problem 400 and 404 for a page that there is not."""
    number = page_number(given.get("page", "1"))
    last = max(1, -(-len(found.rows) // PAGE))
    if number > last:
        raise Problem(404, f"There is no page {number} of these results. The last one is {last}.")
    rows = found.rows[(number - 1) * PAGE : number * PAGE]
    pages = {name: parameters_of(given, one) for name, one in around(number, last).items()}
    base = request.app.state.settings.base
    names = labels(request.app.state.store, (row.iri for row in rows if not row.label))
    held = request.app.state.index.ask(entries, rows)
    terms = found.wanted.terms
    return Results(
        given["q"],
        given.get("lang", ""),
        given.get("kind", ""),
        number,
        found,
        [hit(row, held.get(row.id, Entry()), terms, names.get(row.iri), base) for row in rows],
        (number - 1) * PAGE,
        PAGE,
        {name: urlencode(pairs) for name, pairs in pages.items()},
        {name: turned(request, pairs) for name, pairs in pages.items()},
    )


def page_number(text: str) -> int:
    """The number of a page. Raises Problem 400."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise Problem(400, f"There is no page {text!r}. Pages are numbered from 1.")
    return int(text)


def around(number: int, last: int) -> dict[str, int]:
    """The pages around one, by what they are to it."""
    found = {"first": 1, "prev": number - 1, "next": number + 1, "last": last}
    return {name: one for name, one in found.items() if 1 <= one <= last}


def parameters_of(given: dict[str, str], page: int) -> Pairs:
    """The parameters that lead to a page of the same results."""
    same = [(name, value) for name, value in given.items() if name in ("q", "lang", "kind")]
    return [*same, *([("page", str(page))] if page > 1 else [])]


def body(request: Request, results: Results, pairs: Pairs, format_: Format) -> bytes:
    """The results of these parameters in a format."""
    if format_ is HTML:
        names = {one.iri: ox.Literal(one.label) for one in results.hits}
        return show(request, results, request.app.state.index, told(request, results, pairs, names))
    if format_ is ATOM:
        changed = request.app.state.index.ask(about, "changed")
        return opensearch.feed(results, str(request.base_url), changed)
    if format_ is JSON_LD:
        names = {one.iri: ox.Literal(one.label, language=one.language or None) for one in results.hits}
        return packed(told(request, results, pairs, names))
    return packed(listed(results))


def told(request: Request, results: Results, pairs: Pairs, names: Mapping[str, ox.Literal]) -> dict[str, Any]:
    """The results of these parameters as schema.org, with these names of the things by IRI."""
    things = dict(zip(names, named_things(request, names), strict=True))
    return linked_data(results, f"{request.base_url}search?{urlencode(pairs)}", things)


def packed(value: object) -> bytes:
    """JSON without spaces for people, which take longer than a search."""
    return json.dumps(value, ensure_ascii=False).encode()


def show(request: Request, results: Results | None, index: Index, markup: object = None) -> bytes:
    """The page with the form, and with results where something was searched for, and `markup` of them."""
    return rendering.render(
        "search.html",
        base=request.app.state.settings.base,
        results=results,
        markup=markup,
        most=MOST,
        kinds={one: called(one) for one in index.ask(distinct, "kind")},
        languages=[one for one in index.ask(distinct, "language") if one],
    )

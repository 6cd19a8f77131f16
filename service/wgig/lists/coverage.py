"""/coverage: how many papers measure each issue, category or stakeholder group by each criterion."""

from functools import partial
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http import language
from ..http.bodies import Pairs, values
from ..http.parameters import SERVICE, address, checked, host, only
from ..problems import unknown
from ..rdf.formats import CSV, HTML, JSON, JSON_LD, SVG, TURTLE, Format
from ..rdf.values import term
from ..resources import mappings
from ..resources.alternates import Subject
from ..resources.existence import check_known
from ..resources.negotiation import SAME_IN_ALL, wish_alone
from ..resources.profiles import OWN, own
from ..resources.representation import graph_body, represent, show
from ..sparql.service import rows
from .counts import Cells
from .coverage_matrix import ROWS, Matrix, as_csv, as_json, as_triples, matrix, named, view

ABOUT = "How many papers measure each issue by each criterion, and with what verdicts."
BY = "issue"  # the rows, if nothing is said
OFFERED = (JSON, JSON_LD, CSV, TURTLE, SVG, HTML)
# What the ontology says of issues alone is no RDF of others.
ALONE = (JSON_LD, TURTLE)
FILTERS = {"issue": "issue", "criterion": "principle", "category": "category", "stakeholderGroup": "group"}
FITTING = {
    "issue": ("issue", "criterion", "category"),
    "category": ("category", "criterion"),
    "stakeholder-group": ("stakeholderGroup", "criterion"),
}


async def coverage(request: Request) -> Response:
    """How many papers measure each issue by each criterion, and with what verdicts; empty cells are shown.

    `by` lays the papers out by `issue`, `category` or `stakeholder-group` (of their actors and drafters).
    `issue`, `category` (of issues, too), `stakeholderGroup` and `criterion` choose some; one that is given
    several times, any of them.
    """
    base = request.app.state.settings.base
    pairs = only(request, ("by", "_mediatype", "_profile"), tuple(FILTERS))
    by = rows_of(pairs)
    offered = [one for one in OFFERED if by == BY or one not in ALONE]
    wish = wish_alone(request, offered, request.path_params.get("suffix", ""), {OWN: own(base)})
    chosen = filters(by, pairs, base)
    for name, terms in chosen.items():
        for one in terms:
            await check_known(request, name, FILTERS[name], one.value)
    found = await covered(request, by, chosen)
    kept = [pair for pair in pairs if pair[0] in ("by", *FILTERS)]
    iri = base.rstrip("/") + address("coverage", kept)
    write = partial(written, request, found, kept)
    subject = Subject(iri, "/coverage", lambda: (), write, formats=offered, pairs=kept)
    return await run_in_threadpool(represent, request, wish, subject, more=[SERVICE], headers=SAME_IN_ALL)


async def covered(request: Request, by: str, chosen: dict[str, list[Any]]) -> Matrix:
    """The matrix by rows of this kind. Raises Problem."""
    cells: Cells = request.app.state.cells[by]
    sides = await rows(request, named(by, chosen, request.app.state.settings.base))
    return matrix(by, sides, await cells.papers())


def written(request: Request, found: Matrix, kept: Pairs, format_: Format) -> bytes:
    """The matrix in a format."""
    base = request.app.state.settings.base
    if format_ is HTML:
        return show(
            request,
            "coverage.html",
            **paths(kept),
            shown=view(found, base, language.ranges()),
            markup=told(request),
        )
    if format_ is SVG:
        return show(request, "coverage.svg", shown=view(found, base))
    if format_ in PLAIN:
        return PLAIN[format_](found)
    return graph_body(request, as_triples(found, base), format_)


def told(request: Request) -> dict[str, Any]:
    """What the page tells search engines: schema.org for the whole matrix."""
    iri, page = f"{request.app.state.settings.base}coverage", f"{host(request)}coverage"
    files = [one for one in OFFERED if one is not HTML]
    return mappings.dataset(iri, page, "Coverage of issues by criteria", ABOUT, files)


def paths(kept: Pairs) -> dict[str, Any]:
    """Where the matrix is by other rows, and where this one is in other formats."""
    by = rows_of(kept)
    criteria = [pair for pair in kept if pair[0] == "criterion"]
    return {
        "by": by,
        "ways": {
            one: address("coverage", [*([("by", one)] if one != BY else []), *criteria]) for one in ROWS
        },
        "is_part": any(key != "by" for key, _ in kept),
        "others": [
            (one.title, address("coverage", kept, one.suffix))
            for one in OFFERED
            if one is not HTML and (by == BY or one not in ALONE)
        ],
    }


def rows_of(pairs: Pairs) -> str:
    """By what the papers are laid out. Raises Problem 400."""
    by = next(iter(values(pairs, "by")), BY)
    if by not in ROWS:
        raise unknown("The matrix is not laid out by", by, ROWS)
    return by


def filters(by: str, pairs: Pairs, base: str) -> dict[str, list[Any]]:
    """The terms of each filter. Raises Problem 400, also for one that chooses nothing among these rows."""
    checked(pairs, ("by", "_mediatype", "_profile"), FITTING[by])
    return {
        name: [term(name, FILTERS[name], text, base) for text in values(pairs, name)] for name in FITTING[by]
    }


PLAIN = {JSON: as_json, CSV: as_csv}

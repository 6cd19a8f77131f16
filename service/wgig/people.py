"""/people: who sat in the group, by stakeholder group, region and development, as far as known."""

from functools import partial

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from . import speaking
from .formats import CSV, HTML, JSON, Format
from .labels import labels
from .links import SERVICE, address, host
from .lists.asked import WHOLE
from .lists.found import found
from .lists.selection import selection
from .parameters import only
from .problems import Problem
from .profiles import schema_org
from .profiles.profile import OWN, own
from .profiles.subject import Subject
from .profiles.wish import SAME_IN_ALL, wish_alone
from .query import rows, tsv
from .represent import represent, show
from .seats import DEVELOPMENTS, People, as_csv, as_json, said, seats
from .seats import people as counted

OFFERED = (JSON, CSV, HTML)
ABOUT = "Who sat in the group, by stakeholder group, region and development, as far as known."
PLAIN = {JSON: as_json, CSV: as_csv}


async def people(request: Request) -> Response:
    """How the seats of the group are spread over stakeholder groups, regions and development.

    What is not known is a part of each sum. Seats that were not seen are counted where a claim says how many
    there were.
    """
    base = request.app.state.settings.base
    only(request, ("_mediatype", "_profile"))
    wish = wish_alone(request, OFFERED, request.path_params.get("suffix", ""), {OWN: own(base)})
    there = found(await tsv(request, selection(seats(base), base)))
    if there.total > len(there.things):
        raise Problem(413, f"The group has {there.total} seats, and up to {WHOLE} are counted here.")
    ranges = speaking.ranges() if wish.choices[0].format is HTML else ()
    names = await run_in_threadpool(labels, request.app.state.store, there.labels, ranges)
    write = partial(written, request, counted(there, names, await rows(request, said(base))))
    iri = base.rstrip("/") + address("people", [])
    subject = Subject(iri, "/people", lambda: (), write, formats=OFFERED)
    return await run_in_threadpool(represent, request, wish, subject, more=[SERVICE], headers=SAME_IN_ALL)


def written(request: Request, found: People, format_: Format) -> bytes:
    """The numbers in a format."""
    if format_ is not HTML:
        return PLAIN[format_](found)
    others = [(one.title, address("people", [], one.suffix)) for one in OFFERED if one is not HTML]
    iri, page = f"{request.app.state.settings.base}people", f"{host(request)}people"
    markup = schema_org.dataset(iri, page, "People", ABOUT, [JSON, CSV])
    return show(
        request, "people.html", people=found, developments=DEVELOPMENTS.values(), others=others, markup=markup
    )

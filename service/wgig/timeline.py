"""/timeline: what happened when, as a picture beside an ordered list; with filters, a list as any other."""

from functools import partial

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from .bodies import parameters, values
from .formats import HTML, Format
from .happening import Happened, happened
from .links import SERVICE, address
from .listing import OFFERED, listing
from .pages.chart import chart
from .pages.timeline import timeline as shown
from .parameters import only
from .profiles.profile import OWN, own
from .profiles.subject import Subject
from .profiles.wish import SAME_IN_ALL, Wish, wish_alone
from .represent import represent, show
from .typed import term

# With any other parameter, it is a list that somebody wants.
ALONE = {"year", "_mediatype"}


async def timeline(request: Request) -> Response:
    """What happened when: meetings, sessions, milestones due and delivered, papers; by year, or as a list."""
    wish = picture_wished(request)
    if wish is None:
        return await listing(request)
    base = request.app.state.settings.base
    pairs = only(request, tuple(ALONE))
    year = next(iter(values(pairs, "year")), "")
    if year:
        term("year", "year", year, base)
    write = partial(written, request, await happened(request, year), year)
    kept = [("year", year)] if year else []
    iri = base.rstrip("/") + address("timeline", kept)
    subject = Subject(iri, "/timeline", lambda: (), write, formats=OFFERED, pairs=kept)
    return await run_in_threadpool(represent, request, wish, subject, more=[SERVICE], headers=SAME_IN_ALL)


def picture_wished(request: Request) -> Wish | None:
    """What is wished for where that is the page with the picture; None: the list."""
    if not ALONE.issuperset(dict(parameters(request))):
        return None
    known = {OWN: own(request.app.state.settings.base)}
    wish = wish_alone(request, OFFERED, request.path_params.get("suffix", ""), known)
    return wish if wish.choices[0].format is HTML and not wish.listing else None


def written(request: Request, found: Happened, year: str, format_: Format) -> bytes:
    """The page; it is written in no other format."""
    assert format_ is HTML
    line = shown(found)
    others = [
        (one.title, address("timeline", [("year", year)] if year else [], one.suffix)) for one in OFFERED
    ]
    return show(request, "timeline.html", line=line, chart=chart(line), year=year, others=others)

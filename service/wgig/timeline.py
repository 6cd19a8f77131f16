"""/timeline: what happened when, as a picture beside an ordered list; with filters, a list as any other."""

from functools import partial

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from .bodies import Pairs, parameters, values
from .formats import HTML, Format
from .happening import EVENTS, Happened, happened
from .links import SERVICE, address, host
from .listing import OFFERED, listing
from .pages.chart import chart
from .pages.timeline import timeline as shown
from .parameters import only
from .profiles import schema_org
from .profiles.profile import OWN, own
from .profiles.subject import Subject
from .profiles.wish import SAME_IN_ALL, Wish, wish_alone
from .represent import represent, show

# With any other parameter, it is a list that somebody wants.
ALONE = {"year", "_mediatype"}


async def timeline(request: Request) -> Response:
    """What happened when: meetings, sessions, milestones due and delivered, papers; by year, or as a list."""
    wish = picture_wished(request)
    if wish is None:
        return await listing(request)
    base = request.app.state.settings.base
    kept = [pair for pair in parameters(request) if pair[0] == "year"]
    found = await happened(request, kept)
    write = partial(written, request, found, kept)
    iri = base.rstrip("/") + address("timeline", kept)
    subject = Subject(iri, "/timeline", lambda: (), write, formats=OFFERED, pairs=kept)
    fields = SAME_IN_ALL | ({"Cache-Control": "no-store"} if found.papers is None else {})
    return await run_in_threadpool(represent, request, wish, subject, more=[SERVICE], headers=fields)


def picture_wished(request: Request) -> Wish | None:
    """What is wished for where that is the page with the picture; None: the list. Raises Problem."""
    if not ALONE.issuperset(dict(parameters(request))):
        return None
    only(request, tuple(ALONE))
    known = {OWN: own(request.app.state.settings.base)}
    wish = wish_alone(request, OFFERED, request.path_params.get("suffix", ""), known)
    return wish if wish.choices[0].format is HTML and not wish.listing else None


def written(request: Request, found: Happened, kept: Pairs, format_: Format) -> bytes:
    """The page; it is written in no other format."""
    assert format_ is HTML
    line = shown(found)
    year = next(iter(values(kept, "year")), "")
    others = [(one.title, address("timeline", kept, one.suffix)) for one in OFFERED]
    iri, page = f"{request.app.state.settings.base}timeline", f"{host(request)}timeline"
    markup = schema_org.dataset(
        iri, page, "Timeline", EVENTS.says, [one for one in OFFERED if one is not HTML]
    )
    return show(
        request, "timeline.html", line=line, chart=chart(line), year=year, others=others, markup=markup
    )

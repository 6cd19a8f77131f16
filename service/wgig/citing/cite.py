"""/cite: how to cite a thing, graph, term or answer to a query. /cited: what was cited, or a refusal."""

import re
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ..answers import answer, pick
from ..bodies import Pairs, values
from ..formats import HTML
from ..pages import render
from ..parameters import only
from ..problems import Problem
from ..records.mementos import FOREVER
from .citation import BIBTEX, WRITERS, Citation, as_text
from .content import Content
from .found import Wanted, find
from .versions import current, day

TRIES = 5  # as writes may come in between
DIGEST = re.compile(r"[0-9a-f]{64}")


async def cite(request: Request) -> Response:
    """The citation of what `iri` or `query` names: as text, BibTeX, CSL-JSON, or a page for people."""
    wanted = wanted_of(only(request, ("iri", "query", "version", "_mediatype")))
    format_ = pick(request, (*WRITERS, HTML))
    found, version = await unchanged(request, wanted)
    base = request.app.state.settings.base
    one = citation(wanted, found, version, base)
    if format_ is HTML:
        forms = {"text": as_text(one).decode(), "bibtex": WRITERS[BIBTEX](one).decode()}
        here = f"/{one.again.removeprefix(base)}"
        return answer(request, render("cite.html", base=base, one=one, here=here, forms=forms), HTML)
    return answer(request, WRITERS[format_](one), format_, links=[f'<{one.url}>; rel="cite-as"'])


async def unchanged(request: Request, wanted: Wanted) -> tuple[Content, str]:
    """What is wanted, with its version: nobody wrote meanwhile. Raises Problem, 503 where that never ends."""
    for _ in range(TRIES):
        version = current(request)
        found = await find(request, wanted)
        if found.as_of or version == current(request):
            return found, found.as_of or version
    raise Problem(
        503, "The graph is being written, again and again. Try again soon.", headers={"Retry-After": "2"}
    )


async def cited(request: Request) -> Response:
    """What was cited: the same bytes as then, or Problem 410 with the graphs that were written since.

    The `version` and `sha256` are those of the citation.
    """
    wanted = wanted_of(only(request, ("iri", "query", "version", "sha256", "_mediatype")))
    found = await find(request, wanted)
    format_ = pick(request, found.offered)
    body = await run_in_threadpool(found.write, format_)
    return answer(request, body, format_, headers={"Cache-Control": FOREVER} if wanted.digest else {})


def citation(wanted: Wanted, found: Content, version: str, base: str) -> Citation:
    """The citation of what was found."""
    named = [("iri", found.iri)] if found.iri else [("query", wanted.query)]
    proof = [("version", version), ("sha256", found.digest)]
    again = f"{base}cited?{urlencode([*named, *proof])}"
    return Citation(found.name, found.title, found.iri or again, again, version, day(version), found.digest)


def wanted_of(pairs: Pairs) -> Wanted:
    """What the pairs of an address name. Raises Problem 400 for what is no digest."""
    iri, query, version, digest = (
        next(iter(values(pairs, key)), "") for key in ("iri", "query", "version", "sha256")
    )
    if digest and not DIGEST.fullmatch(digest):
        raise Problem(400, "sha256 is no SHA-256 in hexadecimal digits. Take it from the citation.")
    return Wanted(iri, query, version, digest)

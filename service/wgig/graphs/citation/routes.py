"""Citations: /cite as text, BibTeX or CSL-JSON, and /cited for the content that was cited.

A cited address has the SHA-256 of the content. It gives the same bytes as long as they can be rebuilt, else
410 with the graphs that were written since. Plain text puts addresses in angle brackets (RFC 3986, appendix
C). BibTeX entries work with classic BibTeX and biblatex.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ...http.bodies import Pairs, values
from ...http.parameters import only
from ...http.responses import answer, pick
from ...pages.rendering import render
from ...problems import Problem
from ...rdf.formats import HTML, TEXT, Format
from ..versions import FOREVER
from .citable import Content
from .resolve import Wanted, find
from .versions import current, day

AUTHOR = "Contributors to the WGIG knowledge graph"
CONTAINER = "WGIG knowledge graph"

BIBTEX = Format("application/x-bibtex", "bib", "BibTeX")
CSL = Format("application/vnd.citationstyles.csl+json", "json", "CSL-JSON", "", ("application/json",))

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "{": r"\textbraceleft{}",  # BibTeX counts braces, also those that TeX does not
        "}": r"\textbraceright{}",
        **{sign: f"\\{sign}" for sign in "$&#%_"},
    }
)
NOT_IN_KEY = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Citation:
    """What a citation says.

    `url` is the lasting name of what is cited, or `again` where it has none. `again` is the address at which
    the same bytes are given or refused; they have the SHA-256 `digest`, in hexadecimal. `version` is that of
    the graph as a whole, and `issued` its day.
    """

    name: str
    title: str
    url: str
    again: str
    version: str
    issued: date
    digest: str

    @property
    def key(self) -> str:
        """What BibTeX and CSL call it."""
        return f"wgig-{NOT_IN_KEY.sub('-', self.name.lower()).strip('-')}-{self.digest[:8]}"

    @property
    def note(self) -> str:
        """The digest and where the bytes are that have it."""
        return f"SHA-256 {self.digest}. The same bytes: {self.again}"


def as_text(one: Citation) -> bytes:
    """One line; addresses stand in angle brackets (RFC 3986, appendix C)."""
    where = f"{CONTAINER}, version {one.version}, {one.issued:%Y-%m-%d}. <{one.url}>"
    same = f", the same bytes at <{one.again}>" if one.again != one.url else ""
    return f"{AUTHOR}. “{' '.join(one.title.split())}”. {where}. SHA-256 {one.digest}{same}.\n".encode()


def as_bibtex(one: Citation) -> bytes:
    """An entry that classic BibTeX reads as well as biblatex; texts are escaped, addresses are not."""
    fields = {
        "author": f"{{{AUTHOR}}}",
        "title": f"{{{' '.join(one.title.split()).translate(LATEX)}}}",
        "howpublished": CONTAINER,
        "version": one.version.translate(LATEX),
        "year": str(one.issued.year),
        "month": MONTHS[one.issued.month - 1],
        "url": one.url,
        "note": rf"SHA-256 {one.digest}. The same bytes: \url{{{one.again}}}",
    }
    lines = [f"  {name} = {said if name == 'month' else f'{{{said}}}'}" for name, said in fields.items()]
    return "@misc{{{},\n{}\n}}\n".format(one.key, ",\n".join(lines)).encode()


def as_csl(one: Citation) -> bytes:
    """The list of one item that citation styles take (https://docs.citationstyles.org)."""
    item = {
        "id": one.key,
        "type": "dataset",
        "title": one.title,
        "author": [{"literal": AUTHOR}],
        "container-title": CONTAINER,
        "version": one.version,
        "issued": {"date-parts": [[one.issued.year, one.issued.month, one.issued.day]]},
        "URL": one.url,
        "note": one.note,
    }
    return f"{json.dumps([item], ensure_ascii=False, indent=2)}\n".encode()


# The first is what a client gets that does not care.
WRITERS: Mapping[Format, Callable[[Citation], bytes]] = {TEXT: as_text, BIBTEX: as_bibtex, CSL: as_csl}

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

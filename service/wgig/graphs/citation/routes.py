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

from fastapi import Response
from fastapi.concurrency import run_in_threadpool

from ...http.bodies import Pairs, parameter_values
from ...http.negotiation import choose_response_format
from ...http.parameters import check_query_parameters
from ...http.responses import IMMUTABLE_CACHE_CONTROL, respond_with_body
from ...pages.dependencies import ContextDep, RequestContext
from ...pages.rendering import render_template
from ...problems import Problem
from ...rdf.formats import HTML, PLAIN_TEXT, Format
from ...settings import SERVICE_TITLE
from ...sparql.dependencies import QueriesDep
from ...sparql.service import QueryService
from ...store.files import SHA256_HEX_PATTERN
from ..dependencies import RecorderDep
from ..description.dcat import PUBLISHER_NAME
from ..provenance import ProvenanceRecorder
from .citable import CitedContent
from .resolve import CitationRequest, find_cited_content
from .versions import current_version, version_date

BIBTEX_FORMAT = Format("application/x-bibtex", "bib", "BibTeX")
CSL_JSON_FORMAT = Format(
    "application/vnd.citationstyles.csl+json", "json", "CSL-JSON", "", ("application/json",)
)

BIBTEX_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LATEX_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "{": r"\textbraceleft{}",  # BibTeX counts braces, also those that TeX does not
        "}": r"\textbraceright{}",
        **{sign: f"\\{sign}" for sign in "$&#%_"},
    }
)
NON_KEY_CHARACTERS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Citation:
    """What a citation says.

    `url` is the lasting name of what is cited, or `content_url` where it has none. `content_url` is the
    address at which the same bytes are given or refused; they have the SHA-256 `digest`, in hexadecimal.
    `version` is that of the graph as a whole, and `issued` its day.
    """

    name: str
    title: str
    url: str
    content_url: str
    version: str
    issued: date
    digest: str

    @property
    def key(self) -> str:
        """What BibTeX and CSL call it."""
        return f"wgig-{NON_KEY_CHARACTERS.sub('-', self.name.lower()).strip('-')}-{self.digest[:8]}"

    @property
    def note(self) -> str:
        """The digest and where the bytes are that have it."""
        return f"SHA-256 {self.digest}. The same bytes: {self.content_url}"


def serialize_text_citation(one: Citation) -> bytes:
    """One line; addresses stand in angle brackets (RFC 3986, appendix C)."""
    where = f"{SERVICE_TITLE}, version {one.version}, {one.issued:%Y-%m-%d}. <{one.url}>"
    same = f", the same bytes at <{one.content_url}>" if one.content_url != one.url else ""
    return (
        f"{PUBLISHER_NAME}. “{' '.join(one.title.split())}”. {where}. SHA-256 {one.digest}{same}.\n".encode()
    )


def serialize_bibtex(one: Citation) -> bytes:
    """An entry that classic BibTeX reads as well as biblatex; texts are escaped, addresses are not."""
    fields = {
        "author": f"{{{PUBLISHER_NAME}}}",
        "title": f"{{{' '.join(one.title.split()).translate(LATEX_ESCAPES)}}}",
        "howpublished": SERVICE_TITLE,
        "version": one.version.translate(LATEX_ESCAPES),
        "year": str(one.issued.year),
        "month": BIBTEX_MONTHS[one.issued.month - 1],
        "url": one.url,
        "note": rf"SHA-256 {one.digest}. The same bytes: \url{{{one.content_url}}}",
    }
    lines = [f"  {name} = {said if name == 'month' else f'{{{said}}}'}" for name, said in fields.items()]
    return "@misc{{{},\n{}\n}}\n".format(one.key, ",\n".join(lines)).encode()


def serialize_csl_json(one: Citation) -> bytes:
    """The list of one item that citation styles take (https://docs.citationstyles.org)."""
    item = {
        "id": one.key,
        "type": "dataset",
        "title": one.title,
        "author": [{"literal": PUBLISHER_NAME}],
        "container-title": SERVICE_TITLE,
        "version": one.version,
        "issued": {"date-parts": [[one.issued.year, one.issued.month, one.issued.day]]},
        "URL": one.url,
        "note": one.note,
    }
    return f"{json.dumps([item], ensure_ascii=False, indent=2)}\n".encode()


# The first is what a client gets that does not care.
CITATION_SERIALIZERS: Mapping[Format, Callable[[Citation], bytes]] = {
    PLAIN_TEXT: serialize_text_citation,
    BIBTEX_FORMAT: serialize_bibtex,
    CSL_JSON_FORMAT: serialize_csl_json,
}

MAX_CITATION_TRIES = 5  # as writes may come in between


async def get_citation(context: ContextDep, queries: QueriesDep, recorder: RecorderDep) -> Response:
    """The citation of what `iri` or `query` names: as text, BibTeX, CSL-JSON, or a page for people."""
    request = context.request
    wanted = parse_citation_request(
        check_query_parameters(request, ("iri", "query", "version", "_mediatype"))
    )
    format_ = choose_response_format(request, (*CITATION_SERIALIZERS, HTML))
    found, version = await read_stable_content(context, queries, recorder, wanted)
    base = context.base
    one = build_citation(wanted, found, version, base)
    if format_ is HTML:
        forms = {
            "text": serialize_text_citation(one).decode(),
            "bibtex": CITATION_SERIALIZERS[BIBTEX_FORMAT](one).decode(),
        }
        here = f"/{one.content_url.removeprefix(base)}"
        return respond_with_body(
            request, render_template("cite.html", base=base, one=one, here=here, forms=forms), HTML
        )
    return respond_with_body(
        request, CITATION_SERIALIZERS[format_](one), format_, links=[f'<{one.url}>; rel="cite-as"']
    )


async def read_stable_content(
    context: RequestContext,
    queries: QueryService,
    recorder: ProvenanceRecorder | None,
    wanted: CitationRequest,
) -> tuple[CitedContent, str]:
    """What is wanted, with its version: nobody wrote meanwhile. Raises Problem, 503 where that never ends."""
    for _ in range(MAX_CITATION_TRIES):
        version = current_version(recorder)
        found = await find_cited_content(context, queries, recorder, wanted)
        if found.as_of or version == current_version(recorder):
            return found, found.as_of or version
    raise Problem(
        503, "The graph is being written, again and again. Try again soon.", headers={"Retry-After": "2"}
    )


async def get_cited_content(context: ContextDep, queries: QueriesDep, recorder: RecorderDep) -> Response:
    """What was cited: the same bytes as then, or Problem 410 with the graphs that were written since.

    The `version` and `sha256` are those of the citation.
    """
    request = context.request
    wanted = parse_citation_request(
        check_query_parameters(request, ("iri", "query", "version", "sha256", "_mediatype"))
    )
    found = await find_cited_content(context, queries, recorder, wanted)
    format_ = choose_response_format(request, found.formats)
    body = await run_in_threadpool(found.write, format_)
    return respond_with_body(
        request, body, format_, headers={"Cache-Control": IMMUTABLE_CACHE_CONTROL} if wanted.digest else {}
    )


def build_citation(wanted: CitationRequest, found: CitedContent, version: str, base: str) -> Citation:
    """The citation of what was found."""
    named = [("iri", found.iri)] if found.iri else [("query", wanted.query)]
    proof = [("version", version), ("sha256", found.digest)]
    again = f"{base}cited?{urlencode([*named, *proof])}"
    return Citation(
        found.name, found.title, found.iri or again, again, version, version_date(version), found.digest
    )


def parse_citation_request(pairs: Pairs) -> CitationRequest:
    """What the pairs of an address name. Raises Problem 400 for what is no digest."""
    iri, query, version, digest = (
        next(iter(parameter_values(pairs, key)), "") for key in ("iri", "query", "version", "sha256")
    )
    if digest and not SHA256_HEX_PATTERN.fullmatch(digest):
        raise Problem(400, "sha256 is no SHA-256 in hexadecimal digits. Take it from the citation.")
    return CitationRequest(iri, query, version, digest)

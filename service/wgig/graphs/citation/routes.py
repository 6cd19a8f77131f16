"""Citations: /cite as text, BibTeX or CSL-JSON, and /cited for the content that was cited.

The URL in a citation contains the SHA-256 of the content. It returns the same bytes if they can be rebuilt,
else 410 with the graphs that were written since. Plain text has URLs in angle brackets (RFC 3986, appendix
C). BibTeX entries work with classic BibTeX and biblatex.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Response
from fastapi.concurrency import run_in_threadpool

from ...http.negotiation import choose_response_format
from ...http.operations import Operation
from ...http.parameter_models import ParameterModel, Text, describe_media_type, describe_parameter
from ...http.responses import IMMUTABLE_CACHE_CONTROL, respond_with_body
from ...pages.dependencies import ContextDep, RequestContext
from ...pages.rendering import render_template
from ...problems import Problem
from ...rdf.formats import GRAPH_FORMATS, HTML, PLAIN_TEXT, SOLUTION_FORMATS, Format
from ...settings import SERVICE_TITLE
from ...sparql.dependencies import QueriesDep
from ...sparql.service import QueryService
from ...store.change_log import SHA256_HEX_PATTERN
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
        "{": r"\textbraceleft{}",  # not \{, as BibTeX counts escaped braces, too
        "}": r"\textbraceright{}",
        **{sign: f"\\{sign}" for sign in "$&#%_"},
    }
)
NON_KEY_CHARACTERS = re.compile(r"[^a-z0-9]+")  # replaced by a hyphen in the key of an entry


@dataclass(frozen=True)
class Citation:
    """The data of a citation.

    `name` is what the key of the entry is made from, such as `issue/spam`. `content_url` is the URL of the
    cited bytes, `digest` their SHA-256 in hexadecimal. `url` is the IRI of the cited resource or graph, or
    `content_url` for a query result. `version` is the version of the whole store, and `issued` its date.
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
        """The key of the entry in BibTeX, and its id in CSL-JSON."""
        return f"wgig-{NON_KEY_CHARACTERS.sub('-', self.name.lower()).strip('-')}-{self.digest[:8]}"

    @property
    def note(self) -> str:
        """The digest, and the URL of the bytes with this digest."""
        return f"SHA-256 {self.digest}. The same bytes: {self.content_url}"


def serialize_text_citation(citation: Citation) -> bytes:
    """The citation as one line of text, with URLs in angle brackets (RFC 3986, appendix C)."""
    source = f"{SERVICE_TITLE}, version {citation.version}, {citation.issued:%Y-%m-%d}. <{citation.url}>"
    content_part = (
        f", the same bytes at <{citation.content_url}>" if citation.content_url != citation.url else ""
    )
    title = " ".join(citation.title.split())
    return f"{PUBLISHER_NAME}. “{title}”. {source}. SHA-256 {citation.digest}{content_part}.\n".encode()


def serialize_bibtex(citation: Citation) -> bytes:
    """The citation as an entry for classic BibTeX and biblatex; text is escaped, URLs are not."""
    fields = {
        "author": f"{{{PUBLISHER_NAME}}}",
        "title": f"{{{' '.join(citation.title.split()).translate(LATEX_ESCAPES)}}}",
        "howpublished": SERVICE_TITLE,
        "version": citation.version.translate(LATEX_ESCAPES),
        "year": str(citation.issued.year),
        "month": BIBTEX_MONTHS[citation.issued.month - 1],
        "url": citation.url,
        "note": rf"SHA-256 {citation.digest}. The same bytes: \url{{{citation.content_url}}}",
    }
    lines = [f"  {name} = {value if name == 'month' else f'{{{value}}}'}" for name, value in fields.items()]
    return "@misc{{{},\n{}\n}}\n".format(citation.key, ",\n".join(lines)).encode()


def serialize_csl_json(citation: Citation) -> bytes:
    """The citation as CSL-JSON: a list of one item (https://docs.citationstyles.org)."""
    item = {
        "id": citation.key,
        "type": "dataset",
        "title": citation.title,
        "author": [{"literal": PUBLISHER_NAME}],
        "container-title": SERVICE_TITLE,
        "version": citation.version,
        "issued": {"date-parts": [[citation.issued.year, citation.issued.month, citation.issued.day]]},
        "URL": citation.url,
        "note": citation.note,
    }
    return f"{json.dumps([item], ensure_ascii=False, indent=2)}\n".encode()


# Clients without preferences get the first format.
CITATION_SERIALIZERS: Mapping[Format, Callable[[Citation], bytes]] = {
    PLAIN_TEXT: serialize_text_citation,
    BIBTEX_FORMAT: serialize_bibtex,
    CSL_JSON_FORMAT: serialize_csl_json,
}

CITED_FORMATS = (*SOLUTION_FORMATS, *GRAPH_FORMATS)
MAX_CITATION_TRIES = 5  # attempts to read the content and its version without a write in between


class CitationParameters(ParameterModel):
    """Query parameters of /cite."""

    media_type: Text = describe_media_type((*CITATION_SERIALIZERS, HTML))
    iri: Text = describe_parameter("The IRI of a resource, a graph or a term.", examples=["issue:spam"])
    query: Text = describe_parameter(
        "A SPARQL query, instead of an IRI.",
        examples=["SELECT ?issue WHERE { ?issue a <https://w3id.org/wgig/ontology#Issue> }"],
    )
    version: Text = describe_parameter("The version of the whole store; by default, the current one.")


class CitedParameters(CitationParameters):
    """Query parameters of /cited."""

    media_type: Text = describe_media_type(CITED_FORMATS)
    sha256: Text = describe_parameter(
        "The SHA-256 of the cited content: content with another digest is never returned."
    )


CITATION_OPERATION = Operation(formats=(*CITATION_SERIALIZERS, HTML))
CITED_OPERATION = Operation(formats=CITED_FORMATS)


async def get_citation(
    context: ContextDep,
    queries: QueriesDep,
    recorder: RecorderDep,
    parameters: Annotated[CitationParameters, Query()],
) -> Response:
    """The citation of the content that `iri` or `query` names: as text, BibTeX, CSL-JSON, or an HTML page."""
    request = context.request
    citation_request = CitationRequest(
        parameters.iri or "", parameters.query or "", parameters.version or "", ""
    )
    format_ = choose_response_format(request, (*CITATION_SERIALIZERS, HTML), parameters.media_type)
    content, version = await read_stable_content(context, queries, recorder, citation_request)
    base = context.base
    citation = build_citation(citation_request, content, version, base)
    if format_ is HTML:
        texts = {
            "text": serialize_text_citation(citation).decode(),
            "bibtex": CITATION_SERIALIZERS[BIBTEX_FORMAT](citation).decode(),
        }
        content_path = f"/{citation.content_url.removeprefix(base)}"
        return respond_with_body(
            request,
            render_template(
                "cite.html", base=base, citation=citation, content_path=content_path, texts=texts
            ),
            HTML,
        )
    return respond_with_body(
        request, CITATION_SERIALIZERS[format_](citation), format_, links=[f'<{citation.url}>; rel="cite-as"']
    )


async def read_stable_content(
    context: RequestContext,
    queries: QueryService,
    recorder: ProvenanceRecorder | None,
    citation_request: CitationRequest,
) -> tuple[CitedContent, str]:
    """The cited content and its version, read without a write in between.

    Raises Problem as `find_cited_content` does, and 503 after MAX_CITATION_TRIES attempts.
    """
    for _ in range(MAX_CITATION_TRIES):
        version = current_version(recorder)
        content = await find_cited_content(context, queries, recorder, citation_request)
        if content.as_of or version == current_version(recorder):
            return content, content.as_of or version
    raise Problem(
        503,
        "The data changed during each attempt to read it. Try again in 2 seconds.",
        headers={"Retry-After": "2"},
    )


async def get_cited_content(
    context: ContextDep,
    queries: QueriesDep,
    recorder: RecorderDep,
    parameters: Annotated[CitedParameters, Query()],
) -> Response:
    """The cited content: the same bytes as when it was cited, or 410 with the graphs written since.

    `version` and `sha256` are those of the citation.
    """
    request = context.request
    citation_request = build_cited_request(parameters)
    content = await find_cited_content(context, queries, recorder, citation_request)
    format_ = choose_response_format(request, content.formats, parameters.media_type)
    body = await run_in_threadpool(content.write, format_)
    return respond_with_body(
        request,
        body,
        format_,
        headers={"Cache-Control": IMMUTABLE_CACHE_CONTROL} if citation_request.digest else {},
    )


def build_citation(
    citation_request: CitationRequest, content: CitedContent, version: str, base: str
) -> Citation:
    """The citation of content in a version of the store."""
    subject = ("iri", content.iri) if content.iri else ("query", citation_request.query)
    pairs = [subject, ("version", version), ("sha256", content.digest)]
    content_url = f"{base}cited?{urlencode(pairs)}"
    return Citation(
        content.name,
        content.title,
        content.iri or content_url,
        content_url,
        version,
        version_date(version),
        content.digest,
    )


def build_cited_request(parameters: CitedParameters) -> CitationRequest:
    """The request for cited content. Raises Problem 400 if `sha256` is not a SHA-256."""
    digest = parameters.sha256 or ""
    if digest and not SHA256_HEX_PATTERN.fullmatch(digest):
        raise Problem(400, "sha256 must be a SHA-256 of 64 hexadecimal digits. Copy it from the citation.")
    return CitationRequest(parameters.iri or "", parameters.query or "", parameters.version or "", digest)

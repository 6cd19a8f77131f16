"""Citations: /cite as text, BibTeX, CSL-JSON or RIS, and /cited for the content that was cited.

The URL in a citation contains the SHA-256 of the content. It returns the same bytes if they can be rebuilt,
else 410 with the graphs that were written since.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Response
from fastapi.concurrency import run_in_threadpool

from ..._version import __version__
from ...http.language import current_address
from ...http.negotiation import choose_response_format
from ...http.operations import Operation
from ...http.parameter_models import (
    BareText,
    ParameterModel,
    Text,
    describe_media_type,
    describe_parameter,
)
from ...http.responses import IMMUTABLE_CACHE_CONTROL, respond_with_body
from ...pages.dependencies import ContextDep, RequestContext
from ...pages.rendering import path_in_format, render_template
from ...problems import Problem
from ...rdf.formats import GRAPH_FORMATS, HTML, SOLUTION_FORMATS, Format
from ...rdf.values import ANY_RESOURCE, parse_resource_iri
from ...resources.contents import find_nearest_document
from ...settings import SERVICE_TITLE
from ...sparql.dependencies import QueriesDep
from ...sparql.examples import recognize_example_query
from ...sparql.service import QueryService
from ...store.change_log import SHA256_HEX_PATTERN
from ..dependencies import RecorderDep
from ..description.dcat import PUBLISHER_NAME
from ..provenance import ProvenanceRecorder
from .citable import CitedContent
from .content_page import find_kind_label, render_content_page
from .documents import NON_KEY_CHARACTERS, build_document_reference
from .references import DATASET_TYPE, REFERENCE_SERIALIZERS, Reference
from .resolve import CitationRequest, find_cited_content, localize_cited_iri
from .versions import current_version, version_date


@dataclass(frozen=True)
class Citation:
    """The data of a citation.

    `name` is what the key of the entry is made from, such as `issue/spam`. `url` is the IRI of the cited
    resource or graph, the URL of the page of an example query, or `content_url` for the result of another
    query. `content_url` is the URL of the cited bytes, `content_type` their media type, `digest` their
    SHA-256 in hexadecimal. `version` is the version of the whole store, and `issued` its date.
    """

    name: str
    title: str
    url: str
    content_url: str
    content_type: str
    version: str
    issued: date
    digest: str

    @property
    def reference(self) -> Reference:
        """The reference to the description, with the digest and the URL of the bytes with this digest."""
        name = NON_KEY_CHARACTERS.sub("-", self.name.lower()).strip("-")
        return Reference(
            key=f"wgig-{name}-{self.digest[:8]}",
            work_type=DATASET_TYPE,
            title=self.title,
            authors=(PUBLISHER_NAME,),
            date=f"{self.issued:%Y-%m-%d}",
            url=self.url,
            container=SERVICE_TITLE,
            version=self.version,
            digest=self.digest,
            content_url=self.content_url,
        )


CITED_FORMATS = (*SOLUTION_FORMATS, *GRAPH_FORMATS, HTML)
MAX_CITATION_TRIES = 5  # attempts to read the content and its version without a write in between


# Of the result of `ASK {}`, which is true in every store, as JSON.
EMPTY_ASK_DIGEST = hashlib.sha256(b'{"head":{},"boolean":true}').hexdigest()


class CitationParameters(ParameterModel):
    """Query parameters of /cite and /cited."""

    media_type: Text = describe_media_type((*REFERENCE_SERIALIZERS, HTML))
    iri: Text = describe_parameter("The IRI of a resource, a graph or a term.", examples=["tunis:41"])
    query: Text = describe_parameter(
        "A SPARQL query, instead of an IRI.",
        examples=["SELECT ?issue WHERE { ?issue a <https://w3id.org/wgig/ontology#Issue> }"],
    )
    version: Text = describe_parameter(
        "The version of the whole store; by default, the current one.", examples=[__version__]
    )


class ReferenceParameters(CitationParameters):
    """Query parameters of /cite."""

    work: BareText = describe_parameter(
        "Without a value: cite the document itself that `iri` names, or the paragraph, not its description.",
        examples=[""],
    )


class CitedParameters(CitationParameters):
    """Query parameters of /cited."""

    media_type: Text = describe_media_type(CITED_FORMATS)
    sha256: Text = describe_parameter(
        "The SHA-256 of the cited content: content with another digest is never returned.",
        examples=[EMPTY_ASK_DIGEST],
    )


CITATION_OPERATION = Operation(formats=(*REFERENCE_SERIALIZERS, HTML))
CITED_OPERATION = Operation(formats=CITED_FORMATS)


async def get_citation(
    context: ContextDep,
    queries: QueriesDep,
    recorder: RecorderDep,
    parameters: Annotated[ReferenceParameters, Query()],
) -> Response:
    """The citation of what `iri` or `query` names: as text, BibTeX, CSL-JSON, RIS, or an HTML page.

    By default, its description in this graph is cited; with `work`, the document itself.
    """
    request = context.request
    formats = (*REFERENCE_SERIALIZERS, HTML)
    format_ = choose_response_format(request, formats, parameters.media_type)
    if parameters.work is not None:
        return await run_in_threadpool(respond_with_document_reference, context, parameters, format_)
    citation_request = CitationRequest(
        parameters.iri or "", parameters.query or "", parameters.version or "", ""
    )
    content, version = await read_stable_content(context, queries, recorder, citation_request)
    citation = build_citation(citation_request, content, version, context.base)
    if format_ is HTML:
        page = await run_in_threadpool(
            render_citation_page, context, citation.reference, content.iri, citation, citation_request.query
        )
        return respond_with_body(request, page, HTML)
    return respond_with_body(
        request,
        REFERENCE_SERIALIZERS[format_](citation.reference),
        format_,
        links=[f'<{citation.url}>; rel="cite-as"'],
    )


def respond_with_document_reference(
    context: RequestContext, parameters: ReferenceParameters, format_: Format
) -> Response:
    """The reference to a document itself. Raises Problem 400 for other parameters than `iri`, 404."""
    if not parameters.iri or parameters.query is not None or parameters.version is not None:
        raise Problem(400, "With work, give iri: the IRI of a document or of a paragraph, and nothing else.")
    iri = localize_cited_iri(context, parse_resource_iri("iri", ANY_RESOURCE, parameters.iri, context.base))
    reference = build_document_reference(context.store, iri, context.base)
    body = (
        render_citation_page(context, reference, iri)
        if format_ is HTML
        else REFERENCE_SERIALIZERS[format_](reference)
    )
    return respond_with_body(context.request, body, format_)


def render_citation_page(
    context: RequestContext,
    reference: Reference,
    iri: str,
    citation: Citation | None = None,
    query: str = "",
) -> bytes:
    """The page of a reference in all formats.

    `iri` is that of the cited resource, empty for the result of `query`. `citation` is that of a page or a
    result, None for a document itself.
    """
    address, base = current_address(), context.base
    texts = [
        (format_, serialize(reference).decode(), path_in_format(address, format_.media_type))
        for format_, serialize in REFERENCE_SERIALIZERS.items()
    ]
    return render_template(
        "cite.html",
        base=base,
        reference=reference,
        iri=iri,
        kind=find_kind_label(context.store, iri, base) if iri else None,
        citation=citation,
        query=query,
        example=recognize_example_query(query) if query else None,
        content_path=f"/{citation.content_url.removeprefix(base)}" if citation else "",
        document=find_nearest_document(context.store, iri, base) if iri else "",
        texts=texts,
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
    """The cited content: the same bytes as when it was cited, or for browsers, a page of it.

    `version` and `sha256` are those of the citation. If it is lost, 410 with the graphs written since.
    """
    request = context.request
    citation_request = build_cited_request(parameters)
    content = await find_cited_content(context, queries, recorder, citation_request)
    format_ = choose_response_format(request, (*content.formats, HTML), parameters.media_type)
    if format_ is HTML:
        return respond_with_body(
            request, await run_in_threadpool(render_content_page, context, content, citation_request), HTML
        )
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
    cited_request = citation_request._replace(iri=content.iri, version=version, digest=content.digest)
    content_url = f"{base}cited?{urlencode(cited_request.parameters)}"
    return Citation(
        content.name,
        content.title,
        content.iri or (content.page_path and f"{base}{content.page_path}") or content_url,
        content_url,
        content.formats[0].media_type,
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

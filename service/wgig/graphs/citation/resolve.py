"""Find cited content: the current content if it is still the same, or else that of the cited version."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from ...http.responses import cancel_on_disconnect
from ...http.work_queue import WorkQueue
from ...pages.dependencies import RequestContext
from ...problems import Problem
from ...rdf.values import ANY_RESOURCE, parse_resource_iri
from ...resources.routes import unknown_resource_problem
from ...sparql.service import QueryService
from ...sparql.workers.protocol import QueryFault
from ..provenance import ProvenanceRecorder
from .citable import (
    CitedContent,
    CitedResource,
    build_citation_job,
    citation_fault_problem,
    citation_title,
    cited_graph_content,
    cited_resource_content,
    cited_result_content,
    cited_triples_content,
    evaluate_cited_query,
    is_ontology_term,
    parse_citable_query,
    read_cited_resource,
)
from .rebuild import (
    UNRECORDED_GRAPH_NAMES,
    PastVersion,
    describe_past_resource,
    evaluate_past_query,
    read_past_version,
    serialize_past_graph,
)
from .versions import (
    VersionLostError,
    check_citable_version,
    current_version,
    read_graph_at_version,
    version_lost_problem,
)

ReturnT = TypeVar("ReturnT")

# {} is the requested digest.
UNKNOWN_DIGEST_MESSAGE = (
    "No known content has the SHA-256 {}. Compare it with the citation. If they are the same, the data "
    "was changed without a record, for example by wgig load."
)
# The beginning of a path of a resource, its page, a graph, a term or a shape.
LOCAL_PATH_PATTERN = re.compile(r"(?:id|doc|graph)/|(?:ontology|shapes)(?:#|$)")


class CitationRequest(NamedTuple):
    """The parameters of a request: an IRI or a query, a version, a SHA-256. Missing parameters are empty."""

    iri: str
    query: str
    version: str
    digest: str

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The parameters of /cited, without missing ones."""
        pairs = zip(("iri", "query", "version", "sha256"), self, strict=True)
        return [(name, value) for name, value in pairs if value]

    def matches_digest(self, content: CitedContent) -> bool:
        """Whether the content has the requested digest, or the request has no digest."""
        return self.digest in ("", content.digest)


async def find_cited_content(
    context: RequestContext,
    queries: QueryService,
    recorder: ProvenanceRecorder | None,
    citation: CitationRequest,
) -> CitedContent:
    """The cited content, with the same bytes as when it was cited.

    Raises Problem 400 unless exactly one of IRI and query is given, 404 for an unknown resource or version,
    410 if the bytes cannot be recovered.
    """
    if bool(citation.iri) == bool(citation.query):
        raise Problem(
            400, "Give what to cite: the IRI of a resource, graph or term as iri, or a SPARQL query as query."
        )
    store = context.store
    await run_in_threadpool(store.flush_descriptions)
    base = context.base
    citation = citation._replace(
        iri=citation.iri
        and localize_cited_iri(context, parse_resource_iri("iri", ANY_RESOURCE, citation.iri, base))
    )
    if citation.version:
        check_citable_version(context, recorder, citation.version, has_digest=bool(citation.digest))
    if citation.version in ("", current_version(recorder)):
        content = await read_current_content(context, queries, citation)
        if not citation.matches_digest(content):
            version = citation.version or current_version(recorder)
            raise version_lost_problem(
                context, recorder, version, citation.iri, UNKNOWN_DIGEST_MESSAGE.format(citation.digest)
            )
        return content
    return await find_content_at_version(context, queries, recorder, citation)


async def find_content_at_version(
    context: RequestContext,
    queries: QueryService,
    recorder: ProvenanceRecorder | None,
    citation: CitationRequest,
) -> CitedContent:
    """The content of an old version: the current content if it has the digest, or else rebuilt content."""
    if citation.digest:
        try:
            content = await read_current_content(context, queries, citation)
        except Problem as problem:
            if problem.status != 404:
                raise
        else:
            if citation.matches_digest(content):
                return replace(content, as_of=citation.version)
    try:
        past_content = await rebuild_past_content(context, queries, citation)
    except VersionLostError as error:
        raise version_lost_problem(context, recorder, citation.version, citation.iri, str(error)) from error
    if not citation.matches_digest(past_content):
        raise version_lost_problem(
            context, recorder, citation.version, citation.iri, UNKNOWN_DIGEST_MESSAGE.format(citation.digest)
        )
    return replace(past_content, as_of=citation.version)


async def read_current_content(
    context: RequestContext, queries: QueryService, citation: CitationRequest
) -> CitedContent:
    """The cited content as it is now. Raises Problem if the resource is unknown or the query fails."""
    store = context.store
    base = context.base
    if citation.query:
        query = await parse_citable_query(context.request, queries, citation.query)
        body = await evaluate_cited_query(context.request, queries, query)
        return await run_in_threadpool(cited_result_content, body, query, base)
    if is_graph_iri(citation.iri, base):
        return await run_in_threadpool(cited_graph_content, store, citation.iri, base)
    resource = await run_in_threadpool(read_cited_resource, store, citation.iri, base)
    if resource is None:
        raise unknown_resource_problem(citation.iri)
    return cited_resource_content(resource, citation.iri, base)


async def rebuild_past_content(
    context: RequestContext, queries: QueryService, citation: CitationRequest
) -> CitedContent:
    """The cited content as it was in the cited version.

    Raises VersionLostError if it cannot be rebuilt, Problem if the resource was unknown or the query fails.
    """
    base = context.base
    is_graph = bool(citation.iri) and is_graph_iri(citation.iri, base)
    if is_graph and citation.iri not in {f"{base}graph/{name}" for name in UNRECORDED_GRAPH_NAMES}:
        n_triples = await run_in_threadpool(read_graph_at_version, context, citation.iri, citation.version)
        return await run_in_threadpool(past_graph_content, context, citation, n_triples)
    past = await run_in_threadpool(read_past_version, context, citation.version)
    if citation.query:
        return await past_result_content(context, queries, citation, past)
    if is_graph:
        n_triples = await run_in_check_process(
            context.request, queries.checks, serialize_past_graph, past, citation.iri
        )
        return await run_in_threadpool(past_graph_content, context, citation, n_triples)
    resource: CitedResource | None = await run_in_check_process(
        context.request, queries.checks, describe_past_resource, past, citation.iri
    )
    if resource is None:
        raise unknown_resource_problem(citation.iri)
    return cited_resource_content(resource, citation.iri, base)


def past_graph_content(context: RequestContext, citation: CitationRequest, n_triples: bytes) -> CitedContent:
    """The content of a graph in an old version, to be cited."""
    base = context.base
    title = citation_title(context.store, citation.iri)
    return cited_triples_content(n_triples, title, citation.iri, citation.iri.removeprefix(base), base)


async def past_result_content(
    context: RequestContext, queries: QueryService, citation: CitationRequest, past: PastVersion
) -> CitedContent:
    """The result of a query on an old version, to be cited.

    Raises VersionLostError if the query exceeds the limits of the process, Problem if it fails.
    """
    settings = context.settings
    query = await parse_citable_query(context.request, queries, citation.query)
    body, kind, message = await run_in_check_process(
        context.request, queries.checks, evaluate_past_query, past, build_citation_job(query, settings)
    )
    if kind:
        raise await citation_fault_problem(queries, QueryFault(kind, message), query)
    return await run_in_threadpool(cited_result_content, body, query, settings.base)


async def run_in_check_process(
    request: Request, checks: WorkQueue, function: Callable[..., ReturnT], *args: object
) -> ReturnT:
    """The result of a function in one of the processes that also check papers (`checks` is their queue).

    Raises VersionLostError if it exceeds the limits of that process, Problem 503 if the queue is full.
    """
    try:
        async with cancel_on_disconnect(request.receive):
            return await checks.run(function, *args)
    except Problem as problem:
        if "Retry-After" in problem.headers:  # the queue is full
            raise
        raise VersionLostError(f"Rebuilding it takes too many resources. {problem.detail}") from problem


def is_graph_iri(iri: str, base: str) -> bool:
    """Whether the IRI is that of a graph, not of a resource or term. Raises Problem 404 for other IRIs."""
    if iri.startswith(f"{base}graph/"):
        return True
    if iri.startswith(f"{base}id/") or is_ontology_term(iri, base):
        return False
    prefixes = ", ".join(f"{base}{path}" for path in ("id/", "graph/", "ontology"))
    raise Problem(
        404,
        f"<{iri}> is not a resource, graph, term or shape of this service. Their IRIs begin with {prefixes} "
        f"or {base}shapes.",
    )


def localize_cited_iri(context: RequestContext, iri: str) -> str:
    """The IRI as given, or for an address on the host of the request, the IRI of what is there."""
    host_prefix = str(context.request.base_url)
    path = iri.removeprefix(host_prefix)
    if not iri.startswith(host_prefix) or not LOCAL_PATH_PATTERN.match(path):
        return iri
    return context.base + re.sub(r"^doc/", "id/", path)

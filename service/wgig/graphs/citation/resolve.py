"""What a citation is about: found as it is now, or as it was in the version that was cited."""

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
    cited_answer_content,
    cited_graph_content,
    cited_resource_content,
    cited_triples_content,
    evaluate_cited_query,
    is_ontology_term,
    parse_citable_query,
    read_cited_resource,
)
from .rebuild import (
    UNRECORDED_GRAPH_NAMES,
    PastVersion,
    answer_past_query,
    describe_past_resource,
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

UNKNOWN_DIGEST_MESSAGE = (
    "SHA-256 {} is that of nothing that is known here. Compare it with the citation: if it stands there, "
    "something changed the data without a record, such as wgig load."
)
LOCAL_PATH_PATTERN = re.compile(r"(?:id|doc|graph)/|(?:ontology|shapes)(?:#|$)")


class CitationRequest(NamedTuple):
    """What a request names: an IRI or a query, a version or none, a digest or none. What is not is empty."""

    iri: str
    query: str
    version: str
    digest: str

    def matches_digest(self, found: CitedContent) -> bool:
        """Whether that has the digest, if there is one."""
        return self.digest in ("", found.digest)


async def find_cited_content(
    context: RequestContext,
    queries: QueryService,
    recorder: ProvenanceRecorder | None,
    wanted: CitationRequest,
) -> CitedContent:
    """What is wanted, the same bytes as were cited. Raises Problem 410 where they cannot be had.

    Raises Problem 400 where nothing or too much is named, 404 where there is no such thing or version.
    """
    if bool(wanted.iri) == bool(wanted.query):
        raise Problem(
            400, "Name what to cite: the IRI of a thing, graph or term as iri, or a SPARQL query as query."
        )
    store = context.store
    await run_in_threadpool(store.flush_descriptions)
    base = context.base
    wanted = wanted._replace(
        iri=wanted.iri
        and localize_cited_iri(context, parse_resource_iri("iri", ANY_RESOURCE, wanted.iri, base))
    )
    if wanted.version:
        check_citable_version(context, recorder, wanted.version, proven=bool(wanted.digest))
    if wanted.version in ("", current_version(recorder)):
        found = await read_current_content(context, queries, wanted)
        if not wanted.matches_digest(found):
            version = wanted.version or current_version(recorder)
            raise version_lost_problem(
                context, recorder, version, wanted.iri, UNKNOWN_DIGEST_MESSAGE.format(wanted.digest)
            )
        return found
    return await find_content_at_version(context, queries, recorder, wanted)


async def find_content_at_version(
    context: RequestContext,
    queries: QueryService,
    recorder: ProvenanceRecorder | None,
    wanted: CitationRequest,
) -> CitedContent:
    """What is wanted of an old version: as it is now, where that has the digest, or as it was."""
    if wanted.digest:
        try:
            found = await read_current_content(context, queries, wanted)
        except Problem as refused:
            if refused.status != 404:
                raise
        else:
            if wanted.matches_digest(found):
                return replace(found, as_of=wanted.version)
    try:
        then = await rebuild_past_content(context, queries, wanted)
    except VersionLostError as lost:
        raise version_lost_problem(context, recorder, wanted.version, wanted.iri, str(lost)) from lost
    if not wanted.matches_digest(then):
        raise version_lost_problem(
            context, recorder, wanted.version, wanted.iri, UNKNOWN_DIGEST_MESSAGE.format(wanted.digest)
        )
    return replace(then, as_of=wanted.version)


async def read_current_content(
    context: RequestContext, queries: QueryService, wanted: CitationRequest
) -> CitedContent:
    """What is wanted as it is now. Raises Problem."""
    store = context.store
    base = context.base
    if wanted.query:
        asked = await parse_citable_query(context.request, queries, wanted.query)
        body = await evaluate_cited_query(context.request, queries, asked)
        return await run_in_threadpool(cited_answer_content, body, asked, base)
    if is_graph_iri(wanted.iri, base):
        return await run_in_threadpool(cited_graph_content, store, wanted.iri, base)
    thing = await run_in_threadpool(read_cited_resource, store, wanted.iri, base)
    if thing is None:
        raise unknown_resource_problem(wanted.iri)
    return cited_resource_content(thing, wanted.iri, base)


async def rebuild_past_content(
    context: RequestContext, queries: QueryService, wanted: CitationRequest
) -> CitedContent:
    """What is wanted as it was in an old version. Raises VersionLostError and Problem."""
    base = context.base
    names_graph = bool(wanted.iri) and is_graph_iri(wanted.iri, base)
    if names_graph and wanted.iri not in {f"{base}graph/{name}" for name in UNRECORDED_GRAPH_NAMES}:
        lines = await run_in_threadpool(read_graph_at_version, context, wanted.iri, wanted.version)
        return await run_in_threadpool(past_graph_content, context, wanted, lines)
    then = await run_in_threadpool(read_past_version, context, wanted.version)
    if wanted.query:
        return await past_answer_content(context, queries, wanted, then)
    if names_graph:
        lines = await run_in_check_process(
            context.request, queries.checks, serialize_past_graph, then, wanted.iri
        )
        return await run_in_threadpool(past_graph_content, context, wanted, lines)
    thing: CitedResource | None = await run_in_check_process(
        context.request, queries.checks, describe_past_resource, then, wanted.iri
    )
    if thing is None:
        raise unknown_resource_problem(wanted.iri)
    return cited_resource_content(thing, wanted.iri, base)


def past_graph_content(context: RequestContext, wanted: CitationRequest, lines: bytes) -> CitedContent:
    """A graph as it was in an old version, whose lines these are."""
    base = context.base
    title = citation_title(context.store, wanted.iri)
    return cited_triples_content(lines, title, wanted.iri, wanted.iri.removeprefix(base), base)


async def past_answer_content(
    context: RequestContext, queries: QueryService, wanted: CitationRequest, then: PastVersion
) -> CitedContent:
    """The answer to a query as it was. Raises VersionLostError and Problem."""
    settings = context.settings
    asked = await parse_citable_query(context.request, queries, wanted.query)
    body, kind, said = await run_in_check_process(
        context.request, queries.checks, answer_past_query, then, build_citation_job(asked, settings)
    )
    if kind:
        raise await citation_fault_problem(queries, QueryFault(kind, said), asked)
    return await run_in_threadpool(cited_answer_content, body, asked, settings.base)


async def run_in_check_process(
    request: Request, checks: WorkQueue, function: Callable[..., ReturnT], *args: object
) -> ReturnT:
    """What a function gives in another process. Raises VersionLostError for too much, 503 where busy."""
    try:
        async with cancel_on_disconnect(request.receive):
            return await checks.run(function, *args)
    except Problem as refused:
        if "Retry-After" in refused.headers:
            raise
        raise VersionLostError(f"To build it anew takes too much. {refused.detail}") from refused


def is_graph_iri(iri: str, base: str) -> bool:
    """Whether the IRI names a graph, and not a thing or term. Raises Problem 404 where it names neither."""
    if iri.startswith(f"{base}graph/"):
        return True
    if iri.startswith(f"{base}id/") or is_ontology_term(iri, base):
        return False
    begin = ", ".join(f"{base}{one}" for one in ("id/", "graph/", "ontology"))
    raise Problem(
        404,
        f"<{iri}> is neither a thing, a graph, a term nor a rule of this service. Those begin with {begin} "
        f"or {base}shapes.",
    )


def localize_cited_iri(context: RequestContext, iri: str) -> str:
    """The IRI; an address of this host stands for the IRI below the base."""
    here = str(context.request.base_url)
    local = iri.removeprefix(here)
    if not iri.startswith(here) or not LOCAL_PATH_PATTERN.match(local):
        return iri
    return context.base + re.sub(r"^doc/", "id/", local)

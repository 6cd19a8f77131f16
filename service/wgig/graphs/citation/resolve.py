"""What a citation is about: found as it is now, or as it was in the version that was cited."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from ...http.responses import cancel_on_disconnect
from ...http.work_queue import WorkQueue
from ...problems import Problem
from ...rdf.values import ANY_RESOURCE, parse_resource_iri
from ...resources.routes import unknown_resource_problem
from ...settings import Settings
from ...sparql.workers.protocol import QueryFault
from ...store.store import Store
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


async def find_cited_content(request: Request, wanted: CitationRequest) -> CitedContent:
    """What is wanted, the same bytes as were cited. Raises Problem 410 where they cannot be had.

    Raises Problem 400 where nothing or too much is named, 404 where there is no such thing or version.
    """
    if bool(wanted.iri) == bool(wanted.query):
        raise Problem(
            400, "Name what to cite: the IRI of a thing, graph or term as iri, or a SPARQL query as query."
        )
    store: Store = request.app.state.store
    await run_in_threadpool(store.flush_descriptions)
    base = request.app.state.settings.base
    wanted = wanted._replace(
        iri=wanted.iri
        and localize_cited_iri(request, parse_resource_iri("iri", ANY_RESOURCE, wanted.iri, base))
    )
    if wanted.version:
        check_citable_version(request, wanted.version, proven=bool(wanted.digest))
    if wanted.version in ("", current_version(request)):
        found = await read_current_content(request, wanted)
        if not wanted.matches_digest(found):
            version = wanted.version or current_version(request)
            raise version_lost_problem(
                request, version, wanted.iri, UNKNOWN_DIGEST_MESSAGE.format(wanted.digest)
            )
        return found
    return await find_content_at_version(request, wanted)


async def find_content_at_version(request: Request, wanted: CitationRequest) -> CitedContent:
    """What is wanted of an old version: as it is now, where that has the digest, or as it was."""
    if wanted.digest:
        try:
            found = await read_current_content(request, wanted)
        except Problem as refused:
            if refused.status != 404:
                raise
        else:
            if wanted.matches_digest(found):
                return replace(found, as_of=wanted.version)
    try:
        then = await rebuild_past_content(request, wanted)
    except VersionLostError as lost:
        raise version_lost_problem(request, wanted.version, wanted.iri, str(lost)) from lost
    if not wanted.matches_digest(then):
        raise version_lost_problem(
            request, wanted.version, wanted.iri, UNKNOWN_DIGEST_MESSAGE.format(wanted.digest)
        )
    return replace(then, as_of=wanted.version)


async def read_current_content(request: Request, wanted: CitationRequest) -> CitedContent:
    """What is wanted as it is now. Raises Problem."""
    store: Store = request.app.state.store
    base: str = request.app.state.settings.base
    if wanted.query:
        asked = await parse_citable_query(request, wanted.query)
        body = await evaluate_cited_query(request, asked)
        return await run_in_threadpool(cited_answer_content, body, wanted.query, asked.form, base)
    if is_graph_iri(wanted.iri, base):
        return await run_in_threadpool(cited_graph_content, store, wanted.iri, base)
    thing = await run_in_threadpool(read_cited_resource, store, wanted.iri, base)
    if thing is None:
        raise unknown_resource_problem(wanted.iri)
    return cited_resource_content(thing, wanted.iri, base)


async def rebuild_past_content(request: Request, wanted: CitationRequest) -> CitedContent:
    """What is wanted as it was in an old version. Raises VersionLostError where it is lost, and Problem."""
    base: str = request.app.state.settings.base
    names_graph = bool(wanted.iri) and is_graph_iri(wanted.iri, base)
    if names_graph and wanted.iri not in {f"{base}graph/{name}" for name in UNRECORDED_GRAPH_NAMES}:
        lines = await run_in_threadpool(read_graph_at_version, request, wanted.iri, wanted.version)
        return await run_in_threadpool(past_graph_content, request, wanted, lines)
    then = await run_in_threadpool(read_past_version, request, wanted.version)
    if wanted.query:
        return await past_answer_content(request, wanted, then)
    if names_graph:
        lines = await run_in_check_process(request, serialize_past_graph, then, wanted.iri)
        return await run_in_threadpool(past_graph_content, request, wanted, lines)
    thing: CitedResource | None = await run_in_check_process(
        request, describe_past_resource, then, wanted.iri
    )
    if thing is None:
        raise unknown_resource_problem(wanted.iri)
    return cited_resource_content(thing, wanted.iri, base)


def past_graph_content(request: Request, wanted: CitationRequest, lines: bytes) -> CitedContent:
    """A graph as it was in an old version, whose lines these are."""
    base: str = request.app.state.settings.base
    title = citation_title(request.app.state.store, wanted.iri)
    return cited_triples_content(lines, title, wanted.iri, wanted.iri.removeprefix(base), base)


async def past_answer_content(request: Request, wanted: CitationRequest, then: PastVersion) -> CitedContent:
    """The answer to a query as it was. Raises VersionLostError and Problem."""
    settings: Settings = request.app.state.settings
    asked = await parse_citable_query(request, wanted.query)
    body, kind, said = await run_in_check_process(
        request, answer_past_query, then, build_citation_job(asked, settings)
    )
    if kind:
        raise await citation_fault_problem(request, QueryFault(kind, said), asked)
    return await run_in_threadpool(cited_answer_content, body, wanted.query, asked.form, settings.base)


async def run_in_check_process(request: Request, function: Callable[..., ReturnT], *args: object) -> ReturnT:
    """What a function gives in another process. Raises VersionLostError for too much, 503 where busy."""
    checks: WorkQueue = request.app.state.checks
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


def localize_cited_iri(request: Request, iri: str) -> str:
    """The IRI; an address of this host stands for the IRI below the base."""
    here = str(request.base_url)
    local = iri.removeprefix(here)
    if not iri.startswith(here) or not LOCAL_PATH_PATTERN.match(local):
        return iri
    return str(request.app.state.settings.base) + re.sub(r"^doc/", "id/", local)

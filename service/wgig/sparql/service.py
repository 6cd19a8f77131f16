"""The SPARQL endpoint /sparql: runs a query and sends its result (SPARQL 1.1 Protocol, section 2.1).

Short results are sent whole, longer ones streamed. If a stream fails, the connection is closed, so that a
truncated result is never taken for a complete one. HTTP/1.0 cannot tell the two apart, so results are
buffered for it. Long queries are parsed in another process. Duration and outcome of each query are recorded
for logs and metrics.
"""

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http.access_log import REQUEST_RECORD_KEY, Telemetry
from ..http.bodies import Pairs, parameter_values
from ..http.responses import (
    ResponseAbortedError,
    cancel_on_disconnect,
    respond_with_body,
    respond_with_stream,
)
from ..http.work_queue import WorkQueue
from ..problems import Problem
from ..rdf.formats import FORMATS_BY_FORM, HTML, TSV, Format, is_empty_result
from ..rdf.serialization import UnserializableError
from ..settings import MIB, Settings
from ..store.errors import StoreError, StoreUnavailableError
from ..store.store import Store
from ..store.view import parse_tsv_rows
from .explain import EXPLANATION_FORMATS, explain_query, respond_with_explanation
from .federation import OwnCallHandler, asks_other_services, has_federated_calls, resolve_federated_calls
from .language.hints import QueryHint, build_warning_field, find_query_hints
from .language.parser import ParsedSparqlText
from .request import (
    LONG_QUERY_CHARS,
    QueryRequest,
    build_own_query,
    diagnose_refused_text,
    parse_query_request,
    pick_result_format,
    takes_long_to_parse,
)
from .result_page import PageResult, page_source_format, render_results_page
from .running import RunningQueries, check_query_id, request_client_address
from .workers import protocol
from .workers.protocol import LOST_FAULT, QueryFault, QueryJob
from .workers.result import QueryResult, QueryWorkers

# The outcomes that are not named like the fault. A worker that exited most likely ran out of memory.
FAULT_OUTCOMES = {LOST_FAULT: "memory"}


@dataclass(frozen=True)
class QueryService:
    """All that the endpoint needs: settings, store, workers, queues and telemetry.

    `workers` run the queries of clients, `own_workers` those of our pages. `calls` bounds how many texts call
    other services at once; `search_call` answers calls to our own search.
    """

    settings: Settings
    store: Store
    workers: QueryWorkers
    own_workers: QueryWorkers
    running: RunningQueries
    telemetry: Telemetry
    checks: WorkQueue
    plans: WorkQueue
    calls: WorkQueue
    search_call: OwnCallHandler


class QueryRecord:
    """Records one query, from now on, for logs, metrics and tracing."""

    def __init__(self, request: Request, telemetry: Telemetry, text: str) -> None:
        """Start the clock."""
        self.text, self.began = text, time.perf_counter()
        self.metrics, self.logs, self.tracing = telemetry.metrics, telemetry.logs, telemetry.tracing
        self.parent_span = self.tracing.current_context() if self.tracing else None
        self.request_id = request.scope[REQUEST_RECORD_KEY].id if REQUEST_RECORD_KEY in request.scope else ""

    def record_result(self, result: QueryResult) -> None:
        """Record the query when its result ends."""

        def record() -> None:
            fault = result.fault.kind if result.fault else "answered"
            self.record_end(FAULT_OUTCOMES.get(fault, fault), result.size)

        result.on_end(record)

    @contextmanager
    def record_refusals(self) -> Iterator[None]:
        """Record a query that fails before it runs, within the context."""
        try:
            yield
        except Problem as problem:
            self.record_end(refusal_outcome(problem))
            raise
        except BaseException:  # the client disconnected
            self.record_end("canceled")
            raise

    def record_end(self, outcome: str, size: int = 0) -> None:
        """Record the outcome, the size of the result in bytes, and the duration."""
        seconds = time.perf_counter() - self.began
        self.metrics.queries.labels(outcome).inc()
        self.metrics.query_seconds.observe(seconds)
        if self.tracing:
            attributes = {"wgig.outcome": outcome, "wgig.bytes": size}
            self.tracing.record_past_span("query", self.began, self.parent_span, attributes)
        if self.logs.logs_queries:
            self.logs.log_query(
                self.text, seconds=round(seconds, 6), bytes=size, outcome=outcome, id=self.request_id
            )


def refusal_outcome(problem: Problem) -> str:
    """The outcome of a query that was refused."""
    if problem.status == 503:
        return "busy"
    return "syntax" if problem.slug == "syntax" else "refused"


MAX_HELD_ANSWER_BYTES = 4 * MIB  # bytes of a result that is buffered, for a page or for HTTP/1.0
MAX_OWN_RESULT_BYTES = 16 * MIB  # bytes of the result of a query of our own
SHORT_QUERY_CHARS = 1_000  # shorter queries are checked for hints in the event loop
# How many unknown parameters a hint names, and how many characters of each name.
MAX_NAMED_PARAMETERS, MAX_PARAMETER_NAME_CHARS = 5, 40
SPARQL_RESPONSE_LINKS = ['</sparql>; rel="service-desc"']
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


async def answer_query(request: Request, queries: QueryService, pairs: Pairs) -> Response:
    """The response to the query in the parameters, in the format that the client prefers."""
    request.state.asked = pairs  # for the error page, which shows them
    check_query_id(request)
    query = await read_query_request(request, queries, pairs)
    is_explained = any(key == "explain" for key, _ in pairs)
    offered = EXPLANATION_FORMATS if is_explained else (*FORMATS_BY_FORM[query.form], HTML)
    format_ = pick_result_format(pairs, request.headers.getlist("accept"), offered)
    if is_explained:
        return await queries.plans.run(answer_explain_request, request, queries, pairs, query, format_)
    return await respond_with_result(request, queries, pairs, query, format_)


async def respond_with_result(  # noqa: PLR0913, PLR0917 - what a response to a query is made of
    request: Request,
    queries: QueryService,
    pairs: Pairs,
    query: QueryRequest,
    format_: Format,
    headers: Mapping[str, str] = NO_HEADERS,
) -> Response:
    """The response with the result of a query in a format. Raises Problem.

    The HTML page also shows the query with its parameters, from `pairs`.
    """
    result_format = page_source_format(query.form) if format_ is HTML else format_
    async with open_query_result(request, queries, query, result_format) as result:
        if format_ is HTML:
            hints = [*hint_unknown_parameters(query), *await find_request_hints(queries, query)]
            body = await result.read_up_to(MAX_HELD_ANSWER_BYTES)
            page_result = PageResult(body, query.form, result.is_whole, hints)
            result.close()
            page = await run_in_threadpool(render_results_page, page_result, pairs, queries.settings.base)
            return respond_with_body(request, page, HTML, links=SPARQL_RESPONSE_LINKS, headers=headers)
        return await serialize_result(request, queries, query, result, format_, headers)


async def select_own_rows(request: Request, queries: QueryService, text: str) -> list[tuple[Any, ...]]:
    """The rows of a SELECT of our own, as `parse_tsv_rows` gives them. Raises as `select_own_tsv`."""
    return await run_in_threadpool(parse_tsv_rows, await select_own_tsv(request, queries, text))


async def select_own_tsv(
    request: Request, queries: QueryService, text: str, max_bytes: int = MAX_OWN_RESULT_BYTES
) -> bytes:
    """The result of a SELECT of our own over all graphs, as TSV. Raises Problem 503 above `max_bytes`."""
    query = build_own_query(text)
    async with open_query_result(request, queries, query, TSV, is_own=True) as result:
        body = await result.read_up_to(max_bytes)
        if not result.is_whole:
            result.close()
            raise Problem(503, f"The result is larger than {max_bytes} bytes. Ask for less.")
    return body


@asynccontextmanager
async def open_query_result(  # noqa: PLR0913 - what the result of a query depends on
    request: Request,
    queries: QueryService,
    query: QueryRequest,
    format_: Format,
    *,
    is_own: bool = False,
    max_bytes: int | None = None,
) -> AsyncIterator[QueryResult]:
    """Run a query; its result within the context. Raises Problem where it has no complete result.

    The result has at most `max_bytes` bytes, by default the limit of the settings.
    """
    request.state.passing = asks_other_services(query.admitted)
    workers = queries.own_workers if is_own else queries.workers
    record = QueryRecord(request, queries.telemetry, query.source.text)
    async with cancel_on_disconnect(request.receive):
        with record.record_refusals():
            resolved = await resolve_request_calls(queries, query)
            job = build_query_job(query, resolved, format_, queries.settings, max_bytes)
            result = await workers.ask(job, request_client_address(request))
        record.record_result(result)
        queries.running.add(request, query.source.text, result)
        try:
            yield result
        except QueryFault as fault:
            raise await query_failure_problem(queries, fault, query, format_) from fault
        except BaseException:
            result.close()
            raise


async def resolve_request_calls(queries: QueryService, query: QueryRequest) -> ParsedSparqlText:
    """The text with its calls replaced by their results. Raises Problem."""
    return await resolve_federated_calls(query.admitted, queries.settings, queries.calls, queries.search_call)


def build_query_job(
    query: QueryRequest,
    resolved: ParsedSparqlText,
    format_: Format,
    settings: Settings,
    max_bytes: int | None = None,
) -> QueryJob:
    """The job for workers; `resolved` is the text without calls."""
    return QueryJob(
        resolved,
        format_.media_type,
        query.dataset,
        settings.base,
        settings.result_bytes if max_bytes is None else max_bytes,
        settings.result_rows,
    )


async def read_query_request(request: Request, queries: QueryService, pairs: Pairs) -> QueryRequest:
    """The query in the parameters of a request; long texts are parsed in another process."""
    settings = queries.settings
    with QueryRecord(request, queries.telemetry, "".join(parameter_values(pairs, "query"))).record_refusals():
        if takes_long_to_parse(pairs, settings):
            return await queries.checks.run(parse_query_request, pairs, settings)
        return parse_query_request(pairs, settings)


async def serialize_result(  # noqa: PLR0913, PLR0917 - what a response to a query is made of
    request: Request,
    queries: QueryService,
    query: QueryRequest,
    result: QueryResult,
    format_: Format,
    extra_headers: Mapping[str, str],
) -> Response:
    """The response with a short result whole, or a longer one piece by piece. Raises QueryFault."""
    first_piece = await result.next_piece() or b""
    hint_mode = "all" if query.wants_hints else queries.settings.warnings
    needs_hints = hint_mode == "all" or (
        hint_mode == "empty" and result.is_whole and is_empty_result(first_piece, format_)
    )
    hints = [
        *hint_unknown_parameters(query),
        *(await find_request_hints(queries, query) if needs_hints else ()),
    ]
    headers = {**extra_headers, **build_warning_field(hints)}
    if result.is_whole:
        return respond_with_body(request, first_piece, format_, links=SPARQL_RESPONSE_LINKS, headers=headers)
    if request.scope["http_version"] == "1.0":
        return respond_with_body(
            request,
            first_piece + await read_result_rest(result),
            format_,
            links=SPARQL_RESPONSE_LINKS,
            headers=headers,
        )
    pieces = iter_whole_result(first_piece, result)
    return respond_with_stream(
        request, pieces, format_, close=result.close, links=SPARQL_RESPONSE_LINKS, headers=headers
    )


async def read_result_rest(result: QueryResult) -> bytes:
    """The rest of a result for HTTP/1.0, where the end of a connection may mean failure.

    Raises Problem 503 above MAX_HELD_ANSWER_BYTES.
    """
    rest = await result.read_up_to(MAX_HELD_ANSWER_BYTES)
    if not result.is_whole:
        result.close()
        raise Problem(503, "The result is too large for HTTP/1.0, which cannot mark its end. Use HTTP/1.1.")
    return rest


def hint_unknown_parameters(query: QueryRequest) -> list[QueryHint]:
    """A hint on the parameters that have no effect here, as the client may expect one."""
    names = ", ".join(
        repr(key[:MAX_PARAMETER_NAME_CHARS]) for key in query.unknown_parameters[:MAX_NAMED_PARAMETERS]
    )
    return [QueryHint(f"Unknown parameters were ignored: {names}.")] if names else []


async def find_request_hints(queries: QueryService, query: QueryRequest) -> list[QueryHint]:
    """Hints on probable mistakes in a query.

    Finding whether there are any takes a tenth of a millisecond or a little more; finding what was meant
    instead takes longer, so that runs on a thread.
    """
    store, base = queries.store, queries.settings.base
    if len(query.source.text) < SHORT_QUERY_CHARS and not find_query_hints(
        query.source, store, base, find_near=lambda _: ()
    ):
        return []
    return await run_in_threadpool(find_query_hints, query.source, store, base)


def answer_explain_request(
    request: Request, queries: QueryService, pairs: Pairs, query: QueryRequest, format_: Format
) -> Response:
    """The response to `?explain`. Raises Problem 400, 422 and 503 where there is no plan."""
    settings = queries.settings
    if has_federated_calls(query.admitted):
        raise Problem(422, "A query with SERVICE has no plan. Remove SERVICE to get the plan of the rest.")
    try:
        explanation = explain_query(query, queries.store, settings.base)
    except SyntaxError as error:
        raise diagnose_refused_text(query.source, str(error), settings) from error
    return respond_with_explanation(request, settings.base, pairs, explanation, format_)


async def iter_whole_result(first: bytes, result: QueryResult) -> AsyncIterator[bytes]:
    """The pieces of a result. Raises ResponseAbortedError where it ends in a fault."""
    try:
        yield first
        while (piece := await result.next_piece()) is not None:
            yield piece
    except QueryFault as fault:
        raise ResponseAbortedError(f"the result could not be completed: {fault.kind}") from fault


async def query_failure_problem(
    queries: QueryService, fault: QueryFault, query: QueryRequest, format_: Format
) -> Problem:
    """The Problem for a query without a complete result. Raises StoreError where the store failed."""
    settings = queries.settings
    match fault.kind:
        case protocol.SYNTAX_FAULT if len(query.source.text) > LONG_QUERY_CHARS:
            return await queries.checks.run(diagnose_refused_text, query.source, str(fault), settings)
        case protocol.SYNTAX_FAULT:
            return diagnose_refused_text(query.source, str(fault), settings)
        case protocol.VALUE_FAULT:
            return Problem(422, f"The query has no syntax error, but cannot be evaluated: {fault}.")
        case protocol.UNFIT_FAULT:
            return UnserializableError(str(fault), format_.media_type)
        case protocol.DISK_FAULT:
            raise StoreError(str(fault))
        case protocol.REMOTE_FAULT:
            raise StoreUnavailableError(str(fault))
        case protocol.SIZE_FAULT:
            limit = f"The result is larger than {settings.result_bytes} bytes."
        case protocol.ROWS_FAULT:
            limit = f"The result has more than {settings.result_rows} rows."
        case protocol.TIME_FAULT:
            limit = (
                str(fault) or f"The query took longer than {settings.query_seconds} seconds and was canceled."
            )
        case protocol.CANCELED_FAULT:
            return Problem(503, "The query was canceled on request, or because the service stops.")
        case protocol.CROWDED_FAULT:
            limit = (
                "The query was canceled, as all workers were busy and other clients waited: it had run for "
                "long, and no client had more queries running."
            )
        case _:
            max_bytes = settings.query_memory
            limit = (
                f"The worker of the query exited, most likely as it needed more than {max_bytes} bytes of "
                "memory."
            )
    headers = {"Retry-After": "10"} if fault.kind == protocol.CROWDED_FAULT else {}
    return Problem(503, f"{limit} Ask for less, for example with LIMIT.", headers=headers)

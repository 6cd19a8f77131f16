"""The SPARQL endpoint /sparql: runs a query and sends its result (SPARQL 1.1 Protocol, section 2.1).

Short results are sent whole, longer ones streamed. If a stream fails, the connection is closed, so that a
truncated result is never taken for a complete one. A client of HTTP/1.0 cannot distinguish the two, so the
service buffers results for it. Long queries are parsed in another process. The duration and outcome of each
query are recorded for logs and metrics.
"""

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http.access_log import REQUEST_RECORD_KEY, Telemetry
from ..http.bodies import Pairs, parameter_values
from ..http.fast_path import STARTED_KEY
from ..http.language import page_header_fields
from ..http.responses import (
    ResponseAbortedError,
    cancel_on_disconnect,
    respond_with_body,
    respond_with_json,
    respond_with_stream,
)
from ..http.work_queue import WorkQueue, queue_full_problem
from ..problems import Problem
from ..rdf.formats import CSV, FORMATS_BY_FORM, HTML, JSON, TSV, Format, is_empty_result
from ..rdf.serialization import UnserializableError
from ..settings import MIB, Settings
from ..store.errors import StoreUnavailableError, build_store_error
from ..store.store import Store
from ..store.version_cache import KeptResults
from ..store.view import parse_tsv_rows
from .check import build_query_report, find_text_problem
from .explain import EXPLANATION_FORMATS, explain_query, respond_with_explanation
from .federation import SearchCallHandler, has_federated_calls, resolve_federated_calls
from .language.hints import QueryHint, build_warning_field, find_query_hints
from .language.parser import ParsedSparqlText
from .named_csv import write_named_csv
from .request import (
    LONG_QUERY_CHARS,
    QueryRequest,
    build_internal_query,
    diagnose_refused_text,
    parse_query_request,
    pick_result_format,
    takes_long_to_parse,
)
from .result_page import PageResult, page_source_format, render_results_page
from .running import RunningQueries, check_query_id, request_client_address
from .workers import protocol
from .workers.protocol import QueryFault, QueryJob
from .workers.result import QueryResult, QueryWorkers

MAX_KEPT_RESULTS = 1_000  # small ones, such as numbers and previews
MAX_KEPT_TABLE_BYTES = 4 * MIB  # of the results of all queries that are kept for pages


@dataclass(frozen=True)
class QueryService:
    """The objects that the endpoint depends on: settings, store, workers, queues and telemetry.

    `workers` evaluate the queries of clients, `internal_workers` the queries of the pages of this service. Of
    the queues, `checks` has processes that parse long queries, `plans` has threads that explain queries, and
    `calls` limits how many texts call other services concurrently. `search_call` evaluates a SERVICE call to
    the search of this service.
    """

    settings: Settings
    store: Store
    workers: QueryWorkers
    internal_workers: QueryWorkers
    running: RunningQueries
    telemetry: Telemetry
    checks: WorkQueue
    plans: WorkQueue
    calls: WorkQueue
    search_call: SearchCallHandler

    async def find_text_hints(self, source: ParsedSparqlText) -> list[QueryHint]:
        """Hints on probable mistakes in a query."""
        return await run_in_threadpool(find_query_hints, source, self.store, self.settings.base)

    @cached_property
    def kept_results(self) -> KeptResults:
        """Results that pages keep until the next write."""
        return KeptResults(self.workers, MAX_KEPT_RESULTS)

    @cached_property
    def kept_tables(self) -> KeptResults:
        """Results of queries of pages, by their text, for the same page in other languages and formats."""
        return KeptResults(self.internal_workers, MAX_KEPT_TABLE_BYTES, len)


class QueryRecord:
    """Records the duration and outcome of one query for logs, metrics and tracing."""

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
            self.record_end(fault, result.size)

        result.on_end(record)

    @contextmanager
    def record_refusals(self) -> Iterator[None]:
        """Context manager that records the query if an error in its block prevents it from running."""
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
        self.metrics.count_query(outcome, seconds)
        if self.tracing:
            attributes = {"wgig.outcome": outcome, "wgig.bytes": size}
            self.tracing.record_past_span("query", self.began, self.parent_span, attributes)
        if self.logs.logs_queries:
            self.logs.log_query(
                self.text, seconds=round(seconds, 6), bytes=size, outcome=outcome, id=self.request_id
            )


def refusal_outcome(problem: Problem) -> str:
    """The outcome of a refused query, as logs and metrics name it: `busy`, `syntax` or `refused`."""
    if problem.status == 503:
        return "busy"
    return "syntax" if problem.slug == "syntax" else "refused"


MAX_BUFFERED_RESULT_BYTES = 4 * MIB  # for a page or for HTTP/1.0
MAX_INTERNAL_RESULT_BYTES = 16 * MIB  # for a query of the service itself
# Limits of the hint on unknown parameters.
MAX_NAMED_PARAMETERS, MAX_PARAMETER_NAME_CHARS = 5, 40
SPARQL_RESPONSE_LINKS = ['</sparql>; rel="service-desc"']
# Looking for mistakes costs more CPU than a short query, so it is done on request.
EMPTY_RESULT_HINT = QueryHint("The result is empty. Add the parameter hints to see likely mistakes.")
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


async def answer_query(request: Request, queries: QueryService, pairs: Pairs) -> Response:
    """The response to the query in the parameters, in the format that the client prefers."""
    request.state.query_parameters = pairs  # the error page shows the parameters
    check_query_id(request)
    if any(key == "check" for key, _ in pairs):
        return await answer_check_request(request, queries, pairs)
    query = await read_query_request(request, queries, pairs)
    is_explained = any(key == "explain" for key, _ in pairs)
    offered = EXPLANATION_FORMATS if is_explained else (*FORMATS_BY_FORM[query.form], HTML)
    format_ = pick_result_format(pairs, request.headers.getlist("accept"), offered)
    if is_explained:
        return await queries.plans.run(answer_explain_request, request, queries, pairs, query, format_)
    return await respond_with_result(request, queries, pairs, query, format_)


async def respond_with_result(  # noqa: PLR0913, PLR0917 - the response depends on all of these
    request: Request,
    queries: QueryService,
    pairs: Pairs,
    query: QueryRequest,
    format_: Format,
    headers: Mapping[str, str] = NO_HEADERS,
) -> Response:
    """The response with the result of a query in a format. Raises Problem.

    The HTML page also shows the query with its parameters, from `pairs`. With the parameter `names`, CSV has
    names instead of IRIs.
    """
    if any(key == "names" for key, _ in pairs):
        return await respond_with_named_csv(request, queries, query, format_, headers)
    if format_ is HTML:
        page_result = await read_page_result(request, queries, query)
        store, base = queries.store, queries.settings.base
        page = await run_in_threadpool(render_results_page, page_result, query.source, pairs, store, base)
        return respond_with_body(request, page, HTML, links=SPARQL_RESPONSE_LINKS, headers=headers)
    async with open_query_result(request, queries, query, format_) as result:
        return await serialize_result(request, queries, query, result, format_, headers)


async def read_page_result(request: Request, queries: QueryService, query: QueryRequest) -> PageResult:
    """The result of a query for a page, up to MAX_BUFFERED_RESULT_BYTES. Raises Problem."""
    async with open_query_result(request, queries, query, page_source_format(query.form)) as result:
        hints = [*hint_unknown_parameters(query), *await queries.find_text_hints(query.source)]
        body = await result.read_up_to(MAX_BUFFERED_RESULT_BYTES)
        is_whole = result.is_whole
        result.close()
    return PageResult(body, query.form, is_whole, hints)


async def respond_with_named_csv(
    request: Request, queries: QueryService, query: QueryRequest, format_: Format, headers: Mapping[str, str]
) -> Response:
    """The result as CSV with names. Raises Problem 400 for other formats, 413 for a large result."""
    if format_ is not CSV:
        raise Problem(400, "The parameter names is for CSV only. Send _mediatype=text/csv or omit names.")
    page_result = await read_page_result(request, queries, query)
    if not page_result.is_whole:
        raise Problem(
            413,
            f"The result is larger than {MAX_BUFFERED_RESULT_BYTES} bytes, which is too large for names. "
            "Omit the parameter names, or add a LIMIT.",
        )
    body = await run_in_threadpool(write_named_csv, page_result, query.source, queries.store)
    # The names depend on the language, as on a page.
    fields = page_header_fields({"Vary": "Accept, Accept-Encoding", **headers})
    return respond_with_body(request, body, CSV, links=SPARQL_RESPONSE_LINKS, headers=fields)


async def select_internal_rows(request: Request, queries: QueryService, text: str) -> list[tuple[Any, ...]]:
    """The rows of a SELECT of the service itself, as `parse_tsv_rows` returns them.

    Raises the Problem of `select_internal_tsv`.
    """
    return await run_in_threadpool(parse_tsv_rows, await select_internal_tsv(request, queries, text))


async def select_internal_tsv(
    request: Request, queries: QueryService, text: str, max_bytes: int = MAX_INTERNAL_RESULT_BYTES
) -> bytes:
    """The result of a SELECT of the service itself over all graphs, as TSV.

    It is kept until the next write. Raises Problem 413 if it is larger than `max_bytes`.
    """
    return await queries.kept_tables.get_or_compute(
        (text, max_bytes), lambda: compute_internal_tsv(request, queries, text, max_bytes)
    )


async def compute_internal_tsv(request: Request, queries: QueryService, text: str, max_bytes: int) -> bytes:
    """The result of `select_internal_tsv`, evaluated by a worker."""
    query = build_internal_query(text)
    async with open_query_result(request, queries, query, TSV, is_internal=True) as result:
        body = await result.read_up_to(max_bytes)
        if not result.is_whole:
            result.close()
            raise result_too_large_problem(f"is larger than {max_bytes} bytes")
    return body


@asynccontextmanager
async def open_query_result(  # noqa: PLR0913 - the result depends on all of these
    request: Request,
    queries: QueryService,
    query: QueryRequest,
    format_: Format,
    *,
    is_internal: bool = False,
    max_bytes: int | None = None,
) -> AsyncIterator[QueryResult]:
    """Context manager that runs a query and yields its result.

    The result has at most `max_bytes` bytes, by default the limit of the settings. `is_internal`: the query
    comes from the service itself. Raises Problem if the result is not complete.
    """
    request.state.is_volatile = query.is_volatile
    workers = queries.internal_workers if is_internal else queries.workers
    record = QueryRecord(request, queries.telemetry, query.source.text)
    async with cancel_on_disconnect(request.receive):
        with record.record_refusals():
            resolved = await resolve_request_calls(queries, query)
            job = build_query_job(query, resolved, format_, queries.settings, max_bytes)
            if is_internal:  # WGIG_RESULT_ROWS is for queries of clients
                job = job._replace(max_rows=0)
            started = None if is_internal else take_started_result(request)
            result = started or await workers.start_query(job, request_client_address(request))
        record.record_result(result)
        if not started:  # the short path has added it
            queries.running.add(request, query.source.text, result)
        try:
            yield result
        except QueryFault as fault:
            raise await query_failure_problem(queries, fault, query, format_) from fault
        except BaseException:
            result.close()
            raise


def take_started_result(request: Request) -> QueryResult | None:
    """The result of the query of this request, if the short path has started it."""
    started: list[QueryResult] = request.scope.get(STARTED_KEY, [])
    return started.pop() if started else None


async def resolve_request_calls(queries: QueryService, query: QueryRequest) -> ParsedSparqlText:
    """The text of a query with the results of its SERVICE calls in place of the calls. Raises Problem."""
    return await resolve_federated_calls(query.admitted, queries.settings, queries.calls, queries.search_call)


def build_query_job(
    query: QueryRequest,
    resolved: ParsedSparqlText,
    format_: Format,
    settings: Settings,
    max_bytes: int | None = None,
) -> QueryJob:
    """The job for workers. `resolved` is the text of the query with results in place of SERVICE calls."""
    return QueryJob(
        resolved,
        format_.media_type,
        query.dataset,
        settings.base,
        settings.result_bytes if max_bytes is None else max_bytes,
        settings.result_rows,
        max_seconds=query.max_seconds,
    )


async def read_query_request(request: Request, queries: QueryService, pairs: Pairs) -> QueryRequest:
    """The query in the parameters of a request. A long text is parsed in another process."""
    settings = queries.settings
    with QueryRecord(request, queries.telemetry, "".join(parameter_values(pairs, "query"))).record_refusals():
        if takes_long_to_parse(pairs, settings):
            return await queries.checks.run(parse_query_request, pairs, settings)
        return parse_query_request(pairs, settings)


async def serialize_result(  # noqa: PLR0913, PLR0917 - the response depends on all of these
    request: Request,
    queries: QueryService,
    query: QueryRequest,
    result: QueryResult,
    format_: Format,
    extra_headers: Mapping[str, str],
) -> Response:
    """The response with the result: whole if it fits the first chunk, else streamed. Raises QueryFault."""
    first_chunk = await result.next_chunk() or b""
    hint_mode = "all" if query.wants_hints else queries.settings.warnings
    is_empty = result.is_whole and is_empty_result(first_chunk, format_)
    hints = hint_unknown_parameters(query)
    if hint_mode == "all" or (hint_mode == "empty" and is_empty):
        hints += await queries.find_text_hints(query.source)
    elif is_empty and query.form != "ASK":
        hints.append(EMPTY_RESULT_HINT)
    headers = {**extra_headers, **build_warning_field(hints)}
    if result.is_whole:
        return respond_with_body(request, first_chunk, format_, links=SPARQL_RESPONSE_LINKS, headers=headers)
    if request.scope["http_version"] == "1.0":
        return respond_with_body(
            request,
            first_chunk + await read_remaining_result(result),
            format_,
            links=SPARQL_RESPONSE_LINKS,
            headers=headers,
        )
    chunks = iter_result_chunks(first_chunk, result)
    return respond_with_stream(
        request,
        chunks,
        format_,
        close=result.close,
        digest=result.digest,
        headers={"Link": ", ".join(SPARQL_RESPONSE_LINKS), **headers},
    )


async def read_remaining_result(result: QueryResult) -> bytes:
    """The result after its first chunk, for HTTP/1.0, whose clients cannot detect an incomplete result.

    Raises Problem 413 if it is larger than MAX_BUFFERED_RESULT_BYTES.
    """
    remaining_bytes = await result.read_up_to(MAX_BUFFERED_RESULT_BYTES)
    if not result.is_whole:
        result.close()
        raise Problem(
            413,
            f"The result is larger than {MAX_BUFFERED_RESULT_BYTES} bytes, which is too large for "
            "HTTP/1.0. Use HTTP/1.1, also between a proxy and this service, or request less.",
        )
    return remaining_bytes


def hint_unknown_parameters(query: QueryRequest) -> list[QueryHint]:
    """A hint that names the parameters that were ignored, if any."""
    names = ", ".join(
        repr(key[:MAX_PARAMETER_NAME_CHARS]) for key in query.unknown_parameters[:MAX_NAMED_PARAMETERS]
    )
    return [QueryHint(f"Unknown parameters were ignored: {names}.")] if names else []


async def answer_check_request(request: Request, queries: QueryService, pairs: Pairs) -> Response:
    """The response to `?check`. A long text is checked in another process."""
    pick_result_format(pairs, request.headers.getlist("accept"), (JSON,))
    text = "".join(parameter_values(pairs, "query"))
    if len(text) > LONG_QUERY_CHARS:
        problem = await queries.checks.run(find_text_problem, pairs, queries.settings)
    else:
        problem = find_text_problem(pairs, queries.settings)
    hints = [] if problem else await queries.find_text_hints(ParsedSparqlText(text))
    return respond_with_json(request, build_query_report(problem, hints))


def answer_explain_request(
    request: Request, queries: QueryService, pairs: Pairs, query: QueryRequest, format_: Format
) -> Response:
    """The response to `?explain`. Raises Problem 400, 422 or 503 if the query has no plan."""
    settings = queries.settings
    if has_federated_calls(query.admitted):
        raise Problem(
            422, "A query with SERVICE has no plan. Remove SERVICE to get the plan of the rest of the query."
        )
    try:
        explanation = explain_query(query, queries.store, settings.base)
    except SyntaxError as error:
        raise diagnose_refused_text(query.source, str(error), settings) from error
    return respond_with_explanation(request, settings.base, pairs, explanation, format_)


async def iter_result_chunks(first_chunk: bytes, result: QueryResult) -> AsyncIterator[bytes]:
    """All chunks of a result. Raises ResponseAbortedError if it ends with a fault."""
    try:
        yield first_chunk
        while (chunk := await result.next_chunk()) is not None:
            yield chunk
    except QueryFault as fault:
        raise ResponseAbortedError(f"the result could not be completed: {fault.kind}") from fault


FAULT_CAUSES = {
    protocol.CANCELED_FAULT: "The query was canceled on request, or because the service is stopping.",
    protocol.LOST_FAULT: "The process that evaluated the query was killed or crashed. Perhaps the system has "
    "too little memory.",
}
FAULT_ADVICE = {
    protocol.CANCELED_FAULT: "",
    protocol.LOST_FAULT: " Try again, and request less if that fails as well.",
}


async def query_failure_problem(
    queries: QueryService, fault: QueryFault, query: QueryRequest, format_: Format
) -> Problem:
    """The Problem for a query without a complete result.

    Raises StoreError if the store failed, Problem 503 if no worker became free.
    """
    settings, headers = queries.settings, {}
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
            raise build_store_error(fault, settings.store)
        case protocol.REMOTE_FAULT:
            raise StoreUnavailableError(str(fault))
        case protocol.SIZE_FAULT | protocol.ROWS_FAULT:
            is_size = fault.kind == protocol.SIZE_FAULT
            return result_too_large_problem(
                f"is larger than {settings.result_bytes} bytes"
                if is_size
                else f"has more than {settings.result_rows} rows"
            )
        case protocol.TIME_FAULT:
            seconds = min(query.max_seconds or settings.query_seconds, settings.query_seconds)
            cause = str(fault) or f"The query took longer than {seconds:g} seconds and was canceled."
        case protocol.WAIT_FAULT:
            raise queue_full_problem()
        case protocol.CROWDED_FAULT:
            headers = {"Retry-After": "10"}
            cause = (
                "The query was canceled because all workers were busy and other clients were waiting: it "
                "had been running for a long time, and no other client had more queries running."
            )
        case protocol.MEMORY_FAULT:
            cause = f"The query needed more than {settings.query_memory} bytes of memory."
        case _:
            cause = FAULT_CAUSES[fault.kind]
    advice = FAULT_ADVICE.get(fault.kind, " Request less, for example with LIMIT.")
    return Problem(503, f"{cause}{advice}", headers=headers)


def result_too_large_problem(limit: str) -> Problem:
    """The 413 for a result that `has more than 10 rows`: repeating the query would fail as well."""
    return Problem(413, f"The result {limit}. Request less, for example with LIMIT.")

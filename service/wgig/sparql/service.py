"""The SPARQL endpoint /sparql: answers a query, whole or not at all (SPARQL 1.1 Protocol, section 2.1).

Short results are sent whole, longer ones streamed; a stream that fails closes the connection, so that a
truncated result is never taken for a complete one. For HTTP/1.0, which cannot tell the two apart, the result
is buffered. Long queries are validated in another process. Each query is recorded with duration and outcome
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

# By the fault, where it is not called so; most likely that is why a worker ended.
FAULT_OUTCOMES = {LOST_FAULT: "memory"}


@dataclass(frozen=True)
class QueryService:
    """What answers queries: the store and who evaluates over it, the queues, and where all is told.

    `workers` answer the queries of clients, `own_workers` those of our pages. `calls` bounds how many texts
    ask other services at once; `search_call` answers the call of our own search.
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
    """One query, from now on."""

    def __init__(self, request: Request, telemetry: Telemetry, text: str) -> None:
        """It begins."""
        self.text, self.began = text, time.perf_counter()
        self.metrics, self.logs, self.tracing = telemetry.metrics, telemetry.logs, telemetry.tracing
        self.parent_span = self.tracing.current_context() if self.tracing else None
        self.request_id = request.scope[REQUEST_RECORD_KEY].id if REQUEST_RECORD_KEY in request.scope else ""

    def record_result(self, result: QueryResult) -> None:
        """Note the end of its result."""

        def ended() -> None:
            fault = result.fault.kind if result.fault else "answered"
            self.record_end(FAULT_OUTCOMES.get(fault, fault), result.size)

        result.on_end(ended)

    @contextmanager
    def record_refusals(self) -> Iterator[None]:
        """Around what comes before it is answered: that ends it where it fails."""
        try:
            yield
        except Problem as problem:
            self.record_end(refusal_outcome(problem))
            raise
        except BaseException:  # its client went away
            self.record_end("canceled")
            raise

    def record_end(self, outcome: str, size: int = 0) -> None:
        """It has ended."""
        seconds = time.perf_counter() - self.began
        self.metrics.queries.labels(outcome).inc()
        self.metrics.query_seconds.observe(seconds)
        if self.tracing:
            said = {"wgig.outcome": outcome, "wgig.bytes": size}
            self.tracing.record_past_span("query", self.began, self.parent_span, said)
        if self.logs.logs_queries:
            self.logs.log_query(
                self.text, seconds=round(seconds, 6), bytes=size, outcome=outcome, id=self.request_id
            )


def refusal_outcome(problem: Problem) -> str:
    """What is said of a query that was not asked."""
    if problem.status == 503:
        return "busy"
    return "syntax" if problem.slug == "syntax" else "refused"


MAX_HELD_ANSWER_BYTES = 4 * MIB  # bytes of an answer that is held in one piece, for a page or for HTTP/1.0
MAX_OWN_RESULT_BYTES = 16 * MIB  # bytes of the rows of a query of our own
SHORT_QUERY_CHARS = 1_000  # characters of a query that is looked through at once
# Strange parameters that are named, and characters of their names.
MAX_NAMED_PARAMETERS, MAX_PARAMETER_NAME_CHARS = 5, 40
SPARQL_RESPONSE_LINKS = ['</sparql>; rel="service-desc"']
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


async def answer_query(request: Request, queries: QueryService, pairs: Pairs) -> Response:
    """The result of the query in the pairs, in the format that the client likes best."""
    request.state.asked = pairs  # so that the page of a refusal can show them
    check_query_id(request)
    asked = await read_query_request(request, queries, pairs)
    is_explained = any(key == "explain" for key, _ in pairs)
    offered = EXPLANATION_FORMATS if is_explained else (*FORMATS_BY_FORM[asked.form], HTML)
    format_ = pick_result_format(pairs, request.headers.getlist("accept"), offered)
    if is_explained:
        return await queries.plans.run(answer_explain_request, request, queries, pairs, asked, format_)
    return await respond_with_result(request, queries, pairs, asked, format_)


async def respond_with_result(  # noqa: PLR0913, PLR0917 - what a response to a query is made of
    request: Request,
    queries: QueryService,
    pairs: Pairs,
    asked: QueryRequest,
    format_: Format,
    headers: Mapping[str, str] = NO_HEADERS,
) -> Response:
    """The result of a query in a format; a page shows it beside the pairs. Raises Problem."""
    written = page_source_format(asked.form) if format_ is HTML else format_
    async with open_query_result(request, queries, asked, written) as result:
        if format_ is HTML:
            doubts = [*hint_unknown_parameters(asked), *await find_request_hints(queries, asked)]
            body = await result.read_up_to(MAX_HELD_ANSWER_BYTES)
            found = PageResult(body, asked.form, result.is_whole, doubts)
            result.close()
            page = await run_in_threadpool(render_results_page, found, pairs, queries.settings.base)
            return respond_with_body(request, page, HTML, links=SPARQL_RESPONSE_LINKS, headers=headers)
        return await serialize_result(request, queries, asked, result, format_, headers)


async def select_own_rows(request: Request, queries: QueryService, text: str) -> list[tuple[Any, ...]]:
    """The rows of a SELECT of our own, as `parse_tsv_rows` gives them. Raises as `select_own_tsv`."""
    return await run_in_threadpool(parse_tsv_rows, await select_own_tsv(request, queries, text))


async def select_own_tsv(
    request: Request, queries: QueryService, text: str, most: int = MAX_OWN_RESULT_BYTES
) -> bytes:
    """The TSV results of a SELECT of our own over all graphs. Raises Problem, 503 where they are much."""
    asked = build_own_query(text)
    async with open_query_result(request, queries, asked, TSV, is_own=True) as result:
        body = await result.read_up_to(most)
        if not result.is_whole:
            result.close()
            raise Problem(503, f"What is asked for takes more than {most} bytes. Ask for less.")
    return body


@asynccontextmanager
async def open_query_result(  # noqa: PLR0913 - what the result of a query depends on
    request: Request,
    queries: QueryService,
    asked: QueryRequest,
    format_: Format,
    *,
    is_own: bool = False,
    max_bytes: int | None = None,
) -> AsyncIterator[QueryResult]:
    """Around the result of a query in a format, as it comes. Raises Problem where it cannot be had whole.

    It has at most so many bytes, by default as many as the settings allow.
    """
    request.state.passing = asks_other_services(asked.admitted)
    workers = queries.own_workers if is_own else queries.workers
    record = QueryRecord(request, queries.telemetry, asked.source.text)
    async with cancel_on_disconnect(request.receive):
        with record.record_refusals():
            query = await resolve_request_calls(queries, asked)
            job = build_query_job(asked, query, format_, queries.settings, max_bytes)
            result = await workers.ask(job, request_client_address(request))
        record.record_result(result)
        queries.running.add(request, asked.source.text, result)
        try:
            yield result
        except QueryFault as fault:
            raise await query_failure_problem(queries, fault, asked, format_) from fault
        except BaseException:
            result.close()
            raise


async def resolve_request_calls(queries: QueryService, asked: QueryRequest) -> ParsedSparqlText:
    """The text with the answers of other services and of our search in place of its calls. Raises Problem."""
    return await resolve_federated_calls(asked.admitted, queries.settings, queries.calls, queries.search_call)


def build_query_job(
    asked: QueryRequest,
    query: ParsedSparqlText,
    format_: Format,
    settings: Settings,
    max_bytes: int | None = None,
) -> QueryJob:
    """What workers get for a query, by the text that has no calls any more."""
    return QueryJob(
        query,
        format_.media_type,
        asked.dataset,
        settings.base,
        settings.result_bytes if max_bytes is None else max_bytes,
        settings.result_rows,
    )


async def read_query_request(request: Request, queries: QueryService, pairs: Pairs) -> QueryRequest:
    """The query of a request's pairs; much text is looked at in another process.

    Raises as `parse_query_request`.
    """
    settings = queries.settings
    with QueryRecord(request, queries.telemetry, "".join(parameter_values(pairs, "query"))).record_refusals():
        if takes_long_to_parse(pairs, settings):
            return await queries.checks.run(parse_query_request, pairs, settings)
        return parse_query_request(pairs, settings)


async def serialize_result(  # noqa: PLR0913, PLR0917 - what a response to a query is made of
    request: Request,
    queries: QueryService,
    asked: QueryRequest,
    result: QueryResult,
    format_: Format,
    given: Mapping[str, str],
) -> Response:
    """A short result whole, a longer one piece by piece. Raises QueryFault."""
    first = await result.next_piece() or b""
    wanted = "all" if asked.wants_hints else queries.settings.warnings
    suspect = wanted == "all" or (wanted == "empty" and result.is_whole and is_empty_result(first, format_))
    doubts = [*hint_unknown_parameters(asked), *(await find_request_hints(queries, asked) if suspect else ())]
    headers = {**given, **build_warning_field(doubts)}
    if result.is_whole:
        return respond_with_body(request, first, format_, links=SPARQL_RESPONSE_LINKS, headers=headers)
    if request.scope["http_version"] == "1.0":
        return respond_with_body(
            request,
            first + await read_result_rest(result),
            format_,
            links=SPARQL_RESPONSE_LINKS,
            headers=headers,
        )
    pieces = iter_whole_result(first, result)
    return respond_with_stream(
        request, pieces, format_, close=result.close, links=SPARQL_RESPONSE_LINKS, headers=headers
    )


async def read_result_rest(result: QueryResult) -> bytes:
    """The rest of a result for HTTP/1.0, where an end and a breaking off look the same.

    Raises Problem 503 where that is much.
    """
    rest = await result.read_up_to(MAX_HELD_ANSWER_BYTES)
    if not result.is_whole:
        result.close()
        raise Problem(
            503, "The answer is too large for HTTP/1.0, which cannot tell its end. Ask by HTTP/1.1."
        )
    return rest


def hint_unknown_parameters(asked: QueryRequest) -> list[QueryHint]:
    """What is said of parameters that mean nothing here, as the client expects something of them."""
    names = ", ".join(
        repr(key[:MAX_PARAMETER_NAME_CHARS]) for key in asked.unknown_parameters[:MAX_NAMED_PARAMETERS]
    )
    return [QueryHint(f"This changed nothing, as it is no parameter here: {names}.")] if names else []


async def find_request_hints(queries: QueryService, asked: QueryRequest) -> list[QueryHint]:
    """What is probably not meant in a query.

    To look whether there is anything takes a tenth of a millisecond or a little more; to find out what could
    be meant instead takes longer.
    """
    store, base = queries.store, queries.settings.base
    if len(asked.source.text) < SHORT_QUERY_CHARS and not find_query_hints(
        asked.source, store, base, near=lambda _: ()
    ):
        return []
    return await run_in_threadpool(find_query_hints, asked.source, store, base)


def answer_explain_request(
    request: Request, queries: QueryService, pairs: Pairs, asked: QueryRequest, format_: Format
) -> Response:
    """What the engine does for a query. Raises Problem 400, 422 and 503 where there is no plan."""
    settings = queries.settings
    if has_federated_calls(asked.admitted):
        raise Problem(
            422, "A query that asks other services, or searches, has no plan. Ask for that of the rest of it."
        )
    try:
        found = explain_query(asked, queries.store, settings.base)
    except SyntaxError as error:
        raise diagnose_refused_text(asked.source, str(error), settings) from error
    return respond_with_explanation(request, settings.base, pairs, found, format_)


async def iter_whole_result(first: bytes, result: QueryResult) -> AsyncIterator[bytes]:
    """The pieces of a result. Raises ResponseAbortedError where it cannot be ended."""
    try:
        yield first
        while (piece := await result.next_piece()) is not None:
            yield piece
    except QueryFault as fault:
        raise ResponseAbortedError(f"the answer could not be ended: {fault.kind}") from fault


async def query_failure_problem(
    queries: QueryService, fault: QueryFault, asked: QueryRequest, format_: Format
) -> Problem:
    """The Problem of a query that has no answer. Raises StoreError where the disk is at fault."""
    settings = queries.settings
    match fault.kind:
        case protocol.SYNTAX_FAULT if len(asked.source.text) > LONG_QUERY_CHARS:
            return await queries.checks.run(diagnose_refused_text, asked.source, str(fault), settings)
        case protocol.SYNTAX_FAULT:
            return diagnose_refused_text(asked.source, str(fault), settings)
        case protocol.VALUE_FAULT:
            return Problem(422, f"The query is well written, but cannot be evaluated: {fault}.")
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
            ours = f"The query took longer than {settings.query_seconds} seconds and was given up."
            limit = str(fault) or ours
        case protocol.CANCELED_FAULT:
            return Problem(503, "The query was ended on request, or as the service stops.")
        case protocol.CROWDED_FAULT:
            limit = (
                "The service is at its limit and others waited, so that this query was ended: it had run for "
                "long, and no client had more at work."
            )
        case _:
            most = settings.query_memory
            limit = (
                f"The process of the query ended, most likely as it took more than {most} bytes of memory."
            )
    headers = {"Retry-After": "10"} if fault.kind == protocol.CROWDED_FAULT else {}
    return Problem(503, f"{limit} Ask for less, for example with LIMIT.", headers=headers)

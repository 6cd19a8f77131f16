"""The SPARQL endpoint /sparql: answers a query, whole or not at all (SPARQL 1.1 Protocol, section 2.1).

Short results are sent whole, longer ones streamed; a stream that fails closes the connection, so that a
truncated result is never taken for a complete one. For HTTP/1.0, which cannot tell the two apart, the result
is buffered. Long queries are validated in another process. Each query is recorded with duration and outcome
for logs and metrics.
"""

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from types import MappingProxyType
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http import bodies
from ..http.access_log import NOTED, Logs
from ..http.auth import refuse_in_form
from ..http.bodies import FORM, Pairs, parameters, parse_form, values
from ..http.responses import BrokenOffError, answer, stream, while_there
from ..http.telemetry import Metrics, Tracing
from ..http.work_queue import Turns
from ..problems import Problem
from ..rdf.formats import BY_FORM, HTML, TSV, Format, is_empty
from ..rdf.serialization import UnfitError
from ..settings import MIB, Settings
from ..store.errors import StoreError, UnavailableError
from ..store.view import Dataset, table
from .explain import EXPLAINED, explain, explanation
from .federation import answered, asks_others, has_calls
from .language.hints import Hint, hints, warned
from .request import LONG, Question, misspelt, picked, question, takes_long, version_of
from .result_page import Found, results_page, source_format
from .running import check_id, client_of
from .workers import protocol
from .workers.protocol import LOST, Fault, Job
from .workers.result import Answerers, Result

OUTCOMES = {LOST: "memory"}  # by the fault, where it is not called so; most likely that is why a reader ended


class Queried:
    """One query, from now on."""

    def __init__(self, request: Request, text: str) -> None:
        """It begins."""
        self.text, self.began = text, time.perf_counter()
        self.metrics: Metrics = request.app.state.metrics
        self.logs: Logs = request.app.state.logs
        self.tracing: Tracing | None = request.app.state.tracing
        self.within = self.tracing.current() if self.tracing else None
        self.request = request.scope[NOTED].id if NOTED in request.scope else ""

    def follow(self, result: Result) -> None:
        """Note the end of its result."""

        def ended() -> None:
            fault = result.fault.kind if result.fault else "answered"
            self.ended(OUTCOMES.get(fault, fault), result.size)

        result.when_ended(ended)

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Around what comes before it is answered: that ends it where it fails."""
        try:
            yield
        except Problem as problem:
            self.ended(refused(problem))
            raise
        except BaseException:  # its client went away
            self.ended("canceled")
            raise

    def ended(self, outcome: str, size: int = 0) -> None:
        """It has ended."""
        seconds = time.perf_counter() - self.began
        self.metrics.queries.labels(outcome).inc()
        self.metrics.query_seconds.observe(seconds)
        if self.tracing:
            said = {"wgig.outcome": outcome, "wgig.bytes": size}
            self.tracing.past("query", self.began, self.within, said)
        if self.logs.queries:
            self.logs.query(
                self.text, seconds=round(seconds, 6), bytes=size, outcome=outcome, id=self.request
            )


def refused(problem: Problem) -> str:
    """What is said of a query that was not asked."""
    if problem.status == 503:
        return "busy"
    return "syntax" if problem.slug == "syntax" else "refused"


DIRECT = "application/sparql-query"
REST = 64 * 1024  # bytes of a body beside its query
PAGE = 4 * MIB  # bytes of an answer that is held in one piece, for a page or for HTTP/1.0
LARGEST = 16 * MIB  # bytes of the rows of a query of our own
SHORT = 1_000  # characters of a query that is looked through at once
FEW, NAME = 5, 40  # strange parameters that are named, and characters of their names
LINKS = ['</sparql>; rel="service-desc"']
NONE: Mapping[str, str] = MappingProxyType({})


async def ask_by_body(request: Request) -> Response:
    """Ask a query by a form, or by its text as `application/sparql-query`."""
    given = bodies.content_type(request, (DIRECT, FORM))
    body = await bodies.read(request, largest(request.app.state.settings))
    pairs = parameters(request)
    pairs += parse_form(body) if given.media_type == FORM else [("query", bodies.text(body, "query"))]
    pairs += version_of(given)
    refuse_in_form(pairs)
    return await reply(request, pairs)


def largest(settings: Settings) -> int:
    """The most bytes that the longest query can take: in a form, each character as four escaped bytes."""
    return min(settings.body_bytes, 12 * settings.query_length + REST)


async def reply(request: Request, pairs: Pairs) -> Response:
    """The result of the query in the pairs, in the format that the client likes best."""
    request.state.asked = pairs  # so that the page of a refusal can show them
    check_id(request)
    asked = await considered(request, pairs)
    is_explained = any(key == "explain" for key, _ in pairs)
    offered = EXPLAINED if is_explained else (*BY_FORM[asked.form], HTML)
    format_ = picked(pairs, request.headers.getlist("accept"), offered)
    if is_explained:
        plans: Turns = request.app.state.plans
        return await plans.run(explained, request, pairs, asked, format_)
    return await respond(request, pairs, asked, format_)


async def respond(
    request: Request, pairs: Pairs, asked: Question, format_: Format, headers: Mapping[str, str] = NONE
) -> Response:
    """The result of a query in a format; a page shows it beside the pairs. Raises Problem."""
    written = source_format(asked.form) if format_ is HTML else format_
    async with begun(request, asked, written) as result:
        if format_ is HTML:
            doubts = [*strange(asked), *await doubted(request, asked)]
            body = await result.up_to(PAGE)
            found = Found(body, asked.form, result.is_whole, doubts)
            result.close()
            base = request.app.state.settings.base
            page = await run_in_threadpool(results_page, found, pairs, base)
            return answer(request, page, HTML, links=LINKS, headers=headers)
        return await written_out(request, asked, result, format_, headers)


async def rows(request: Request, text: str) -> list[tuple[Any, ...]]:
    """The rows of a SELECT of our own, as `table` gives them. Raises as `tsv`."""
    return await run_in_threadpool(table, await tsv(request, text))


async def tsv(request: Request, text: str, most: int = LARGEST) -> bytes:
    """The TSV results of a SELECT of our own over all graphs. Raises Problem, 503 where they are much."""
    async with begun(request, Question(text, "SELECT", Dataset()), TSV, is_own=True) as result:
        body = await result.up_to(most)
        if not result.is_whole:
            result.close()
            raise Problem(503, f"What is asked for takes more than {most} bytes. Ask for less.")
    return body


@asynccontextmanager
async def begun(
    request: Request, asked: Question, format_: Format, *, is_own: bool = False
) -> AsyncIterator[Result]:
    """Around the result of a query in a format, as it comes. Raises Problem where it cannot be had whole.

    Our own queries, of pages, may be answered by somebody else than those of strangers.
    """
    settings: Settings = request.app.state.settings
    request.state.passing = asks_others(asked.text)
    state = request.app.state
    answerers: Answerers = state.own_answerers if is_own else state.answerers
    queried = Queried(request, asked.text)
    async with while_there(request.receive):
        with queried.refusals():
            text = await answered(asked.text, settings, state.others, state.search_call)
            job = Job(
                text,
                format_.media_type,
                asked.dataset,
                settings.base,
                settings.result_bytes,
                settings.result_rows,
            )
            result = await answerers.ask(job, client_of(request))
        queried.follow(result)
        request.app.state.running.add(request, asked.text, result)
        try:
            yield result
        except Fault as fault:
            raise await refusal(request, fault, asked, format_) from fault
        except BaseException:
            result.close()
            raise


async def considered(request: Request, pairs: Pairs) -> Question:
    """The query of a request's pairs; much text is looked at in another process. Raises as `question`."""
    settings: Settings = request.app.state.settings
    with Queried(request, "".join(values(pairs, "query"))).refusals():
        if takes_long(pairs, settings):
            checks: Turns = request.app.state.checks
            return await checks.run(question, pairs, settings)
        return question(pairs, settings)


async def written_out(
    request: Request, asked: Question, result: Result, format_: Format, given: Mapping[str, str]
) -> Response:
    """A short result whole, a longer one piece by piece. Raises Fault."""
    first = await result.next() or b""
    wanted = "all" if asked.hinted else request.app.state.settings.warnings
    suspect = wanted == "all" or (wanted == "empty" and result.is_whole and is_empty(first, format_))
    doubts = [*strange(asked), *(await doubted(request, asked) if suspect else ())]
    headers = {**given, **warned(doubts)}
    if result.is_whole:
        return answer(request, first, format_, links=LINKS, headers=headers)
    if request.scope["http_version"] == "1.0":
        return answer(request, first + await at_once(result), format_, links=LINKS, headers=headers)
    pieces = unbroken(first, result)
    return stream(request, pieces, format_, close=result.close, links=LINKS, headers=headers)


async def at_once(result: Result) -> bytes:
    """The rest of a result for HTTP/1.0, where an end and a breaking off look the same.

    Raises Problem 503 where that is much.
    """
    rest = await result.up_to(PAGE)
    if not result.is_whole:
        result.close()
        raise Problem(
            503, "The answer is too large for HTTP/1.0, which cannot tell its end. Ask by HTTP/1.1."
        )
    return rest


def strange(asked: Question) -> list[Hint]:
    """What is said of parameters that mean nothing here, as the client expects something of them."""
    names = ", ".join(repr(key[:NAME]) for key in asked.strangers[:FEW])
    return [Hint(f"This changed nothing, as it is no parameter here: {names}.")] if names else []


async def doubted(request: Request, asked: Question) -> list[Hint]:
    """What is probably not meant in a query.

    To look whether there is anything takes a tenth of a millisecond or a little more; to find out what could
    be meant instead takes longer.
    """
    store, base = request.app.state.store, request.app.state.settings.base
    if len(asked.text) < SHORT and not hints(asked.text, store, base, near=lambda _: ()):
        return []
    return await run_in_threadpool(hints, asked.text, store, base)


def explained(request: Request, pairs: Pairs, asked: Question, format_: Format) -> Response:
    """What the engine does for a query. Raises Problem 400, 422 and 503 where there is no plan."""
    settings: Settings = request.app.state.settings
    if has_calls(asked.text):
        raise Problem(
            422, "A query that asks other services, or searches, has no plan. Ask for that of the rest of it."
        )
    try:
        found = explain(asked.text, asked.form, asked.dataset, request.app.state.store, settings.base)
    except SyntaxError as error:
        raise misspelt(asked.text, str(error), settings) from error
    return explanation(request, pairs, found, format_)


async def unbroken(first: bytes, result: Result) -> AsyncIterator[bytes]:
    """The pieces of a result. Raises BrokenOffError where it cannot be ended."""
    try:
        yield first
        while (piece := await result.next()) is not None:
            yield piece
    except Fault as fault:
        raise BrokenOffError(f"the answer could not be ended: {fault.kind}") from fault


async def refusal(request: Request, fault: Fault, asked: Question, format_: Format) -> Problem:
    """The Problem of a query that has no answer. Raises StoreError where the disk is at fault."""
    settings: Settings = request.app.state.settings
    match fault.kind:
        case protocol.SYNTAX if len(asked.text) > LONG:
            checks: Turns = request.app.state.checks
            return await checks.run(misspelt, asked.text, str(fault), settings)
        case protocol.SYNTAX:
            return misspelt(asked.text, str(fault), settings)
        case protocol.VALUE:
            return Problem(422, f"The query is well written, but cannot be evaluated: {fault}.")
        case protocol.UNFIT:
            return UnfitError(str(fault), format_.media_type)
        case protocol.DISK:
            raise StoreError(str(fault))
        case protocol.REMOTE:
            raise UnavailableError(str(fault))
        case protocol.SIZE:
            limit = f"The result is larger than {settings.result_bytes} bytes."
        case protocol.ROWS:
            limit = f"The result has more than {settings.result_rows} rows."
        case protocol.TIME:
            ours = f"The query took longer than {settings.query_seconds} seconds and was given up."
            limit = str(fault) or ours
        case protocol.CANCELED:
            return Problem(503, "The query was ended on request, or as the service stops.")
        case protocol.CROWDED:
            limit = (
                "The service is at its limit and others waited, so that this query was ended: it had run for "
                "long, and no client had more at work."
            )
        case _:
            most = settings.query_memory
            limit = (
                f"The process of the query ended, most likely as it took more than {most} bytes of memory."
            )
    headers = {"Retry-After": "10"} if fault.kind == protocol.CROWDED else {}
    return Problem(503, f"{limit} Ask for less, for example with LIMIT.", headers=headers)

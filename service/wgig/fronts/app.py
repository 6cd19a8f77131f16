"""The ASGI application of a front process, which answers from its cache, by a query worker, or by the writer.

Queries in formats for programs, and descriptions of resources in RDF formats, go to a worker of this process.
Everything else, such as pages, queries that call other services, and errors in the text of a query, goes to
the writer.
"""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from fastapi import Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..app import MAX_CONCURRENT_BODIES, RAW_CACHE_DIVISOR, ROUTES
from ..http.access_log import RequestLogMiddleware, RequestRecorder, RouteTemplates, Telemetry
from ..http.bodies import SPARQL_QUERY_MEDIA_TYPE, get_query_parameters
from ..http.cache import ResponseCacheMiddleware
from ..http.fast_path import RawResponseCache
from ..http.limits import RateLimiter, RateLimitMiddleware
from ..http.middleware import LanguageMiddleware, RequestGuardMiddleware, UploadBudget
from ..http.status import ServiceStatus
from ..pages.errors import EXPECTED_ERRORS, ErrorResponses
from ..problems import Problem
from ..rdf.formats import FORMATS_BY_FORM, HTML
from ..settings import Settings
from ..sparql.federation import has_federated_calls
from ..sparql.language.hints import QueryHint
from ..sparql.language.parser import ParsedSparqlText
from ..sparql.request import (
    parse_query_request,
    pick_result_format,
    read_operation_pairs,
    takes_long_to_parse,
)
from ..sparql.routes import max_query_body_bytes
from ..sparql.running import RunningQueries, check_query_id
from ..sparql.service import QueryService, respond_with_result
from ..sparql.service_description import is_description_request
from ..text import TextEdit
from .bridge import BridgeClient
from .control import WriterLink
from .documents import DOCUMENT_ROUTE, answer_front_document
from .workers import FrontWorkers

QUERY_METHODS = ("GET", "HEAD", "POST", "QUERY")
# Parameters of queries whose responses need the store.
WRITER_PARAMETERS = frozenset(("check", "explain", "names"))


class ForWriterError(Exception):
    """The writer must answer this request."""


@dataclass(frozen=True)
class FrontQueryService(QueryService):
    """The QueryService of a front process, which has no store."""

    writer: WriterLink

    async def find_text_hints(self, source: ParsedSparqlText) -> list[QueryHint]:
        """Hints on probable mistakes in a query, from the writer; none if there is no writer."""
        try:
            return [
                QueryHint(sentence, line, column, edit and TextEdit(*edit))
                for sentence, line, column, edit in await self.writer.call("hints", source.text)
            ]
        except (OSError, TimeoutError):
            return []


@dataclass(frozen=True)
class FrontService:
    """The components of a front process; a reload of the settings replaces it by a new one."""

    settings: Settings
    queries: FrontQueryService
    workers: FrontWorkers
    telemetry: Telemetry
    rate_limiter: RateLimiter
    raw_cache: RawResponseCache
    request_recorder: RequestRecorder
    running: RunningQueries
    status: ServiceStatus = field(default_factory=ServiceStatus)


class FrontApp:
    """The ASGI application; `state.service` has the components."""

    def __init__(self, service: FrontService, bridge: BridgeClient) -> None:
        """Build the application of a service, whose other requests go over the bridge."""
        self.state = SimpleNamespace(service=service)
        settings, bridge_app = service.settings, bridge
        self.errors = ErrorResponses(settings.base, service.status)
        self.bridge = bridge_app
        app: ASGIApp = self.answer
        app = RequestGuardMiddleware(
            app, settings.base, UploadBudget(MAX_CONCURRENT_BODIES * settings.body_bytes)
        )
        app = ResponseCacheMiddleware(app, service.workers, service.raw_cache, settings.cache_bytes)
        app = LanguageMiddleware(app)
        app = RateLimitMiddleware(app, service.rate_limiter, settings.base)
        self.app: ASGIApp = RequestLogMiddleware(app, service.request_recorder)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self.app(scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a query or describe a resource by a worker, and let the writer answer other requests."""
        if scope["path"] != "/sparql" or scope["method"] not in QUERY_METHODS:
            if response := await self.find_document(scope, receive):
                return await response(scope, receive, send)
            return await self.bridge(scope, receive, send)
        repeatable = RepeatableReceive(receive)
        request = Request({**scope, "app": self}, repeatable.receive)
        try:
            response = await answer_front_query(request, self.state.service.queries)
        except ForWriterError:
            return await self.bridge(scope, repeatable.receive_again, send)
        except EXPECTED_ERRORS as error:
            response = self.errors.respond_to_expected_error(request, error)
        return await response(scope, receive, send)

    async def find_document(self, scope: Scope, receive: Receive) -> Response | None:
        """The description of a resource, if a worker can read it."""
        service: FrontService = self.state.service
        if scope["method"] != "GET" or scope["query_string"] or not scope["path"].startswith("/doc/"):
            return None
        if service.request_recorder.route_templates.template_of(scope["path"]) != DOCUMENT_ROUTE:
            return None
        request = Request({**scope, "app": self}, receive)
        return await answer_front_document(request, service.settings, service.workers)


class RepeatableReceive:
    """The messages of a request, which can be received again from the first one."""

    def __init__(self, receive_next: Receive) -> None:
        """Wrap `receive`."""
        self.receive_next = receive_next
        self.messages: list[Message] = []
        self.repeated = 0

    async def receive(self) -> Message:
        """The next message."""
        message = await self.receive_next()
        self.messages.append(message)
        return message

    async def receive_again(self) -> Message:
        """The next message, beginning again with the first one."""
        if self.repeated < len(self.messages):
            self.repeated += 1
            return self.messages[self.repeated - 1]
        return await self.receive_next()


async def answer_front_query(request: Request, queries: QueryService) -> Response:
    """The response to a query by a worker. Raises ForWriterError if the writer must answer it."""
    settings = queries.settings
    try:
        pairs = get_query_parameters(request)
        if request.method in ("POST", "QUERY"):
            max_bytes = max_query_body_bytes(settings)
            pairs = await read_operation_pairs(request, "query", SPARQL_QUERY_MEDIA_TYPE, max_bytes)
        elif is_description_request(pairs):
            raise ForWriterError
        if any(key in WRITER_PARAMETERS for key, _ in pairs) or takes_long_to_parse(pairs, settings):
            raise ForWriterError
        request.state.query_parameters = pairs
        check_query_id(request)
        query = parse_query_request(pairs, settings)
        offered = (*FORMATS_BY_FORM[query.form], HTML)
        format_ = pick_result_format(pairs, request.headers.getlist("accept"), offered)
    except Problem as problem:  # the writer describes it, perhaps as a page
        raise ForWriterError from problem
    if format_ is HTML or has_federated_calls(query.admitted):
        raise ForWriterError
    return await respond_with_result(request, queries, pairs, query, format_)


def make_recorder(telemetry: Telemetry) -> RequestRecorder:
    """The recorder of requests with the routes of the service."""
    return RequestRecorder(telemetry, RouteTemplates(route.path for route in ROUTES))


def make_raw_cache(workers: FrontWorkers, telemetry: Telemetry, cache_bytes: int) -> RawResponseCache:
    """The raw cache of a front process."""
    return RawResponseCache(lambda: workers.version, cache_bytes // RAW_CACHE_DIVISOR, telemetry.metrics)


def snapshot_metrics(service: FrontService) -> dict[str, Any]:
    """The metrics of a front process, for the writer."""
    return {
        **service.telemetry.metrics.snapshot(),
        "queue": tuple(service.workers.queue_state),
    }

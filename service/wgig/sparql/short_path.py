"""The short path of the endpoint: answers a plain GET request of one query from its bytes, without ASGI.

A request takes it if its head has only common header fields, if the fast path of admission recognizes the
query. The response is the same as on the long path, at less than half of the CPU.
Everything else takes the long path: other requests at once, and a result that fails or does not fit the first
chunk with the query that was started here. When such a request comes again, it takes the long path at once,
because only that has the cache of long responses.
"""

import re
import time
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from ..http.auth import has_token_in_query
from ..http.bodies import parameter_values, parse_query_string
from ..http.fast_path import (
    MAX_RAW_REQUEST_BYTES,
    RawResponse,
    RawResponseCache,
    ShortResponder,
    WholeResponse,
)
from ..http.jsonld_profiles import parse_jsonld_profiles
from ..http.middleware import EXPOSED_HEADERS, MAX_TARGET_BYTES, is_host_field
from ..http.negotiation import CompressionEffort, choose_coding, compress_body
from ..http.responses import MIN_COMPRESSED_BYTES, compute_entity_tag
from ..problems import Problem
from ..rdf.formats import FORMATS_BY_FORM, HTML, JSON_LD, Format, is_empty_result
from ..store.view import QueryDataset
from .admission import simple_query_form
from .language.hints import build_warning_field
from .language.parser import ParsedSparqlText
from .parameters import MEDIA_TYPE_ALIASES
from .request import VOLATILE_WORD_PATTERN, pick_result_format
from .service import EMPTY_RESULT_HINT, SPARQL_RESPONSE_LINKS, QueryService
from .workers.protocol import QueryJob
from .workers.result import QueryResult

QUERY_ROUTE = "/sparql"
PLAIN_REQUEST_PATTERN = re.compile(rb"GET /sparql\?([!-\"$-~]+) HTTP/1\.1\r\n")
PLAIN_FIELD_PATTERN = re.compile(rb"([A-Za-z-]+): ?([ -~]*)")
# The fields of a plain request. Only `accept` and `accept-encoding` change the response to a query.
PLAIN_FIELDS = frozenset(
    (b"accept", b"accept-encoding", b"accept-language", b"connection", b"host", b"user-agent")
)
MAX_LONG_REQUESTS = 10_000
PLAIN_PARAMETERS = frozenset(("query", "_mediatype", *MEDIA_TYPE_ALIASES))


class PlainRequest(NamedTuple):
    """The bytes of a plain request, and the address of its client."""

    data: bytes
    client: str


class PlainHead(NamedTuple):
    """What the head of a plain request says about the response: media ranges and content coding."""

    accept: tuple[str, ...]
    coding: str


class PlainQuery(NamedTuple):
    """The job of a plain request, the form of its query, and format and coding of the response."""

    job: QueryJob
    form: str
    format: Format
    coding: str


class ShortQueryPath:
    """Starts the queries of plain requests, and makes their responses. Equal requests share one query.

    But a client does not wait for a worker together with another client, which may have all that it may have.
    """

    def __init__(self, get_queries: Callable[[], QueryService], raw_cache: RawResponseCache) -> None:
        """`get_queries` returns the current service; responses are added to `raw_cache`."""
        self.get_queries, self.raw_cache = get_queries, raw_cache
        self.started: dict[bytes, ShortQuery] = {}  # by the bytes of the request
        self.long_requests: set[int] = set()  # hashes of requests that had to take the long path

    def start(self, data: bytes, client: str, responder: ShortResponder) -> "ShortQuery | RawResponse | None":
        """Start the query of a request, or join an equal one; the response if the result is there at once.

        None if the request must take the long path.
        `responder` is called once, with the response, or with None for the long path.
        """
        if len(data) > MAX_RAW_REQUEST_BYTES or not (line := PLAIN_REQUEST_PATTERN.match(data)):
            return None
        query = self.started.get(data)
        if query and (query.client == client or not query.result.is_waiting):
            query.responders.append(responder)
            return query
        queries = self.get_queries()
        head = parse_plain_head(data[line.end() :])
        if (
            head is None
            or hash(data) in self.long_requests
            or queries.telemetry.tracing
            or queries.telemetry.logs.logs_queries
        ):
            return None
        plain = read_plain_query(line[1], queries, head)
        query = plain and self.start_query(data, client, plain, queries)
        if query is None or query.result.has_ended:
            return query and query.make_raw_response()
        self.started[data] = query
        query.responders.append(responder)
        return query

    def start_query(
        self, data: bytes, client: str, plain: PlainQuery, queries: QueryService
    ) -> "ShortQuery | None":
        """Start the query of a request; None if it must take the long path."""
        version = self.raw_cache.get_version()
        result = queries.workers.start_query_soon(plain.job, client)
        if result is None:
            return None
        query = ShortQuery(self, PlainRequest(data, client), result, plain, version, queries)
        if not result.has_ended:
            queries.running.add_query(result, plain.job.query.text, client)
            result.on_first(query.finish)
        return query

    def forget(self, query: "ShortQuery") -> None:
        """Let no more requests join a query."""
        if self.started.get(query.data) is query:
            del self.started[query.data]

    def add_long_request(self, data: bytes) -> None:
        """Let a request take the long path from now on."""
        if len(self.long_requests) >= MAX_LONG_REQUESTS:
            self.long_requests.clear()
        self.long_requests.add(hash(data))


class ShortQuery:
    """A query that was started for one or several equal requests."""

    def __init__(  # noqa: PLR0913, PLR0917 - the response depends on all of these
        self,
        path: ShortQueryPath,
        request: PlainRequest,
        result: QueryResult,
        plain: PlainQuery,
        version: object,
        queries: QueryService,
    ) -> None:
        """Start the clock."""
        self.path, self.result, self.plain = path, result, plain
        self.data, self.client = request
        self.version, self.queries = version, queries
        self.responders: list[ShortResponder] = []
        self.started_at = time.perf_counter()

    def leave(self, responder: ShortResponder) -> None:
        """Cancel the query, if the client that has left was the only one."""
        self.responders.remove(responder)
        if not self.responders:
            self.path.forget(self)
            self.result.close()

    def finish(self) -> None:
        """Respond when the first chunk or a fault has arrived."""
        if not self.responders:
            return  # all clients have left
        self.path.forget(self)
        raw = self.make_raw_response()
        responders, self.responders = self.responders, []
        if raw is None:
            if not self.result.fault:
                self.path.add_long_request(self.data)
            # The first request continues with this result on the long path, the others begin again.
            responders[0](None, self.result)
            for responder in responders[1:]:
                responder(None, None)
            return
        self.path.raw_cache.metrics.cache_misses += len(responders) - 1
        for responder in responders:
            responder(raw, None)

    def make_raw_response(self) -> RawResponse | None:
        """The response, which is added to the cache; None if the request must take the long path."""
        response = self.make_response()
        if response is None:
            return None
        self.queries.telemetry.metrics.count_query("answered", time.perf_counter() - self.started_at)
        self.path.raw_cache.metrics.cache_misses += 1
        raw = self.path.raw_cache.build(response, QUERY_ROUTE)
        self.path.raw_cache.store(self.data, self.version, raw)
        return raw

    def make_response(self) -> WholeResponse | None:
        """The response with a whole result; None for any other result, and for one that needs hints."""
        result = self.result
        if result.fault or not result.has_ended or len(result.chunks) != 1:
            return None
        body, (_, form, format_, coding) = result.chunks[0], self.plain
        is_empty = is_empty_result(body, format_)
        if is_empty and self.queries.settings.warnings == "empty":
            return None
        if len(body) < MIN_COMPRESSED_BYTES:
            coding = ""
        tag = compute_entity_tag(body, format_, coding).encode()
        body = compress_body(body, coding, CompressionEffort.ANSWER)
        before, after = make_plain_fields(format_, coding, warns=is_empty and form != "ASK")
        fields = ((b"etag", tag), *before, (b"content-length", b"%d" % len(body)), *after)
        return WholeResponse(200, fields, body)


def read_plain_query(query_string: bytes, queries: QueryService, head: PlainHead) -> PlainQuery | None:
    """The query of a plain request; None if it must take the long path."""
    settings = queries.settings
    if settings.warnings == "all" or len(query_string) > MAX_TARGET_BYTES or has_token_in_query(query_string):
        return None
    try:
        pairs = parse_query_string(query_string)
        texts = parameter_values(list(pairs), "query")
        if len(texts) != 1 or len(pairs) > 2 or any(key not in PLAIN_PARAMETERS for key, _ in pairs):
            return None
        text = texts[0]
        form = simple_query_form(text, settings.query_nesting)
        if not form or len(text) > settings.query_length or VOLATILE_WORD_PATTERN.search(text):
            return None
        if len(pairs) > 1:
            format_ = pick_plain_format(pairs, head.accept, form)
        else:
            format_ = pick_format(head.accept, form)
    except Problem:
        return None
    if format_ is HTML or (format_ is JSON_LD and parse_jsonld_profiles(head.accept)):
        return None
    dataset = UNION_DATASET if settings.default_graph == "union" else UNNAMED_DATASET
    job = QueryJob(
        ParsedSparqlText(text),
        format_.media_type,
        dataset,
        settings.base,
        settings.result_bytes,
        settings.result_rows,
    )
    return PlainQuery(job, form, format_, head.coding)


UNION_DATASET, UNNAMED_DATASET = QueryDataset((), (), True), QueryDataset((), (), False)


def pick_plain_format(pairs: tuple[tuple[str, str], ...], accept: tuple[str, ...], form: str) -> Format:
    """The format of a result by the parameters. Raises Problem."""
    return pick_result_format(list(pairs), accept, (*FORMATS_BY_FORM[form], HTML))


@lru_cache(256)
def pick_format(accept: tuple[str, ...], form: str) -> Format:
    """The format of a result by Accept. Raises Problem 406."""
    return pick_result_format([], accept, (*FORMATS_BY_FORM[form], HTML))


@lru_cache(256)
def parse_plain_head(fields: bytes) -> PlainHead | None:
    """The fields after the request line; None if one of them is not plain, or Host is missing or invalid."""
    accept, codings, hosts = [], [], []
    for line in fields.removesuffix(b"\r\n\r\n").split(b"\r\n"):
        match = PLAIN_FIELD_PATTERN.fullmatch(line)
        if match is None or (name := match[1].lower()) not in PLAIN_FIELDS:
            return None
        value = match[2].strip()
        if name == b"accept":
            accept.append(value.decode())
        elif name == b"accept-encoding":
            codings.append(value.decode())
        elif name == b"host":
            hosts.append(value)
        elif name == b"connection" and value.lower() != b"keep-alive":
            return None
    if len(hosts) != 1 or not hosts[0] or not is_host_field(hosts[0]):
        return None
    return PlainHead(tuple(accept), choose_coding(codings))


@lru_cache(64)
def make_plain_fields(
    format_: Format, coding: str, *, warns: bool
) -> tuple[tuple[tuple[bytes, bytes], ...], tuple[tuple[bytes, bytes], ...]]:
    """The fields of a response before and after its length, other than the ETag.

    `warns`: there is a hint that the result is empty.
    """
    before = [
        (b"vary", b"Accept, Accept-Encoding"),
        (b"cache-control", b"no-cache"),
        (b"link", ", ".join(SPARQL_RESPONSE_LINKS).encode()),
    ]
    if warns:
        fields = build_warning_field([EMPTY_RESULT_HINT])
        before += [(name.lower().encode(), value.encode()) for name, value in fields.items()]
    before.append((b"content-type", format_.content_type.encode()))
    if coding:
        before.append((b"content-encoding", coding.encode()))
    after = (
        (b"x-content-type-options", b"nosniff"),
        (b"access-control-allow-origin", b"*"),
        (b"access-control-expose-headers", EXPOSED_HEADERS.encode()),
    )
    return tuple(before), after

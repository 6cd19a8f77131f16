"""Queries forwarded to the service of a shared store, with their results streamed back.

At most `WGIG_REMOTE_QUERIES` queries run concurrently, and each client may run all but one of them; up to 256
wait for 10 s. For a service that executes some IRIs as commands, a query is parsed and normalized first: IRIs
become absolute, and commands are refused. Requests name the dataset explicitly (SPARQL 1.1 Protocol, section
2.1.4), as a service may use all graphs by default. If a write happens during the response, the query is sent
again, or fails if a part of its result has been sent.
"""

import asyncio
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import pyoxigraph as ox

from ..http.limits import identify_client
from ..problems import Problem
from ..rdf.formats import JSON_RESULTS, N_TRIPLES, XML_RESULTS
from ..rdf.sparql_lexer import SparqlToken, find_first_word, has_dataset_clause
from ..settings import Settings
from ..sparql.language.parser import GrammarMismatch, ParsedSparqlText, SyntaxNode
from ..sparql.language.patterns import resolve_query_terms
from ..sparql.language.scope import find_scope_problem
from ..sparql.workers.evaluation import FIRST_CHUNK_BYTES, NEXT_CHUNK_BYTES
from ..sparql.workers.fair_queue import FairQueue, QueueState
from ..sparql.workers.protocol import (
    CANCELED_FAULT,
    REMOTE_FAULT,
    SIZE_FAULT,
    SYNTAX_FAULT,
    TIME_FAULT,
    VALUE_FAULT,
    QueryFault,
    QueryJob,
)
from ..sparql.workers.result import QueryResult
from ..store.errors import StoreError
from .client import RefusedError, RemoteClient, ResponseBodyReader, ResponseStream, UrlParameters
from .dialects import ServiceDialect
from .engine import tolerate_retryable_refusal
from .freshness import FRESHNESS_RECHECK_SECONDS, ConcurrentWriteCheck, StoreFollower, StoreReplicas
from .results import convert_remote_response
from .sharing import StoreSharing
from .store import SharedStore


class NormalizedQuery(NamedTuple):
    """A query rewritten for the service, with the graphs in its dataset clauses and GRAPH patterns."""

    text: str
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()
    pattern_graphs: frozenset[str] = frozenset()


def find_query_error(query: ParsedSparqlText) -> str:
    """The syntax error in a query; empty if there is none. The query is not evaluated."""
    try:
        tree = query.tree
        problem = find_scope_problem(query.text, tree) if isinstance(tree, SyntaxNode) else None
    except Problem as syntax_problem:
        return str(syntax_problem)
    return (
        "It does not match the grammar of SPARQL" if isinstance(tree, GrammarMismatch) else str(problem or "")
    )


def normalize_query(query: ParsedSparqlText, base: str, dialect: ServiceDialect) -> NormalizedQuery:
    """The query for a service that executes some IRIs as commands. Raises QueryFault for such IRIs.

    The result has no comments, one BASE and only absolute IRIs, as an engine may join a relative IRI with the
    text after it. The dataset clauses are removed from the text; their graphs are returned separately.
    """
    try:
        tree = query.tree
        if isinstance(tree, GrammarMismatch):
            raise QueryFault(SYNTAX_FAULT, "It does not match the grammar of SPARQL")
        terms, prologue = resolve_query_terms(tree, base), resolve_prologue(tree, base)
    except (Problem, SyntaxError) as error:
        raise QueryFault(SYNTAX_FAULT, str(error)) from error
    for term in terms.values():
        if isinstance(term, ox.NamedNode) and dialect.is_command(term.value):
            raise QueryFault(
                VALUE_FAULT,
                f"The IRI {term} is refused because the shared store would execute it as a command",
            )
    form_token = find_first_word(query.tokens)  # such as SELECT, after the prologue
    assert form_token
    clauses = [node for node in tree.walk() if node.rule == "Dataset"]
    removed_offsets = {token.start for clause in clauses for token in clause.all_tokens()}
    tokens = (
        token
        for token in tree.all_tokens()
        if token.start >= form_token.start and token.start not in removed_offsets
    )
    body = "".join(iter_resolved_tokens(tokens, terms))
    graphs: dict[bool, list[str]] = {True: [], False: []}  # True: FROM NAMED, False: FROM
    for clause in clauses:
        _, *named_token, iri = clause.all_tokens()  # FROM, NAMED or nothing, and the IRI
        graphs[bool(named_token)].append(terms[iri.text].value)
    pattern_graphs = {terms[iri.text].value for iri in iter_pattern_graphs(tree)}
    return NormalizedQuery(
        f"{prologue} {body}", tuple(graphs[False]), tuple(graphs[True]), frozenset(pattern_graphs)
    )


def iter_pattern_graphs(tree: SyntaxNode) -> Iterator[SparqlToken]:
    """The tokens of the IRIs after GRAPH."""
    for keyword, graph in pairwise(tree.all_tokens()):
        if keyword.word == "GRAPH" and graph.kind in ("iri", "name"):
            yield graph


def resolve_prologue(tree: SyntaxNode, base: str) -> str:
    """The prologue of a query with one BASE and absolute prefix IRIs, resolved as objects of triples."""
    lines, prefix_names = [], []
    for node in tree.nodes("Base", "Prefix"):
        lines.append(" ".join(token.text for token in node.all_tokens()))
        if node.rule == "Prefix":
            _, name, iri = node.all_tokens()
            prefix_names.append(name.text)
            lines.append(f"<x:s> <x:p> {iri.text} .")
    lines.append("<x:s> <x:p> <> .")
    triples = ox.parse("\n".join(lines), ox.RdfFormat.TURTLE, base_iri=base)
    *iris, resolved_base = (str(quad.object) for quad in triples)
    prefixes = (f"PREFIX {name} {iri}" for name, iri in dict(zip(prefix_names, iris, strict=True)).items())
    return " ".join((f"BASE {resolved_base}", *prefixes))


def iter_resolved_tokens(
    tokens: Iterable[SparqlToken], terms: Mapping[str, ox.NamedNode | ox.Literal]
) -> Iterator[str]:
    """The tokens with absolute IRIs, and one space for any white space or comment between two tokens."""
    end = -1
    for token in tokens:
        if end not in (-1, token.start):
            yield " "
        yield str(terms[token.text]) if token.kind == "iri" else token.text
        end = token.start + len(token.text)


GRAPH_KEYWORD_PATTERN = re.compile(r"\bGRAPH\b", re.IGNORECASE)


def must_list_named_graphs(job: QueryJob, normalized: NormalizedQuery) -> bool:
    """Whether the request must list all named graphs.

    This is necessary for a query with GRAPH and without a dataset: its default graph is the unnamed graph of
    the store, and its named graphs are all others (SPARQL 1.1 Query, section 13.2). A service uses only the
    graphs in the request.
    """
    dataset = job.dataset
    if dataset.union or dataset.default or dataset.named:
        return False
    return bool(GRAPH_KEYWORD_PATTERN.search(normalized.text)) and not has_dataset_clause(job.query.tokens)


def build_dataset_parameters(
    job: QueryJob, normalized: NormalizedQuery, sharing: StoreSharing, graphs: Sequence[str] = ()
) -> UrlParameters:
    """The dataset of a query as request parameters (SPARQL 1.1 Protocol, section 2.1.4).

    `graphs` are the named graphs if `must_list_named_graphs` is True.
    """
    dataset = job.dataset
    if dataset.default or dataset.named:
        return build_graph_parameters(dataset.default, dataset.named, sharing)
    if normalized.default_graphs or normalized.named_graphs:
        return build_graph_parameters(normalized.default_graphs, normalized.named_graphs, sharing)
    if has_dataset_clause(job.query.tokens):
        return []
    if dataset.union:
        return list(sharing.engine.dialect.union_parameters.items())
    return build_graph_parameters(
        [sharing.skolemizer.unnamed_graph.value], sorted(normalized.pattern_graphs.union(graphs)), sharing
    )


def build_graph_parameters(
    default: Sequence[str], named: Sequence[str], sharing: StoreSharing
) -> UrlParameters:
    """The parameters for exactly these graphs.

    A service that would use all graphs if there are no default or no named graphs gets the IRI of a graph
    that does not exist.
    """
    placeholder = [f"{sharing.ledger.graph}/none"] if sharing.engine.dialect.defaults_to_all_graphs else []
    return [
        *(("default-graph-uri", graph) for graph in default or placeholder),
        *(("named-graph-uri", graph) for graph in named or placeholder),
    ]


MAX_WAITING_REMOTE_QUERIES, REMOTE_QUEUE_SECONDS = 256, 10  # in the queue for a slot
RESPONSE_END_MARKERS = {  # the end of a complete response, by media type
    JSON_RESULTS.media_type: b"}",
    XML_RESULTS.media_type: b"</sparql>",
    N_TRIPLES.media_type: b".",
}
HTTP_INTERNAL_ERROR = 500  # status of some engines for queries that they cannot evaluate
MAX_REFUSAL_CHARS = 300  # maximum length of an error message of the service in a response
# The end of an error message of the service, which repeats the query.
REPEATED_QUERY_PATTERN = re.compile(r"SPARQL query:.*", re.DOTALL)
MAX_BUFFERED_RESPONSE_BYTES = 2**20  # of a response, until the check for concurrent writes
STORE_CHANGED_MESSAGE = (
    "The shared store changed while the query was running. Send the query again, or request a "
    "smaller result, for example with LIMIT."
)
RESPONSE_TAIL_BYTES = 64  # the end of a response, with its end marker

log = logging.getLogger("wgig")


class RemoteQueryWorkers:
    """Forwards queries to the service, at most `WGIG_REMOTE_QUERIES` of them at a time.

    One client may use all slots but one.
    """

    is_copying = False  # unlike for local workers, no query waits for a copy of the quads

    def __init__(self, store: SharedStore, settings: Settings) -> None:
        """Take the store and the settings, without opening a connection."""
        self.store, self.settings = store, settings
        self.engine = store.sharing.engine
        max_queries = settings.remote_queries
        self.queue: FairQueue[int] = FairQueue(
            max_per_client=max(1, max_queries - 1),
            max_long_loans=max(1, max_queries - 1),
            max_waiting=MAX_WAITING_REMOTE_QUERIES,
            wait_seconds=REMOTE_QUEUE_SECONDS,
            on_crowded=lambda: None,  # here, no slow query is ended because another client waits
        )
        for number in range(max_queries):
            self.queue.offer(number)
        self.executor = ThreadPoolExecutor(max_queries, "converting")
        self.client: RemoteClient | None = None
        self.running_tasks = set[asyncio.Task[None]]()
        self.replicas = StoreReplicas(store, settings.remote_replicas.split())
        self.follower = StoreFollower(store, settings.remote_fresh)
        self.dialect = self.engine.dialect

    @property
    def version(self) -> int:
        """The number of the last write that the local copy contains."""
        return self.store.version

    @property
    def queue_state(self) -> QueueState:
        """The numbers of running queries, free slots and waiting queries."""
        return self.queue.state

    async def see_latest_writes(self) -> None:
        """Update the local copy with all writes that are finished now. Raises StoreUnavailableError."""
        await self.follower.ensure_current()

    def start_query_soon(self, job: QueryJob, client: str) -> None:  # noqa: ARG002  the protocol
        """Return None: a query has to wait."""
        return

    async def start_query(self, job: QueryJob, client: str) -> QueryResult:
        """Start a query of a client, and return its result. Raises Problem 503 if the queue is full."""
        slot = await self.queue.borrow(identify_client(client))
        may_send = asyncio.Event()
        may_send.set()
        task: asyncio.Task[None]

        def allow_sending(*, on: bool) -> None:
            may_send.set() if on else may_send.clear()

        def stop(reason: str) -> None:
            result.fail(QueryFault(reason))
            may_send.set()  # wakes a sender that waits
            task.cancel()

        def finish_task(_: asyncio.Task[None]) -> None:
            stop(CANCELED_FAULT)  # has no effect on a result that is complete
            self.running_tasks.discard(task)
            self.queue.take_back(slot)
            self.queue.offer(slot)

        result = QueryResult(allow_sending, stop)
        task = asyncio.create_task(self.run_job(job, result, may_send))
        self.running_tasks.add(task)
        task.add_done_callback(finish_task)
        return result

    async def run_job(self, job: QueryJob, result: QueryResult, may_send: asyncio.Event) -> None:
        """Write the result of a query into `result`, or the fault that prevents it."""
        try:
            async with asyncio.timeout(job.limit_seconds(self.settings.query_seconds)):
                await self.forward_response(job, result, may_send)
        except TimeoutError:
            result.fail(QueryFault(TIME_FAULT))
        except QueryFault as fault:
            result.fail(fault)
        except RefusedError as error:
            result.fail(await self.explain_refusal(job, error))
        except StoreError as error:
            result.fail(QueryFault(REMOTE_FAULT, str(error)))
        except asyncio.CancelledError:
            result.fail(QueryFault(CANCELED_FAULT))
        except Exception:
            log.exception("the response from the shared store could not be read")
            result.fail(QueryFault(REMOTE_FAULT, "The response from the shared store could not be read."))

    async def forward_response(self, job: QueryJob, result: QueryResult, may_send: asyncio.Event) -> None:
        """Forward the result of a query; retry it during writes. Raises QueryFault, StoreError."""
        accept, normalized = self.accepted_media_type(job), await self.normalize(job)
        while True:
            with tolerate_retryable_refusal(self.dialect):
                await self.forward_once(normalized, accept, job, result, may_send)
            if result.has_ended:
                return
            await asyncio.sleep(FRESHNESS_RECHECK_SECONDS)

    async def forward_once(
        self,
        normalized: NormalizedQuery,
        accept: str,
        job: QueryJob,
        result: QueryResult,
        may_send: asyncio.Event,
    ) -> None:
        """Send the query once, and forward the result if no write happened. Raises QueryFault, StoreError."""
        self.client = self.client or RemoteClient(self.engine.credentials, self.engine.timeout_seconds)
        check, lists_all_graphs = ConcurrentWriteCheck(self.follower), must_list_named_graphs(job, normalized)
        if self.replicas.versions or lists_all_graphs:  # both need the latest version
            await check.wait_for_check()
        graphs = self.store.graphs() if lists_all_graphs else []
        dataset = build_dataset_parameters(job, normalized, self.store.sharing, graphs)
        text = self.dialect.query_prologue(normalized.text, self.store.sharing.ledger.graph) + normalized.text
        async with self.replicas.open(self.client, text, accept, dataset) as response:
            stream, is_completely_buffered = ResponseStream(response), True
            if self.dialect.shows_partial_updates or lists_all_graphs:
                is_completely_buffered = await stream.buffer(MAX_BUFFERED_RESPONSE_BYTES)
            if await check.found_no_write() and (
                not lists_all_graphs or await self.has_exactly_graphs(graphs)
            ):
                self.check_truncation(response.headers)
                last_chunk = await self.send_response(stream, accept, job, result, may_send)
                if not (is_completely_buffered or await check.found_no_write()):
                    raise QueryFault(REMOTE_FAULT, STORE_CHANGED_MESSAGE)
                result.add(last_chunk, last=True)

    async def send_response(
        self, stream: ResponseStream, accept: str, job: QueryJob, result: QueryResult, may_send: asyncio.Event
    ) -> bytes:
        """Forward a response, converted if necessary, except its last chunk, which is returned.

        Raises QueryFault.
        """
        if job.media_type in self.dialect.faithful_media_types and not job.max_rows:
            return await forward_response_chunks(stream, job, result, may_send)
        loop = asyncio.get_running_loop()
        sender, body = ChunkSender(loop, result, may_send), ResponseBodyReader(loop, stream)
        return await loop.run_in_executor(
            self.executor, convert_remote_response, body, accept, job, sender.send
        )

    def accepted_media_type(self, job: QueryJob) -> str:
        """The format in which the result is requested from the service."""
        if job.media_type in self.dialect.faithful_media_types:
            return job.media_type
        is_graph = ox.RdfFormat.from_media_type(job.media_type) is not None
        return N_TRIPLES.media_type if is_graph else self.dialect.rows_media_type

    async def normalize(self, job: QueryJob) -> NormalizedQuery:
        """The query to send to the service. Raises QueryFault if it must not be sent."""
        if self.dialect.command_schemes:  # on a thread, as searching for commands takes long
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(
                self.executor, normalize_query, job.query, job.base, self.dialect
            )
        text = job.query.text
        return NormalizedQuery(f"BASE <{job.base}> {text}" if job.base else text)

    async def has_exactly_graphs(self, graphs: list[str]) -> bool:
        """Whether the store still has exactly these graphs."""
        await self.follower.catch_up()
        return self.store.graphs() == graphs

    def check_truncation(self, headers: Mapping[str, str]) -> None:
        """Raise QueryFault if a response header reports that rows are missing."""
        for name in self.dialect.truncation_headers:
            if name in headers:
                raise QueryFault(REMOTE_FAULT, f"The shared store limits its results ({name}).")

    async def explain_refusal(self, job: QueryJob, error: RefusedError) -> QueryFault:
        """The fault for a query that the service refused: a syntax error if this instance finds one."""
        log.info("the shared store refused a query: %s", error.message)
        if error.status > HTTP_INTERNAL_ERROR:
            return QueryFault(REMOTE_FAULT, str(error))
        if self.dialect.timeout_message and self.dialect.timeout_message in error.message:
            return QueryFault(TIME_FAULT, "The query took longer than the shared store allows.")
        loop = asyncio.get_running_loop()
        syntax_error = await loop.run_in_executor(self.executor, find_query_error, job.query)
        return (
            QueryFault(SYNTAX_FAULT, syntax_error)
            if syntax_error
            else QueryFault(VALUE_FAULT, REPEATED_QUERY_PATTERN.sub("", error.message)[:MAX_REFUSAL_CHARS])
        )

    async def close(self) -> None:
        """Cancel all running queries and close the connections."""
        for task in list(self.running_tasks):
            task.cancel()
        if self.client:
            await self.client.close()


async def forward_response_chunks(
    stream: ResponseStream, job: QueryJob, result: QueryResult, may_send: asyncio.Event
) -> bytes:
    """Forward a response in chunks, except the last one, which is returned.

    Raises QueryFault if the response is too large or truncated.
    """
    remaining_bytes, chunk_bytes, chunk, tail = job.max_bytes, FIRST_CHUNK_BYTES, bytearray(), b""
    while received := await stream.next_bytes():
        remaining_bytes -= len(received)
        if remaining_bytes < 0:
            raise QueryFault(SIZE_FAULT)
        if len(chunk) >= chunk_bytes:
            await may_send.wait()
            result.add(bytes(chunk), last=False)
            chunk, chunk_bytes = bytearray(), NEXT_CHUNK_BYTES
        chunk += received
        tail = (tail + received)[-RESPONSE_TAIL_BYTES:]
    if not is_response_end(tail.strip(), job.media_type):
        raise QueryFault(REMOTE_FAULT, "The response from the shared store was cut off.")
    return bytes(chunk)


def is_response_end(tail: bytes, media_type: str) -> bool:
    """Whether a complete response can end with `tail`. Oxigraph ends incomplete ones with an error."""
    if media_type != N_TRIPLES.media_type:
        return tail.endswith(RESPONSE_END_MARKERS[media_type])
    line = tail.rpartition(b"\n")[2]
    return not line or line.startswith(b"#") or line.endswith(b".")


class ChunkSender:
    """Sends chunks from a thread to a result, and waits while too many are unread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, result: QueryResult, may_send: asyncio.Event) -> None:
        """Take the result, its event loop, and the event that allows sending."""
        self.loop, self.result, self.may_send = loop, result, may_send

    def send(self, chunk: bytes) -> None:
        """Send a chunk when `may_send` is set. Raises QueryFault if the query was canceled."""
        asyncio.run_coroutine_threadsafe(self.add(chunk), self.loop).result()

    async def add(self, chunk: bytes) -> None:
        """Add a chunk to the result when `may_send` is set."""
        await self.may_send.wait()
        if self.result.fault:
            raise QueryFault(CANCELED_FAULT)
        self.result.add(chunk, last=False)

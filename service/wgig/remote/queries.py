"""Queries forwarded to the service of a shared store, with their results streamed back.

`WGIG_REMOTE_QUERIES` queries run at once, and each client may run all but one of them; 256 wait, for 10 s.
The query is parsed by our grammar first, and normalized for a service with commands in IRIs: IRIs become
absolute, and commands are refused. The dataset is named explicitly (SPARQL 1.1 Protocol, section 2.1.4), as a
service may use all graphs where none is named. If a write happened while the service responded, the query is
sent again, or fails once a part of its result was sent.
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
from ..sparql.workers.evaluation import FIRST_PIECE_BYTES, NEXT_PIECE_BYTES
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
from .client import AnswerBodyReader, AnswerStream, RefusedError, RemoteClient, UrlParameters
from .dialects import ServiceDialect
from .engine import tolerate_retryable_refusal
from .freshness import FRESHNESS_RECHECK_SECONDS, QuietCheck, StoreFollower, StoreReplicas
from .results import convert_remote_answer
from .sharing import StoreSharing
from .store import SharedStore


class NormalizedQuery(NamedTuple):
    """A query rewritten for the service, with the graphs that its dataset clauses and GRAPH patterns name."""

    text: str
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()
    asked_graphs: frozenset[str] = frozenset()


def find_query_mistake(query: ParsedSparqlText) -> str:
    """The syntax error in a query; empty where there is none. The query is not evaluated."""
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

    The result has no comments, one BASE and no relative IRIs, as an engine may concatenate an IRI with the
    text after it before resolving. Its dataset clauses are taken out and returned beside it.
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
                VALUE_FAULT, f"The IRI {term} would be a command of the shared store and is refused"
            )
    form_token, clauses = (
        find_first_word(query.tokens),
        [node for node in tree.walk() if node.rule == "Dataset"],
    )
    assert form_token
    removed_offsets = {token.start for clause in clauses for token in clause.all_tokens()}
    tokens = (
        token
        for token in tree.all_tokens()
        if token.start >= form_token.start and token.start not in removed_offsets
    )
    body = "".join(iter_resolved_pieces(tokens, terms))
    graphs: dict[bool, list[str]] = {True: [], False: []}  # by whether FROM NAMED names them
    for clause in clauses:
        first_token, *_, iri = tuple(clause.all_tokens())[1:] * 2
        graphs[first_token.word == "NAMED"].append(terms[iri.text].value)
    asked_graphs = {terms[iri.text].value for iri in iter_asked_graphs(tree)}
    return NormalizedQuery(
        f"{prologue} {body}", tuple(graphs[False]), tuple(graphs[True]), frozenset(asked_graphs)
    )


def iter_asked_graphs(tree: SyntaxNode) -> Iterator[SparqlToken]:
    """The tokens of the graphs that GRAPH patterns name by IRI."""
    for keyword, graph in pairwise(tree.all_tokens()):
        if keyword.word == "GRAPH" and graph.kind in ("iri", "name"):
            yield graph


def resolve_prologue(tree: SyntaxNode, base: str) -> str:
    """The prologue of a query with one BASE and absolute prefix IRIs."""
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


def iter_resolved_pieces(
    tokens: Iterable[SparqlToken], terms: Mapping[str, ox.NamedNode | ox.Literal]
) -> Iterator[str]:
    """The tokens with absolute IRIs, and one space wherever the text has something between two tokens."""
    end = -1
    for token in tokens:
        if end not in (-1, token.start):
            yield " "
        yield str(terms[token.text]) if token.kind == "iri" else token.text
        end = token.start + len(token.text)


GRAPH_KEYWORD_PATTERN = re.compile(r"\bGRAPH\b", re.IGNORECASE)


def names_all_graphs(job: QueryJob, normalized: NormalizedQuery) -> bool:
    """Whether the request must list all named graphs, as the service knows no others.

    That is so for a query with GRAPH and without a dataset: its default graph is our unnamed graph, and its
    named graphs are all others (SPARQL 1.1 Query, section 13.2).
    """
    dataset = job.dataset
    if dataset.union or dataset.default or dataset.named:
        return False
    return bool(GRAPH_KEYWORD_PATTERN.search(normalized.text)) and not has_dataset_clause(job.query.tokens)


def build_dataset_parameters(
    job: QueryJob, normalized: NormalizedQuery, sharing: StoreSharing, graphs: Sequence[str] = ()
) -> UrlParameters:
    """The dataset of a query as request parameters (SPARQL 1.1 Protocol, section 2.1.4).

    `graphs` are the named graphs where `names_all_graphs` holds.
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
        [sharing.skolemizer.unnamed_graph.value], sorted(normalized.asked_graphs.union(graphs)), sharing
    )


def build_graph_parameters(
    default: Sequence[str], named: Sequence[str], sharing: StoreSharing
) -> UrlParameters:
    """The parameters for exactly these graphs.

    Where a service uses all graphs if none of a kind is named, a graph that does not exist is named.
    """
    placeholder = [f"{sharing.ledger.graph}/none"] if sharing.engine.dialect.defaults_to_all_graphs else []
    return [
        *(("default-graph-uri", graph) for graph in default or placeholder),
        *(("named-graph-uri", graph) for graph in named or placeholder),
    ]


MAX_WAITING_REMOTE_QUERIES, REMOTE_QUEUE_SECONDS = 256, 10  # queries that wait, and for how many seconds each
ANSWER_END_MARKERS = {
    JSON_RESULTS.media_type: b"}",
    XML_RESULTS.media_type: b"</sparql>",
    N_TRIPLES.media_type: b".",
}
HTTP_INTERNAL_ERROR = 500  # some engines respond with it to queries that they cannot evaluate
MAX_REFUSAL_CHARS = 300  # characters of the service's error message that are shown
# Where an error message of a service begins to repeat the query.
REPEATED_QUERY_PATTERN = re.compile(r"SPARQL query:.*", re.DOTALL)
MAX_HELD_BACK_BYTES = 2**20  # bytes of a response held back until it is known that no write happened
WRITTEN_MEANWHILE_MESSAGE = (
    "The shared store changed while the query ran. "
    "Send the query again, or ask for less at once, for example with LIMIT."
)
ANSWER_TAIL_BYTES = 64  # last bytes of a response, in which its end marker is

log = logging.getLogger("wgig")


class RemoteQueryWorkers:
    """Forwards queries to the service, `WGIG_REMOTE_QUERIES` at once.

    One client may run all but one of them.
    """

    is_copying = False  # no query waits for a copy of the quads

    def __init__(self, store: SharedStore, settings: Settings) -> None:
        """No connection is opened yet."""
        self.store, self.settings = store, settings
        self.engine = store.sharing.engine
        max_queries = settings.remote_queries
        self.queue: FairQueue[int] = FairQueue(
            max(1, max_queries - 1),
            max(1, max_queries - 1),
            MAX_WAITING_REMOTE_QUERIES,
            REMOTE_QUEUE_SECONDS,
            lambda: None,
        )
        for number in range(max_queries):
            self.queue.offer(number)
        self.threads = ThreadPoolExecutor(max_queries, "converting")
        self.client: RemoteClient | None = None
        self.running_tasks = set[asyncio.Task[None]]()
        self.replicas = StoreReplicas(store, settings.remote_replicas.split())
        self.follower = StoreFollower(store, settings.remote_fresh)
        self.dialect = self.engine.dialect

    @property
    def version(self) -> int:
        """The number of the last write that this instance knows."""
        return self.store.version

    @property
    def queue_state(self) -> QueueState:
        """How many queries run, how many more may run, and how many wait."""
        return self.queue.state

    async def see_latest_writes(self) -> None:
        """Bring the local copy up to date with all writes finished by now. Raises StoreUnavailableError."""
        await self.follower.ensure_current()

    async def ask(self, job: QueryJob, client: str) -> QueryResult:
        """Start a query of a client; its result. Raises Problem 503 where the queue is full."""
        slot = await self.queue.borrow(identify_client(client))
        may_send = asyncio.Event()
        may_send.set()
        task: asyncio.Task[None]

        def set_pace(*, on: bool) -> None:
            may_send.set() if on else may_send.clear()

        def stop(reason: str) -> None:
            result.fail(QueryFault(reason))
            may_send.set()  # so that a sender that waits for it wakes up
            task.cancel()

        def finish_task(_: asyncio.Task[None]) -> None:
            stop(CANCELED_FAULT)  # has no effect on a result that is complete
            self.running_tasks.discard(task)
            self.queue.take_back(slot)
            self.queue.offer(slot)

        result = QueryResult(set_pace, stop)
        task = asyncio.create_task(self.run_job(job, result, may_send))
        self.running_tasks.add(task)
        task.add_done_callback(finish_task)
        return result

    async def run_job(self, job: QueryJob, result: QueryResult, may_send: asyncio.Event) -> None:
        """Put the result of a query into `result`, or the fault that prevents it."""
        try:
            async with asyncio.timeout(self.settings.query_seconds):
                await self.forward_answer(job, result, may_send)
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
            log.exception("the response of the shared store could not be read")
            result.fail(QueryFault(REMOTE_FAULT, "The response of the shared store could not be read."))

    async def forward_answer(self, job: QueryJob, result: QueryResult, may_send: asyncio.Event) -> None:
        """Forward the result of a query, repeating it while writes happen. Raises QueryFault, StoreError."""
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
        """Query once, and forward the result if no write happened. Raises QueryFault, StoreError."""
        self.client = self.client or RemoteClient(self.engine.credentials, self.engine.timeout_seconds)
        check, lists_all_graphs = QuietCheck(self.follower), names_all_graphs(job, normalized)
        if self.replicas.versions or lists_all_graphs:  # both need the latest version
            await check.wait_for_check()
        graphs = self.store.graphs() if lists_all_graphs else []
        dataset = build_dataset_parameters(job, normalized, self.store.sharing, graphs)
        text = self.dialect.query_prologue(normalized.text, self.store.sharing.ledger.graph) + normalized.text
        async with self.replicas.open(self.client, text, accept, dataset) as response:
            stream, is_buffered_whole = AnswerStream(response), True
            if self.dialect.shows_partial_updates or lists_all_graphs:
                is_buffered_whole = await stream.buffer(MAX_HELD_BACK_BYTES)
            if await check.is_quiet() and (not lists_all_graphs or await self.are_all_graphs(graphs)):
                self.check_limit(response.headers)
                last_piece = await self.send_answer(stream, accept, job, result, may_send)
                if not (is_buffered_whole or await check.is_quiet()):
                    raise QueryFault(REMOTE_FAULT, WRITTEN_MEANWHILE_MESSAGE)
                result.add(last_piece, last=True)

    async def send_answer(
        self, stream: AnswerStream, accept: str, job: QueryJob, result: QueryResult, may_send: asyncio.Event
    ) -> bytes:
        """Forward a response, converted where needed, but for its last piece, which is returned.

        Raises QueryFault.
        """
        if job.media_type in self.dialect.faithful_media_types and not job.max_rows:
            return await forward_answer_pieces(stream, job, result, may_send)
        loop = asyncio.get_running_loop()
        sender, body = PieceSender(loop, result, may_send), AnswerBodyReader(loop, stream)
        return await loop.run_in_executor(self.threads, convert_remote_answer, body, accept, job, sender.send)

    def accepted_media_type(self, job: QueryJob) -> str:
        """The format in which the service is asked for the result."""
        if job.media_type in self.dialect.faithful_media_types:
            return job.media_type
        is_graph = ox.RdfFormat.from_media_type(job.media_type) is not None
        return N_TRIPLES.media_type if is_graph else self.dialect.rows_media_type

    async def normalize(self, job: QueryJob) -> NormalizedQuery:
        """The query as the service gets it. Raises QueryFault where it must not be sent."""
        if self.dialect.command_schemes:  # searching for commands takes long
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(
                self.threads, normalize_query, job.query, job.base, self.dialect
            )
        text = job.query.text
        return NormalizedQuery(f"BASE <{job.base}> {text}" if job.base else text)

    async def are_all_graphs(self, graphs: list[str]) -> bool:
        """Whether the store still has exactly these graphs."""
        await self.follower.catch_up()
        return self.store.graphs() == graphs

    def check_limit(self, headers: Mapping[str, str]) -> None:
        """Raises QueryFault where a response header tells that the result is limited to some rows."""
        for name in self.dialect.cut_headers:
            if name in headers:
                raise QueryFault(REMOTE_FAULT, f"The shared store limits its results ({name}).")

    async def explain_refusal(self, job: QueryJob, error: RefusedError) -> QueryFault:
        """The fault for a query that the service refused, with our own diagnosis where there is one."""
        log.info("the shared store refused a query: %s", error.message)
        if error.status > HTTP_INTERNAL_ERROR:
            return QueryFault(REMOTE_FAULT, str(error))
        if self.dialect.timeout_message and self.dialect.timeout_message in error.message:
            return QueryFault(TIME_FAULT, "The query took longer than the shared store allows.")
        loop = asyncio.get_running_loop()
        mistake = await loop.run_in_executor(self.threads, find_query_mistake, job.query)
        return (
            QueryFault(SYNTAX_FAULT, mistake)
            if mistake
            else QueryFault(VALUE_FAULT, REPEATED_QUERY_PATTERN.sub("", error.message)[:MAX_REFUSAL_CHARS])
        )

    async def close(self) -> None:
        """Cancel all running queries and close the connections."""
        for task in list(self.running_tasks):
            task.cancel()
        if self.client:
            await self.client.close()


async def forward_answer_pieces(
    stream: AnswerStream, job: QueryJob, result: QueryResult, may_send: asyncio.Event
) -> bytes:
    """Forward a response in pieces but for the last one, which is returned.

    Raises QueryFault where it is too large or was cut off.
    """
    remaining_bytes, piece_bytes, piece, tail = job.max_bytes, FIRST_PIECE_BYTES, bytearray(), b""
    while chunk := await stream.next_bytes():
        remaining_bytes -= len(chunk)
        if remaining_bytes < 0:
            raise QueryFault(SIZE_FAULT)
        if len(piece) >= piece_bytes:
            await may_send.wait()
            result.add(bytes(piece), last=False)
            piece, piece_bytes = bytearray(), NEXT_PIECE_BYTES
        piece += chunk
        tail = (tail + chunk)[-ANSWER_TAIL_BYTES:]
    if not is_answer_end(tail.strip(), job.media_type):
        raise QueryFault(REMOTE_FAULT, "The response of the shared store was cut off.")
    return bytes(piece)


def is_answer_end(tail: bytes, media_type: str) -> bool:
    """Whether a complete response can end so; Oxigraph ends an incomplete one with an error message."""
    if media_type != N_TRIPLES.media_type:
        return tail.endswith(ANSWER_END_MARKERS[media_type])
    line = tail.rpartition(b"\n")[2]
    return not line or line.startswith(b"#") or line.endswith(b".")


class PieceSender:
    """Sends pieces from a thread to a result, waiting while too many are unread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, result: QueryResult, may_send: asyncio.Event) -> None:
        """`loop` is the event loop of the result."""
        self.loop, self.result, self.may_send = loop, result, may_send

    def send(self, piece: bytes) -> None:
        """Send a piece when the result takes more. Raises QueryFault where the query was canceled."""
        asyncio.run_coroutine_threadsafe(self.add(piece), self.loop).result()

    async def add(self, piece: bytes) -> None:
        """Add a piece when the result takes more."""
        await self.may_send.wait()
        if self.result.fault:
            raise QueryFault(CANCELED_FAULT)
        self.result.add(piece, last=False)

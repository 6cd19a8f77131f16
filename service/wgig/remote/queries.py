"""Queries passed on to the service of a shared store, with their results streamed back.

At most so many run at once, of each client all but one; 256 wait, for 10 s. The text is parsed by our grammar
before the service reads it in its own way, and normalized: prologue resolved to absolute IRIs, texts refused
that the service takes for commands. The dataset is named explicitly (SPARQL 1.1 Protocol, section 2.1.4), as
a service may take all graphs where none is given. If a write happened while the service answered, the client
is told to retry.
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
    """A text for a service that reads texts in its own way, and the graphs that it names."""

    text: str
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()
    asked_graphs: frozenset[str] = frozenset()


def find_query_mistake(query: ParsedSparqlText) -> str:
    """What is wrong in the text of a query; empty where nothing is. It is not evaluated, whatever it asks."""
    try:
        tree = query.tree
        problem = find_scope_problem(query.text, tree) if isinstance(tree, SyntaxNode) else None
    except Problem as found:
        return str(found)
    return "It leaves the grammar" if isinstance(tree, GrammarMismatch) else str(problem or "")


def normalize_query(query: ParsedSparqlText, base: str, dialect: ServiceDialect) -> NormalizedQuery:
    """The text for a service to which some texts are commands. Raises QueryFault for such.

    It has no comments, no relative IRIs, which an engine may put together with what follows before it
    resolves them, and one base; what it runs over is beside it.
    """
    try:
        tree = query.tree
        if isinstance(tree, GrammarMismatch):
            raise QueryFault(SYNTAX_FAULT, "It leaves the grammar")
        terms, prologue = resolve_query_terms(tree, base), resolve_prologue(tree, base)
    except (Problem, SyntaxError) as error:
        raise QueryFault(SYNTAX_FAULT, str(error)) from error
    for one in terms.values():
        if isinstance(one, ox.NamedNode) and dialect.is_command(one.value):
            raise QueryFault(VALUE_FAULT, f"The IRI {one} means nothing here")
    begin, clauses = find_first_word(query.tokens), [one for one in tree.walk() if one.rule == "Dataset"]
    assert begin
    away = {token.start for clause in clauses for token in clause.all_tokens()}
    kept = (one for one in tree.all_tokens() if one.start >= begin.start and one.start not in away)
    body = "".join(iter_resolved_pieces(kept, terms))
    graphs: dict[bool, list[str]] = {True: [], False: []}  # by whether they are named ones
    for clause in clauses:
        first, *_, iri = tuple(clause.all_tokens())[1:] * 2
        graphs[first.word == "NAMED"].append(terms[iri.text].value)
    asked = {terms[iri.text].value for iri in iter_asked_graphs(tree)}
    return NormalizedQuery(f"{prologue} {body}", tuple(graphs[False]), tuple(graphs[True]), frozenset(asked))


def iter_asked_graphs(tree: SyntaxNode) -> Iterator[SparqlToken]:
    """The graphs that a text asks for by name."""
    for one, then in pairwise(tree.all_tokens()):
        if one.word == "GRAPH" and then.kind in ("iri", "name"):
            yield then


def resolve_prologue(tree: SyntaxNode, base: str) -> str:
    """The prologue of a text with one base, which all else in it is absolute without."""
    lines, names = [], []
    for node in tree.nodes("Base", "Prefix"):
        lines.append(" ".join(token.text for token in node.all_tokens()))
        if node.rule == "Prefix":
            _, name, iri = node.all_tokens()
            names.append(name.text)
            lines.append(f"<x:s> <x:p> {iri.text} .")
    lines.append("<x:s> <x:p> <> .")
    triples = ox.parse("\n".join(lines), ox.RdfFormat.TURTLE, base_iri=base)
    *iris, last = (str(one.object) for one in triples)
    prefixes = (f"PREFIX {name} {iri}" for name, iri in dict(zip(names, iris, strict=True)).items())
    return " ".join((f"BASE {last}", *prefixes))


def iter_resolved_pieces(
    tokens: Iterable[SparqlToken], terms: Mapping[str, ox.NamedNode | ox.Literal]
) -> Iterator[str]:
    """The tokens of a text as the service gets them, with a space for whatever stands between two of them."""
    end = -1
    for token in tokens:
        if end not in (-1, token.start):
            yield " "
        yield str(terms[token.text]) if token.kind == "iri" else token.text
        end = token.start + len(token.text)


GRAPH_KEYWORD_PATTERN = re.compile(r"\bGRAPH\b", re.IGNORECASE)


def names_all_graphs(job: QueryJob, plain: NormalizedQuery) -> bool:
    """Whether all graphs are to be named to the service, as it takes no other for named ones.

    They are beside an unnamed graph that is asked for as the default one (Query, section 13.2).
    """
    given = job.dataset
    if given.union or given.default or given.named:
        return False
    return bool(GRAPH_KEYWORD_PATTERN.search(plain.text)) and not has_dataset_clause(job.query.tokens)


def build_dataset_parameters(
    job: QueryJob, plain: NormalizedQuery, sharing: StoreSharing, graphs: Sequence[str] = ()
) -> UrlParameters:
    """The dataset of a query (SPARQL 1.1 Protocol, section 2.1.4), with all graphs where it names all."""
    given = job.dataset
    if given.default or given.named:
        return build_graph_parameters(given.default, given.named, sharing)
    if plain.default_graphs or plain.named_graphs:
        return build_graph_parameters(plain.default_graphs, plain.named_graphs, sharing)
    if has_dataset_clause(job.query.tokens):
        return []
    if given.union:
        return list(sharing.engine.dialect.union_parameters.items())
    return build_graph_parameters(
        [sharing.skolemizer.unnamed_graph.value], sorted(plain.asked_graphs.union(graphs)), sharing
    )


def build_graph_parameters(
    default: Sequence[str], named: Sequence[str], sharing: StoreSharing
) -> UrlParameters:
    """These graphs and no other: where none of a kind is given, a service may take all of them for it."""
    none = [f"{sharing.ledger.graph}/none"] if sharing.engine.dialect.defaults_to_all_graphs else []
    return [
        *(("default-graph-uri", one) for one in default or none),
        *(("named-graph-uri", one) for one in named or none),
    ]


MAX_WAITING_REMOTE_QUERIES, REMOTE_QUEUE_SECONDS = 256, 10  # queries that wait, and for how many seconds
ANSWER_END_MARKERS = {
    JSON_RESULTS.media_type: b"}",
    XML_RESULTS.media_type: b"</sparql>",
    N_TRIPLES.media_type: b".",
}
HTTP_INTERNAL_ERROR = 500  # which engines answer to queries that they cannot evaluate
MAX_REFUSAL_CHARS = 300  # characters of what the service says
# After which a service may repeat the query.
REPEATED_QUERY_PATTERN = re.compile(r"SPARQL query:.*", re.DOTALL)
MAX_HELD_BACK_BYTES = 2**20  # bytes of an answer that wait until it is known that nobody wrote
WRITTEN_MEANWHILE_MESSAGE = "The shared store was written while it answered. Ask again, or for less at once."
ANSWER_TAIL_BYTES = 64  # bytes in which the end of an answer stands

log = logging.getLogger("wgig")


class RemoteQueryWorkers:
    """Has a service answer queries, so many at once; of each client all but one of these at most."""

    is_copying = False  # nobody has a copy to answer queries from

    def __init__(self, store: SharedStore, settings: Settings) -> None:
        """Nothing is asked yet."""
        self.store, self.settings = store, settings
        self.engine = store.sharing.engine
        most = settings.remote_queries
        self.queue: FairQueue[int] = FairQueue(
            max(1, most - 1), max(1, most - 1), MAX_WAITING_REMOTE_QUERIES, REMOTE_QUEUE_SECONDS, lambda: None
        )
        for number in range(most):
            self.queue.offer(number)
        self.threads = ThreadPoolExecutor(most, "converting")
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
        """How many queries are at work and how many more may be, and how many wait."""
        return self.queue.state

    async def see_latest_writes(self) -> None:
        """See all that was written by now, by whichever instance. Raises StoreUnavailableError."""
        await self.follower.ensure_current()

    async def ask(self, job: QueryJob, client: str) -> QueryResult:
        """Begin to answer a query of a client. Raises Problem 503 where too many are at work."""
        slot = await self.queue.borrow(identify_client(client))
        going = asyncio.Event()
        going.set()
        task: asyncio.Task[None]

        def pace(*, on: bool) -> None:
            going.set() if on else going.clear()

        def stop(reason: str) -> None:
            result.fail(QueryFault(reason))
            going.set()  # lest whoever waits to add to it waits on
            task.cancel()

        def over(_: asyncio.Task[None]) -> None:
            stop(CANCELED_FAULT)  # where it did not come to its end
            self.running_tasks.discard(task)
            self.queue.take_back(slot)
            self.queue.offer(slot)

        result = QueryResult(pace, stop)
        task = asyncio.create_task(self.run_job(job, result, going))
        self.running_tasks.add(task)
        task.add_done_callback(over)
        return result

    async def run_job(self, job: QueryJob, result: QueryResult, going: asyncio.Event) -> None:
        """Let the answer to a query come, or the fault in its place."""
        try:
            async with asyncio.timeout(self.settings.query_seconds):
                await self.forward_answer(job, result, going)
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
            log.exception("an answer of the shared store could not be read")
            result.fail(QueryFault(REMOTE_FAULT, "An answer of the shared store could not be read."))

    async def forward_answer(self, job: QueryJob, result: QueryResult, going: asyncio.Event) -> None:
        """Hand on the answer to a query, as of when nobody was writing. Raises QueryFault, StoreError."""
        accept, plain = self.accepted_media_type(job), await self.normalize(job)
        while True:
            with tolerate_retryable_refusal(self.dialect):
                await self.forward_once(plain, accept, job, result, going)
            if result.has_ended:
                return
            await asyncio.sleep(FRESHNESS_RECHECK_SECONDS)

    async def forward_once(
        self, plain: NormalizedQuery, accept: str, job: QueryJob, result: QueryResult, going: asyncio.Event
    ) -> None:
        """Ask once, and hand on the answer if it shows no write half done. Raises QueryFault, StoreError."""
        self.client = self.client or RemoteClient(self.engine.credentials, self.engine.timeout_seconds)
        moment, is_of_all = QuietCheck(self.follower), names_all_graphs(job, plain)
        if self.replicas.versions or is_of_all:  # which are chosen by what was written by now
            await moment.wait_for_check()
        graphs = self.store.graphs() if is_of_all else []
        dataset = build_dataset_parameters(job, plain, self.store.sharing, graphs)
        text = self.dialect.query_prologue(plain.text, self.store.sharing.ledger.graph) + plain.text
        async with self.replicas.open(self.client, text, accept, dataset) as answer:
            coming, is_over = AnswerStream(answer), True
            if self.dialect.shows_partial_updates or is_of_all:
                is_over = await coming.buffer(MAX_HELD_BACK_BYTES)
            if await moment.is_quiet() and (not is_of_all or await self.are_all_graphs(graphs)):
                self.check_limit(answer.headers)
                last = await self.send_answer(coming, accept, job, result, going)
                if not (is_over or await moment.is_quiet()):
                    raise QueryFault(REMOTE_FAULT, WRITTEN_MEANWHILE_MESSAGE)
                result.add(last, last=True)

    async def send_answer(
        self, coming: AnswerStream, accept: str, job: QueryJob, result: QueryResult, going: asyncio.Event
    ) -> bytes:
        """Tell an answer, maybe in another format, as it comes, but for its last piece. Raises QueryFault."""
        if job.media_type in self.dialect.faithful_media_types and not job.max_rows:
            return await forward_answer_pieces(coming, job, result, going)
        loop = asyncio.get_running_loop()
        sending, body = PieceSender(loop, result, going), AnswerBodyReader(loop, coming)
        return await loop.run_in_executor(
            self.threads, convert_remote_answer, body, accept, job, sending.send
        )

    def accepted_media_type(self, job: QueryJob) -> str:
        """The format in which a query is asked for."""
        if job.media_type in self.dialect.faithful_media_types:
            return job.media_type
        is_graph = ox.RdfFormat.from_media_type(job.media_type) is not None
        return N_TRIPLES.media_type if is_graph else self.dialect.rows_media_type

    async def normalize(self, job: QueryJob) -> NormalizedQuery:
        """The query as the service gets it. Raises QueryFault for one that it must not get."""
        if self.dialect.command_schemes:  # to look for them takes long
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(
                self.threads, normalize_query, job.query, job.base, self.dialect
            )
        text = job.query.text
        return NormalizedQuery(f"BASE <{job.base}> {text}" if job.base else text)

    async def are_all_graphs(self, graphs: list[str]) -> bool:
        """Whether these are all graphs still."""
        await self.follower.catch_up()
        return self.store.graphs() == graphs

    def check_limit(self, fields: Mapping[str, str]) -> None:
        """Raises QueryFault where the service says that it gives no more than some rows."""
        for name in self.dialect.cut_headers:
            if name in fields:
                raise QueryFault(REMOTE_FAULT, f"The shared store cuts its answers ({name}).")

    async def explain_refusal(self, job: QueryJob, error: RefusedError) -> QueryFault:
        """What is wrong with a query that the service refuses: in our words, if we know."""
        log.info("the shared store refused a query: %s", error.message)
        if error.status > HTTP_INTERNAL_ERROR:
            return QueryFault(REMOTE_FAULT, str(error))
        if self.dialect.timeout_message and self.dialect.timeout_message in error.message:
            return QueryFault(TIME_FAULT, "The query took longer than the shared store allows.")
        loop = asyncio.get_running_loop()
        said = await loop.run_in_executor(self.threads, find_query_mistake, job.query)
        return (
            QueryFault(SYNTAX_FAULT, said)
            if said
            else QueryFault(VALUE_FAULT, REPEATED_QUERY_PATTERN.sub("", error.message)[:MAX_REFUSAL_CHARS])
        )

    async def close(self) -> None:
        """End the queries under way."""
        for task in list(self.running_tasks):
            task.cancel()
        if self.client:
            await self.client.close()


async def forward_answer_pieces(
    coming: AnswerStream, job: QueryJob, result: QueryResult, going: asyncio.Event
) -> bytes:
    """Hand on an answer in pieces, but for the last one. Raises QueryFault for too much, or half of it."""
    left, size, piece, tail = job.max_bytes, FIRST_PIECE_BYTES, bytearray(), b""
    while some := await coming.next_bytes():
        left -= len(some)
        if left < 0:
            raise QueryFault(SIZE_FAULT)
        if len(piece) >= size:
            await going.wait()
            result.add(bytes(piece), last=False)
            piece, size = bytearray(), NEXT_PIECE_BYTES
        piece += some
        tail = (tail + some)[-ANSWER_TAIL_BYTES:]
    if not is_answer_end(tail.strip(), job.media_type):
        raise QueryFault(REMOTE_FAULT, "The shared store ended an answer before its end.")
    return bytes(piece)


def is_answer_end(tail: bytes, media_type: str) -> bool:
    """Whether a whole answer ends so: it may go on with a sentence on what went wrong, as Oxigraph does."""
    if media_type != N_TRIPLES.media_type:
        return tail.endswith(ANSWER_END_MARKERS[media_type])
    line = tail.rpartition(b"\n")[2]
    return not line or line.startswith(b"#") or line.endswith(b".")


class PieceSender:
    """Sends pieces from a thread to a result, as fast as these are taken."""

    def __init__(self, loop: asyncio.AbstractEventLoop, result: QueryResult, going: asyncio.Event) -> None:
        """Take the loop of the result."""
        self.loop, self.result, self.may_send = loop, result, going

    def send(self, piece: bytes) -> None:
        """Send a piece when more may come. Raises QueryFault where nobody wants it."""
        asyncio.run_coroutine_threadsafe(self.add(piece), self.loop).result()

    async def add(self, piece: bytes) -> None:
        """Add a piece when more may come."""
        await self.may_send.wait()
        if self.result.fault:
            raise QueryFault(CANCELED_FAULT)
        self.result.add(piece, last=False)

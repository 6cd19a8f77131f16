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
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import pyoxigraph as ox

from ..http.limits import party
from ..problems import Problem
from ..rdf.formats import JSON_RESULTS, N_TRIPLES, XML_RESULTS
from ..rdf.sparql_lexer import Token, first_word, matches, names_dataset
from ..settings import Settings
from ..sparql.language.parser import Misfit, Node, read
from ..sparql.language.patterns import meanings
from ..sparql.language.scope import broken
from ..sparql.workers.evaluation import FIRST, NEXT
from ..sparql.workers.fair_queue import Lending, Standing
from ..sparql.workers.protocol import CANCELED, REMOTE, SIZE, SYNTAX, TIME, VALUE, Fault, Job
from ..sparql.workers.result import Result
from ..store.errors import StoreError
from .client import Body, Client, Coming, Parameters, RefusedError
from .dialects import Dialect
from .engine import patient
from .freshness import PAUSE, Following, Moment, Replicas
from .results import converted
from .sharing import Sharing
from .store import Shared


class Plain(NamedTuple):
    """A text for a service that reads texts in its own way, and the graphs that it names."""

    text: str
    default: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    graphs: frozenset[str] = frozenset()


def misspelling(text: str) -> str:
    """What is wrong in the text of a query; empty where nothing is. It is not evaluated, whatever it asks."""
    try:
        tree = read(text)
        problem = broken(text, tree) if isinstance(tree, Node) else None
    except Problem as found:
        return str(found)
    return "It leaves the grammar" if isinstance(tree, Misfit) else str(problem or "")


def spelt_out(text: str, base: str, dialect: Dialect) -> Plain:
    """The text for a service to which some texts are commands. Raises Fault for such.

    It has no comments, no relative IRIs, which an engine may put together with what follows before it
    resolves them, and one base; what it runs over is beside it.
    """
    try:
        tree = read(text)
        if isinstance(tree, Misfit):
            raise Fault(SYNTAX, "It leaves the grammar")
        terms, prologue = meanings(tree, base), resolved(tree, base)
    except (Problem, SyntaxError) as error:
        raise Fault(SYNTAX, str(error)) from error
    for one in terms.values():
        if isinstance(one, ox.NamedNode) and dialect.commands(one.value):
            raise Fault(VALUE, f"The IRI {one} means nothing here")
    begin, clauses = first_word(text), [one for one in tree.walk() if one.rule == "Dataset"]
    assert begin
    away = {token.start for clause in clauses for token in clause.all_tokens()}
    pieces = (one for one in matches(text) if one.start() >= begin.start and one.start() not in away)
    body = "".join(written_as(one, terms) for one in pieces)
    graphs: dict[bool, list[str]] = {True: [], False: []}  # by whether they are named ones
    for clause in clauses:
        first, *_, iri = tuple(clause.all_tokens())[1:] * 2
        graphs[first.word == "NAMED"].append(terms[iri.text].value)
    asked = {terms[iri.text].value for iri in asked_for(tree)}
    return Plain(f"{prologue} {body}", tuple(graphs[False]), tuple(graphs[True]), frozenset(asked))


def asked_for(tree: Node) -> Iterator[Token]:
    """The graphs that a text asks for by name."""
    for one, then in pairwise(tree.all_tokens()):
        if one.word == "GRAPH" and then.kind in ("iri", "name"):
            yield then


def resolved(tree: Node, base: str) -> str:
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


def written_as(token: re.Match[str], terms: Mapping[str, ox.NamedNode | ox.Literal]) -> str:
    """A piece of a text as the service gets it."""
    if token.lastgroup == "iri":
        return str(terms[token[0]])
    return " " if token.lastgroup == "comment" else token[0]


BY_GRAPH = re.compile(r"\bGRAPH\b", re.IGNORECASE)


def names_all(job: Job, plain: Plain) -> bool:
    """Whether all graphs are to be named to the service, as it takes no other for named ones.

    They are beside an unnamed graph that is asked for as the default one (Query, section 13.2).
    """
    given = job.dataset
    if given.union or given.default or given.named:
        return False
    return bool(BY_GRAPH.search(plain.text)) and not names_dataset(job.text)


def parameters(job: Job, plain: Plain, sharing: Sharing, graphs: Sequence[str] = ()) -> Parameters:
    """The dataset of a query (SPARQL 1.1 Protocol, section 2.1.4), with all graphs where it names all."""
    given = job.dataset
    if given.default or given.named:
        return over(given.default, given.named, sharing)
    if plain.default or plain.named:
        return over(plain.default, plain.named, sharing)
    if names_dataset(job.text):
        return []
    if given.union:
        return list(sharing.engine.dialect.union.items())
    return over([sharing.ground.unnamed.value], sorted(plain.graphs.union(graphs)), sharing)


def over(default: Sequence[str], named: Sequence[str], sharing: Sharing) -> Parameters:
    """These graphs and no other: where none of a kind is given, a service may take all of them for it."""
    none = [f"{sharing.ledger.graph}/none"] if sharing.engine.dialect.takes_all else []
    return [
        *(("default-graph-uri", one) for one in default or none),
        *(("named-graph-uri", one) for one in named or none),
    ]


WAITING, PATIENCE = 256, 10  # queries that wait, and for how many seconds
ENDS = {JSON_RESULTS.media_type: b"}", XML_RESULTS.media_type: b"</sparql>", N_TRIPLES.media_type: b"."}
HTTP_INTERNAL = 500  # which engines answer to queries that they cannot evaluate
SHOWN = 300  # characters of what the service says
FIRST_LINE = re.compile(r"SPARQL query:.*", re.DOTALL)  # after which a service may repeat the query
HELD = 2**20  # bytes of an answer that wait until it is known that nobody wrote
WRITTEN = "The shared store was written while it answered. Ask again, or for less at once."
TAIL = 64  # bytes in which the end of an answer stands

log = logging.getLogger("wgig")


class Passing:
    """Has a service answer queries, so many at once; of each client all but one of these at most."""

    copying = False  # nobody has a copy to answer queries from

    def __init__(self, store: Shared, settings: Settings) -> None:
        """Nothing is asked yet."""
        self.store, self.settings = store, settings
        self.engine = store.sharing.engine
        most = settings.remote_queries
        self.lending: Lending[int] = Lending(
            max(1, most - 1), max(1, most - 1), WAITING, PATIENCE, lambda: None
        )
        for number in range(most):
            self.lending.offer(number)
        self.threads = ThreadPoolExecutor(most, "converting")
        self.client: Client | None = None
        self.under_way = set[asyncio.Task[None]]()
        self.replicas = Replicas(store, settings.remote_replicas.split())
        self.following = Following(store, settings.remote_fresh)
        self.dialect = self.engine.dialect

    @property
    def version(self) -> int:
        """The number of the last write that this instance knows."""
        return self.store.version

    @property
    def standing(self) -> Standing:
        """How many queries are at work and how many more may be, and how many wait."""
        return self.lending.standing

    async def in_line(self) -> None:
        """See all that was written by now, by whichever instance. Raises UnavailableError."""
        await self.following.current()

    async def ask(self, job: Job, client: str) -> Result:
        """Begin to answer a query of a client. Raises Problem 503 where too many are at work."""
        slot = await self.lending.borrow(party(client))
        going = asyncio.Event()
        going.set()
        task: asyncio.Task[None]

        def pace(*, on: bool) -> None:
            going.set() if on else going.clear()

        def stop(reason: str) -> None:
            result.fail(Fault(reason))
            going.set()  # lest whoever waits to add to it waits on
            task.cancel()

        def over(_: asyncio.Task[None]) -> None:
            stop(CANCELED)  # where it did not come to its end
            self.under_way.discard(task)
            self.lending.settle(slot)
            self.lending.offer(slot)

        result = Result(pace, stop)
        task = asyncio.create_task(self.answer(job, result, going))
        self.under_way.add(task)
        task.add_done_callback(over)
        return result

    async def answer(self, job: Job, result: Result, going: asyncio.Event) -> None:
        """Let the answer to a query come, or the fault in its place."""
        try:
            async with asyncio.timeout(self.settings.query_seconds):
                await self.handed_on(job, result, going)
        except TimeoutError:
            result.fail(Fault(TIME))
        except Fault as fault:
            result.fail(fault)
        except RefusedError as error:
            result.fail(await self.refusal(job, error))
        except StoreError as error:
            result.fail(Fault(REMOTE, str(error)))
        except asyncio.CancelledError:
            result.fail(Fault(CANCELED))
        except Exception:
            log.exception("an answer of the shared store could not be read")
            result.fail(Fault(REMOTE, "An answer of the shared store could not be read."))

    async def handed_on(self, job: Job, result: Result, going: asyncio.Event) -> None:
        """Hand on the answer to a query, as of a moment when nobody was writing. Raises Fault, StoreError."""
        accept, plain = self.accepted(job), await self.plain(job)
        while True:
            with patient(self.dialect):
                await self.asked(plain, accept, job, result, going)
            if result.ended:
                return
            await asyncio.sleep(PAUSE)

    async def asked(self, plain: Plain, accept: str, job: Job, result: Result, going: asyncio.Event) -> None:
        """Ask once, and hand on the answer if it shows no write half done. Raises Fault, StoreError."""
        self.client = self.client or Client(self.engine.access, self.engine.patience)
        moment, is_of_all = Moment(self.following), names_all(job, plain)
        if self.replicas.known or is_of_all:  # which are chosen by what was written by now
            await moment.looked()
        graphs = self.store.graphs() if is_of_all else []
        dataset = parameters(job, plain, self.store.sharing, graphs)
        text = self.dialect.prologue(plain.text, self.store.sharing.ledger.graph) + plain.text
        async with self.replicas.open(self.client, text, accept, dataset) as answer:
            coming, is_over = Coming(answer), True
            if self.dialect.shows_halves or is_of_all:
                is_over = await coming.hold(HELD)
            if await moment.is_quiet() and (not is_of_all or await self.are_all(graphs)):
                self.check_limit(answer.headers)
                last = await self.told(coming, accept, job, result, going)
                if not (is_over or await moment.is_quiet()):
                    raise Fault(REMOTE, WRITTEN)
                result.add(last, last=True)

    async def told(
        self, coming: Coming, accept: str, job: Job, result: Result, going: asyncio.Event
    ) -> bytes:
        """Tell an answer, maybe in another format, as it comes, but for its last piece. Raises Fault."""
        if job.media_type in self.dialect.as_is and not job.rows:
            return await as_it_comes(coming, job, result, going)
        loop = asyncio.get_running_loop()
        sending, body = Sending(loop, result, going), Body(loop, coming)
        return await loop.run_in_executor(self.threads, converted, body, accept, job, sending.send)

    def accepted(self, job: Job) -> str:
        """The format in which a query is asked for."""
        if job.media_type in self.dialect.as_is:
            return job.media_type
        is_graph = ox.RdfFormat.from_media_type(job.media_type) is not None
        return N_TRIPLES.media_type if is_graph else self.dialect.rows

    async def plain(self, job: Job) -> Plain:
        """The query as the service gets it. Raises Fault for one that it must not get."""
        if self.dialect.schemes:  # to look for them takes long
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self.threads, spelt_out, job.text, job.base, self.dialect)
        return Plain(f"BASE <{job.base}> {job.text}" if job.base else job.text)

    async def are_all(self, graphs: list[str]) -> bool:
        """Whether these are all graphs still."""
        await self.following.now()
        return self.store.graphs() == graphs

    def check_limit(self, fields: Mapping[str, str]) -> None:
        """Raises Fault where the service says that it gives no more than some rows."""
        for name in self.dialect.cuts:
            if name in fields:
                raise Fault(REMOTE, f"The shared store cuts its answers ({name}).")

    async def refusal(self, job: Job, error: RefusedError) -> Fault:
        """What is wrong with a query that the service refuses: in our words, if we know."""
        log.info("the shared store refused a query: %s", error.said)
        if error.status > HTTP_INTERNAL:
            return Fault(REMOTE, str(error))
        if self.dialect.ended and self.dialect.ended in error.said:
            return Fault(TIME, "The query took longer than the shared store allows.")
        loop = asyncio.get_running_loop()
        said = await loop.run_in_executor(self.threads, misspelling, job.text)
        return Fault(SYNTAX, said) if said else Fault(VALUE, FIRST_LINE.sub("", error.said)[:SHOWN])

    async def close(self) -> None:
        """End the queries under way."""
        for task in list(self.under_way):
            task.cancel()
        if self.client:
            await self.client.close()


async def as_it_comes(coming: Coming, job: Job, result: Result, going: asyncio.Event) -> bytes:
    """Hand on an answer piece by piece, but for the last one. Raises Fault for too much, or half of it."""
    left, size, piece, tail = job.most, FIRST, bytearray(), b""
    while some := await coming.next():
        left -= len(some)
        if left < 0:
            raise Fault(SIZE)
        if len(piece) >= size:
            await going.wait()
            result.add(bytes(piece), last=False)
            piece, size = bytearray(), NEXT
        piece += some
        tail = (tail + some)[-TAIL:]
    if not is_end(tail.strip(), job.media_type):
        raise Fault(REMOTE, "The shared store ended an answer before its end.")
    return bytes(piece)


def is_end(tail: bytes, media_type: str) -> bool:
    """Whether a whole answer ends so: it may go on with a sentence on what went wrong, as Oxigraph does."""
    if media_type != N_TRIPLES.media_type:
        return tail.endswith(ENDS[media_type])
    line = tail.rpartition(b"\n")[2]
    return not line or line.startswith(b"#") or line.endswith(b".")


class Sending:
    """Sends pieces from a thread to a result, as fast as these are taken."""

    def __init__(self, loop: asyncio.AbstractEventLoop, result: Result, going: asyncio.Event) -> None:
        """Take the loop of the result."""
        self.loop, self.result, self.going = loop, result, going

    def send(self, piece: bytes) -> None:
        """Send a piece when more may come. Raises Fault where nobody wants it."""
        asyncio.run_coroutine_threadsafe(self.add(piece), self.loop).result()

    async def add(self, piece: bytes) -> None:
        """Add a piece when more may come."""
        await self.going.wait()
        if self.result.fault:
            raise Fault(CANCELED)
        self.result.add(piece, last=False)

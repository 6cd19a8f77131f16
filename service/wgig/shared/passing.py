"""Queries handed on to the service that holds a shared store, and its answers as they come."""

import asyncio
import logging
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pyoxigraph as ox

from ..formats import JSON_RESULTS, N_TRIPLES, XML_RESULTS
from ..opening import StoreError
from ..readers.evaluation import FIRST, NEXT
from ..readers.lending import Lending, Standing, party
from ..readers.result import Result
from ..readers.wire import CANCELED, REMOTE, SIZE, SYNTAX, TIME, VALUE, Fault, Job
from ..settings import Settings
from .body import Body, Coming
from .client import Client, RefusedError
from .converting import converted
from .datasets import names_all, parameters
from .engine import patient
from .following import PAUSE, Following, Moment
from .reading import Plain, misspelling, spelt_out
from .replicas import Replicas
from .store import Shared

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

"""What a query through an instance with a shared store costs, compared with querying its engine directly."""

import asyncio
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import rmtree

from aiohttp import web

from ..compare import virtuoso
from ..measure.client import Client, request
from ..measure.commands import WGIG, command, oxigraph
from ..measure.requests import Asked, in_turns
from ..measure.server import Running, free_port, running
from .http import always, data
from .queries import BY_NAME, JSON, Question

ENGINES = ("oxigraph serve", "Virtuoso")
FEW = Question(
    "1,000 rows", "SELECT ?thing_N ?is_N ?what_N WHERE { ?thing_N ?is_N ?what_N } LIMIT 1000", same=False
)
ASKED = (
    *(BY_NAME["ASK"], BY_NAME["one thing"], FEW, BY_NAME["coverage matrix"]),
    *(BY_NAME["three-way join, LIMIT 100"], BY_NAME["100,000 rows"]),
)
SHORT = 10_000  # bytes
MORE_SECONDS, MORE_TIMES = 0.0005, 1.1  # of short answers, and of others
SLOW, AT_ONCE, CLIENTS = 0.1, 8, 48  # seconds of a slow engine; queries an instance asks at once; clients
SETTLED = b'"indexing": false, "comparing": false'  # in what /ready says
PATH = {"oxigraph serve": "/query", "Virtuoso": "/sparql"}


@dataclass(frozen=True)
class Passed:
    """A question asked of an engine, and through an instance: for the first time, and again."""

    engine: str
    papers: int
    question: str
    size: int
    direct: float
    through: float
    again: float

    @property
    def met(self) -> bool:
        """Whether it costs no more than it may."""
        if self.size <= SHORT:
            return self.through - self.direct <= MORE_SECONDS
        return self.through / self.direct <= MORE_TIMES


def compare(scratch: Path, papers: int, seconds: float) -> list[Passed]:
    """All questions, over each engine that is here."""
    file = data(scratch, papers)
    found = []
    for engine in ENGINES:
        if engine == "Virtuoso" and not virtuoso.installed():
            continue
        folder = scratch / f"shared {engine}".replace(" ", "-")
        rmtree(folder, ignore_errors=True)
        folder.mkdir()
        with served(engine, folder, file) as (direct, environment), shared(folder, environment) as through:
            found += [passed(engine, papers, one, (direct, through), seconds) for one in ASKED]
    return found


def passed(
    engine: str, papers: int, question: Question, both: tuple[Running, Running], seconds: float
) -> Passed:
    """One question, asked of an engine and of an instance over it."""
    print(f"{engine}, {papers:,} papers: {question.name}", file=sys.stderr, flush=True)
    ways = zip(("direct", "through"), both, (PATH[engine], "/sparql"), strict=True)
    asked = {
        name: Asked(server, partial(question.request, path, papers=papers)) for name, server, path in ways
    }
    figures = {name: one.figures() for name, one in in_turns(asked, seconds).items()}
    same = {"again": Asked(both[1], always(question.request("/sparql", 0, papers)))}
    again = in_turns(same, seconds / 4)["again"].figures()
    size = int(figures["through"]["bytes"])
    return Passed(
        engine, papers, question.name, size, figures["direct"]["p50"], figures["through"]["p50"], again["p50"]
    )


@contextmanager
def served(engine: str, folder: Path, file: Path) -> Iterator[tuple[Running, Mapping[str, str]]]:
    """An engine filled with a file, and the settings of instances over it."""
    if engine == "Virtuoso":
        virtuoso.load(folder / "engine", file)
        secret = folder / "secret"
        secret.write_text("dba:dba\n")
        secret.chmod(0o600)
        with virtuoso.serve(folder / "engine", file) as one:
            yield (
                one,
                {
                    "WGIG_REMOTE_QUERY": f"http://127.0.0.1:{one.port}/sparql-auth",
                    "WGIG_REMOTE_PROFILE": "virtuoso",
                    "WGIG_REMOTE_AUTH": f"digest:{secret}",
                },
            )
        return
    command(oxigraph(), "load", "--location", folder / "engine", "--file", file)
    words = [oxigraph(), "serve", "--location", str(folder / "engine"), "--union-default-graph"]
    with running(words, "--bind", "127.0.0.1:{port}", question="/query?query=ASK%7B%7D") as one:
        yield (
            one,
            {
                "WGIG_REMOTE_QUERY": f"http://127.0.0.1:{one.port}/query",
                "WGIG_REMOTE_UPDATE": f"http://127.0.0.1:{one.port}/update",
                "WGIG_REMOTE_PROFILE": "oxigraph",
            },
        )


@contextmanager
def shared(folder: Path, environment: Mapping[str, str], name: str = "copy") -> Iterator[Running]:
    """An instance, when it answers and has indexed what it holds."""
    words = [*WGIG, "serve", "--store", str(folder / name)]
    settings = {"WGIG_DATA": "none", **environment}
    with running(words, "--port", "{port}", question="/ready", sign=SETTLED, environment=settings) as one:
        yield one


def scaled(scratch: Path) -> dict[int, float]:
    """Queries per second of one instance and of two, over an engine that takes its time and no processor.

    Where cores are few, an engine that only waits shows what two instances can do on more.
    """
    folder = scratch / "shared slow"
    rmtree(folder, ignore_errors=True)
    folder.mkdir()
    words = [oxigraph(), "serve", "--location", str(folder / "engine"), "--union-default-graph"]
    found = {}
    with ExitStack() as stack:
        engine = stack.enter_context(
            running(words, "--bind", "127.0.0.1:{port}", question="/query?query=ASK%7B%7D")
        )
        port = stack.enter_context(slowed(engine.port))
        environment = {
            "WGIG_REMOTE_QUERY": f"http://127.0.0.1:{port}/query",
            "WGIG_REMOTE_UPDATE": f"http://127.0.0.1:{engine.port}/update",
            "WGIG_REMOTE_PROFILE": "oxigraph",
            "WGIG_REMOTE_QUERIES": str(AT_ONCE),
        }
        both = [stack.enter_context(shared(folder, environment, name)) for name in ("one", "two")]
        for count in (1, 2):
            found[count] = rate([one.port for one in both[:count]])
    return found


def rate(ports: Sequence[int], seconds: float = 5.0) -> float:
    """Queries per second that clients get from these ports together."""
    done = [0] * CLIENTS
    until = time.perf_counter() + seconds

    def work(number: int) -> None:
        with Client(ports[number % len(ports)]) as client:
            while time.perf_counter() < until:
                text = f"/sparql?query=ASK%7B%3Fs_{number}_{done[number]}%20%3Fp%20%22slow%22%7D"
                assert client.ask(request(text, JSON)).status == 200
                done[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / seconds


@contextmanager
def slowed(port: int) -> Iterator[int]:
    """The port of what stands before an engine and lets queries that say so take long."""
    started, over = threading.Event(), threading.Event()
    found = free_port()
    thread = threading.Thread(target=lambda: asyncio.run(slow(port, found, started, over)))
    thread.start()
    started.wait()
    try:
        yield found
    finally:
        over.set()
        thread.join()


async def slow(port: int, own: int, started: threading.Event, over: threading.Event) -> None:
    """Hand requests on, until it is over."""
    import aiohttp  # noqa: PLC0415

    async def answer(asked: web.Request) -> web.Response:
        body = await asked.read()
        if b'"slow"' in body:
            await asyncio.sleep(SLOW)
        url = f"http://127.0.0.1:{port}{asked.raw_path}"
        headers = {name: asked.headers[name] for name in ("Accept", "Content-Type") if name in asked.headers}
        async with session.post(url, data=body, headers=headers) as there:
            return web.Response(body=await there.read(), status=there.status, content_type=there.content_type)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", own).start()
    async with aiohttp.ClientSession() as session:
        started.set()
        await asyncio.to_thread(over.wait)
    await runner.cleanup()

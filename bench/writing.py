"""How long a paper takes to be written, checked and on disk, and what a crowd of writers and readers gets."""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from wgig import documents
from wgig.check import check

from . import check as checking
from . import crowd, generate
from .client import request
from .measure import WGIG, command
from .peers import OURS, OXIGRAPH, peers
from .serving import Ours, data
from .start import fill, running
from .turns import Asked, in_turns

SEED = 2  # other papers than those that the store holds
PAPERS = 200
PUT_P95 = 0.025  # seconds
TOKEN = "of-the-benchmark"
READY = "/sparql?query=ASK%7B%7D"

# By name, the figures of writing a paper.
Puts = dict[str, dict[str, float]]


def compare(scratch: Path, papers: int, seconds: float, ours: Ours) -> tuple[Puts, crowd.Crowd]:
    """Writes of new papers to ours, whose store has the shipped graphs, too, and to the peer; and a crowd."""
    file, texts = data(scratch, papers), complete(PAPERS)
    peer = next(one for one in peers(papers, {}, {}) if one.name == OXIGRAPH)
    environment = {"WGIG_TOKEN": TOKEN, **ours.environment}
    store = filled(scratch / f"{papers}-written", file)
    with ExitStack() as stack:
        words = [*WGIG, "serve", "--store", str(store)]
        own = stack.enter_context(running(words, "--port", "{port}", question=READY, environment=environment))
        other = stack.enter_context(peer.serve(peer.filled(scratch, file), file))
        times = in_turns(
            {
                OURS: Asked(own, partial(put, "/graphs", texts), 201),
                OXIGRAPH: Asked(other, partial(put, "/store", texts), 201),
            },
            seconds,
            most=PAPERS - 1,
        )
        found = crowd.gather(own.port, TOKEN, texts[: crowd.WRITERS])
    return {name: one.figures() for name, one in times.items()}, found


def filled(store: Path, file: Path) -> Path:
    """A store with the shipped graphs, the papers of a file, and what follows from both."""
    fill(store)
    command(*WGIG, "load", "--store", store, file)
    return store


def complete(count: int) -> list[bytes]:
    """So many papers as Turtle that conform to the template, as others may be refused."""
    texts = checking.papers(2 * count, SEED)
    fine = (one for one in texts if check(documents.read("paper.ttl", one, checking.TURTLE)).conforms)
    return list(islice(fine, count))


def put(path: str, texts: Sequence[bytes], number: int) -> bytes:
    """The request that writes a paper into a graph that is not there yet."""
    graph = quote(f"{generate.BASE}graph/paper/written-{number}", safe="")
    return request(
        f"{path}?graph={graph}",
        fields={"Content-Type": checking.TURTLE.media_type, "Authorization": f"Bearer {TOKEN}"},
        method="PUT",
        body=texts[number],
    )

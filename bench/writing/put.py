"""How long it takes to write a paper, checked and durable, also with many concurrent writers and readers."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory

from wgig.papers import readers
from wgig.shacl.check import check_document

from ..checking import check as checking
from ..compare.peers import OURS, OXIGRAPH, Peer, ours, oxigraph_serve
from ..measure.commands import WGIG, command
from ..measure.requests import Asked, in_turns
from ..measure.server import fill
from ..serving import concurrency
from ..serving.http import data

SEED = 2  # other papers than those that the store holds
PAPERS = 200
PUT_P95 = 0.025  # seconds
TOKEN = "of-the-benchmark"
OWN = f"{OURS}, papers checked"
PATHS = {OWN: "/graphs", OXIGRAPH: "/store"}

LONGER = 5  # times as long as for a question: the goal is about the slowest of twenty writes
SOCKETS = ignore_patterns("control")  # by which a running service is reached

# By name, the figures of writing a paper.
Puts = dict[str, dict[str, float]]


def compare(
    scratch: Path, papers: int, seconds: float, settings: Mapping[str, str]
) -> tuple[Puts, concurrency.Crowd]:
    """Writes of new papers to ours, whose store has the shipped graphs, too, and to the peer; and a crowd."""
    file, texts = data(scratch, papers), complete(PAPERS)
    among = [own(settings), oxigraph_serve()]
    with TemporaryDirectory(dir=scratch) as folder, ExitStack() as stack:
        servers = {}
        for peer in among:
            # A copy, as the next run wants the store as it was.
            store = copytree(peer.filled(scratch, file), Path(folder) / peer.name, ignore=SOCKETS)
            servers[peer.name] = stack.enter_context(peer.serve(store, file))
        asked = {
            peer.name: Asked(servers[peer.name], partial(put, PATHS[peer.name], texts), 201) for peer in among
        }
        times = in_turns(asked, LONGER * seconds, most=PAPERS - 1)
        found = concurrency.gather(servers[OWN].port, TOKEN, texts[: concurrency.WRITERS])
    return {name: one.figures() for name, one in times.items()}, found


def own(settings: Mapping[str, str]) -> Peer:
    """Our service with the shipped graphs and what follows from them and the papers, open for writing."""

    def load(store: Path, file: Path) -> None:
        fill(store)
        command(*WGIG, "load", "--store", store, file)

    served = ours(OWN, {"WGIG_DATA": "shipped", "WGIG_TOKEN": TOKEN, **settings})
    return replace(served, load=load)


def complete(count: int) -> list[bytes]:
    """So many papers as Turtle that conform to the template, as others may be refused."""
    texts = checking.papers(2 * count, SEED)
    fine = (
        one
        for one in texts
        if check_document(readers.read_paper_document("paper.ttl", one, checking.TURTLE)).conforms
    )
    return list(islice(fine, count))


def put(path: str, texts: Sequence[bytes], number: int) -> bytes:
    """The request that writes a paper into its graph."""
    return concurrency.put(path, TOKEN, concurrency.graph(texts[number]), texts[number])

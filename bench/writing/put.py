"""The time to write a paper, checked and durable, and the crowd: many concurrent writers and readers."""

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

from ..checking.check import TURTLE, generate_turtle_papers
from ..compare.peers import OURS, OXIGRAPH, Peer, load_with_shipped_graphs, make_own_peer, make_oxigraph_peer
from ..measure.requests import RequestSeries, measure_in_turns
from ..serving import concurrency
from ..serving.http import generated_file

WRITES_SEED = 2  # another seed than that of the papers in the store
WRITTEN_PAPERS = 200
MAX_PUT_SECONDS = 0.025  # p95, of ours
TOKEN = "of-the-benchmark"  # for writing to ours
OWN_PEER_NAME = f"{OURS}, papers checked"
GRAPH_STORE_PATHS = {OWN_PEER_NAME: "/graphs", OXIGRAPH: "/store"}

WRITE_BUDGET_FACTOR = 5  # times the seconds for a query, because the goal is the 95th percentile
IGNORE_SOCKETS = ignore_patterns("control")  # of a running service, for copies of its store

# The figures of writing a paper, by the name of the server.
PutFigures = dict[str, dict[str, float]]


def compare_writes(
    scratch: Path, papers: int, seconds: float, settings: Mapping[str, str]
) -> tuple[PutFigures, concurrency.CrowdResult]:
    """Writes of new papers to ours (with the shipped graphs) and to the peer; then the crowd, on ours."""
    file, texts = generated_file(scratch, papers), generate_conforming_papers(WRITTEN_PAPERS)
    peers = [make_writable_peer(settings), make_oxigraph_peer()]
    with TemporaryDirectory(dir=scratch) as folder, ExitStack() as stack:
        servers = {}
        for peer in peers:
            # A copy, so that the next run finds the store unchanged.
            filled = peer.filled_store(scratch, file)
            store = copytree(filled, Path(folder) / peer.name, ignore=IGNORE_SOCKETS)
            servers[peer.name] = stack.enter_context(peer.serve(store, file))
        series = {
            name: RequestSeries(server, partial(build_put_request, GRAPH_STORE_PATHS[name], texts), 201)
            for name, server in servers.items()
        }
        # Of the WRITTEN_PAPERS writes, request 0 is not counted.
        times = measure_in_turns(series, WRITE_BUDGET_FACTOR * seconds, max_requests=WRITTEN_PAPERS - 1)
        port = servers[OWN_PEER_NAME].port
        crowd = concurrency.run_crowd(port, TOKEN, texts[: concurrency.WRITERS])
    return {name: server_times.summarize() for name, server_times in times.items()}, crowd


def make_writable_peer(settings: Mapping[str, str]) -> Peer:
    """Our service with the shipped graphs, the papers and all inferred statements, and with a token."""
    peer = make_own_peer(OWN_PEER_NAME, {"WGIG_DATA": "shipped", "WGIG_TOKEN": TOKEN, **settings})
    return replace(peer, load=load_with_shipped_graphs)


def generate_conforming_papers(count: int) -> list[bytes]:
    """Papers as Turtle that conform to the template; others could be refused."""
    texts = generate_turtle_papers(2 * count, WRITES_SEED)
    conforming = (
        text
        for text in texts
        if check_document(readers.read_paper_document("paper.ttl", text, TURTLE)).conforms
    )
    return list(islice(conforming, count))


def build_put_request(path: str, texts: Sequence[bytes], number: int) -> bytes:
    """The request that writes paper `number` into its graph."""
    text = texts[number]
    return concurrency.build_graph_put(path, TOKEN, concurrency.find_paper_graph(text), text)

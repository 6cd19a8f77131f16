"""The time until all of a service works after a file of papers was loaded; its size on disk and in memory."""

import json
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from ..compare.peers import make_own_peer, make_oxigraph_peer
from ..measure.client import Client, build_request
from ..measure.commands import WGIG, Comparison, find_oxigraph, time_alternately, time_command
from ..measure.processes import measure_memory_bytes
from ..measure.server import fill_store
from ..report.markdown import format_maximum, format_maximum_met, format_number, format_table
from ..serving.http import generated_file
from .start import time_first_page

# Goals with GOAL_PAPERS or more; the first is that of our speed to the speed of `oxigraph load`.
GOAL_PAPERS = 10_000
MIN_READINESS_RATIO, MAX_START_SECONDS, MAX_QUADS_RATIO, MAX_MEMORY_MIB = 0.18, 1.8, 1.9, 1150
MAX_ROUNDS_TIMES_PAPERS = 2000  # of loads; more papers are loaded once
# Parts of the service that may start at the first request, or answer 503 until they work.
WORKING_PATHS = ("/changes", "/search?q=mail", "/papers", "/coverage")
READY_TIMEOUT_SECONDS = 3600
# The graphs that are computed from the stated ones.
DERIVED_GRAPHS = [
    ox.NamedNode(f"https://w3id.org/wgig/graph/{name}")
    for name in ("inferred", "conformance", "void", "dcat", "queries")
]
MIB = 2**20


@dataclass(frozen=True)
class ServiceSize:
    """Quads in the store of a service with so many papers, and the memory of its processes in bytes (PSS)."""

    papers: int
    stated_quads: int
    stored_quads: int  # with those of DERIVED_GRAPHS
    memory: int
    peer_memory: int  # of `oxigraph serve`, with the papers alone

    @property
    def quads_ratio(self) -> float:
        """Stored quads for each stated quad."""
        return self.stored_quads / self.stated_quads


def measure_readiness(scratch: Path, papers: int, rounds: int) -> tuple[list[Comparison], ServiceSize]:
    """Loading until everything works, and starts with the loaded store, each against oxigraph; the size."""
    file, shipped, store = generated_file(scratch, papers), scratch / "shipped", scratch / "loaded"
    own, peer = make_own_peer("loaded", {"WGIG_DATA": "shipped"}), make_oxigraph_peer()
    peer_store = scratch / "loaded-peer"
    if not shipped.exists():
        fill_store(shipped)
    load_seconds, peer_load_seconds = [], []
    for _ in range(max(1, min(rounds, MAX_ROUNDS_TIMES_PAPERS // max(papers, 1)))):
        for folder in (store, peer_store):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(shipped, store, ignore=shutil.ignore_patterns("control"))  # a socket
        start = time.perf_counter()
        time_command(*WGIG, "load", "--store", store, file)
        with own.serve(store, file) as server:
            wait_until_everything_works(server.port)
            load_seconds.append(time.perf_counter() - start)
            memory = measure_memory_bytes(server.pid)
        peer_load_seconds.append(
            time_command(find_oxigraph(), "load", "--location", peer_store, "--file", file)
        )
    with peer.serve(peer_store, file) as server:
        peer_memory = measure_memory_bytes(server.pid)

    def start_peer() -> float:
        with peer.serve(peer_store, file) as server:
            return server.start_seconds

    starts = time_alternately({"ours": lambda: time_first_page(store), "peer": start_peer}, rounds)
    with file.open("rb") as lines:
        quads = sum(1 for _ in lines)
    size = ServiceSize(papers, *count_quads(store), memory, peer_memory)
    return [
        Comparison(
            f"{papers:,} papers, until everything works",
            "wgig load + serve",
            "oxigraph load",
            load_seconds,
            peer_load_seconds,
            quads=quads,
            goal_ratio=MIN_READINESS_RATIO if papers >= GOAL_PAPERS else None,
        ),
        Comparison(
            f"first query and page, {papers:,} papers",
            "wgig serve",
            "oxigraph serve",
            starts["ours"],
            starts["peer"],
            goal_seconds=MAX_START_SECONDS if papers >= GOAL_PAPERS else None,
        ),
    ], size


def wait_until_everything_works(port: int) -> None:
    """Wait until each of WORKING_PATHS is answered, and /ready reports no part that is behind."""
    deadline = time.monotonic() + READY_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        with Client(port) as client:
            statuses = {client.send(build_request(path)).status for path in WORKING_PATHS}
            response = client.send(build_request("/ready"), keep_body=True)
        if {*statuses, response.status} == {200} and True not in json.loads(response.body).values():
            return
        time.sleep(0.05)
    raise SystemExit(f"The service is not ready: {response.body.decode()}")


def count_quads(store: Path) -> tuple[int, int]:
    """The numbers of stated and of all quads in the store of a service that does not run."""
    quads = ox.Store.read_only(str(store / "quads"))
    total = len(quads)
    derived = sum(1 for graph in DERIVED_GRAPHS for _ in quads.quads_for_pattern(None, None, None, graph))
    return total - derived, total


def format_sizes(sizes: Iterable[ServiceSize]) -> str:
    """A table with a row for each number of papers."""
    rows = []
    for size in sizes:
        max_ratio, max_mib = (MAX_QUADS_RATIO, MAX_MEMORY_MIB) if size.papers >= GOAL_PAPERS else (None, None)
        rows.append(
            [
                f"{size.papers:,}",
                f"{size.stated_quads:,}",
                f"{size.stored_quads:,}",
                format_number(size.quads_ratio),
                format_maximum(max_ratio),
                format_maximum_met(size.quads_ratio, max_ratio),
                *(format_number(memory / MIB) for memory in (size.memory, size.peer_memory)),
                format_maximum(max_mib, "MiB"),
                format_maximum_met(size.memory / MIB, max_mib),
            ]
        )
    return format_table(
        "papers | stated quads | stored quads | ratio | goal | met "
        "| memory: MiB | oxigraph serve: MiB | goal | met",
        rows,
    )

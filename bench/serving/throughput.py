"""First requests per second with several connections, by front processes and cores, beside `oxigraph serve`.

The client is wrk (Debian package `wrk`), as one in Python takes more CPU than the servers. All servers run
concurrently, and get requests in turns. Client and servers share the cores of the machine.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..compare.peers import OURS, OXIGRAPH, Peer, make_own_peer, make_oxigraph_peer
from ..measure.server import RunningServer, wait_until_idle
from .http import generated_file

WRK = shutil.which("wrk")
SCRIPT = Path(__file__).with_suffix(".lua")
CONNECTION_COUNTS = (8, 16)
FRONT_COUNTS = (1, 2)
ONE_CORE = f"{OURS}, 1 front process, one core"
TURNS, MIN_TURN_SECONDS = 5, 1
RATE_PATTERN = re.compile(r"Requests/sec:\s+([\d.]+)")
ERROR_PATTERN = re.compile(r"(?:Non-2xx or 3xx responses|Socket errors): .*")
MIN_PEER_SHARE = 0.5  # of the rate of `oxigraph serve`, with as many front processes as cores
MIN_SPEEDUP = 1.7  # of two front processes on two cores, to one on one core


@dataclass(frozen=True)
class RequestRate:
    """The median rate of a server with so many connections, in requests per second."""

    server: str
    papers: int
    connections: int
    rate: float
    peer_rate: float  # of `oxigraph serve`
    one_core_rate: float  # of one front process on one core

    @property
    def peer_goal(self) -> float | None:
        """The minimum share of the peer's rate; None if there is no goal."""
        return MIN_PEER_SHARE if self.server == name_fronts(FRONT_COUNTS[-1]) else None

    @property
    def speedup_goal(self) -> float | None:
        """The minimum rate relative to that of one core; None if there is no goal."""
        return MIN_SPEEDUP if self.server == name_fronts(FRONT_COUNTS[-1]) else None


def name_fronts(count: int) -> str:
    """The name of our service with so many front processes."""
    return f"{OURS}, {count} front process{'es' if count > 1 else ''}"


def compare_rates(
    scratch: Path, papers: int, seconds: float, settings: Mapping[str, str]
) -> list[RequestRate]:
    """The rates of all servers with each number of connections; none if wrk is not installed."""
    if WRK is None:
        print("wrk is not installed: the requests per second are not measured", file=sys.stderr)
        return []
    file, all_cores = generated_file(scratch, papers), os.sched_getaffinity(0)
    servers = {
        name_fronts(count): make_own_peer(OURS, {**settings, "WGIG_WORKERS": str(count)})
        for count in FRONT_COUNTS
    }
    servers = {ONE_CORE: servers[name_fronts(1)], **servers, OXIGRAPH: make_oxigraph_peer()}
    measurements = []
    with ExitStack() as stack:
        running = {}
        for name, peer in servers.items():
            folder = peer.filled_store(scratch, file)
            if peer.is_ours:  # each server needs a store of its own
                folder = copy_store(folder, name, stack)
            with limit_cores({min(all_cores)} if name == ONE_CORE else all_cores):
                running[name] = stack.enter_context(peer.serve(folder, file))
        for server in running.values():
            wait_until_idle(server)
        for connections in CONNECTION_COUNTS:
            rates = measure_rates(servers, running, papers, connections, seconds)
            measurements += [
                RequestRate(name, papers, connections, rate, rates[OXIGRAPH], rates[ONE_CORE])
                for name, rate in rates.items()
            ]
    return measurements


def copy_store(folder: Path, suffix: str, stack: ExitStack) -> Path:
    """A copy of a store, which is removed with the stack."""
    copy = folder.with_name(f"{folder.name}-{suffix}".replace(" ", "-"))
    stack.callback(shutil.rmtree, copy, ignore_errors=True)
    shutil.copytree(folder, copy, ignore=lambda *_: ["control"])  # a socket
    return copy


@contextmanager
def limit_cores(cores: set[int]) -> Iterator[None]:
    """A context in which processes start that may use these cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measure_rates(
    servers: Mapping[str, Peer],
    running: Mapping[str, RunningServer],
    papers: int,
    connections: int,
    seconds: float,
) -> dict[str, float]:
    """The median rate of each server over some turns, which last `seconds` together."""
    rates = defaultdict[str, list[float]](list)
    for turn in range(TURNS):
        for name, server in running.items():
            arguments = (servers[name].path, str(papers), f"{connections}_{turn}")
            rates[name].append(run_wrk(server.port, connections, seconds / TURNS, arguments))
    return {name: statistics.median(turn_rates) for name, turn_rates in rates.items()}


def run_wrk(port: int, connections: int, seconds: float, arguments: Sequence[str]) -> float:
    """Requests per second in a turn of at least MIN_TURN_SECONDS; `arguments` are those of the script.

    Raises ValueError if any request fails.
    """
    assert WRK
    duration = max(MIN_TURN_SECONDS, round(seconds))
    output = subprocess.run(
        [
            *(WRK, "--threads", "1", "--connections", str(connections), "--duration", f"{duration}s"),
            *("--script", str(SCRIPT), f"http://127.0.0.1:{port}", "--", *arguments),
        ],
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout
    if error := ERROR_PATTERN.search(output):
        raise ValueError(f"wrk reports {error[0]}")
    match = RATE_PATTERN.search(output)
    assert match, output
    return float(match[1])

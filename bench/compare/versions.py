"""`python -m bench.compare.versions PYTHON`: the hot paths of this version and of another, in paired runs.

PYTHON is the interpreter of an environment in which the other version is installed. Both are started over
the shipped data and the same generated papers, each filled by itself, and get the same requests in turns.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from ..measure import processes
from ..measure.client import request
from ..measure.commands import PYTHON, command
from ..measure.requests import Asked, Times, in_turns
from ..measure.server import Running, first_answer, running
from ..report.markdown import kept, most, ms, number, table
from ..serving.http import always, data
from ..serving.queries import BY_NAME
from ..serving.things import HTML, JSON, TURTLE, get, thing
from ..writing.put import TOKEN, complete, put
from .peers import COPIED

THIS, OTHER = "this", "other"
PAPERS = 100  # in the store, and others that are written
MOST_CPU = 1.1  # times the CPU of the other version
IDLE_CPU, IDLE_SECONDS = 0.02, 2.0  # share of a core that an idle server takes at most, over so long
LONGER = 3  # times as long for writes, which are slow and so have few turns
SETTINGS = {"WGIG_TOKEN": TOKEN}
PUT = "PUT of a paper"
NAMES = (
    "SPARQL, one thing, new query", "SPARQL, three-way join, new query", "SPARQL, three-way join, repeated",
    "thing as Turtle", "thing as HTML", "list as JSON", "POST /validate", PUT,
)  # fmt: skip


@dataclass(frozen=True)
class HotPath:
    """What a kind of request takes in both versions."""

    name: str
    own: Times
    other: Times

    @property
    def cpu_ratio(self) -> float:
        """How many times the CPU of the other version: the median of the pairs of turns."""
        pairs = zip(self.own.cpu, self.other.cpu, strict=False)
        return median(own / other for own, other in pairs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 0 where no hot path takes more CPU than it may, else 1."""
    options = parser().parse_args(arguments)
    with TemporaryDirectory(prefix="wgig-versions-") as folder:
        pythons = {THIS: PYTHON, OTHER: options.python}
        measured = compare_versions(Path(folder), pythons, options.seconds, options.only)
    print(write_table(measured, options.most))
    return int(any(path.cpu_ratio > options.most for path in measured))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m bench.compare.versions", description=__doc__)
    add = found.add_argument
    add("python", metavar="PYTHON", help="interpreter of the environment of the other version")
    add("--seconds", type=float, default=4, help="for each hot path and version (default: 4)")
    add("--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help="hot paths (default: all)")
    add("--most", type=float, default=MOST_CPU, help=f"times the CPU of the other (default: {MOST_CPU})")
    return found


def compare_versions(
    scratch: Path, pythons: Mapping[str, str], seconds: float, names: Sequence[str]
) -> list[HotPath]:
    """All hot paths of these names, one after the other, each in turns between the two versions."""
    file = data(scratch, PAPERS)
    texts = complete(PAPERS)
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(serve_version(python, scratch / name, file))
            for name, python in pythons.items()
        }
        for server in servers.values():
            wait_until_idle(server)
        measured = []
        for name in names:
            print(name, file=sys.stderr, flush=True)
            requests = {which: ask_path(name, server, texts) for which, server in servers.items()}
            budget, count = (LONGER * seconds, PAPERS - 1) if name == PUT else (seconds, None)
            times = in_turns(requests, budget, most=count)
            measured.append(HotPath(name, times[THIS], times[OTHER]))
    return measured


@contextmanager
def serve_version(python: str, store: Path, file: Path) -> Iterator[Running]:
    """One version as a server over the shipped data and a file, once its workers have them in memory."""
    wgig = [python, "-m", "wgig"]
    first_answer([*wgig, "serve", "--store", str(store)], "--port", "{port}")
    command(*wgig, "load", "--store", store, file)
    words = [*wgig, "serve", "--store", str(store)]
    with running(words, "--port", "{port}", question="/ready", sign=COPIED, environment=SETTINGS) as server:
        yield server


def wait_until_idle(server: Running) -> None:
    """Wait until a server that answers has done what follows a start, such as its indexes."""
    spent = IDLE_SECONDS
    while spent > IDLE_CPU * IDLE_SECONDS:
        before = processes.cpu(server.process)
        time.sleep(IDLE_SECONDS)
        spent = processes.cpu(server.process) - before


def ask_path(name: str, server: Running, texts: Sequence[bytes]) -> Asked:
    """The requests of a hot path."""
    one_thing, join = BY_NAME["one thing"], BY_NAME["three-way join, LIMIT 100"]
    validate = request("/validate", JSON, {"Content-Type": TURTLE}, method="POST", body=texts[0])
    found = {
        "SPARQL, one thing, new query": Asked(server, partial(one_thing.request, "/sparql", papers=PAPERS)),
        "SPARQL, three-way join, new query": Asked(server, partial(join.request, "/sparql", papers=PAPERS)),
        "SPARQL, three-way join, repeated": Asked(server, always(join.request("/sparql", 0, PAPERS))),
        "thing as Turtle": Asked(server, partial(thing, TURTLE, PAPERS)),
        "thing as HTML": Asked(server, partial(thing, HTML, PAPERS)),
        "list as JSON": Asked(server, partial(get, "/papers", JSON)),
        "POST /validate": Asked(server, always(validate)),
        PUT: Asked(server, partial(put, "/graphs", texts), 201),
    }
    return found[name]


def write_table(measured: Sequence[HotPath], most_cpu: float) -> str:
    """A row for each hot path."""
    return table(
        "hot path | requests | ms | other ms | CPU ms | other CPU ms | times the CPU | goal | met",
        (
            [
                path.name,
                f"{len(path.own.seconds):,}",
                *(ms(times.figures()[key]) for key in ("p50", "cpu") for times in (path.own, path.other)),
                number(path.cpu_ratio),
                most(most_cpu),
                kept(path.cpu_ratio, most_cpu),
            ]
            for path in measured
        ),
    )


if __name__ == "__main__":
    sys.exit(main())

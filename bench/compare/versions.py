"""`python -m bench.compare.versions PYTHON`: the hot paths of this version and of another, in paired runs.

PYTHON is the interpreter of an environment in which the other version is installed. Each version is started
with its shipped data and the same generated papers; both get the same requests in turns.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from ..measure.client import build_request
from ..measure.commands import PYTHON, time_command
from ..measure.requests import RequestSeries, RequestTimes, measure_in_turns
from ..measure.server import RunningServer, run_server, time_first_response, wait_until_idle
from ..report.markdown import format_maximum, format_maximum_met, format_ms, format_number, format_table
from ..serving.http import generated_file, repeat_request
from ..serving.queries import QUESTIONS_BY_NAME
from ..serving.things import HTML, JSON, TURTLE, build_paper_request, build_uncached_request
from ..writing.put import TOKEN, build_put_request, generate_conforming_papers
from .peers import COPIED_TEXT

THIS, OTHER = "this", "other"
PAPERS = 100  # in the store, and as many others to write
MAX_CPU_RATIO = 1.1  # CPU of this version to that of the other
WRITE_BUDGET_FACTOR = 3  # times the seconds of other hot paths: writes are slow, and would have few turns
SETTINGS = {"WGIG_TOKEN": TOKEN}
PUT = "PUT of a paper"
NAMES = (
    "SPARQL, one thing, new query", "SPARQL, three-way join, new query", "SPARQL, three-way join, repeated",
    "thing as Turtle", "thing as HTML", "list as JSON", "POST /validate", PUT,
)  # fmt: skip


@dataclass(frozen=True)
class HotPath:
    """The times of one type of request in this version (`own`) and in the other."""

    name: str
    own: RequestTimes
    other: RequestTimes

    @property
    def cpu_ratio(self) -> float:
        """CPU of this version to that of the other: the median of the pairs of turns."""
        pairs = zip(self.own.cpu_seconds, self.other.cpu_seconds, strict=False)
        return median(own / other for own, other in pairs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 1 if a hot path exceeds the maximum CPU ratio, else 0."""
    options = build_parser().parse_args(arguments)
    with TemporaryDirectory(prefix="wgig-versions-") as folder:
        pythons = {THIS: PYTHON, OTHER: options.python}
        hot_paths = compare_versions(Path(folder), pythons, options.seconds, options.only)
    print(format_hot_paths(hot_paths, options.most))
    return int(any(hot_path.cpu_ratio > options.most for hot_path in hot_paths))


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.compare.versions", description=__doc__)
    add = parser.add_argument
    add("python", metavar="PYTHON", help="interpreter of the environment of the other version")
    add("--seconds", type=float, default=4, help="seconds for each hot path and version (default: 4)")
    add("--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help="hot paths (default: all)")
    add(
        "--most",
        type=float,
        default=MAX_CPU_RATIO,
        help=f"maximum ratio of CPU to that of the other version (default: {MAX_CPU_RATIO})",
    )
    return parser


def compare_versions(
    scratch: Path, pythons: Mapping[str, str], seconds: float, names: Sequence[str]
) -> list[HotPath]:
    """The hot paths with these names, one after the other, each in turns between the two versions."""
    file = generated_file(scratch, PAPERS)
    texts = generate_conforming_papers(PAPERS)
    with ExitStack() as stack:
        servers = {
            version: stack.enter_context(serve_version(python, scratch / version, file))
            for version, python in pythons.items()
        }
        for server in servers.values():
            wait_until_idle(server)
        hot_paths = []
        for name in names:
            print(name, file=sys.stderr, flush=True)
            series = {
                version: make_hot_path_series(name, server, texts) for version, server in servers.items()
            }
            # Of the PAPERS writes, request 0 is not counted.
            budget, count = (WRITE_BUDGET_FACTOR * seconds, PAPERS - 1) if name == PUT else (seconds, None)
            times = measure_in_turns(series, budget, max_requests=count)
            hot_paths.append(HotPath(name, times[THIS], times[OTHER]))
    return hot_paths


@contextmanager
def serve_version(python: str, store: Path, file: Path) -> Iterator[RunningServer]:
    """A server of one version with the shipped data and a file, once its workers hold both in memory."""
    wgig = [python, "-m", "wgig"]
    serve = [*wgig, "serve", "--store", str(store)]
    time_first_response(serve, "--port", "{port}")  # creates the store with the shipped data
    time_command(*wgig, "load", "--store", store, file)
    with run_server(
        serve, "--port", "{port}", ready_path="/ready", ready_text=COPIED_TEXT, environment=SETTINGS
    ) as server:
        yield server


def make_hot_path_series(name: str, server: RunningServer, texts: Sequence[bytes]) -> RequestSeries:
    """The requests of a hot path to one server; `texts` are the papers to write."""
    resource, join = QUESTIONS_BY_NAME["one resource"], QUESTIONS_BY_NAME["three-way join, LIMIT 100"]
    validate = build_request("/validate", JSON, {"Content-Type": TURTLE}, method="POST", body=texts[0])
    requests: dict[str, Callable[[int], bytes]] = {
        "SPARQL, one thing, new query": partial(resource.request, "/sparql", papers=PAPERS),
        "SPARQL, three-way join, new query": partial(join.request, "/sparql", papers=PAPERS),
        "SPARQL, three-way join, repeated": repeat_request(join.request("/sparql", 0, PAPERS)),
        "thing as Turtle": partial(build_paper_request, TURTLE, PAPERS),
        "thing as HTML": partial(build_paper_request, HTML, PAPERS),
        "list as JSON": partial(build_uncached_request, "/papers", JSON),
        "POST /validate": repeat_request(validate),
        PUT: partial(build_put_request, "/graphs", texts),
    }
    return RequestSeries(server, requests[name], 201 if name == PUT else 200)


def format_hot_paths(hot_paths: Sequence[HotPath], max_cpu_ratio: float) -> str:
    """A table with a row for each hot path."""
    return format_table(
        "hot path | requests | ms | other ms | CPU ms | other CPU ms | CPU ratio | goal | met",
        (
            [
                hot_path.name,
                f"{len(hot_path.own.seconds):,}",
                *(
                    format_ms(times.summarize()[key])
                    for key in ("p50", "cpu")
                    for times in (hot_path.own, hot_path.other)
                ),
                format_number(hot_path.cpu_ratio),
                format_maximum(max_cpu_ratio),
                format_maximum_met(hot_path.cpu_ratio, max_cpu_ratio),
            ]
            for hot_path in hot_paths
        ),
    )


if __name__ == "__main__":
    sys.exit(main())

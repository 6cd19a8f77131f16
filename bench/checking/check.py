"""CPU for checking papers: one by one, compared with pySHACL and with parsing alone, and many from disk."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import pyoxigraph as ox
import pyshacl
import rdflib
from wgig.papers import readers
from wgig.rdf import formats
from wgig.rdf.formats import JSON
from wgig.rdf.namespaces import WGIG_NAMESPACE
from wgig.settings import SHIPPED_FOLDER
from wgig.shacl import vocabulary
from wgig.shacl.check import check_document
from wgig.shacl.pyshacl_engine import NORMALIZATION_LOCK, build_rdflib_graph, rdflib_shapes_graph
from wgig.shacl.reports import REPORT_WRITERS
from wgig_client.namespaces import EXTERNAL_NAMESPACES

from ..data import generate
from ..measure import processes
from ..measure.commands import WGIG
from ..measure.server import run_server
from ..report.markdown import format_table

# Maximum CPU, p95: to check a paper, and to find the line numbers of its findings.
MAX_CHECK_SECONDS, MAX_LINES_SECONDS = 0.005, 0.001
MIN_PAPERS_PER_SECOND = 2000  # of `wgig check` on a folder
CORES = 2  # and as many processes of `wgig check`
SEED = 1
TURTLE = formats.FORMATS_BY_SUFFIX["ttl"]
PREFIXES = {
    name: EXTERNAL_NAMESPACES[name] for name in ("bibo", "cito", "dcterms", "foaf", "org", "rdfs", "schema")
} | {"wgig": WGIG_NAMESPACE}
# The slow peers get only every n-th paper.
PAPER_STEPS = {"pyshacl prepared": 10, "pyshacl from files": 100}

# Processes one paper, and returns the seconds of CPU.
MeasuredCheck = Callable[[bytes], float]


@dataclass(frozen=True)
class CheckCosts:
    """Seconds of CPU of one way to check, by paper; the goal is the maximum of p95."""

    method: str
    times: Sequence[float]
    goal: float | None = None

    @property
    def p50(self) -> float:
        """The median."""
        return median(self.times)

    @property
    def p95(self) -> float:
        """The value that 95 of 100 papers do not exceed."""
        return quantiles(self.times, n=20)[-1] if len(self.times) > 1 else self.times[0]

    @property
    def meets_goal(self) -> bool | None:
        """Whether the goal is met; None if there is none."""
        return None if self.goal is None else self.p95 <= self.goal


@dataclass(frozen=True)
class FolderRun:
    """A run of `wgig check` on a folder: seconds, seconds of CPU, and bytes of its largest process."""

    papers: int
    seconds: float
    cpu: float
    memory: int

    @property
    def papers_per_second(self) -> float:
        """The measured rate."""
        return self.papers / self.seconds

    @property
    def papers_per_second_by_cpu(self) -> float:
        """The rate of otherwise idle cores, computed from the CPU."""
        return CORES * self.papers / self.cpu

    @property
    def meets_goal(self) -> bool:
        """Whether the measured rate reaches the goal."""
        return self.papers_per_second >= MIN_PAPERS_PER_SECOND


def generate_turtle_papers(count: int, seed: int = SEED) -> Iterator[bytes]:
    """Generated papers as Turtle."""
    for quads in generate.generate_papers(count, seed):
        triples = [quad.triple for quad in ox.parse(quads, ox.RdfFormat.N_QUADS)]
        yield ox.serialize(triples, format=ox.RdfFormat.TURTLE, prefixes=PREFIXES) or b""


def compare_checks(scratch: Path, count: int) -> list[CheckCosts]:
    """The cost of a paper: ours, over HTTP, parsing alone (the floor), and pySHACL."""
    papers = list(generate_turtle_papers(count))
    with run_server([*WGIG, "serve", "--store", str(scratch / "served")], "--port", "{port}") as service:
        checks = {
            "served": lambda paper: measure_validate_request(service.port, service.pid, paper),
            "ours": measure_check_with_report,
            "parse": measure_parsing,
            "pyshacl prepared": measure_prepared_pyshacl,
            "pyshacl from files": measure_pyshacl_from_files,
        }
        times = measure_paper_by_paper(papers, checks, PAPER_STEPS)
    # Lines are computed only for findings, so these papers get one: they lack the required strengths.
    incomplete = [paper.replace(b"wgig:strength", b"wgig:opportunity") for paper in papers]
    lines = measure_paper_by_paper(
        incomplete, {"with": measure_check, "without": measure_check_without_lines}, {}
    )
    lines_seconds = [with_ - without for with_, without in zip(lines["with"], lines["without"], strict=True)]
    return [
        CheckCosts("wgig: read, check, report as JSON", times["ours"], MAX_CHECK_SECONDS),
        CheckCosts("wgig serve: complete request POST /validate", times["served"], MAX_CHECK_SECONDS),
        CheckCosts("pyoxigraph: parsing alone (the floor)", times["parse"]),
        CheckCosts("pySHACL, graphs prepared", times["pyshacl prepared"]),
        CheckCosts("pySHACL as in its README, graphs from files", times["pyshacl from files"]),
        CheckCosts("wgig: paper with findings, with lines", lines["with"]),
        CheckCosts("wgig: the same without lines", lines["without"]),
        CheckCosts("wgig: difference, the cost of lines", lines_seconds, MAX_LINES_SECONDS),
    ]


def measure_paper_by_paper(
    papers: Sequence[bytes], checks: Mapping[str, MeasuredCheck], steps: Mapping[str, int]
) -> dict[str, list[float]]:
    """The costs by name and paper, in turns A B C, A B C, ..., after one run that is not counted."""
    times: dict[str, list[float]] = {name: [] for name in checks}
    for check in checks.values():
        check(papers[0])
    for number, paper in enumerate(papers):
        for name, check in checks.items():
            if number % steps.get(name, 1) == 0:
                times[name].append(check(paper))
    return times


def measure_cpu(work: Callable[[], object]) -> float:
    """Seconds of CPU that this process needs for a function call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure_check_with_report(paper: bytes) -> float:
    """From bytes to the report as JSON, as in the running service."""
    return measure_cpu(
        lambda: REPORT_WRITERS[JSON](
            [check_document(readers.read_paper_document("paper.ttl", paper, TURTLE))], "en"
        )
    )


def measure_validate_request(port: int, pid: int, paper: bytes) -> float:
    """A request POST /validate, in all processes of the service."""
    before = processes.measure_cpu_seconds(pid)
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/validate", paper, {"Content-Type": TURTLE.media_type})
    response = connection.getresponse()
    response.read()
    connection.close()
    if response.status != 200:
        raise SystemExit(f"POST /validate got status {response.status}.")
    return processes.measure_cpu_seconds(pid) - before


def measure_parsing(paper: bytes) -> float:
    """From bytes to triples, which every check needs."""
    return measure_cpu(lambda: list(ox.parse(paper, ox.RdfFormat.TURTLE)))


def measure_check(paper: bytes) -> float:
    """From bytes to the report, with lines."""
    return measure_cpu(lambda: check_document(readers.read_paper_document("paper.ttl", paper, TURTLE)))


def measure_check_without_lines(paper: bytes) -> float:
    """From bytes to the report, without lines."""
    return measure_cpu(
        lambda: check_document(
            # `list` finds no positions: it returns [].
            replace(readers.read_paper_document("paper.ttl", paper, TURTLE), find_positions=list)
        )
    )


@cache
def rdflib_vocabulary() -> rdflib.Graph:
    """The resources that papers refer to, as an rdflib graph."""
    return build_rdflib_graph(vocabulary.vocabulary_triples())


def measure_prepared_pyshacl(paper: bytes) -> float:
    """pySHACL with loaded shapes and vocabulary; the paper is added to the vocabulary and removed again."""
    graph = rdflib_vocabulary()

    def work() -> None:
        data = rdflib.Graph().parse(data=paper, format="turtle")
        for triple in data:
            graph.add(triple)
        pyshacl.validate(
            graph, shacl_graph=rdflib_shapes_graph(), inference="none", advanced=False, inplace=True
        )
        for triple in data:
            graph.remove(triple)

    with NORMALIZATION_LOCK:  # as in the service: pySHACL changes a global setting of rdflib
        return measure_cpu(work)


def measure_pyshacl_from_files(paper: bytes) -> float:
    """pySHACL with all graphs loaded from files for each paper; the vocabulary is the `ont_graph`."""

    def work() -> None:
        pyshacl.validate(
            rdflib.Graph().parse(data=paper, format="turtle"),
            shacl_graph=load_turtle_files(sorted((SHIPPED_FOLDER / "shapes").glob("issue-paper*.ttl"))),
            ont_graph=load_turtle_files(
                [*sorted((SHIPPED_FOLDER / "data").glob("*.ttl")), SHIPPED_FOLDER / "ontology" / "wgig.ttl"]
            ),
        )

    with NORMALIZATION_LOCK:
        return measure_cpu(work)


def load_turtle_files(paths: Sequence[Path]) -> rdflib.Graph:
    """Turtle files as one rdflib graph."""
    graph = rdflib.Graph()
    for path in paths:
        graph.parse(path, format="turtle")
    return graph


def check_folders(scratch: Path, sizes: Sequence[int]) -> list[FolderRun]:
    """`wgig check` with two processes on a folder of papers, for each size."""
    folder = scratch / "papers"
    folder.mkdir()
    runs = []
    written = 0
    for size in sorted(sizes):
        for number, paper in enumerate(generate_turtle_papers(size)):
            if number >= written:
                (folder / f"{number:06}.ttl").write_bytes(paper)
        written = size
        runs.append(check_folder(folder, size))
    return runs


def check_folder(folder: Path, papers: int) -> FolderRun:
    """One run of `wgig check`. Raises SystemExit if it fails."""
    command = [*WGIG, "check", str(folder), "--jobs", str(CORES)]
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if process.returncode > 1:  # 1: a paper does not conform
        raise SystemExit(f"{' '.join(command)} failed with {process.returncode}.")
    return FolderRun(papers, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def summarize_checks(costs: Sequence[CheckCosts], runs: Sequence[FolderRun]) -> dict[str, Any]:
    """All figures as JSON, for comparing runs."""
    return {
        "costs": [
            {
                "what": cost.method,
                "papers": len(cost.times),
                "p50": cost.p50,
                "p95": cost.p95,
                "goal": cost.goal,
            }
            for cost in costs
        ],
        "bulk": [vars(run) | {"rate": run.papers_per_second} for run in runs],
    }


def format_checks(costs: Sequence[CheckCosts], runs: Sequence[FolderRun]) -> str:
    """The table of the costs of a paper, and that of the runs on folders."""
    own_p50, parsing_p50 = costs[0].p50, costs[2].p50  # in the order of `compare_checks`
    one_paper = format_table(
        "one paper | papers | p50 ms | p95 ms | ratio to wgig | ratio to floor | goal p95 | met",
        (
            [
                cost.method,
                str(len(cost.times)),
                f"{cost.p50 * 1000:.2f}",
                f"{cost.p95 * 1000:.2f}",
                f"{cost.p50 / own_p50:.2f}",
                f"{cost.p50 / parsing_p50:.1f}",
                f"<= {cost.goal * 1000:.0f} ms" if cost.goal else "",
                format_goal_met(cost.meets_goal),
            ]
            for cost in costs
        ),
    )
    from_disk = format_table(
        "papers from disk | seconds | papers/s | CPU ms per paper | papers/s by CPU | MiB | goal | met",
        (
            [
                f"{run.papers:,}",
                f"{run.seconds:.2f}",
                f"{run.papers_per_second:,.0f}",
                f"{run.cpu / run.papers * 1000:.2f}",
                f"{run.papers_per_second_by_cpu:,.0f}",
                f"{run.memory / 2**20:.0f}",
                f">= {MIN_PAPERS_PER_SECOND:,}/s",
                format_goal_met(run.meets_goal),
            ]
            for run in runs
        ),
    )
    return f"{one_paper}\n\n{from_disk}"


def format_goal_met(met: bool | None) -> str:
    """Yes, no, or empty without a goal."""
    return {True: "yes", False: "no", None: ""}[met]

"""What it costs to check papers: one by one, beside pySHACL and parsing alone, and many from disk."""

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
from wgig.rdf.namespaces import EXTERNAL_NAMESPACES, WGIG_NAMESPACE
from wgig.settings import SHIPPED_FOLDER
from wgig.shacl import vocabulary as shacl_vocabulary
from wgig.shacl.check import check_document
from wgig.shacl.pyshacl_engine import NORMALIZATION_LOCK, build_rdflib_graph, rdflib_shapes_graph
from wgig.shacl.reports import REPORT_WRITERS

from ..data import generate
from ..measure import processes
from ..measure.commands import WGIG
from ..measure.server import running

ALONE_P95, LINES_P95 = 0.005, 0.001  # seconds of CPU a paper
A_SECOND = 2000  # papers
CORES = 2
SEED = 1
TURTLE = formats.FORMATS_BY_SUFFIX["ttl"]
PREFIXES = {
    name: EXTERNAL_NAMESPACES[name] for name in ("bibo", "cito", "dcterms", "foaf", "org", "rdfs", "schema")
} | {"wgig": WGIG_NAMESPACE}

# Seconds of CPU that something takes for one paper.
Cost = Callable[[bytes], float]


@dataclass(frozen=True)
class Costs:
    """Seconds of CPU, paper by paper; the goal is the most that 95 of 100 papers take."""

    what: str
    times: Sequence[float]
    goal: float | None = None

    @property
    def p50(self) -> float:
        """What half of the papers take at most."""
        return median(self.times)

    @property
    def p95(self) -> float:
        """What 95 of 100 papers take at most."""
        return quantiles(self.times, n=20)[-1]

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        return None if self.goal is None else self.p95 <= self.goal


@dataclass(frozen=True)
class Bulk:
    """A run of the shell over many files: seconds, seconds of CPU, and bytes of its largest process."""

    papers: int
    seconds: float
    cpu: float
    memory: int

    @property
    def rate(self) -> float:
        """Papers a second."""
        return self.papers / self.seconds

    @property
    def free(self) -> float:
        """Papers a second of two cores that do nothing else, by the CPU that was spent."""
        return CORES * self.papers / self.cpu

    @property
    def met(self) -> bool:
        """Whether the goal is met."""
        return self.rate >= A_SECOND


def papers(count: int, seed: int = SEED) -> Iterator[bytes]:
    """Generated papers as Turtle."""
    for quads in generate.papers(count, seed):
        triples = [quad.triple for quad in ox.parse(quads, ox.RdfFormat.N_QUADS)]
        yield ox.serialize(triples, format=ox.RdfFormat.TURTLE, prefixes=PREFIXES) or b""


def costs(scratch: Path, count: int) -> list[Costs]:
    """What a paper costs: ours, the floor, and the peers, which are slow and so get fewer papers."""
    sample = list(papers(count))
    with running([*WGIG, "serve", "--store", str(scratch / "served")], "--port", "{port}") as service:
        runs = {
            "served": lambda paper: over_http(service.port, service.process, paper),
            "ours": ours,
            "parse": parse,
            "best": pyshacl_at_its_best,
            "plain": pyshacl_plainly,
        }
        found = measured(sample, runs, PEERS)
    # A paper that conforms needs no lines: so each of these lacks something.
    lacking = [one.replace(b"wgig:strength", b"wgig:opportunity") for one in sample]
    lines = measured(lacking, {"with": with_lines, "without": without_lines}, {})
    differences = [one - other for one, other in zip(lines["with"], lines["without"], strict=True)]
    return [
        Costs("wgig: read, check, report as JSON", found["ours"], ALONE_P95),
        Costs("wgig serve: the whole request POST /validate", found["served"], ALONE_P95),
        Costs("pyoxigraph: parse alone (the floor)", found["parse"]),
        Costs("pySHACL at its best: all graphs prepared", found["best"]),
        Costs("pySHACL as its page shows it: all graphs from files", found["plain"]),
        Costs("wgig: a paper with findings, with lines", lines["with"]),
        Costs("wgig: the same without lines", lines["without"]),
        Costs("wgig: what the lines add", differences, LINES_P95),
    ]


PEERS = {"best": 10, "plain": 100}  # one of so many papers


def measured(
    sample: Sequence[bytes], runs: Mapping[str, Cost], seldom: Mapping[str, int]
) -> dict[str, list[float]]:
    """The costs of each run, paper by paper: A B C, A B C, ..., after one that makes all ready."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run(sample[0])
    for number, paper in enumerate(sample):
        for name, run in runs.items():
            if number % seldom.get(name, 1) == 0:
                times[name].append(run(paper))
    return times


def cpu(work: Callable[[], object]) -> float:
    """Seconds of CPU that this process spends on some work."""
    start = time.process_time()
    work()
    return time.process_time() - start


def ours(paper: bytes) -> float:
    """From bytes to the report in JSON, as in the running service."""
    return cpu(
        lambda: REPORT_WRITERS[JSON](
            [check_document(readers.read_paper_document("paper.ttl", paper, TURTLE))], "en"
        )
    )


def over_http(port: int, process: int, paper: bytes) -> float:
    """What the service spends on a request, all its processes together."""
    before = processes.cpu(process)
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/validate", paper, {"Content-Type": TURTLE.media_type})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"/validate answered {answer.status}.")
    return processes.cpu(process) - before


def parse(paper: bytes) -> float:
    """From bytes to triples, which nobody can do without."""
    return cpu(lambda: list(ox.parse(paper, ox.RdfFormat.TURTLE)))


def with_lines(paper: bytes) -> float:
    """From bytes to the report."""
    return cpu(lambda: check_document(readers.read_paper_document("paper.ttl", paper, TURTLE)))


def without_lines(paper: bytes) -> float:
    """From bytes to the report, places left out."""
    return cpu(
        lambda: check_document(
            replace(readers.read_paper_document("paper.ttl", paper, TURTLE), find_spots=list)
        )
    )


@cache
def vocabulary() -> rdflib.Graph:
    """What papers refer to, as a graph of rdflib."""
    return build_rdflib_graph(shacl_vocabulary.vocabulary_triples())


def pyshacl_at_its_best(paper: bytes) -> float:
    """Shapes and vocabulary stay loaded; the paper comes into the graph of the vocabulary and leaves it."""
    whole = vocabulary()

    def work() -> None:
        data = rdflib.Graph().parse(data=paper, format="turtle")
        for triple in data:
            whole.add(triple)
        pyshacl.validate(
            whole, shacl_graph=rdflib_shapes_graph(), inference="none", advanced=False, inplace=True
        )
        for triple in data:
            whole.remove(triple)

    with NORMALIZATION_LOCK:
        return cpu(work)


def pyshacl_plainly(paper: bytes) -> float:
    """All is loaded from files for each paper; the vocabulary is the `ont_graph`."""

    def work() -> None:
        pyshacl.validate(
            rdflib.Graph().parse(data=paper, format="turtle"),
            shacl_graph=loaded(sorted((SHIPPED_FOLDER / "shapes").glob("issue-paper*.ttl"))),
            ont_graph=loaded(
                [*sorted((SHIPPED_FOLDER / "data").glob("*.ttl")), SHIPPED_FOLDER / "ontology" / "wgig.ttl"]
            ),
        )

    with NORMALIZATION_LOCK:
        return cpu(work)


def loaded(paths: Sequence[Path]) -> rdflib.Graph:
    """Files of Turtle as one graph of rdflib."""
    found = rdflib.Graph()
    for path in paths:
        found.parse(path, format="turtle")
    return found


def bulk(scratch: Path, sizes: Sequence[int]) -> list[Bulk]:
    """`wgig check` over folders of so many papers, with two processes."""
    folder = scratch / "papers"
    folder.mkdir()
    runs = []
    written = 0
    for size in sorted(sizes):
        for number, paper in enumerate(papers(size)):
            if number >= written:
                (folder / f"{number:06}.ttl").write_bytes(paper)
        written = size
        runs.append(shell(folder, size))
    return runs


def shell(folder: Path, size: int) -> Bulk:
    """One run of the shell. Raises SystemExit where it fails."""
    words = [*WGIG, "check", str(folder), "--jobs", str(CORES)]
    start = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if process.returncode > 1:
        raise SystemExit(f"{' '.join(words)} failed with {process.returncode}.")
    return Bulk(size, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def kept(found: Sequence[Costs], runs: Sequence[Bulk]) -> dict[str, Any]:
    """All figures for comparing runs."""
    return {
        "costs": [
            {"what": one.what, "papers": len(one.times), "p50": one.p50, "p95": one.p95, "goal": one.goal}
            for one in found
        ],
        "bulk": [vars(one) | {"rate": one.rate} for one in runs],
    }


def markdown(found: Sequence[Costs], runs: Sequence[Bulk]) -> str:
    """The tables of the costs and of the runs."""
    parse_p50, ours_p50 = found[2].p50, found[0].p50
    lines = [
        "| one paper | papers | p50 ms | p95 ms | to ours | to the floor | goal p95 | met |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| {one.what} | {len(one.times)} | {one.p50 * 1000:.2f} | {one.p95 * 1000:.2f} "
            f"| {one.p50 / ours_p50:.2f} | {one.p50 / parse_p50:.1f} "
            f"| {f'<= {one.goal * 1000:.0f} ms' if one.goal else ''} | {said(one.met)} |"
            for one in found
        ),
        "",
        "| papers from disk | seconds | papers/s | CPU ms a paper | papers/s by CPU | MiB | goal | met |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| {one.papers:,} | {one.seconds:.2f} | {one.rate:,.0f} | {one.cpu / one.papers * 1000:.2f} "
            f"| {one.free:,.0f} | {one.memory / 2**20:.0f} | >= {A_SECOND:,}/s | {said(one.met)} |"
            for one in runs
        ),
    ]
    return "\n".join(lines)


def said(met: bool | None) -> str:
    """Yes, no, or nothing."""
    return {True: "yes", False: "no", None: ""}[met]

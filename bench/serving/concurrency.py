"""A hundred concurrent writers and readers: no acknowledged write is lost, and no partial write is read.

Each writer replaces its own paper several times, and each label in the paper contains the version. A reader
queries all labels of one paper: they must all be there, with the same version, and not older than the last
write that was acknowledged before the query.
"""

import json
import re
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from ..measure.client import Client, Response, build_request

WRITERS = READERS = 100
VERSIONS_PER_WRITER = 3
# The part of a label that has the version, as in "Made-up paper 2"; the first letter may be m.
LABEL_BYTES_PATTERN = re.compile(rb"ade-up paper \d+")
GRAPH_PATTERN = re.compile(rb"<([^<>]+/graph/paper/[^<>]+)>")
LABEL_VERSION_PATTERN = re.compile(r"ade-up paper (\d+)")
OK_STATUSES, BUSY_STATUSES = (200, 201, 204), (429, 503)
RETRY_SECONDS, RETRY_TIMEOUT_SECONDS = 0.05, 120  # after a busy status


@dataclass
class CrowdResult:
    """Counts of writes, reads, busy statuses and faults."""

    seconds: float = 0
    writes: int = 0  # acknowledged
    reads: int = 0
    busy: int = 0
    lost_papers: int = 0  # that do not have their last acknowledged version at the end
    partial_reads: int = 0  # of labels of two versions, or of too few
    stale_reads: int = 0  # of an older version than the one acknowledged before the read
    refusals: list[str] = field(default_factory=list)  # other statuses, with the beginning of the body

    @property
    def meets_goal(self) -> bool:
        """Whether there was no fault."""
        return not (self.lost_papers or self.partial_reads or self.stale_reads or self.refusals)


class VersionedPaper:
    """A paper, its graph, and the version that was acknowledged last."""

    def __init__(self, text: bytes) -> None:
        """Take a generated paper as Turtle."""
        self.graph, self.text = find_paper_graph(text), text
        self.label_count = len(set(re.findall(rb'"[^"]*ade-up paper \d+[^"]*"', text)))
        self.acknowledged_version = 0

    def build_write(self, token: str, version: int) -> bytes:
        """The request that writes a version."""
        text = LABEL_BYTES_PATTERN.sub(b"ade-up paper %d" % version, self.text)
        return build_graph_put("/graphs", token, self.graph, text)

    def build_read(self) -> bytes:
        """The request for all labels."""
        query = f"""SELECT DISTINCT ?label WHERE {{ GRAPH <{self.graph}> {{ ?thing ?is ?label .
            FILTER(isLiteral(?label) && CONTAINS(STR(?label), "ade-up paper ")) }} }}"""
        return build_request(f"/sparql?{urlencode({'query': query})}", "application/sparql-results+json")

    def parse_versions(self, body: bytes) -> set[int] | None:
        """The versions in the labels of a result (none before the first write); None if some are missing."""
        labels = [row["label"]["value"] for row in json.loads(body)["results"]["bindings"]]
        versions = {int(LABEL_VERSION_PATTERN.findall(label)[0]) for label in labels}
        return None if labels and len(labels) != self.label_count else versions


def find_paper_graph(paper: bytes) -> str:
    """The IRI of the graph of a generated paper."""
    graphs: list[bytes] = GRAPH_PATTERN.findall(paper)
    return graphs[0].decode()


def build_graph_put(path: str, token: str, graph: str, paper: bytes) -> bytes:
    """The Graph Store Protocol request that replaces a graph with a paper."""
    return build_request(
        f"{path}?graph={quote(graph, safe='')}",
        fields={"Content-Type": "text/turtle", "Authorization": f"Bearer {token}"},
        method="PUT",
        body=paper,
    )


def run_crowd(port: int, token: str, texts: Sequence[bytes]) -> CrowdResult:
    """Run a writer for each paper, and the readers, until all writers have finished; `token` may write."""
    result, lock, done = CrowdResult(), threading.Lock(), threading.Event()
    papers = [VersionedPaper(text) for text in texts]
    start = time.perf_counter()
    with ThreadPoolExecutor(len(papers) + READERS) as pool:
        writers = [pool.submit(write_versions, port, token, paper, result, lock) for paper in papers]
        readers = [
            pool.submit(read_until_done, port, papers[number % len(papers)], result, lock, done)
            for number in range(READERS)
        ]
        for writer in writers:
            writer.result()
        done.set()
        for reader in readers:
            reader.result()
    result.seconds = time.perf_counter() - start
    for paper in papers:
        versions = paper.parse_versions(send_once(port, paper.build_read()).body)
        result.lost_papers += bool(paper.acknowledged_version) and versions != {paper.acknowledged_version}
    return result


def send_once(port: int, request: bytes) -> Response:
    """The response to a request on a new connection, with its body."""
    with Client(port) as client:
        return client.send(request, keep_body=True)


def write_versions(
    port: int, token: str, paper: VersionedPaper, result: CrowdResult, lock: threading.Lock
) -> None:
    """Write all versions of a paper, and retry when the service is busy."""
    for version in range(1, VERSIONS_PER_WRITER + 1):
        request = paper.build_write(token, version)
        response, end = send_once(port, request), time.monotonic() + RETRY_TIMEOUT_SECONDS
        while response.status in BUSY_STATUSES and time.monotonic() < end:
            with lock:
                result.busy += 1
            time.sleep(RETRY_SECONDS)
            response = send_once(port, request)
        with lock:
            if response.status in OK_STATUSES:
                result.writes += 1
                paper.acknowledged_version = version
            else:
                result.refusals.append(describe_refusal(response))


def read_until_done(
    port: int, paper: VersionedPaper, result: CrowdResult, lock: threading.Lock, done: threading.Event
) -> None:
    """Read the labels of a paper again and again, until all writers have finished."""
    while not done.is_set():
        acknowledged_before = paper.acknowledged_version
        response = send_once(port, paper.build_read())
        with lock:
            if response.status == 200:
                result.reads += 1
                versions = paper.parse_versions(response.body)
                result.partial_reads += versions is None or len(versions) > 1
                result.stale_reads += versions is not None and max(versions, default=0) < acknowledged_before
            elif response.status in BUSY_STATUSES:
                result.busy += 1
            else:
                result.refusals.append(describe_refusal(response))
        if response.status in BUSY_STATUSES:
            time.sleep(RETRY_SECONDS)


def describe_refusal(response: Response) -> str:
    """The status and the beginning of the body."""
    return f"{response.status} {response.body[:200].decode(errors='replace')}"

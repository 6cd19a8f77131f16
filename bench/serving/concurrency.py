"""A hundred writers and a hundred readers at once: nothing acknowledged is lost, nothing half is read.

Each writer replaces a paper of its own, again and again, and each label in it says which version it is. A
reader asks for all labels of one paper: they must be of one version, all of them there, and not older than
what was acknowledged before it asked.
"""

import json
import re
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from ..measure.client import Answer, Client, request

WRITERS = READERS = 100
VERSIONS = 3  # that each writer writes
NAMED = re.compile(rb"ade-up paper \d+")  # how the labels of a generated paper say which it is
GRAPH = re.compile(rb"<([^<>]+/graph/paper/[^<>]+)>")
VERSION = re.compile(r"ade-up paper (\d+)")
DONE, BUSY = (200, 201, 204), (429, 503)
AGAIN, PATIENCE = 0.05, 120  # seconds until somebody who was sent away comes again, and until they give up


@dataclass
class Crowd:
    """What a crowd got: writes and reads, those that were to come again later, and the faults."""

    seconds: float = 0
    writes: int = 0  # acknowledged
    reads: int = 0
    busy: int = 0
    lost: int = 0  # acknowledged, and not there at the end
    half: int = 0  # reads of labels of two versions, or of too few
    stale: int = 0  # reads of less than what was acknowledged before
    refused: list[str] = field(default_factory=list)  # anything else

    @property
    def met(self) -> bool:
        """Whether nothing was lost, read half, or refused for good."""
        return not (self.lost or self.half or self.stale or self.refused)


class Paper:
    """A paper, its graph, and the version that was acknowledged last."""

    def __init__(self, text: bytes) -> None:
        """The paper as it was generated."""
        self.graph, self.text = graph(text), text
        self.labels = len(set(re.findall(rb'"[^"]*ade-up paper \d+[^"]*"', text)))
        self.acknowledged = 0

    def put(self, token: str, version: int) -> bytes:
        """The request that writes a version."""
        return put("/graphs", token, self.graph, NAMED.sub(b"ade-up paper %d" % version, self.text))

    def get(self) -> bytes:
        """The request that reads all labels."""
        query = f"""SELECT DISTINCT ?label WHERE {{ GRAPH <{self.graph}> {{ ?thing ?is ?label .
            FILTER(isLiteral(?label) && CONTAINS(STR(?label), "ade-up paper ")) }} }}"""
        return request(f"/sparql?{urlencode({'query': query})}", "application/sparql-results+json")

    def read(self, body: bytes) -> set[int] | None:
        """The versions that an answer shows; None where labels are missing."""
        labels = [row["label"]["value"] for row in json.loads(body)["results"]["bindings"]]
        versions = {int(VERSION.findall(label)[0]) for label in labels}
        return None if labels and len(labels) != self.labels else versions


def graph(paper: bytes) -> str:
    """The graph of a generated paper, which it describes itself."""
    found: list[bytes] = GRAPH.findall(paper)
    return found[0].decode()


def put(path: str, token: str, graph: str, paper: bytes) -> bytes:
    """The request that writes a paper into a graph by the Graph Store Protocol."""
    return request(
        f"{path}?graph={quote(graph, safe='')}",
        fields={"Content-Type": "text/turtle", "Authorization": f"Bearer {token}"},
        method="PUT",
        body=paper,
    )


def gather(port: int, token: str, texts: Sequence[bytes]) -> Crowd:
    """Let them all loose on a service."""
    crowd, lock, done = Crowd(), threading.Lock(), threading.Event()
    papers = [Paper(text) for text in texts]
    start = time.perf_counter()
    with ThreadPoolExecutor(len(papers) + READERS) as pool:
        writers = [pool.submit(write, port, token, paper, crowd, lock) for paper in papers]
        readers = [
            pool.submit(read, port, papers[number % len(papers)], crowd, lock, done)
            for number in range(READERS)
        ]
        for writer in writers:
            writer.result()
        done.set()
        for reader in readers:
            reader.result()
    crowd.seconds = time.perf_counter() - start
    for paper in papers:
        there = paper.read(once(port, paper.get()).body)
        crowd.lost += bool(paper.acknowledged) and there != {paper.acknowledged}
    return crowd


def once(port: int, asked: bytes) -> Answer:
    """The answer to a request on a connection of its own."""
    with Client(port) as client:
        return client.ask(asked, keep=True)


def write(port: int, token: str, paper: Paper, crowd: Crowd, lock: threading.Lock) -> None:
    """One writer, who comes again when told that the service is busy."""
    for version in range(1, VERSIONS + 1):
        answer, until = once(port, paper.put(token, version)), time.monotonic() + PATIENCE
        while answer.status in BUSY and time.monotonic() < until:
            with lock:
                crowd.busy += 1
            time.sleep(AGAIN)
            answer = once(port, paper.put(token, version))
        with lock:
            if answer.status in DONE:
                crowd.writes += 1
                paper.acknowledged = version
            else:
                crowd.refused.append(said(answer))


def read(port: int, paper: Paper, crowd: Crowd, lock: threading.Lock, done: threading.Event) -> None:
    """One reader, who reads as long as there is somebody who writes."""
    while not done.is_set():
        before = paper.acknowledged
        answer = once(port, paper.get())
        with lock:
            if answer.status == 200:
                crowd.reads += 1
                versions = paper.read(answer.body)
                crowd.half += versions is None or len(versions) > 1
                crowd.stale += versions is not None and max(versions, default=0) < before
            elif answer.status in BUSY:
                crowd.busy += 1
            else:
                crowd.refused.append(said(answer))
        if answer.status in BUSY:
            time.sleep(AGAIN)


def said(answer: Answer) -> str:
    """What a refusal says, for the report."""
    return f"{answer.status} {answer.body[:200].decode(errors='replace')}"

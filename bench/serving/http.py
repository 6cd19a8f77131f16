"""The time of queries over HTTP, compared with other servers: the first request of a text, and repeated."""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self

from ..compare.peers import FROM_DISK, OURS, OXIGRAPH, Peer, list_peers
from ..data import generate
from ..measure.client import Client, build_request
from ..measure.commands import PYTHON
from ..measure.requests import RequestSeries, RequestTimes, measure_in_turns
from ..measure.server import RunningServer, run_server, wait_until_idle
from . import minimal_server
from .queries import QUESTIONS, QUESTIONS_BY_NAME, SEED, Question, parse_rows

FIRST, REPEATED = "first time", "repeated"  # ways to send a query: with different texts, or the same text
# Measured like servers: requests with If-None-Match to ours, and the client with the minimal server.
NOT_MODIFIED, CLIENT_ALONE = f"{OURS}, 304", "client alone"
# Numbers of the two variants whose results are compared; no measured first request has them.
REPEATED_NUMBER, CHECKED_NUMBER = 0, 8_888_888
MAX_FIRST_BYTE_SECONDS = 0.010
RESPONSE_TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class QueryMeasurement:
    """One query over so many papers: the figures of each server by name, or why it was not measured."""

    papers: int
    question: str
    way: str  # FIRST or REPEATED
    rows: int
    figures: Mapping[str, Mapping[str, float]]
    refused: Mapping[str, str]  # reasons

    def ratio(self, name: str, key: str) -> float | None:
        """Speed of a server relative to `oxigraph serve`, by the figure `key`; None if one has no figures."""
        if name not in self.figures or OXIGRAPH not in self.figures:
            return None
        return self.figures[OXIGRAPH][key] / self.figures[name][key]

    def goal(self, name: str) -> float | None:
        """The minimum ratio of one of our servers; None if there is no goal."""
        question = QUESTIONS_BY_NAME[self.question]
        if self.way == REPEATED:
            return question.repeated_goal
        return question.from_disk_goal if name == FROM_DISK else question.first_goal

    def own_names(self) -> list[str]:
        """The names of our servers, including those that were not measured."""
        return [name for name in (*self.figures, *self.refused) if name.startswith(OURS)]


class RunningPeers(dict[str, RunningServer]):
    """Running servers with so many papers, by name, and the minimal server; a context manager."""

    def __init__(self, scratch: Path, papers: int, peers: Sequence[Peer]) -> None:
        """Fill the stores that are not filled yet."""
        super().__init__()
        self.papers, self.peers = papers, peers
        self.stacks: dict[str, ExitStack] = {}
        file = generated_file(scratch, papers)
        self.starters: dict[str, Callable[[], AbstractContextManager[RunningServer]]] = {
            peer.name: partial(peer.serve, peer.filled_store(scratch, file), file) for peer in peers
        }
        self.starters[CLIENT_ALONE] = lambda: run_server(
            [PYTHON, minimal_server.__file__], "{port}", ready_path="/true"
        )

    def __enter__(self) -> Self:
        """Start all servers, or none, and wait until ours have done what follows their start."""
        try:
            for name in self.starters:
                self.restart(name)
            for peer in self.peers:
                if peer.is_ours:
                    wait_until_idle(self[peer.name])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all servers."""
        for stack in self.stacks.values():
            stack.close()

    def restart(self, name: str) -> None:
        """Stop a server if it is running, and start it."""
        self.stacks.setdefault(name, ExitStack()).close()
        self[name] = self.stacks[name].enter_context(self.starters[name]())


def generated_file(scratch: Path, papers: int) -> Path:
    """The file with so many generated papers; it is written if it does not exist yet."""
    file = scratch / f"{papers}.nq"
    if not file.exists():
        unfinished = file.with_suffix(".unfinished")
        generate.write_papers(unfinished, papers, SEED)
        unfinished.rename(file)
    return file


def compare_queries(
    scratch: Path, papers: int, seconds: float, settings: Mapping[str, str]
) -> list[QueryMeasurement]:
    """All queries at one size; each server has `seconds` for first and for repeated requests of each."""
    with RunningPeers(scratch, papers, list_peers(papers, settings)) as servers:
        return [
            measurement for question in QUESTIONS for measurement in measure_query(question, servers, seconds)
        ]


def measure_query(question: Question, servers: RunningPeers, seconds: float) -> list[QueryMeasurement]:
    """One query, first and repeated, for the servers that return the same result."""
    papers = servers.papers
    print(f"{papers:,} papers: {question.name}", file=sys.stderr, flush=True)
    result = compare_results(question, servers)
    client_alone = RequestSeries(servers[CLIENT_ALONE], lambda _: build_request(f"/{result.size}"))
    first, repeated = {CLIENT_ALONE: client_alone}, {CLIENT_ALONE: client_alone}
    for peer in servers.peers:
        if peer.name not in result.refused:
            server, same_request = servers[peer.name], peer.request(question, REPEATED_NUMBER, papers)
            first[peer.name] = RequestSeries(server, partial(peer.request, question, papers=papers))
            repeated[peer.name] = RequestSeries(server, repeat_request(same_request))
            if peer.is_ours and NOT_MODIFIED not in repeated and (etag := fetch_etag(server, same_request)):
                conditional = peer.request(question, REPEATED_NUMBER, papers, {"If-None-Match": etag})
                repeated[NOT_MODIFIED] = RequestSeries(server, repeat_request(conditional), 304)
    max_requests = papers - 1 if question.page else None  # more would repeat cached pages
    times_by_way = {
        FIRST: measure_in_turns(first, seconds, max_requests=max_requests),
        REPEATED: measure_in_turns(repeated, seconds),
    }
    return [
        QueryMeasurement(papers, question.name, way, result.rows, *split_failures(times, result.refused))
        for way, times in times_by_way.items()
    ]


def repeat_request(request: bytes) -> Callable[[int], bytes]:
    """A function that returns the same request for each number."""
    return lambda _: request


def split_failures(
    times: Mapping[str, RequestTimes], refused: Mapping[str, str]
) -> tuple[dict[str, dict[str, float]], dict[str, str]]:
    """The figures of each server, and why others have none, both by name."""
    failures = {name: server_times.failure for name, server_times in times.items() if server_times.failure}
    figures = {
        name: server_times.summarize() for name, server_times in times.items() if not server_times.failure
    }
    return figures, {**refused, **failures}


def fetch_etag(server: RunningServer, request: bytes) -> str:
    """The ETag of a response; empty if it has none or is incomplete."""
    try:
        with Client(server.port) as client:
            return client.send(request).etag
    except ConnectionError:
        return ""


class ComparedResult(NamedTuple):
    """Rows and bytes of the result of a query, and why some servers are not measured, by name."""

    rows: int
    size: int  # of our response
    refused: dict[str, str]


def compare_results(question: Question, servers: RunningPeers) -> ComparedResult:
    """Send two variants of a query to all servers, and compare their results."""
    row_count = size = 0
    refused: dict[str, str] = {}
    for number in (REPEATED_NUMBER, CHECKED_NUMBER):
        rows_by_server: dict[str, list[tuple[str, ...]]] = {}
        for peer in servers.peers:
            if peer.name in refused:
                continue
            try:
                with Client(servers[peer.name].port, RESPONSE_TIMEOUT_SECONDS) as client:
                    request = peer.request(question, number, servers.papers)
                    response = client.send(request, keep_body=True)
                rows_by_server[peer.name] = parse_rows(question, response.body)
            except TimeoutError:
                refused[peer.name] = f"no response within {RESPONSE_TIMEOUT_SECONDS} s"
                servers.restart(peer.name)
            except OSError as error:
                refused[peer.name] = str(error)
            except (ValueError, SyntaxError, KeyError):
                refused[peer.name] = f"status {response.status}, in another format"
            else:
                size = response.size if peer.is_ours else size
        expected = rows_by_server.get(OXIGRAPH) or next(iter(rows_by_server.values()))
        row_count = len(expected)
        for name, rows in rows_by_server.items():
            is_different = len(rows) != row_count or (question.has_same_rows and rows != expected)
            if not question.page and is_different:
                refused[name] = f"differs: {describe_rows(rows)}, not {describe_rows(expected)}"
    return ComparedResult(row_count, size, refused)


def describe_rows(rows: Sequence[Sequence[str]]) -> str:
    """The only row of a result, or its number of rows."""
    return " ".join(*rows) if len(rows) == 1 else f"{len(rows):,} rows"

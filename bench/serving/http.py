"""How fast queries are answered over HTTP, compared with the peers: the first time, and repeated."""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

from ..compare.peers import FROM_DISK, OURS, OXIGRAPH, Peer, peers
from ..data import generate
from ..measure.client import Client, request
from ..measure.commands import PYTHON
from ..measure.requests import Asked, Times, in_turns
from ..measure.server import Running, running
from . import minimal_server
from .queries import BY_NAME, QUESTIONS, SEED, Question, rows

FIRST, REPEATED = "first time", "repeated"
UNCHANGED, FLOOR = f"{OURS}, 304", "client alone"
ASKED_BEFORE, CHECKED = 0, 8_888_888  # numbers of texts that no turn asks for the first time
FIRST_BYTE = 0.010  # seconds
PATIENCE = 60  # seconds for an answer; more than that is no answer


@dataclass(frozen=True)
class Measured:
    """One question at one size, asked in one way: the figures of each server, or why it was not asked."""

    papers: int
    question: str
    way: str
    rows: int
    figures: Mapping[str, Mapping[str, float]]
    refused: Mapping[str, str]

    def ratio(self, name: str, by: str) -> float | None:
        """How many times as fast as `oxigraph serve` a server is, by one of the figures."""
        if name not in self.figures or OXIGRAPH not in self.figures:
            return None
        return self.figures[OXIGRAPH][by] / self.figures[name][by]

    def goal(self, name: str) -> float | None:
        """The least ratio that is wanted of one of ours."""
        question = BY_NAME[self.question]
        if self.way == REPEATED:
            return question.repeated
        return question.beyond if name == FROM_DISK else question.first

    def own(self) -> list[str]:
        """The names of ours, also of those that were not timed."""
        return [name for name in (*self.figures, *self.refused) if name.startswith(OURS)]


class Servers(dict[str, Running]):
    """The peers that run over so many papers, by name, and the server that does nothing; usable in `with`."""

    def __init__(self, scratch: Path, papers: int, among: Sequence[Peer]) -> None:
        """Fill the folders that are not filled yet."""
        super().__init__()
        self.papers, self.among = papers, among
        self.stacks: dict[str, ExitStack] = {}
        file = data(scratch, papers)
        self.ways: dict[str, Callable[[], AbstractContextManager[Running]]] = {
            peer.name: partial(peer.serve, peer.filled(scratch, file), file) for peer in among
        }
        self.ways[FLOOR] = lambda: running([PYTHON, minimal_server.__file__], "{port}", question="/true")

    def __enter__(self) -> Self:
        """Start them all, or none."""
        try:
            for name in self.ways:
                self.start(name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop them all."""
        for stack in self.stacks.values():
            stack.close()

    def start(self, name: str) -> None:
        """Start one, or stop it and start it again."""
        self.stacks.setdefault(name, ExitStack()).close()
        self[name] = self.stacks[name].enter_context(self.ways[name]())


def data(scratch: Path, papers: int) -> Path:
    """The file of so many papers."""
    file = scratch / f"{papers}.nq"
    if not file.exists():
        unfinished = file.with_suffix(".unfinished")
        generate.write(unfinished, papers, SEED)
        unfinished.rename(file)
    return file


def compare(scratch: Path, papers: int, seconds: float, settings: Mapping[str, str]) -> list[Measured]:
    """All questions at one size; each server has so many seconds for each way of asking."""
    with Servers(scratch, papers, peers(papers, settings)) as servers:
        return [one for question in QUESTIONS for one in asked(question, servers, seconds)]


def asked(question: Question, servers: Servers, seconds: float) -> list[Measured]:
    """One question, for the first time and repeated, to those servers that give the same answer to it."""
    papers = servers.papers
    print(f"{papers:,} papers: {question.name}", file=sys.stderr, flush=True)
    count, size, refused = checked(question, servers)
    nothing = Asked(servers[FLOOR], lambda _: request(f"/{size}"))
    first, again = {FLOOR: nothing}, {FLOOR: nothing}
    for peer in servers.among:
        if peer.name not in refused:
            server, same = servers[peer.name], peer.request(question, ASKED_BEFORE, papers)
            first[peer.name] = Asked(server, partial(peer.request, question, papers=papers))
            again[peer.name] = Asked(server, always(same))
            if peer.ours and UNCHANGED not in again and (tag := entity_tag(server, same)):
                known = peer.request(question, ASKED_BEFORE, papers, {"If-None-Match": tag})
                again[UNCHANGED] = Asked(server, always(known), 304)
    most = papers - 1 if question.page else None
    found = {FIRST: in_turns(first, seconds, most=most), REPEATED: in_turns(again, seconds)}
    return [
        Measured(papers, question.name, way, count, *told(times, refused)) for way, times in found.items()
    ]


def always(same: bytes) -> Callable[[int], bytes]:
    """The same request, whatever its number."""
    return lambda _: same


def told(
    times: Mapping[str, Times], refused: Mapping[str, str]
) -> tuple[dict[str, dict[str, float]], dict[str, str]]:
    """The figures of each server that has some, and why others have none."""
    failed = {name: one.failed for name, one in times.items() if one.failed}
    fine = {name: one.figures() for name, one in times.items() if not one.failed}
    return fine, {**refused, **failed}


def entity_tag(server: Running, question: bytes) -> str:
    """The ETag of an answer, empty where it has none or does not come to its end."""
    try:
        with Client(server.port) as client:
            return client.ask(question).etag
    except ConnectionError:
        return ""


def checked(question: Question, servers: Servers) -> tuple[int, int, dict[str, str]]:
    """Rows and bytes of the answer, and why some servers are not asked: theirs is not the same."""
    count = size = 0
    refused: dict[str, str] = {}
    for number in (ASKED_BEFORE, CHECKED):
        found: dict[str, list[tuple[str, ...]]] = {}
        for peer in servers.among:
            if peer.name in refused:
                continue
            try:
                with Client(servers[peer.name].port, PATIENCE) as client:
                    answer = client.ask(peer.request(question, number, servers.papers), keep=True)
                found[peer.name] = rows(question, answer.body)
            except TimeoutError:
                refused[peer.name] = f"no answer within {PATIENCE} s"
                servers.start(peer.name)
            except OSError as error:
                refused[peer.name] = str(error)
            except (ValueError, SyntaxError, KeyError):
                refused[peer.name] = f"answers {answer.status} in another format"
            else:
                size = answer.size if peer.ours else size
        right = found.get(OXIGRAPH) or next(iter(found.values()))
        count = len(right)
        for name, answered in found.items():
            if not question.page and (len(answered) != count or (question.same and answered != right)):
                refused[name] = f"differs: {said(answered)}, not {said(right)}"
    return count, size, refused


def said(answered: Sequence[Sequence[str]]) -> str:
    """How an answer differs from another: its only value, or how many rows it has."""
    return " ".join(*answered) if len(answered) == 1 else f"{len(answered):,} rows"

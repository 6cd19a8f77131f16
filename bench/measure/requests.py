"""Send requests to servers in turn, A B C, A B C, so that noise of the machine affects all equally."""

import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from . import processes
from .client import Client, request
from .server import Running


class Asked(NamedTuple):
    """A server, what it is asked by the number of the request, and the status of its answers."""

    server: Running
    request: Callable[[int], bytes]
    status: int = 200


TURN = 0.05  # seconds that a turn takes at least, if one request does not
FEWEST = 3  # requests to each server, however long they take


@dataclass
class Times:
    """What requests took: seconds each, to the last byte and to the first of the body; bytes of an answer.

    `cpu` is seconds of CPU of a request by the server with all its processes, one figure a turn.
    """

    seconds: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    size: int = 0
    failed: str = ""  # what went wrong

    def enough(self, budget: float) -> bool:
        """Whether so many seconds are used up."""
        return len(self.seconds) >= FEWEST and sum(self.seconds) >= budget

    def figures(self) -> dict[str, float]:
        """What is kept of it: medians and the slow end. Raises SystemExit where something went wrong."""
        if self.failed or not self.seconds:
            raise SystemExit(f"A server {self.failed or 'was not asked'}.")
        return {
            "requests": len(self.seconds),
            "bytes": self.size,
            "p50": median(self.seconds),
            "p95": quantile(self.seconds, 0.95),
            "p99": quantile(self.seconds, 0.99),
            "first byte p50": median(self.first),
            "first byte p99": quantile(self.first, 0.99),
            "cpu": median(self.cpu),
        }


def quantile(values: Sequence[float], share: float) -> float:
    """What that share of the values is at most (the nearest rank: one of the values)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def in_turns(servers: Mapping[str, Asked], budget: float, *, most: int | None = None) -> dict[str, Times]:
    """What the requests to each server took, which has so many seconds for all its turns.

    Each server is asked 1, 2, ..., at most so many times, after a 0 that does not count. One that answers
    with another status, or not at all, is not asked again.
    """
    times = {name: Times() for name in servers}
    numbers = {name: itertools.islice(itertools.count(1), most) for name in servers}
    for name, asked in servers.items():
        ready = Times()
        turn(asked, iter([0]), ready)
        times[name].failed = ready.failed
    waiting = [name for name in servers if not times[name].failed]
    while waiting:
        waiting = [
            name
            for name in waiting
            if turn(servers[name], numbers[name], times[name]) and not times[name].enough(budget)
        ]
    return times


def turn(asked: Asked, numbers: Iterator[int], times: Times) -> bool:
    """Ask one server for a while; whether there is more to ask. What goes wrong is written down."""
    try:
        return ask(asked, numbers, times)
    except OSError as error:
        times.failed = str(error)
        return False


def ask(asked: Asked, numbers: Iterator[int], times: Times) -> bool:
    """Ask one server for a while, on a connection of its own; whether there is more to ask.

    Raises OSError where it does not answer as it should.
    """
    server, answers = asked.server, []
    with Client(server.port) as client:
        client.ask(request(server.question))
        before, until = processes.cpu(server.process), time.perf_counter() + TURN
        for number in numbers:
            answer = client.ask(asked.request(number))
            if answer.status != asked.status:
                raise ConnectionError(f"answers {answer.status} at request {number}")
            answers.append(answer)
            if time.perf_counter() > until:
                break
        spent = processes.cpu(server.process) - before
    if answers:
        times.cpu.append(spent / len(answers))
        times.seconds += [one.seconds for one in answers]
        times.first += [one.first for one in answers]
        times.size = answers[-1].size
    return time.perf_counter() > until

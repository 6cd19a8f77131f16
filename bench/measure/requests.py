"""Send requests to servers in turn, A B C, A B C, so that noise of the machine affects all equally."""

import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from . import processes
from .client import Client, build_request
from .server import RunningServer


class RequestSeries(NamedTuple):
    """A server, the function that builds request number n for it, and the expected status."""

    server: RunningServer
    request: Callable[[int], bytes]
    status: int = 200


MIN_TURN_SECONDS = 0.05  # of one turn of one server
MIN_REQUESTS = 3  # to each server, however long they take


@dataclass
class RequestTimes:
    """Seconds of each request of a series, until its last byte and until the first byte of its body.

    `cpu_seconds` has one figure for each turn: CPU of the server with all its processes, per request.
    """

    seconds: list[float] = field(default_factory=list)
    first_byte_seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    response_bytes: int = 0  # of the last response
    failure: str = ""  # empty unless a request failed

    def is_complete(self, budget_seconds: float) -> bool:
        """Whether there are enough requests, and they took all of their budget."""
        return len(self.seconds) >= MIN_REQUESTS and sum(self.seconds) >= budget_seconds

    def summarize(self) -> dict[str, float]:
        """Medians and high quantiles, in seconds. Raises SystemExit if a request failed."""
        if self.failure or not self.seconds:
            raise SystemExit(f"A server cannot be measured: {self.failure or 'no request was sent'}.")
        return {
            "requests": len(self.seconds),
            "bytes": self.response_bytes,
            "p50": median(self.seconds),
            "p95": compute_quantile(self.seconds, 0.95),
            "p99": compute_quantile(self.seconds, 0.99),
            "first byte p50": median(self.first_byte_seconds),
            "first byte p99": compute_quantile(self.first_byte_seconds, 0.99),
            "cpu": median(self.cpu_seconds),
        }


def compute_quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed (nearest rank: one of the values)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def measure_in_turns(
    series_by_name: Mapping[str, RequestSeries], budget_seconds: float, *, max_requests: int | None = None
) -> dict[str, RequestTimes]:
    """The times of each series, which gets this budget for all its turns.

    Requests are numbered 1, 2, ..., after a request 0 that is not counted. A series ends when a response has
    another status or is incomplete.
    """
    times = {name: RequestTimes() for name in series_by_name}
    numbers = {name: itertools.islice(itertools.count(1), max_requests) for name in series_by_name}
    for name, series in series_by_name.items():
        uncounted = RequestTimes()
        run_turn(series, iter([0]), uncounted)
        times[name].failure = uncounted.failure
    remaining = [name for name in series_by_name if not times[name].failure]
    while remaining:
        remaining = [
            name
            for name in remaining
            if run_turn(series_by_name[name], numbers[name], times[name])
            and not times[name].is_complete(budget_seconds)
        ]
    return times


def run_turn(series: RequestSeries, numbers: Iterator[int], times: RequestTimes) -> bool:
    """Send the requests of one turn; return whether more remain. A failure is recorded in `times`."""
    try:
        return send_requests(series, numbers, times)
    except OSError as error:
        times.failure = str(error)
        return False


def send_requests(series: RequestSeries, numbers: Iterator[int], times: RequestTimes) -> bool:
    """Send the requests of one turn on a new connection; return whether more remain.

    Raises OSError if a response is incomplete or has another status.
    """
    server, responses = series.server, []
    with Client(server.port) as client:
        client.send(build_request(server.ready_path))  # so that the new connection is not measured
        cpu_before, end = processes.measure_cpu_seconds(server.pid), time.perf_counter() + MIN_TURN_SECONDS
        for number in numbers:
            response = client.send(series.request(number))
            if response.status != series.status:
                raise ConnectionError(f"status {response.status} at request {number}")
            responses.append(response)
            if time.perf_counter() > end:
                break
        cpu_seconds = processes.measure_cpu_seconds(server.pid) - cpu_before
    if responses:
        times.cpu_seconds.append(cpu_seconds / len(responses))
        times.seconds += [response.seconds for response in responses]
        times.first_byte_seconds += [response.first_byte_seconds for response in responses]
        times.response_bytes = responses[-1].size
    return time.perf_counter() > end  # before the end, the numbers ran out

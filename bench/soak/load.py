"""Clients that send requests at a steady rate, and record the outcome of each."""

import math
import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..measure.client import Client
from ..measure.requests import compute_quantile
from ..serving.concurrency import BUSY_STATUSES
from .mix import RequestMaker, SoakRequest

CLIENTS = 6
RESPONSE_TIMEOUT_SECONDS = 60
MAX_KEPT_FAULTS = 20  # whose description is kept; all are counted


@dataclass(frozen=True)
class LoadSummary:
    """Numbers of requests, busy statuses and faults, and quantiles of their seconds."""

    requests: int
    busy: int
    faults: int
    p50: float
    p99: float


class Tally:
    """The outcomes of all requests to a service; its methods may be called on several threads.

    A fault is an unexpected status or an incomplete response; busy is a status 429 or 503.
    """

    def __init__(self) -> None:
        """Start without requests."""
        self.lock = threading.Lock()
        self.times: list[float] = []
        self.busy_count = self.fault_count = 0
        self.kinds: Counter[str] = Counter()
        self.faults: list[str] = []

    def record(self, request: SoakRequest, seconds: float, fault: str = "", *, busy: bool = False) -> None:
        """Record a request: its seconds, and its fault if it has one."""
        with self.lock:
            self.kinds[request.kind] += 1
            self.times.append(seconds)
            self.busy_count += busy
            self.fault_count += bool(fault)
            if fault and len(self.faults) < MAX_KEPT_FAULTS:
                self.faults.append(f"{request.kind}: {fault}: {request.data[:150]!r}")

    def take_summary(self) -> LoadSummary:
        """Return the summary of the requests since the last call."""
        with self.lock:
            times, busy, faults = self.times, self.busy_count, self.fault_count
            self.times, self.busy_count, self.fault_count = [], 0, 0
        p50, p99 = (compute_quantile(times or [0.0], share) for share in (0.5, 0.99))
        return LoadSummary(len(times), busy, faults, p50, p99)

    def summarize_kinds(self) -> dict[str, Any]:
        """The number of requests by kind, and the first faults."""
        with self.lock:
            return {"kinds": dict(self.kinds), "faults": list(self.faults)}


class Load:
    """Clients that send requests to a service, as a context manager."""

    def __init__(
        self, port: int, mix: Sequence[RequestMaker], rate: float, tally: Tally | None = None
    ) -> None:
        """Take the makers of the requests of a round, and the rate of all clients together, per second."""
        self.port, self.mix, self.rate = port, mix, rate
        self.tally, self.done = tally or Tally(), threading.Event()
        self.threads = [threading.Thread(target=self.run_client, args=[number]) for number in range(CLIENTS)]

    def __enter__(self) -> Tally:
        """Start the clients."""
        self.start = time.monotonic()
        for thread in self.threads:
            thread.start()
        return self.tally

    def __exit__(self, *_: object) -> None:
        """Stop the clients after their current requests."""
        self.done.set()
        for thread in self.threads:
            thread.join()

    def run_client(self, number: int) -> None:
        """Send each CLIENTS-th request at its time, from `number`; skip those due while waiting."""
        connection = PersistentConnection(self.port)
        while not self.done.wait(self.start + number / self.rate - time.monotonic()):
            round_number, place = divmod(number, len(self.mix))
            self.send_and_record(connection, self.mix[place](round_number))
            late_seconds = max(0.0, time.monotonic() - self.start - number / self.rate)
            number += CLIENTS * max(1, math.ceil(late_seconds * self.rate / CLIENTS))
        connection.close()

    def send_and_record(self, connection: "PersistentConnection", request: SoakRequest) -> None:
        """Send a request, and record its outcome."""
        start = time.monotonic()
        fault, status = "", None
        try:
            status = self.send_request(connection, request)
        except (OSError, ValueError) as error:
            fault = f"{type(error).__name__} {error}"
        busy = status in BUSY_STATUSES
        if status is not None and status not in request.statuses and not busy:
            fault = f"status {status}"
        self.tally.record(request, time.monotonic() - start, fault, busy=busy)

    def send_request(self, connection: "PersistentConnection", request: SoakRequest) -> int | None:
        """The status of the response; None if the client disconnects before."""
        if request.disconnect_seconds is not None:
            with socket.create_connection(("127.0.0.1", self.port), RESPONSE_TIMEOUT_SECONDS) as client:
                client.sendall(request.data)
                self.done.wait(request.disconnect_seconds)
            return None
        if request.needs_new_connection:
            with Client(self.port, RESPONSE_TIMEOUT_SECONDS) as new_client:
                return new_client.send(request.data).status
        return connection.send(request.data)


class PersistentConnection:
    """A connection that is kept open between requests, and opened again if the service closed it."""

    def __init__(self, port: int) -> None:
        """Connect later, for the first request."""
        self.port = port
        self.client: Client | None = None

    def send(self, request: bytes) -> int:
        """The status of the response."""
        if self.client:
            try:
                return self.client.send(request).status
            except ConnectionError:  # it was idle for so long that the service closed it
                self.close()
        self.client = Client(self.port, RESPONSE_TIMEOUT_SECONDS)
        try:
            return self.client.send(request).status
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection, if it is open."""
        if self.client:
            self.client.__exit__()
            self.client = None

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
from ..measure.requests import quantile
from ..serving.concurrency import BUSY
from .mix import Ask, Asking

CLIENTS = 6
PATIENCE = 60  # seconds for an answer
SHOWN = 20  # faults that are told in full


@dataclass(frozen=True)
class Asked:
    """How many requests there were, how many were told to come again or went wrong, and their seconds."""

    requests: int
    busy: int
    faults: int
    p50: float
    p99: float


class Tally:
    """What all clients of a service note, at once."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self.lock = threading.Lock()
        self.times: list[float] = []
        self.busy = self.wrong = 0
        self.kinds: Counter[str] = Counter()
        self.faults: list[str] = []

    def note(self, ask: Ask, seconds: float, fault: str = "", *, busy: bool = False) -> None:
        """Note a request, how long it took, and what was wrong with it."""
        with self.lock:
            self.kinds[ask.kind] += 1
            self.times.append(seconds)
            self.busy += busy
            self.wrong += bool(fault)
            if fault and len(self.faults) < SHOWN:
                self.faults.append(f"{ask.kind}: {fault}: {ask.request[:150]!r}")

    def taken(self) -> Asked:
        """What was noted since it was taken last."""
        with self.lock:
            times, busy, wrong = self.times, self.busy, self.wrong
            self.times, self.busy, self.wrong = [], 0, 0
        p50, p99 = (quantile(times or [0.0], share) for share in (0.5, 0.99))
        return Asked(len(times), busy, wrong, p50, p99)

    def kept(self) -> dict[str, Any]:
        """How often what was asked, and the first faults."""
        with self.lock:
            return {"kinds": dict(self.kinds), "faults": list(self.faults)}


class Load:
    """Clients at work on a service, usable in `with`."""

    def __init__(self, port: int, mix: Sequence[Asking], rate: float, tally: Tally | None = None) -> None:
        """So many requests a second, of all clients together."""
        self.port, self.mix, self.rate = port, mix, rate
        self.tally, self.done = tally or Tally(), threading.Event()
        self.threads = [threading.Thread(target=self.work, args=[number]) for number in range(CLIENTS)]

    def __enter__(self) -> Tally:
        """Begin."""
        self.start = time.monotonic()
        for one in self.threads:
            one.start()
        return self.tally

    def __exit__(self, *_: object) -> None:
        """Have them end what they are at."""
        self.done.set()
        for one in self.threads:
            one.join()

    def work(self, number: int) -> None:
        """One client: each request at its time; what comes due while it waits for an answer is left out."""
        line = Line(self.port)
        while not self.done.wait(self.start + number / self.rate - time.monotonic()):
            round_, place = divmod(number, len(self.mix))
            self.ask(line, self.mix[place](round_))
            late = max(0.0, time.monotonic() - self.start - number / self.rate)
            number += CLIENTS * max(1, math.ceil(late * self.rate / CLIENTS))
        line.close()

    def ask(self, line: "Line", ask: Ask) -> None:
        """Ask, and note how it went."""
        begun = time.monotonic()
        fault, status = "", None
        try:
            status = self.answered(line, ask)
        except (OSError, ValueError) as error:
            fault = f"{type(error).__name__} {error}"
        busy = status in BUSY
        if status is not None and status not in ask.right and not busy:
            fault = f"answered {status}"
        self.tally.note(ask, time.monotonic() - begun, fault, busy=busy)

    def answered(self, line: "Line", ask: Ask) -> int | None:
        """The status of the answer; None where the client does not wait for it."""
        if ask.leaves is not None:
            with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as one:
                one.sendall(ask.request)
                self.done.wait(ask.leaves)
            return None
        if ask.alone:
            with Client(self.port, PATIENCE) as other:
                return other.ask(ask.request).status
        return line.ask(ask.request)


class Line:
    """A connection that is kept open from one request to the next, and made again when it was closed."""

    def __init__(self, port: int) -> None:
        """It is made when it is needed."""
        self.port = port
        self.client: Client | None = None

    def ask(self, asked: bytes) -> int:
        """The status of an answer."""
        if self.client:
            try:
                return self.client.ask(asked).status
            except ConnectionError:  # it lay idle for so long that the service closed it
                self.close()
        self.client = Client(self.port, PATIENCE)
        try:
            return self.client.ask(asked).status
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close it, if it is there."""
        if self.client:
            self.client.__exit__()
            self.client = None

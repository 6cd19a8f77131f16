"""What is noted of each query: how long it took, what came of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request

from .logs import Logs
from .metrics import Metrics
from .noting import NOTED
from .problems import Problem
from .readers.result import Result
from .readers.wire import LOST
from .tracing import Tracing

OUTCOMES = {LOST: "memory"}  # by the fault, where it is not called so; most likely that is why a reader ended


class Queried:
    """One query, from now on."""

    def __init__(self, request: Request, text: str) -> None:
        """It begins."""
        self.text, self.began = text, time.perf_counter()
        self.metrics: Metrics = request.app.state.metrics
        self.logs: Logs = request.app.state.logs
        self.tracing: Tracing | None = request.app.state.tracing
        self.within = self.tracing.current() if self.tracing else None
        self.request = request.scope[NOTED].id if NOTED in request.scope else ""

    def follow(self, result: Result) -> None:
        """Note the end of its result."""

        def ended() -> None:
            fault = result.fault.kind if result.fault else "answered"
            self.ended(OUTCOMES.get(fault, fault), result.size)

        result.when_ended(ended)

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Around what comes before it is answered: that ends it where it fails."""
        try:
            yield
        except Problem as problem:
            self.ended(refused(problem))
            raise
        except BaseException:  # its client went away
            self.ended("canceled")
            raise

    def ended(self, outcome: str, size: int = 0) -> None:
        """It has ended."""
        seconds = time.perf_counter() - self.began
        self.metrics.queries.labels(outcome).inc()
        self.metrics.query_seconds.observe(seconds)
        if self.tracing:
            said = {"wgig.outcome": outcome, "wgig.bytes": size}
            self.tracing.past("query", self.began, self.within, said)
        if self.logs.queries:
            self.logs.query(
                self.text, seconds=round(seconds, 6), bytes=size, outcome=outcome, id=self.request
            )


def refused(problem: Problem) -> str:
    """What is said of a query that was not asked."""
    if problem.status == 503:
        return "busy"
    return "syntax" if problem.slug == "syntax" else "refused"

"""What came of checks of papers is counted, also where they were refused."""

from collections.abc import Iterator
from contextlib import contextmanager

from .metrics import Metrics
from .problems import Problem


@contextmanager
def counting(metrics: Metrics) -> Iterator[list[str]]:
    """Around a check: the outcomes that are put into the list are counted, or the Problem in their place."""
    outcomes: list[str] = []
    try:
        yield outcomes
    except Problem as problem:
        outcomes.append(outcome_of_problem(problem))
        raise
    finally:
        for one in outcomes:
            metrics.checks.labels(one).inc()


def outcome_of_problem(problem: Problem) -> str:
    """What is counted in place of a report."""
    if problem.status == 503:
        return "crowded" if "Retry-After" in problem.headers else "slow"
    return "large" if problem.status == 413 else "unread"

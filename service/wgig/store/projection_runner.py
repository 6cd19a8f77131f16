"""Applies the commits of a store to its projections, in order, on one thread.

A commit is published when it is in the change log and in the engine, before it is acknowledged. Whoever reads
a projection waits until it includes what was published before. Commits that wait are applied together.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Any, Protocol

import pyoxigraph as ox

from .change import Change, combine_changes

MAX_BATCH_COMMITS = 100  # applied together

log = logging.getLogger("wgig")


@dataclass(frozen=True)
class CommittedChange:
    """A commit: its version and time in the change log, its stated change, and what was derived from it.

    `derived` is the change of the computed and inferred graphs in the same commit, or later a change of the
    descriptions alone. It is empty if the commit is replayed from the log, which has only the stated change.
    """

    version: int
    time: datetime
    stated: Change
    derived: Change = field(default_factory=Change)
    is_replayed: bool = False

    @cached_property
    def full(self) -> Change:
        """The change of all quads."""
        if self.stated and self.derived:  # else there is nothing to compare
            return self.stated.combine(self.derived)
        return self.stated or self.derived


def combine_commits(commits: Sequence[CommittedChange]) -> CommittedChange:
    """Consecutive commits as one, with the version and time of the last one."""
    if len(commits) == 1:
        return commits[0]
    return CommittedChange(
        commits[-1].version,
        commits[-1].time,
        combine_changes([commit.stated for commit in commits]),
        combine_changes([commit.derived for commit in commits]),
        any(commit.is_replayed for commit in commits),
    )


class CommitSubscriber(Protocol):
    """What gets each published commit."""

    def receive(self, commits: Sequence[CommittedChange] | None, last_number: int) -> None:
        """Apply or collect commits; None if the store has changed in an unknown way. Raises nothing.

        `last_number` is the number of the last of them, as counted by `ProjectionRunner.published_count`.
        """


class ProjectionRunner:
    """The queue of commits that are to be applied, and the thread that applies them."""

    def __init__(self) -> None:
        """Start without projections, and without a thread until the first commit."""
        self.condition = threading.Condition()
        self.subscribers: list[CommitSubscriber] = []
        self.queue = deque[CommittedChange | None]()  # with those that are being applied
        self.batch_size = 0  # of the commits that are being applied
        self.announced: Sequence[CommittedChange] = ()  # being written to the engine
        self.published_count = self.applied_count = 0
        self.executor: ThreadPoolExecutor | None = None
        self.is_running = False

    def subscribe(self, subscriber: CommitSubscriber) -> None:
        """Pass each later commit to a subscriber."""
        with self.condition:
            self.subscribers.append(subscriber)

    def announce(self, commits: Sequence[CommittedChange]) -> None:
        """Take note of commits before they are written to the engine, for `restore_quads`."""
        self.announced = commits

    def publish(self, commits: Sequence[CommittedChange | None]) -> None:
        """Queue commits for the projections; None for an unknown change. The write lock must be held."""
        with self.condition:
            self.announced = ()
            self.published_count += len(commits)
            if not self.subscribers:
                self.applied_count = self.published_count
                return
            self.queue.extend(commits)
            if not self.is_running:
                self.is_running = True
                self.executor = self.executor or ThreadPoolExecutor(1, "projections")
                self.executor.submit(self.run)

    def run(self) -> None:
        """Apply all commits in the queue."""
        while True:
            with self.condition:
                if not self.queue:
                    self.is_running = False
                    return
                batch = list(islice(iter_known(self.queue), MAX_BATCH_COMMITS))
                self.batch_size = len(batch) or 1
                subscribers = list(self.subscribers)
                last_number = self.applied_count + self.batch_size
            for subscriber in subscribers:
                subscriber.receive(batch or None, last_number)
            with self.condition:
                for _ in range(self.batch_size):
                    self.queue.popleft()
                self.batch_size, self.applied_count = 0, last_number
                self.condition.notify_all()

    def wait_until_applied(self, number: int, timeout_seconds: float | None = None) -> bool:
        """Wait until the first `number` published commits are applied. Returns False after the timeout."""
        if self.applied_count >= number:
            return True
        with self.condition:
            return self.condition.wait_for(lambda: self.applied_count >= number, timeout_seconds)

    def restore_quads(
        self, match: Callable[..., Iterable[ox.Quad]], pattern: tuple[Any, Any, Any]
    ) -> Iterator[ox.Quad]:
        """The quads that match a pattern (None matches any term) right after the commits being applied.

        The store may have later commits by now. What the first of them does to a quad tells whether the quad
        existed before.
        """
        quads = list(match(*pattern))  # before the later commits are listed: no commit is missed
        later_commits = self.list_later_commits()
        if not later_commits:
            return iter(quads)
        existed = dict[ox.Quad, bool]()
        for commit in later_commits:
            for quad in commit.full.removed:
                existed.setdefault(quad, True)
            for quad in commit.full.added:
                existed.setdefault(quad, False)
        unchanged = [quad for quad in quads if quad not in existed]
        terms = [term for term in enumerate(pattern) if term[1] is not None]
        removed = [
            quad
            for quad, did_exist in existed.items()
            if did_exist and all(quad[position] == term for position, term in terms)
        ]
        return iter(unchanged + removed)

    def list_later_commits(self) -> list[CommittedChange]:
        """The commits after those that are being applied, also one that is being written to the engine."""
        if not self.announced and len(self.queue) == self.batch_size:
            return []
        with self.condition:
            queued = [commit for commit in islice(self.queue, self.batch_size, None) if commit]
            return [*queued, *self.announced]


def iter_known(queue: Iterable[CommittedChange | None]) -> Iterator[CommittedChange]:
    """The commits up to the first unknown change."""
    for commit in queue:
        if commit is None:
            return
        yield commit

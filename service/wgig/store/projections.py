"""Values derived from the store: quad and graph counts, and functions cached per store version.

Quads and graphs are counted on first use, which takes half a second for a million quads, and then updated
with each change.
"""

import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from .change import Change
from .store import Store

Source = TypeVar("Source")
Arguments = ParamSpec("Arguments")
Cached = TypeVar("Cached")

VersionedFunction = Callable[Concatenate[Source, int, Arguments], Cached]


class VersionCache(Generic[Source, Arguments, Cached]):
    """A function of a store, its version and more words, which keeps what it found for that version."""

    def __init__(self, find: VersionedFunction[Source, Arguments, Cached], most: int) -> None:
        """Take what finds, and how many findings are kept."""
        self.cached: Any = lru_cache(most)(find)
        self.key: tuple[int, int] | None = None

    def __call__(
        self, source: Source, version: int, *words: Arguments.args, **more: Arguments.kwargs
    ) -> Cached:
        """What is found. What was found for another version is forgotten, lest it fill the memory."""
        if self.key != (id(source), version):
            self.forget()
            self.key = (id(source), version)
        found: Cached = self.cached(source, version, *words, **more)
        return found

    def forget(self) -> None:
        """Keep nothing, not even the store."""
        self.cached.cache_clear()


def cache_for_version(
    most: int,
) -> Callable[[VersionedFunction[Source, Arguments, Cached]], VersionCache[Source, Arguments, Cached]]:
    """Have a function of a store and its version keep up to so many of its findings for that version."""
    return lambda find: VersionCache(find, most)


class StoreSize:
    """Counts what a store holds when somebody asks first: that takes half a second for a million quads."""

    def __init__(self, store: Store) -> None:
        """Nothing is counted yet."""
        self.store, self.lock = store, threading.Lock()
        self.known_counts: tuple[int, int] | None = None
        self.is_following = False

    def follow(self, change: Change | None) -> None:
        """Take a write into account, while nobody else writes; None: it may be any."""
        if change is None:
            self.known_counts = None
        elif self.known_counts:
            quads, graphs = self.known_counts
            self.known_counts = (
                quads + len(change.added) - len(change.removed),
                graphs + len(change.created) - len(change.dropped),
            )

    def counts(self) -> tuple[int, int]:
        """The number of quads, and that of named graphs; for a thread."""
        with self.lock:
            if self.known_counts and self.is_following:
                return self.known_counts
            with self.store.write_lock():
                if not self.is_following:
                    self.store.projections.append(self.follow)
                    self.is_following = True
                self.known_counts = self.store.size()
                return self.known_counts

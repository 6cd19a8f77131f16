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
Words = ParamSpec("Words")
Found = TypeVar("Found")

Find = Callable[Concatenate[Source, int, Words], Found]


class Remembered(Generic[Source, Words, Found]):
    """A function of a store, its version and more words, which keeps what it found for that version."""

    def __init__(self, find: Find[Source, Words, Found], most: int) -> None:
        """Take what finds, and how many findings are kept."""
        self.kept: Any = lru_cache(most)(find)
        self.last: tuple[int, int] | None = None

    def __call__(self, source: Source, version: int, *words: Words.args, **more: Words.kwargs) -> Found:
        """What is found. What was found for another version is forgotten, lest it fill the memory."""
        if self.last != (id(source), version):
            self.forget()
            self.last = (id(source), version)
        found: Found = self.kept(source, version, *words, **more)
        return found

    def forget(self) -> None:
        """Keep nothing, not even the store."""
        self.kept.cache_clear()


def for_version(most: int) -> Callable[[Find[Source, Words, Found]], Remembered[Source, Words, Found]]:
    """Have a function of a store and its version keep up to so many of its findings for that version."""
    return lambda find: Remembered(find, most)


class Census:
    """Counts what a store holds when somebody asks first: that takes half a second for a million quads."""

    def __init__(self, store: Store) -> None:
        """Nothing is counted yet."""
        self.store, self.asking = store, threading.Lock()
        self.counted: tuple[int, int] | None = None
        self.following = False

    def follow(self, change: Change | None) -> None:
        """Take a write into account, while nobody else writes; None: it may be any."""
        if change is None:
            self.counted = None
        elif self.counted:
            quads, graphs = self.counted
            self.counted = (
                quads + len(change.added) - len(change.removed),
                graphs + len(change.made) - len(change.dropped),
            )

    def now(self) -> tuple[int, int]:
        """The number of quads, and that of named graphs; for a thread."""
        with self.asking:
            if self.counted and self.following:
                return self.counted
            with self.store.alone():
                if not self.following:
                    self.store.followers.append(self.follow)
                    self.following = True
                self.counted = self.store.size()
                return self.counted

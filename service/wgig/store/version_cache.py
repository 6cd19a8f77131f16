"""Functions of a store whose results are kept for as long as the store has the same version."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar


class Versioned(Protocol):
    """What has another version after each write."""

    @property
    def version(self) -> int:
        """The number of the last write."""


Source = TypeVar("Source", bound=Versioned)
Arguments = ParamSpec("Arguments")
Cached = TypeVar("Cached")


class VersionCache(Generic[Source, Arguments, Cached]):
    """A function of a store and more arguments, which keeps its results for the version of the store."""

    def __init__(self, find: Callable[Concatenate[Source, Arguments], Cached], most: int) -> None:
        """Take the function, and how many results are kept."""

        def find_at_version(
            source: Source, _: int, /, *args: Arguments.args, **named: Arguments.kwargs
        ) -> Cached:
            return find(source, *args, **named)

        # The version is a part of the key, as a call that began before a write may end after it.
        self.cached: Any = lru_cache(most)(find_at_version)
        self.key: tuple[int, int] | None = None

    def __call__(self, source: Source, *args: Arguments.args, **named: Arguments.kwargs) -> Cached:
        """The result. What was found for another version is forgotten, lest it fill the memory."""
        version = source.version
        if self.key != (id(source), version):
            self.forget()
            self.key = (id(source), version)
        found: Cached = self.cached(source, version, *args, **named)
        return found

    def forget(self) -> None:
        """Keep nothing, not even the store."""
        self.cached.cache_clear()


def cache_for_version(
    most: int,
) -> Callable[[Callable[Concatenate[Source, Arguments], Cached]], VersionCache[Source, Arguments, Cached]]:
    """Have a function of a store keep up to so many of its results for the version that the store has."""
    return lambda find: VersionCache(find, most)

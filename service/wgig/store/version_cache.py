"""Caches of functions of a store, valid while the store has the same version."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar


class Versioned(Protocol):
    """An object whose version changes with each write."""

    @property
    def version(self) -> int:
        """The number of the last write."""


Source = TypeVar("Source", bound=Versioned)
Arguments = ParamSpec("Arguments")
Cached = TypeVar("Cached")


class VersionCache(Generic[Source, Arguments, Cached]):
    """A function of a store and more arguments that caches its results for the current version."""

    def __init__(self, function: Callable[Concatenate[Source, Arguments], Cached], max_results: int) -> None:
        """Take the function, and the maximum number of cached results."""

        def call_at_version(
            source: Source, _: int, /, *args: Arguments.args, **kwargs: Arguments.kwargs
        ) -> Cached:
            return function(source, *args, **kwargs)

        # The version is part of the cache key, as a call that began before a write may end after it.
        self.cached: Any = lru_cache(max_results)(call_at_version)
        self.key: tuple[int, int] | None = None

    def __call__(self, source: Source, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Cached:
        """The result, cached or computed. Results for other versions are dropped, to free memory."""
        version = source.version
        if self.key != (id(source), version):
            self.forget()
            self.key = (id(source), version)
        result: Cached = self.cached(source, version, *args, **kwargs)
        return result

    def forget(self) -> None:
        """Clear the cache, and its reference to the store."""
        self.cached.cache_clear()


def cache_for_version(
    max_results: int,
) -> Callable[[Callable[Concatenate[Source, Arguments], Cached]], VersionCache[Source, Arguments, Cached]]:
    """Decorator: cache up to `max_results` results of a function for the current version of the store."""
    return lambda function: VersionCache(function, max_results)

"""Caches for functions of a store; results are valid while the version of the store is the same."""

from collections.abc import Awaitable, Callable, Hashable
from functools import lru_cache
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar


class Versioned(Protocol):
    """An object whose version changes with each write."""

    @property
    def version(self) -> int:
        """The number of the last write."""


AnyStore = TypeVar("AnyStore", bound=Versioned)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class VersionCache(Generic[AnyStore, Arguments, Result]):
    """A function of a store and more arguments that caches its results for the current version."""

    def __init__(
        self, function: Callable[Concatenate[AnyStore, Arguments], Result], max_results: int
    ) -> None:
        """Take the function, and the maximum number of cached results."""

        def call_at_version(
            store: AnyStore, _: int, /, *args: Arguments.args, **kwargs: Arguments.kwargs
        ) -> Result:
            return function(store, *args, **kwargs)

        # The version is in the cache key, as a call may begin before a write and end after it.
        self.cached: Any = lru_cache(max_results)(call_at_version)
        self.key: tuple[int, int] | None = None

    def __call__(self, store: AnyStore, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        """The result, cached or computed. Results for other versions are dropped, to free memory."""
        version = store.version
        if self.key != (id(store), version):
            self.forget()
            self.key = (id(store), version)
        result: Result = self.cached(store, version, *args, **kwargs)
        return result

    def forget(self) -> None:
        """Clear the cache, and its reference to the store."""
        self.cached.cache_clear()


def cache_for_version(
    max_results: int,
) -> Callable[
    [Callable[Concatenate[AnyStore, Arguments], Result]],
    VersionCache[AnyStore, Arguments, Result],
]:
    """Decorator: cache up to `max_results` results of a function for the current version of the store."""
    return lambda function: VersionCache(function, max_results)


class KeptResults:
    """Results of coroutines for the current version of a source, such as the workers that evaluate queries.

    Without room for another result, those that were not used for the longest time are dropped.
    """

    def __init__(self, source: Versioned, max_size: int, measure: Callable[[Any], int] = lambda _: 1) -> None:
        """Take the source, and the maximum of the sum of the sizes of all results, by `measure`."""
        self.source, self.max_size, self.measure = source, max_size, measure
        self.drop_results(source.version)

    def drop_results(self, version: int) -> None:
        """Drop all results; those to come are for this version."""
        self.version, self.size = version, 0
        self.results: dict[Hashable, Any] = {}  # those used last are at the end

    async def get_or_compute(self, key: Hashable, compute: Callable[[], Awaitable[Result]]) -> Result:
        """The result with this key, kept or computed. Call this only in the event loop.

        A result is kept for the version before it was computed, so that a write meanwhile drops it.
        """
        version = self.source.version
        if version != self.version:
            self.drop_results(version)
        if key in self.results:
            self.results[key] = self.results.pop(key)
            kept: Result = self.results[key]
            return kept
        result = await compute()
        if version == self.version and key not in self.results:
            self.results[key] = result
            self.size += self.measure(result)
            while self.size > self.max_size:
                self.size -= self.measure(self.results.pop(next(iter(self.results))))
        return result

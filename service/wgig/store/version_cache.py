"""Caches for functions of a store; results are valid while the version of the store is the same."""

from collections.abc import Callable
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

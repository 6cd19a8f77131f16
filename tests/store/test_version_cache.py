"""Results are cached for the current version of a store only."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from functools import partial

from wgig.store.version_cache import KeptResults, VersionCache


@dataclass(eq=False)
class FakeStore:
    """A store that has only a version."""

    version: int = 1


def make_counted_cache() -> tuple[Counter[tuple[object, int, str]], VersionCache[FakeStore, [str], str]]:
    """The number of calls of a function by arguments, and the function with a cache."""
    calls = Counter[tuple[object, int, str]]()

    def find(store: FakeStore, word: str) -> str:
        calls[store, store.version, word] += 1
        return f"{word} {store.version}"

    return calls, VersionCache(find, 10)  # at most 10 results


def test_a_result_is_computed_once_per_version() -> None:
    calls, find = make_counted_cache()
    store = FakeStore()
    assert [find(store, "a"), find(store, "a")] == ["a 1", "a 1"]
    store.version = 2
    assert [find(store, "a"), find(store, "a")] == ["a 2", "a 2"]
    assert set(calls.values()) == {1}


def test_results_of_other_versions_and_stores_are_dropped() -> None:
    _, find = make_counted_cache()
    for store in (FakeStore(1), FakeStore(2), FakeStore(2)):
        find(store, "a")
        find(store, "b")
        assert find.cached.cache_info().currsize == 2
    find.forget()
    assert find.cached.cache_info().currsize == 0


def test_a_result_from_before_a_write_is_not_cached_for_the_new_version() -> None:
    store, versions = FakeStore(), list[int]()

    def find(store: FakeStore) -> int:
        versions.append(store.version)
        before, store.version = store.version, 2  # a write during the call
        if before == 1:
            assert cached(store) == 2
        return before

    cached = VersionCache(find, 10)
    assert (cached(store), cached(store)) == (1, 2)
    assert versions == [1, 2]


def test_results_of_coroutines_are_kept_until_the_next_write() -> None:
    store, calls = FakeStore(), list[int]()
    kept = KeptResults(store, 10)

    async def compute() -> int:
        calls.append(store.version)
        return store.version

    async def get_three() -> list[int]:
        return [await kept.get_or_compute("a", compute) for _ in range(3)]

    assert asyncio.run(get_three()) == [1, 1, 1]
    store.version = 2
    assert asyncio.run(get_three()) == [2, 2, 2]
    assert calls == [1, 2]


def test_a_result_of_a_coroutine_from_before_a_write_is_not_kept() -> None:
    store = FakeStore()
    kept = KeptResults(store, 10)

    async def compute() -> int:
        store.version += 1  # a write while the result is computed
        return store.version - 1

    assert [asyncio.run(kept.get_or_compute("a", compute)) for _ in range(2)] == [1, 2]


def test_the_results_used_longest_ago_are_dropped_first() -> None:
    kept = KeptResults(FakeStore(), 6, len)

    async def compute_all(*texts: str) -> None:
        for text in texts:
            await kept.get_or_compute(text, partial(asyncio.sleep, 0, text))

    asyncio.run(compute_all("aa", "bbb", "aa", "cc"))
    assert [*kept.results] == ["aa", "cc"]
    asyncio.run(compute_all("ddddddd"))  # larger than all results may be together
    assert (kept.results, kept.size) == ({}, 0)

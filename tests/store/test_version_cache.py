"""What is found in a store is kept for one version of it, and nothing of another fills the memory."""

from collections import Counter
from dataclasses import dataclass

from wgig.store.version_cache import VersionCache


@dataclass(eq=False)
class Source:
    """A store."""

    version: int = 1


def looks() -> tuple[Counter[tuple[object, int, str]], VersionCache[Source, [str], str]]:
    """What counts its looks."""
    counted = Counter[tuple[object, int, str]]()

    def find(source: Source, word: str) -> str:
        counted[source, source.version, word] += 1
        return f"{word} {source.version}"

    return counted, VersionCache(find, 10)


def test_what_is_found_is_found_once_in_a_version() -> None:
    counted, find = looks()
    one = Source()
    assert [find(one, "a"), find(one, "a")] == ["a 1", "a 1"]
    one.version = 2
    assert [find(one, "a"), find(one, "a")] == ["a 2", "a 2"]
    assert set(counted.values()) == {1}


def test_nothing_is_kept_of_another_version_or_store() -> None:
    _, find = looks()
    for source in (Source(1), Source(2), Source(2)):
        find(source, "a")
        find(source, "b")
        assert find.cached.cache_info().currsize == 2
    find.forget()
    assert find.cached.cache_info().currsize == 0


def test_what_a_write_overtook_is_not_kept_for_the_version_that_it_made() -> None:
    source, called = Source(), list[int]()

    def find(source: Source) -> int:
        called.append(source.version)
        before, source.version = source.version, 2  # a write comes while this is found
        if before == 1:
            assert cached(source) == 2
        return before

    cached = VersionCache(find, 10)
    assert (cached(source), cached(source)) == (1, 2)
    assert called == [1, 2]

"""What is found in a store is kept for one version of it, and nothing of another fills the memory."""

from collections import Counter

from wgig.store.projections import VersionCache


class Source:
    """A store."""


def looks() -> tuple[Counter[tuple[object, int, str]], VersionCache[Source, [str], str]]:
    """What counts its looks."""
    counted = Counter[tuple[object, int, str]]()

    def find(source: Source, version: int, word: str) -> str:
        counted[source, version, word] += 1
        return f"{word} {version}"

    return counted, VersionCache(find, 10)


def test_what_is_found_is_found_once_in_a_version() -> None:
    counted, find = looks()
    one = Source()
    assert [find(one, version, "a") for version in (1, 1, 2, 2)] == ["a 1", "a 1", "a 2", "a 2"]
    assert set(counted.values()) == {1}


def test_nothing_is_kept_of_another_version_or_store() -> None:
    _, find = looks()
    one, other = Source(), Source()
    for source, version in ((one, 1), (one, 2), (other, 2)):
        find(source, version, "a")
        find(source, version, "b")
        assert find.cached.cache_info().currsize == 2
    find.forget()
    assert find.cached.cache_info().currsize == 0

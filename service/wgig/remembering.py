"""What is found in a store, kept as long as the store is in the same version."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

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

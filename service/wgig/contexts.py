"""Whether JSON-LD is small enough in its contexts: the engine recurses along their terms."""

import json
from typing import Any

from . import nesting

MOST = 3000  # terms of all contexts of a document together; that of schema.org has 2,900


class Members(int):
    """How many members an object has, with those of the objects in it."""


class Terms:
    """Counts the terms of contexts while JSON is read."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self.count = 0

    def take(self, pairs: list[tuple[str, Any]]) -> Members:
        """Take an object, in which those within are counted already."""
        sizes = [members(value) for _, value in pairs]
        self.count += sum(size for (key, _), size in zip(pairs, sizes, strict=True) if key == "@context")
        return Members(len(pairs) + sum(sizes))


def members(value: Any) -> int:
    """How many members the objects in a value have."""
    if isinstance(value, list):
        return sum(map(members, value))
    return value if isinstance(value, Members) else 0


def check(document: str) -> None:
    """Raise SyntaxError where a document has too many terms, or is nested too deeply even to count them.

    One that is no JSON is left to the engine.
    """
    nesting.check(document)
    terms = Terms()
    try:
        json.loads(document, object_pairs_hook=terms.take)
    except ValueError:
        return
    if terms.count > MOST:
        raise SyntaxError(f"the contexts define more than {MOST} terms; name only those that are used")

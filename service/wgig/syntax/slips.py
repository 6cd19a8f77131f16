"""Slips that people make in SPARQL, each with its cause in plain words and the way to mend it."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from .reading import Misfit

TABLE = Path(__file__).with_name("slips.txt")
NEAR = 200  # characters that a pattern looks at, on either side
SHOWN = 40  # characters of the token that does not fit


class Slip(NamedTuple):
    """A row of the table: where it fits, its cause, and how to mend it."""

    within: frozenset[str]
    before: re.Pattern[str]
    here: re.Pattern[str]
    cause: str
    mend: str


@cache
def slips() -> list[Slip]:
    """The rows of the table, which says itself how they are read."""
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if line and not line.startswith("# ")]
    rows = zip(*[iter(line for line in lines if line != "#")] * 3, strict=True)
    return [slip(*row) for row in rows]


def slip(where: str, cause: str, mend: str) -> Slip:
    """One row."""
    within, before, here = (part.strip() for part in where.split(" :: "))
    before_, here_ = (re.compile(pattern, re.IGNORECASE) for pattern in (before or "$", here))
    return Slip(frozenset(within.split("|")), before_, here_, cause, mend)


def known(text: str, found: Misfit) -> tuple[str, str] | None:
    """The cause and the mend of the slip that a text shows; None for one that is not in the table."""
    before = " ".join(token.text for token in found.before[-8:])[-NEAR:]
    open_ = {"*", *found.inside, *(() if found.open else ["outside"])}
    for row in slips():
        if open_.isdisjoint(row.within) or not row.before.search(before):
            continue
        if row.here.match(text, found.start, found.start + NEAR):
            here = found.token.text[:SHOWN]
            return row.cause.replace("{here}", here), row.mend.replace("{here}", here)
    return None

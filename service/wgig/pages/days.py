"""Days as people read them, and as places on a line of time."""

import re
from calendar import monthrange
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from .. import speaking

KEPT = 2_000  # dates that are at hand
WRITTEN = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2}))?)?(?:Z|[+-][0-9:]{5})?"
)


class Span(NamedTuple):
    """The first and last day of a day, month or year."""

    first: date
    last: date


@lru_cache(KEPT)
def span(text: str) -> Span | None:
    """The days that a date means, which may be a month or a year alone; None where it is none."""
    found = WRITTEN.fullmatch(text)
    if not found:
        return None
    year, month, day = (int(one) if one else 0 for one in found.groups())
    try:
        first = date(year, month or 1, day or 1)
    except ValueError:
        return None
    last = first if day else date(year, month or 12, monthrange(year, month or 12)[1])
    return Span(first, last)


def in_words(text: str) -> str:
    """A date as people read it, such as 25 January 2005; one that is none as it is."""
    found, days = WRITTEN.fullmatch(text), span(text)
    if not found or not days:
        return text
    if found["day"]:
        return speaking.day(days.first)
    return speaking.month(days.first) if found["month"] else found["year"]

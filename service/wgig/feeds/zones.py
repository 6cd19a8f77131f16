"""The time zone of a country, as the tz database of IANA has it."""

from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

TABLE = files("tzdata") / "zoneinfo" / "zone.tab"


def zone(country: str) -> ZoneInfo | None:
    """The zone of a country, by its two-letter code (ISO 3166); None where it has several, or is unknown."""
    names = by_country().get(country, [])
    return ZoneInfo(names[0]) if len(names) == 1 else None


@cache
def by_country() -> dict[str, list[str]]:
    """The names of the zones of each country, by its code."""
    found: dict[str, list[str]] = {}
    for line in TABLE.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            country, _, name, *_ = line.split("\t")
            found.setdefault(country, []).append(name)
    return found

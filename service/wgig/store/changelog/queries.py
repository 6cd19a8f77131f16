"""When things last changed, as the log has it."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from .log import ACTIVITY_DELETE, ChangeLog

LAST_CHANGE_COLUMNS = "iri, number, at, known, what"
HIGHEST_CHARACTER = "\U0010ffff"  # what no IRI has


class LastChange(NamedTuple):
    """When a thing last changed, whether that is known, what became of it, and the number of that."""

    iri: str
    number: int
    changed_at: str
    is_time_known: bool
    activity: str


def list_logged_kinds(log: ChangeLog) -> list[str]:
    """The kinds of things that there are or were; takes a step for each of them, not for each thing."""
    select = """WITH RECURSIVE kinds(kind) AS (
        SELECT MIN(kind) FROM things WHERE kind > ''
        UNION ALL SELECT (SELECT MIN(kind) FROM things WHERE kind > kinds.kind) FROM kinds WHERE kind > ''
        ) SELECT kind FROM kinds WHERE kind > ''"""
    return [kind for (kind,) in log.select_rows(select)]


def latest_changes_of_kinds(
    log: ChangeLog, wanted: Iterable[str], before: int, most: int
) -> list[LastChange]:
    """Up to so many things of some kinds that last changed before that number, the last one first."""
    select = (
        f"SELECT {LAST_CHANGE_COLUMNS} FROM things WHERE kind = ? AND number < ? ORDER BY number DESC LIMIT ?"  # noqa: S608
    )
    found = [LastChange._make(row) for kind in wanted for row in log.select_rows(select, kind, before, most)]
    return sorted(found, key=lambda one: -one.number)[:most]


def list_resources_below(
    log: ChangeLog, start: str, without: Collection[str], skip: int, most: int
) -> list[LastChange]:
    """The things that there are whose IRI begins so, ordered by it, after so many of them.

    Those are left out whose IRI goes on with one of the names in `without`, and a slash.
    """
    where, values = resources_below_condition(start, without)
    select = f"SELECT {LAST_CHANGE_COLUMNS} FROM things WHERE {where} ORDER BY iri LIMIT ? OFFSET ?"  # noqa: S608
    return [LastChange._make(row) for row in log.select_rows(select, *values, most, skip)]


def count_resources_below(log: ChangeLog, start: str, without: Collection[str]) -> int:
    """How many things there are whose IRI begins so, and does not go on with one of those names."""
    where, values = resources_below_condition(start, without)
    count: int = log.select_rows(f"SELECT COUNT(*) FROM things WHERE {where}", *values)[0][0]  # noqa: S608
    return count


def resources_below_condition(start: str, without: Collection[str]) -> tuple[str, list[object]]:
    """The condition for `below`, and the values of its places."""
    places = ", ".join("?" * len(without))
    name = "substr(iri, ?, instr(substr(iri, ?), '/') - 1)"
    behind = len(start) + 1
    return (
        f"iri >= ? AND iri < ? AND what <> ? AND {name} NOT IN ({places})",
        [start, start + HIGHEST_CHARACTER, ACTIVITY_DELETE, behind, behind, *without],
    )


def find_next_resource(log: ChangeLog, start: str, least: str) -> str:
    """The first thing that there is, from an IRI on, of those that begin so; empty where there is none."""
    select = "SELECT iri FROM things WHERE iri >= ? AND iri < ? AND what <> ? ORDER BY iri LIMIT 1"
    found = log.select_rows(select, least, start + HIGHEST_CHARACTER, ACTIVITY_DELETE)
    return found[0][0] if found else ""


def count_resources_by_kind(log: ChangeLog) -> dict[str, int]:
    """How many things there are of each kind."""
    select = "SELECT kind, COUNT(*) FROM things WHERE kind > '' AND what <> ? GROUP BY kind"
    return dict(log.select_rows(select, ACTIVITY_DELETE))


def find_last_changes(log: ChangeLog, iris: Iterable[str]) -> dict[str, LastChange]:
    """When each of these things last changed, as far as they are in the log."""
    select = f"SELECT {LAST_CHANGE_COLUMNS} FROM things WHERE iri = ?"  # noqa: S608
    return {iri: LastChange._make(row) for iri in iris for row in log.select_rows(select, iri)}

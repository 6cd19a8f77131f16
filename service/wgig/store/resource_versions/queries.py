"""Queries of the versions of resources: when resources last changed, and which resources exist.

They read the table `resources`, which has a row with the last change of each resource (see `database`). A
resource of which nothing is stated, such as the result of a check, is not in it. The kind of a resource is
`paper` for the path `id/paper/x` below the base, for example; it is empty for other paths.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from functools import partial
from typing import NamedTuple

import pyoxigraph as ox

from ...rdf.serialization import parse_n_quads
from . import database
from .database import ResourceVersions
from .members import ACTIVITY_DELETE
from .states import StatePacker

LAST_CHANGE_COLUMNS = "iri, number, at, known, activity"
HIGHEST_CHARACTER = "\U0010ffff"  # is in no IRI, and sorts after all other characters


class LastChange(NamedTuple):
    """The last change of a resource: the number of its version, its time, and its activity.

    `activity` is one of the ACTIVITY constants of `members`. If the time is not known, `changed_at` is the
    time of the scan that found the change.
    """

    iri: str
    number: int
    changed_at: str
    is_time_known: bool
    activity: str


def list_versioned_kinds(versions: ResourceVersions) -> list[str]:
    """The kinds of all resources, also deleted ones. Takes one step per kind, not per resource."""
    select = """WITH RECURSIVE kinds(kind) AS (
        SELECT MIN(kind) FROM resources WHERE kind > ''
        UNION ALL SELECT (SELECT MIN(kind) FROM resources WHERE kind > kinds.kind) FROM kinds WHERE kind > ''
        ) SELECT kind FROM kinds WHERE kind > ''"""
    return [kind for (kind,) in versions.select_rows(select)]


def latest_changes_of_kinds(
    versions: ResourceVersions, kinds: Iterable[str], before: int, limit: int
) -> list[LastChange]:
    """Up to `limit` resources of these kinds whose last change has a number below `before`, newest first."""
    condition = "kind = ? AND number < ? ORDER BY number DESC LIMIT ?"
    select = f"SELECT {LAST_CHANGE_COLUMNS} FROM resources WHERE {condition}"  # noqa: S608
    rows = (row for kind in kinds for row in versions.select_rows(select, kind, before, limit))
    return sorted(map(LastChange._make, rows), key=lambda change: -change.number)[:limit]


def list_resources_below(
    versions: ResourceVersions, prefix: str, excluded: Collection[str], skip: int, limit: int
) -> list[LastChange]:
    """Up to `limit` existing resources whose IRI begins with `prefix`, sorted by IRI, after the first `skip`.

    IRIs that continue with one of the names in `excluded` and a slash are left out.
    """
    condition, values = resources_below_condition(prefix, excluded)
    select = f"SELECT {LAST_CHANGE_COLUMNS} FROM resources WHERE {condition} ORDER BY iri LIMIT ? OFFSET ?"  # noqa: S608
    return [LastChange._make(row) for row in versions.select_rows(select, *values, limit, skip)]


def count_resources_below(versions: ResourceVersions, prefix: str, excluded: Collection[str]) -> int:
    """The number of resources that `list_resources_below` lists in total."""
    condition, values = resources_below_condition(prefix, excluded)
    count: int = versions.select_rows(f"SELECT COUNT(*) FROM resources WHERE {condition}", *values)[0][0]  # noqa: S608
    return count


def resources_below_condition(prefix: str, excluded: Collection[str]) -> tuple[str, list[object]]:
    """The SQL condition for existing resources below a prefix, and the values of its placeholders."""
    placeholders = ", ".join("?" * len(excluded))
    next_segment = "substr(iri, ?, instr(substr(iri, ?), '/') - 1)"
    next_position = len(prefix) + 1
    return (
        f"iri >= ? AND iri < ? AND activity <> ? AND {next_segment} NOT IN ({placeholders})",
        [prefix, prefix + HIGHEST_CHARACTER, ACTIVITY_DELETE, next_position, next_position, *excluded],
    )


def find_next_resource(versions: ResourceVersions, prefix: str, first: str) -> str:
    """The first IRI of an existing resource with this prefix that is not before `first`, or empty."""
    select = "SELECT iri FROM resources WHERE iri >= ? AND iri < ? AND activity <> ? ORDER BY iri LIMIT 1"
    rows = versions.select_rows(select, first, prefix + HIGHEST_CHARACTER, ACTIVITY_DELETE)
    return rows[0][0] if rows else ""


def count_resources_by_kind(versions: ResourceVersions) -> dict[str, int]:
    """The number of existing resources of each kind."""
    select = "SELECT kind, COUNT(*) FROM resources WHERE kind > '' AND activity <> ? GROUP BY kind"
    return dict(versions.select_rows(select, ACTIVITY_DELETE))


def find_last_changes(versions: ResourceVersions, iris: Iterable[str]) -> dict[str, LastChange]:
    """The last change of each of these resources, by its IRI."""
    select = f"SELECT {LAST_CHANGE_COLUMNS} FROM resources WHERE iri = ?"  # noqa: S608
    return {iri: LastChange._make(row) for iri in iris for row in versions.select_rows(select, iri)}


class ChangePeriod(NamedTuple):
    """Versions with numbers after `after` and up to `last`, and with times from `first_time` to `last_time`.

    Times are in ISO 8601, and may be cut: a `last_time` of `2005-06` includes the whole month.
    """

    after: int
    last: int
    first_time: str = ""
    last_time: str = HIGHEST_CHARACTER


def list_last_changes(
    versions: ResourceVersions, kinds: Iterable[str], period: ChangePeriod, limit: int
) -> list[LastChange]:
    """Up to `limit` resources of these kinds whose last change is in the period, the oldest change first."""
    after, last = narrow_change_numbers(versions, period)
    condition = "kind = ? AND number > ? AND number <= ? AND at >= ? AND at <= ? ORDER BY number LIMIT ?"
    select = f"SELECT {LAST_CHANGE_COLUMNS} FROM resources WHERE {condition}"  # noqa: S608
    times = (period.first_time, f"{period.last_time}{HIGHEST_CHARACTER}")
    rows = [row for kind in kinds for row in versions.select_rows(select, kind, after, last, *times, limit)]
    return sorted(map(LastChange._make, rows), key=lambda change: change.number)[:limit]


def narrow_change_numbers(versions: ResourceVersions, period: ChangePeriod) -> tuple[int, int]:
    """The numbers of a period, narrowed to whole closed pages by their times, as times have no index."""
    pages = range(1, versions.open_page_number)
    earlier = bisect_left(pages, period.first_time, key=partial(find_page_time, versions, "last"))
    last_time = f"{period.last_time}{HIGHEST_CHARACTER}"
    not_later = bisect_right(pages, last_time, key=partial(find_page_time, versions, "first"))
    last = not_later * database.MEMBERS_PER_PAGE if not_later < len(pages) else period.last
    return max(period.after, earlier * database.MEMBERS_PER_PAGE), min(period.last, last)


def find_page_time(versions: ResourceVersions, column: str, page: int) -> str:
    """The time of the `first` or the `last` member of a closed page."""
    ((time,),) = versions.select_rows(f"SELECT {column} FROM pages WHERE page = ?", page)  # noqa: S608
    return str(time)


def read_last_states(versions: ResourceVersions, iris: Iterable[str]) -> dict[str, list[ox.Quad]]:
    """The stated quads of each of these resources that exists, as of its last change, by its IRI."""
    condition = "resources.iri = ? AND versions.activity <> ?"
    select = f"SELECT state FROM resources JOIN versions USING (number) WHERE {condition}"  # noqa: S608
    contents = {
        iri: content for iri in iris for (content,) in versions.select_rows(select, iri, ACTIVITY_DELETE)
    }
    packer = StatePacker()  # that of the database may be in use by another thread
    with versions.translate_errors():
        lines = {
            iri: versions.states.split_lines(packer.unpack(content)) for iri, content in contents.items()
        }
    return {
        iri: list(parse_n_quads("".join(f"<{iri}> {line}\n" for line in sorted(state))))
        for iri, state in lines.items()
    }

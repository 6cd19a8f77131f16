"""The last changes of resources in a period, by number and time, for OAI-PMH."""

from itertools import product

import pyoxigraph as ox
import pytest
from wgig.store.resource_versions import database
from wgig.store.resource_versions.database import ResourceVersions
from wgig.store.resource_versions.queries import (
    HIGHEST_CHARACTER,
    ChangePeriod,
    LastChange,
    list_last_changes,
    read_last_states,
)

BASE = "https://w3id.org/wgig/"
VERSION_COUNT = 23
TIMES = [f"2005-06-{1 + number // 3:02}T12:00:{number % 3:02}.500000Z" for number in range(VERSION_COUNT)]


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> ResourceVersions:
    """A version of an issue or a paper at each of TIMES, in pages of four; every fifth changes the first."""
    monkeypatch.setattr(database, "MEMBERS_PER_PAGE", 4)
    versions = ResourceVersions(None, BASE)
    for number, time in enumerate(TIMES):
        name = 0 if number % 5 == 0 else number
        iri = f"{BASE}id/{'issue' if name % 2 else 'paper'}/x{name}"
        with versions.transaction():
            versions.add_change(time, {}, {iri: [f'<x:p> "{number}" .']})
    assert versions.open_page_number == 6
    return versions


def list_all_changes(versions: ResourceVersions) -> list[LastChange]:
    rows = versions.select_rows("SELECT iri, number, at, known, activity FROM resources ORDER BY number")
    return [LastChange._make(row) for row in rows]


BOUNDS = ["", "2004", "2005-06-01", "2005-06-03T12:00:01", "2005-06-08", "2005-06-08T12:00:01", "2006"]


@pytest.mark.parametrize(("first", "last"), [*product(BOUNDS, BOUNDS)])
def test_pages_narrow_the_period_without_losing_a_change(
    versions: ResourceVersions, first: str, last: str
) -> None:
    for after, newest in product((0, 3, 9, 30), (2, 8, VERSION_COUNT)):
        period = ChangePeriod(after, newest, first, last)
        expected = [
            change
            for change in list_all_changes(versions)
            if after < change.number <= newest
            and first <= change.changed_at
            and (not last or change.changed_at <= last + HIGHEST_CHARACTER)
        ]
        assert list_last_changes(versions, ["issue", "paper"], period, 100) == expected
        assert list_last_changes(versions, ["issue", "paper"], period, 2) == expected[:2]


def test_changes_are_those_of_the_kinds(versions: ResourceVersions) -> None:
    period = ChangePeriod(0, VERSION_COUNT)
    papers = list_last_changes(versions, ["paper"], period, 100)
    assert {change.iri.split("/")[-2] for change in papers} == {"paper"}
    assert list_last_changes(versions, [], period, 100) == []
    assert len(papers) + len(list_last_changes(versions, ["issue"], period, 100)) == len(
        list_all_changes(versions)
    )


def test_last_state_is_that_of_the_last_change(versions: ResourceVersions) -> None:
    first, deleted = f"{BASE}id/paper/x0", f"{BASE}id/paper/x2"
    with versions.transaction():
        versions.add_change("2005-07-01T00:00:00.000000Z", {deleted: ['<x:p> "2" .']}, {})
    states = read_last_states(versions, [first, deleted, f"{BASE}id/paper/none"])
    assert states.keys() == {first}
    assert {quad.object for quad in states[first]} == {ox.Literal(str(number)) for number in range(0, 21, 5)}

"""Freshness of reads: a request waits for a check of the ledger, which concurrent requests share.

The ledger is the graph in which a shared store records its version and its last writes. A large write is
announced in it before the first change, because a query may see a part of the write. A follower keeps the
copy of an instance current.
"""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from wgig.remote import freshness
from wgig.remote.freshness import ConcurrentWriteCheck, StoreFollower
from wgig.remote.ledger import LedgerState, UnknownOutcomeError, parse_ledger_states
from wgig.store.errors import StoreUnavailableError

from tests.fixtures.memory_engine import MemoryEngine, join_instance, lose_request_with, put_values

pytestmark = pytest.mark.usefixtures("short_waits")

MANY_VALUES = [str(number) for number in range(100, 130)]  # written by several updates


async def run_other_tasks(iterations: int) -> None:
    """Let the event loop run other tasks for a number of iterations."""
    for _ in range(iterations):
        await asyncio.sleep(0)


class CountingFollower(StoreFollower):
    """Counts checks of the ledger; a check sets `seen_version` to the `current_version` at its start."""

    def __init__(self, store: Any) -> None:
        super().__init__(store, fresh_seconds=0.0)
        self.checks, self.current_version, self.seen_version = 0, 0, 0

    async def check_ledger(self) -> None:
        self.checks += 1
        version = self.current_version
        await run_other_tasks(20)
        self.seen_version = version


@pytest.fixture
def follower() -> CountingFollower:
    return CountingFollower(SimpleNamespace(last_announced_version=3))


# A writer waits for announcement_seconds before its first change: within this time, one check is enough.
@pytest.mark.parametrize(("announcement_seconds", "checks"), [(60.0, 1), (0.0, 2)])
def test_ledger_is_checked_again_if_a_write_may_have_begun(
    follower: CountingFollower, monkeypatch: pytest.MonkeyPatch, announcement_seconds: float, checks: int
) -> None:
    async def check_writes() -> bool:
        return await ConcurrentWriteCheck(follower).found_no_write()

    monkeypatch.setattr(freshness, "WRITE_ANNOUNCEMENT_SECONDS", announcement_seconds)
    assert asyncio.run(check_writes())
    assert follower.checks == checks


@pytest.mark.parametrize("ended_before", [True, False])
def test_announced_write_is_found_unless_it_ended_before_the_check(
    follower: CountingFollower, ended_before: bool
) -> None:
    async def check_writes() -> bool:
        check = ConcurrentWriteCheck(follower)
        if ended_before:
            follower.store.last_announced_version += 1
            await check.wait_for_check()
        else:
            await check.wait_for_check()
            follower.store.last_announced_version += 1
        return await check.found_no_write()

    assert asyncio.run(check_writes()) is ended_before


def test_request_during_a_check_waits_for_the_next_check() -> None:
    async def count_checks() -> int:
        follower = CountingFollower(None)

        async def request(number: int) -> None:
            await run_other_tasks(number)
            follower.current_version = number + 1
            await follower.ensure_current()
            assert follower.seen_version >= number + 1

        await asyncio.gather(*(request(number) for number in range(100)))
        return follower.checks

    assert asyncio.run(count_checks()) < 20  # for 100 requests


def test_failed_check_is_repeated_for_the_next_request() -> None:
    async def check_after_failure() -> None:
        follower = CountingFollower(None)

        async def fail() -> None:
            raise StoreUnavailableError("unavailable")

        check_ledger, follower.check_ledger = follower.check_ledger, fail  # type: ignore[method-assign]
        with pytest.raises(StoreUnavailableError):
            await follower.ensure_current()
        follower.check_ledger = check_ledger  # type: ignore[method-assign]
        await follower.ensure_current()  # does not fail

    asyncio.run(check_after_failure())


class MemoryFollower(StoreFollower):
    """Reads the ledger of an engine in memory."""

    async def read_state(self) -> LedgerState | None:
        ledger = self.store.sharing.ledger
        states = parse_ledger_states(ledger.engine.select_rows(ledger.state_query))
        return states[0] if len(states) == 1 else None


def test_unfinished_write_is_finished_by_a_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness, "USUAL_WRITE_SECONDS", 0.05)
    engine = MemoryEngine()
    store, other_store = (join_instance(tmp_path / name, engine) for name in ("one", "two"))
    engine.on_update = lose_request_with('"115"')  # an update after the first one fails
    with pytest.raises(UnknownOutcomeError):
        put_values(store, "a", *MANY_VALUES)
    engine.on_update = lambda _, execute: execute()
    asyncio.run(MemoryFollower(other_store, fresh_seconds=0.0).ensure_current())
    assert len(engine.data) == len(MANY_VALUES)
    assert other_store.size()[0] == len(MANY_VALUES)  # the number of quads in the copy


def test_missing_ledger_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness, "USUAL_WRITE_SECONDS", 0.05)
    engine = MemoryEngine()
    follower = MemoryFollower(join_instance(tmp_path / "one", engine), fresh_seconds=0.0)
    engine.store.clear()
    with pytest.raises(StoreUnavailableError, match="ledger"):
        asyncio.run(follower.ensure_current())

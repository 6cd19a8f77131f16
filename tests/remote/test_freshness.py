"""Each request sees what was written before it, with as few looks as can be."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from wgig.remote import freshness
from wgig.remote.freshness import QuietCheck, StoreFollower
from wgig.remote.ledger import LedgerState, UnknownOutcomeError, parse_ledger_states
from wgig.store.errors import StoreUnavailableError

from tests.fixtures.memory_engine import Memory, joined, lost_before, put_values

pytestmark = pytest.mark.usefixtures("short_waits")

MANY = [str(number) for number in range(100, 130)]


async def turns(number: int) -> None:
    """Let the loop turn so often."""
    for _ in range(number):
        await asyncio.sleep(0)


class Watched(StoreFollower):
    """Counts looks, each of which takes some turns of the loop, and tells what was there when it began."""

    def __init__(self, store: Any, fresh: float = 0.0) -> None:
        super().__init__(store, fresh)
        self.looks, self.there, self.seen = 0, 0, 0

    async def check_ledger(self) -> None:
        self.looks += 1
        there = self.there
        await turns(20)
        self.seen = there


@pytest.fixture
def watched() -> Watched:
    return Watched(SimpleNamespace(announced_version=3))


@pytest.mark.parametrize(("notice", "looks"), [(60.0, 1), (0.0, 2)])
def test_a_moment_that_was_longer_than_a_notice_ends_with_another_look(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, notice: float, looks: int
) -> None:
    async def work() -> bool:
        return await QuietCheck(watched).is_quiet()

    monkeypatch.setattr(freshness, "WRITE_NOTICE_SECONDS", notice)
    assert asyncio.run(work())
    assert watched.looks == looks


@pytest.mark.parametrize("is_before", [True, False])
def test_a_moment_in_which_something_announced_was_written_is_not_quiet(
    watched: Watched, is_before: bool
) -> None:
    async def work() -> bool:
        moment = QuietCheck(watched)
        if is_before:
            watched.store.announced_version += 1
            await moment.wait_for_check()
        else:
            await moment.wait_for_check()
            watched.store.announced_version += 1
        return await moment.is_quiet()

    assert asyncio.run(work()) is is_before


def test_who_comes_during_a_look_waits_for_the_next() -> None:
    async def work() -> int:
        following = Watched(None)

        async def request(number: int) -> None:
            await turns(number)
            following.there = number + 1
            await following.ensure_current()
            assert following.seen >= number + 1

        await asyncio.gather(*(request(number) for number in range(100)))
        return following.looks

    assert asyncio.run(work()) < 20


def test_a_look_that_fails_fails_for_those_who_wait_only() -> None:
    async def work() -> None:
        following = Watched(None)

        async def fail() -> None:
            raise StoreUnavailableError("away")

        look, following.check_ledger = following.check_ledger, fail  # type: ignore[method-assign]
        with pytest.raises(StoreUnavailableError):
            await following.ensure_current()
        following.check_ledger = look  # type: ignore[method-assign]
        await following.ensure_current()

    asyncio.run(work())


class Told(StoreFollower):
    """Asks an engine in memory."""

    async def read_state(self) -> LedgerState | None:
        ledger = self.store.sharing.ledger
        found = parse_ledger_states(ledger.engine.select_rows(ledger.state_query))
        return found[0] if len(found) == 1 else None


def test_what_a_writer_left_unfinished_is_finished_by_who_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freshness, "USUAL_WRITE_SECONDS", 0.05)
    memory = Memory()
    one, two = (joined(tmp_path / name, memory) for name in ("one", "two"))
    memory.meet = lost_before('"115"')
    with pytest.raises(UnknownOutcomeError):
        put_values(one, "a", *MANY)
    memory.meet = lambda _, do: do()
    asyncio.run(Told(two, 0.0).ensure_current())
    assert len(memory.data) == len(MANY)
    assert two.size()[0] == len(MANY)


def test_a_ledger_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness, "USUAL_WRITE_SECONDS", 0.05)
    memory = Memory()
    following = Told(joined(tmp_path / "one", memory), 0.0)
    memory.store.clear()
    with pytest.raises(StoreUnavailableError, match="ledger"):
        asyncio.run(following.ensure_current())

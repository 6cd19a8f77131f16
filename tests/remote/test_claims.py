"""The write lock of a shared store: only one writer holds it, even if others are slow, silent or dead.

A writer stores a claim with a number; the lowest one has the lock. Other writers remove a claim whose owner
stores no heartbeat for the time of a lease.
"""

import random
import threading
import time
from types import SimpleNamespace
from typing import cast

import pytest
from wgig.remote import claims
from wgig.remote.claims import (
    MAX_COUNTED_SILENCE_SECONDS,
    NUMBER_WHILE_CHOOSING,
    LostClaimError,
    SilenceTracker,
    WriteClaim,
    WriteClaims,
)
from wgig.remote.engine import RemoteEngine
from wgig.store.errors import StoreUnavailableError

from tests.fixtures.memory_engine import MemoryEngine, UpdateCall

pytestmark = pytest.mark.usefixtures("short_waits")

CLAIMS_GRAPH = "urn:claims"


def make_claims(engine: MemoryEngine, lease_seconds: float = 5.0) -> WriteClaims:
    return WriteClaims(cast(RemoteEngine, engine), CLAIMS_GRAPH, lease_seconds)


@pytest.mark.parametrize("seed", range(5))
def test_lock_is_never_held_twice(seed: int) -> None:
    rng, engine = random.Random(seed), MemoryEngine()

    def update_slowly(_: str, execute: UpdateCall) -> None:
        time.sleep(rng.random() / 500)
        execute()

    engine.on_update = update_slowly
    holders, max_holders = [0], [0]  # numbers, in lists so that the threads can change them

    def hold_lock_repeatedly() -> None:
        claims = make_claims(engine)
        for _ in range(4):
            with claims.hold():
                holders[0] += 1
                max_holders[0] = max(max_holders[0], holders[0])
                time.sleep(rng.random() / 500)
                holders[0] -= 1

    threads = [threading.Thread(target=hold_lock_repeatedly) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max_holders == [1]
    assert make_claims(engine).list_claims() == []


def test_claims_are_read_twice_before_the_lock_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    claim, other_claim = WriteClaim(2, "me"), WriteClaim(1, "other")
    claims = make_claims(MemoryEngine())
    # The other claim was stored between the first and the second read.
    claims_by_read = iter([[claim], [other_claim, claim], [claim], [claim]])
    monkeypatch.setattr(claims, "list_claims", lambda: next(claims_by_read))
    assert claims.wait_until_first(claim) == claim
    assert list(claims_by_read) == []


def test_claim_without_heartbeats_is_removed() -> None:
    engine = MemoryEngine()
    make_claims(engine).insert_claim(WriteClaim(1, "dead"))
    with make_claims(engine, lease_seconds=0.1).hold() as claim:
        assert make_claims(engine).list_claims() == [claim]


def test_writer_waits_after_the_removal_of_a_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, pauses = MemoryEngine(), list[float]()
    make_claims(engine).make_claim("silent")
    clock = SimpleNamespace(sleep=pauses.append, monotonic=time.monotonic)
    monkeypatch.setattr(claims, "time", clock)
    with make_claims(engine, lease_seconds=0.01).hold():
        assert pauses[-1] == claims.WAIT_AFTER_REMOVAL_SECONDS


def test_claim_that_never_chooses_a_number_is_removed() -> None:
    engine = MemoryEngine()
    make_claims(engine).insert_claim(WriteClaim(NUMBER_WHILE_CHOOSING, "dead"))
    with make_claims(engine, lease_seconds=0.1).hold() as claim:
        assert make_claims(engine).list_claims() == [claim]


def test_claim_with_heartbeats_is_not_removed() -> None:
    engine = MemoryEngine()
    holder, waiter = make_claims(engine, lease_seconds=0.2), make_claims(engine, lease_seconds=0.2)
    with (
        holder.hold(),
        pytest.raises(StoreUnavailableError, match="too long"),
        waiter.hold(timeout_seconds=0.8),  # four leases
    ):
        pass


def test_silence_during_a_pause_of_the_engine_is_counted_only_in_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]  # seconds
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    tracker = SilenceTracker(lease_seconds=2.0)
    for _ in range(4):
        now[0] += 1_000  # a pause of the engine
        assert tracker.find_lost_owners({"one"}, heartbeats=set()) == []
    assert tracker.lease_seconds == 4 * MAX_COUNTED_SILENCE_SECONDS  # so that the fifth check exceeds it
    now[0] += 1_000
    assert tracker.find_lost_owners({"one"}, heartbeats=set()) == ["one"]


def test_removed_claim_is_reported_as_lost() -> None:
    claims = make_claims(MemoryEngine())
    with claims.hold() as claim:
        claims.remove_claims(claim.owner)
        with pytest.raises(LostClaimError):
            claims.list_claims_ahead(claim)


def test_claim_that_could_not_be_removed_is_removed_before_the_next() -> None:
    engine = MemoryEngine()
    claims = make_claims(engine)

    def fail_removals(update: str, execute: UpdateCall) -> None:
        if "DELETE DATA" in update and "INSERT" not in update:
            raise StoreUnavailableError("unavailable")
        execute()

    engine.on_update = fail_removals
    with claims.hold():
        pass
    assert len(claims.list_claims()) == 1
    engine.on_update = lambda _, execute: execute()
    with claims.hold() as claim:
        assert claims.list_claims() == [claim]

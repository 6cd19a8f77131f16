"""Of those who claim the turn to write one has it, whoever is slow, silent or gone."""

import random
import threading
import time
from types import SimpleNamespace
from typing import cast

import pytest
from wgig.remote import claims
from wgig.remote.claims import (
    MAX_SILENCE_STEP_SECONDS,
    LostClaimError,
    SilenceTracker,
    WriteClaim,
    WriteClaims,
)
from wgig.remote.engine import RemoteEngine
from wgig.store.errors import StoreUnavailableError

from tests.fixtures.memory_engine import Do, Memory

pytestmark = pytest.mark.usefixtures("short_waits")

GRAPH = "urn:claims"


def claims_of(memory: Memory, lease: float = 5.0) -> WriteClaims:
    return WriteClaims(cast(RemoteEngine, memory), GRAPH, lease)


@pytest.mark.parametrize("seed", range(5))
def test_two_never_have_the_turn_at_once(seed: int) -> None:
    chance, memory = random.Random(seed), Memory()

    def slow(_: str, do: Do) -> None:
        time.sleep(chance.random() / 500)
        do()

    memory.meet = slow
    within, most = [0], [0]

    def work() -> None:
        claims = claims_of(memory)
        for _ in range(4):
            with claims.hold():
                within[0] += 1
                most[0] = max(most[0], within[0])
                time.sleep(chance.random() / 500)
                within[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert claims_of(memory).list_claims() == []


def test_one_look_that_misses_a_claim_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    mine, other = WriteClaim(2, "me"), WriteClaim(1, "other")
    claims = claims_of(Memory())
    looks = iter([[mine], [other, mine], [mine], [mine]])
    monkeypatch.setattr(claims, "list_claims", lambda: next(looks))
    assert claims.wait_until_first(mine) == mine
    assert list(looks) == []


def test_who_is_silent_loses_the_turn() -> None:
    memory = Memory()
    claims_of(memory).insert(WriteClaim(1, "dead"))
    with claims_of(memory, lease=0.1).hold() as claim:
        assert claims_of(memory).list_claims() == [claim]


def test_after_a_claim_was_taken_away_what_it_had_begun_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    memory, waited = Memory(), list[float]()
    claims_of(memory).make_claim("silent")
    clock = SimpleNamespace(sleep=waited.append, monotonic=time.monotonic)
    monkeypatch.setattr(claims, "time", clock)
    with claims_of(memory, lease=0.01).hold():
        assert waited[-1] == claims.WAIT_AFTER_REMOVAL_SECONDS


def test_who_chooses_forever_is_taken_away_as_well() -> None:
    memory = Memory()
    claims_of(memory).insert(WriteClaim(0, "dead"))
    with claims_of(memory, lease=0.1).hold():
        pass


def test_who_beats_keeps_the_turn() -> None:
    memory = Memory()
    one, other = claims_of(memory, lease=0.2), claims_of(memory, lease=0.2)
    with one.hold(), pytest.raises(StoreUnavailableError, match="too long"), other.hold(timeout_seconds=0.8):
        pass


def test_while_the_engine_does_nothing_nobody_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    waiting = SilenceTracker(lease_seconds=2.0)
    for _ in range(4):
        now[0] += 1_000  # for which the engine was paused
        assert waiting.find_gone_owners({"one"}, set()) == []
    assert 4 * MAX_SILENCE_STEP_SECONDS == 2.0
    now[0] += 1_000
    assert waiting.find_gone_owners({"one"}, set()) == ["one"]


def test_a_claim_that_others_took_away_is_lost() -> None:
    claims = claims_of(Memory())
    with claims.hold() as claim:
        claims.withdraw(claim.owner)
        with pytest.raises(LostClaimError):
            claims.claims_ahead(claim)


def test_what_could_not_be_taken_away_goes_with_the_next_claim() -> None:
    memory = Memory()
    claims = claims_of(memory)

    def meet(text: str, do: Do) -> None:
        if "DELETE DATA" in text and "INSERT" not in text:
            raise StoreUnavailableError("away")
        do()

    memory.meet = meet
    with claims.hold():
        pass
    assert len(claims.list_claims()) == 1
    memory.meet = lambda _, do: do()
    with claims.hold() as claim:
        assert claims.list_claims() == [claim]

"""Readers are lent fairly, and none is lost."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from wgig.http.limits import identify_client
from wgig.problems import Problem
from wgig.sparql.workers import fair_queue
from wgig.sparql.workers.fair_queue import FairQueue


def lending(
    *items: str,
    share: int = 2,
    together: int = 9,
    waiting: int = 10,
    patience: float = 10,
    crowded: Callable[[], None] = lambda: None,
) -> FairQueue[str]:
    made: FairQueue[str] = FairQueue(share, together, waiting, patience, crowded)
    for one in items:
        made.offer(one)
    return made


async def begun(work: Coroutine[Any, Any, str]) -> asyncio.Task[str]:
    """The work, which has got as far as it can without others."""
    task = asyncio.create_task(work)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


def test_what_is_there_is_lent_at_once() -> None:
    assert asyncio.run(lending("one").borrow("a")) == "one"


def test_a_client_has_no_more_than_its_share() -> None:
    async def story() -> None:
        lends = lending("one", "two", "three")
        mine = [await lends.borrow("a") for _ in range(2)]
        third = await begun(lends.borrow("a"))
        assert not third.done()
        assert await lends.borrow("b") not in mine
        lends.take_back(mine[0])
        lends.offer(mine[0])
        assert await third == mine[0]

    asyncio.run(story())


def test_clients_that_wait_take_turns() -> None:
    async def story() -> list[str]:
        lends = lending(share=9)
        came: list[str] = []

        async def come(client: str) -> str:
            came.append(f"{client}{await lends.borrow(client)}")
            return client

        tasks = [await begun(come(client)) for client in "aaaab"]
        for number in range(5):
            lends.offer(str(number))
        await asyncio.gather(*tasks)
        return came

    assert asyncio.run(story()) == ["a0", "b1", "a2", "a3", "a4"]


def test_who_waits_too_long_is_told_to_come_again() -> None:
    with pytest.raises(Problem, match="Too many requests"):
        asyncio.run(lending(patience=0).borrow("a"))


def test_too_many_do_not_wait() -> None:
    async def story() -> None:
        lends = lending(waiting=1)
        waits = await begun(lends.borrow("a"))
        with pytest.raises(Problem, match="Too many requests"):
            await lends.borrow("b")
        waits.cancel()

    asyncio.run(story())


def test_who_goes_away_leaves_the_queue() -> None:
    async def story() -> str:
        lends = lending()
        first, second = await begun(lends.borrow("a")), await begun(lends.borrow("b"))
        first.cancel()
        await asyncio.wait([first])
        lends.offer("one")
        return await second

    assert asyncio.run(story()) == "one"


def test_what_comes_to_somebody_who_just_left_goes_to_the_next() -> None:
    async def story() -> str:
        lends = lending()
        first, second = await begun(lends.borrow("a")), await begun(lends.borrow("b"))
        lends.offer("one")
        first.cancel()
        return await second

    assert asyncio.run(story()) == "one"


def test_what_is_withdrawn_is_not_lent() -> None:
    lends = lending("one", "two")
    lends.withdraw("two")
    lends.withdraw("three")
    assert asyncio.run(lends.borrow("a")) == "one"


def test_one_more_takes_the_place_of_the_last_of_a_client_that_has_more_there() -> None:
    async def story() -> str:
        lends = lending(waiting=2)
        first, second = [await begun(lends.borrow("a")) for _ in range(2)]
        mine = await begun(lends.borrow("b"))
        with pytest.raises(Problem, match="Too many requests"):
            await second
        assert not first.done()
        lends.offer("one")
        lends.offer("two")
        return await first + await mine

    assert asyncio.run(story()) == "onetwo"


def test_who_has_less_goes_first() -> None:
    async def story() -> str:
        lends = lending("one", share=9)
        await lends.borrow("a")
        again, mine = await begun(lends.borrow("a")), await begun(lends.borrow("b"))
        lends.offer("two")
        assert not again.done()
        return await mine

    assert asyncio.run(story()) == "two"


@pytest.fixture
def all_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every loan is a long one from its begin."""
    monkeypatch.setattr(fair_queue, "LONG_LOAN_SECONDS", -1)


@pytest.mark.usefixtures("all_is_long")
def test_clients_with_long_loans_leave_something_to_the_others_however_many_they_are() -> None:
    async def story() -> str:
        lends = lending("one", "two", "three", together=2)
        lent = [await lends.borrow(client) for client in "ab"]
        waits = [await begun(lends.borrow(client)) for client in "abab"]
        assert not any(one.done() for one in waits)
        assert await lends.borrow("c") == "one"
        lends.take_back(lent[0])
        lends.offer(lent[0])  # while three of those who have long loans have two items
        assert not any(one.done() for one in waits)
        return "".join(sorted(lends.idle))

    assert asyncio.run(story()) == "three"


@pytest.mark.usefixtures("all_is_long")
@pytest.mark.parametrize(("after", "long"), [(0, set()), (1e9, {"a"})])
def test_a_long_loan_is_remembered_for_a_while(
    monkeypatch: pytest.MonkeyPatch, after: float, long: set[str]
) -> None:
    monkeypatch.setattr(fair_queue, "LONG_LOAN_MEMORY_FACTOR", after)

    async def story() -> set[str]:
        lends = lending("one")
        lends.take_back(await lends.borrow("a"))
        return lends.long_borrowers()

    assert asyncio.run(story()) == long


def test_a_short_loan_is_not_held_against_anybody() -> None:
    async def story() -> set[str]:
        lends = lending("one")
        lends.take_back(await lends.borrow("a"))
        return lends.long_borrowers()

    assert asyncio.run(story()) == set()


@pytest.mark.usefixtures("all_is_long")
@pytest.mark.parametrize(("waits", "is_told"), [("a", False), ("b", True)])
def test_it_is_told_that_somebody_waits_who_had_no_long_loan(waits: str, *, is_told: bool) -> None:
    async def story() -> list[str]:
        told = list[str]()
        lends = lending("one", crowded=lambda: told.append("crowded"))
        await lends.borrow("a")
        coming = await begun(lends.borrow(waits))
        lends.recheck()
        coming.cancel()
        return told

    assert bool(asyncio.run(story())) == is_told


def test_who_waits_is_looked_after_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_queue, "QUEUE_RECHECK_SECONDS", 0)

    async def story() -> str:
        looks = iter(range(3))
        lends = lending(crowded=lambda: None if next(looks) < 2 else lends.offer("one"))
        return await asyncio.wait_for(lends.borrow("a"), 10)

    assert asyncio.run(story()) == "one"


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8::1", "2001:db8::2:0:0:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "", True),
    ],
)
def test_the_addresses_of_one_network_of_ipv6_are_one_client(one: str, other: str, *, is_same: bool) -> None:
    assert (identify_client(one) == identify_client(other)) == is_same

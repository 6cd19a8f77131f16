"""Readers are lent fairly, and none is lost."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from wgig.problems import Problem
from wgig.readers.lending import Lending


def lending(*items: str, share: int = 2, waiting: int = 10, patience: float = 10) -> Lending[str]:
    made: Lending[str] = Lending(share, waiting, patience)
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
        lends.offer(mine[0])
        lends.settle("a")
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

"""Fair queue: limits for each client, turns, full queues, long loans, and no lost items.

A queue lends items (query workers) to clients. A loan ends with `take_back`; `offer` makes the item free.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from wgig.http.limits import identify_client
from wgig.problems import Problem
from wgig.sparql.workers import fair_queue
from wgig.sparql.workers.fair_queue import FairQueue


def make_queue(
    *items: str,
    max_per_client: int = 2,
    max_long_loans: int = 9,
    max_waiting: int = 10,
    wait_seconds: float = 10,
    on_crowded: Callable[[], None] = lambda: None,
) -> FairQueue[str]:
    """A queue with free items and generous limits."""
    queue: FairQueue[str] = FairQueue(max_per_client, max_long_loans, max_waiting, wait_seconds, on_crowded)
    for item in items:
        queue.offer(item)
    return queue


async def start_task(coroutine: Coroutine[Any, Any, str]) -> asyncio.Task[str]:
    """Start a task, and let it run until it waits."""
    task = asyncio.create_task(coroutine)
    for _ in range(2):  # enough turns of the event loop
        await asyncio.sleep(0)
    return task


def test_free_item_is_lent_immediately() -> None:
    assert asyncio.run(make_queue("one").borrow("a")) == "one"


def test_client_waits_at_its_limit() -> None:
    async def run() -> None:
        queue = make_queue("one", "two", "three")
        borrowed = [await queue.borrow("a") for _ in range(2)]
        third = await start_task(queue.borrow("a"))
        assert not third.done()
        assert await queue.borrow("b") not in borrowed
        queue.take_back(borrowed[0])
        queue.offer(borrowed[0])
        assert await third == borrowed[0]

    asyncio.run(run())


def test_waiting_clients_take_turns() -> None:
    async def run() -> list[str]:
        queue = make_queue(max_per_client=9)
        loans: list[str] = []

        async def borrow(client: str) -> str:
            loans.append(f"{client}{await queue.borrow(client)}")
            return client

        tasks = [await start_task(borrow(client)) for client in "aaaab"]
        for number in range(5):
            queue.offer(str(number))
        await asyncio.gather(*tasks)
        return loans

    assert asyncio.run(run()) == ["a0", "b1", "a2", "a3", "a4"]


def test_request_that_waits_too_long_is_refused() -> None:
    with pytest.raises(Problem, match="Too many requests"):
        asyncio.run(make_queue(wait_seconds=0).borrow("a"))


def test_request_is_refused_if_the_queue_is_full() -> None:
    async def run() -> None:
        queue = make_queue(max_waiting=1)
        waiting = await start_task(queue.borrow("a"))
        with pytest.raises(Problem, match="Too many requests"):
            await queue.borrow("b")
        waiting.cancel()

    asyncio.run(run())


def test_canceled_request_leaves_the_queue() -> None:
    async def run() -> str:
        queue = make_queue()
        first, second = await start_task(queue.borrow("a")), await start_task(queue.borrow("b"))
        first.cancel()
        await asyncio.wait([first])
        queue.offer("one")
        return await second

    assert asyncio.run(run()) == "one"


def test_item_of_a_canceled_request_goes_to_the_next_client() -> None:
    async def run() -> str:
        queue = make_queue()
        first, second = await start_task(queue.borrow("a")), await start_task(queue.borrow("b"))
        queue.offer("one")
        first.cancel()
        return await second

    assert asyncio.run(run()) == "one"


def test_withdrawn_item_is_not_lent() -> None:
    queue = make_queue("one", "two")
    queue.withdraw("two")
    queue.withdraw("three")  # has no effect, as the queue lacks it
    assert asyncio.run(queue.borrow("a")) == "one"


def test_new_request_replaces_the_last_one_of_the_longest_queue() -> None:
    async def run() -> str:
        queue = make_queue(max_waiting=2)
        first, second = [await start_task(queue.borrow("a")) for _ in range(2)]
        other = await start_task(queue.borrow("b"))
        with pytest.raises(Problem, match="Too many requests"):
            await second
        assert not first.done()
        queue.offer("one")
        queue.offer("two")
        return await first + await other

    assert asyncio.run(run()) == "onetwo"


def test_client_with_fewer_items_goes_first() -> None:
    async def run() -> str:
        queue = make_queue("one", max_per_client=9)
        await queue.borrow("a")
        second_of_a, first_of_b = await start_task(queue.borrow("a")), await start_task(queue.borrow("b"))
        queue.offer("two")
        assert not second_of_a.done()
        return await first_of_b

    assert asyncio.run(run()) == "two"


@pytest.fixture
def long_loans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every loan counts as a long loan from its start."""
    monkeypatch.setattr(fair_queue, "LONG_LOAN_SECONDS", -1)


@pytest.mark.usefixtures("long_loans")
def test_clients_with_long_loans_leave_an_item_to_other_clients() -> None:
    async def run() -> str:
        queue = make_queue("one", "two", "three", max_long_loans=2)  # "three" is lent first
        borrowed = [await queue.borrow(client) for client in "ab"]
        waiting = [await start_task(queue.borrow(client)) for client in "abab"]
        assert not any(task.done() for task in waiting)
        assert await queue.borrow("c") == "one"
        queue.take_back(borrowed[0])
        queue.offer(borrowed[0])  # the clients b and c with long loans still have two items
        assert not any(task.done() for task in waiting)
        return "".join(sorted(queue.idle))

    assert asyncio.run(run()) == "three"


@pytest.mark.usefixtures("long_loans")
@pytest.mark.parametrize(("memory_factor", "long_borrowers"), [(0, set()), (1e9, {"a"})])
def test_long_loan_counts_for_a_while_after_its_end(
    monkeypatch: pytest.MonkeyPatch, memory_factor: float, long_borrowers: set[str]
) -> None:
    # A long loan counts for this multiple of its duration after its end.
    monkeypatch.setattr(fair_queue, "LONG_LOAN_MEMORY_FACTOR", memory_factor)

    async def run() -> set[str]:
        queue = make_queue("one")
        queue.take_back(await queue.borrow("a"))
        return queue.long_borrowers()

    assert asyncio.run(run()) == long_borrowers


def test_short_loan_does_not_count() -> None:
    async def run() -> set[str]:
        queue = make_queue("one")
        queue.take_back(await queue.borrow("a"))
        return queue.long_borrowers()

    assert asyncio.run(run()) == set()


@pytest.mark.usefixtures("long_loans")
@pytest.mark.parametrize(("client", "is_reported"), [("a", False), ("b", True)])
def test_only_waiting_client_without_long_loans_is_reported(client: str, *, is_reported: bool) -> None:
    async def run() -> list[str]:
        reports = list[str]()
        queue = make_queue("one", on_crowded=lambda: reports.append("crowded"))
        await queue.borrow("a")
        waiting = await start_task(queue.borrow(client))
        queue.recheck()
        waiting.cancel()
        return reports

    assert bool(asyncio.run(run())) == is_reported


def test_waiting_clients_are_checked_repeatedly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_queue, "QUEUE_RECHECK_SECONDS", 0)

    async def run() -> str:
        checks = iter(range(3))
        queue = make_queue(on_crowded=lambda: None if next(checks) < 2 else queue.offer("one"))
        return await asyncio.wait_for(queue.borrow("a"), 10)

    assert asyncio.run(run()) == "one"


@pytest.mark.parametrize(
    ("address", "other_address", "is_same"),
    [
        ("2001:db8::1", "2001:db8::2:0:0:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "", True),
    ],
)
def test_addresses_of_an_ipv6_network_are_the_same_client(
    address: str, other_address: str, *, is_same: bool
) -> None:
    assert (identify_client(address) == identify_client(other_address)) == is_same

"""Query results: chunks in order, backpressure, faults, and reading up to a limit."""

import asyncio

import pytest
from wgig.sparql.workers.protocol import CANCELED_FAULT, LOST_FAULT, QueryFault
from wgig.sparql.workers.result import MAX_CHUNKS_AHEAD, QueryResult


class FakeSender:
    """The sender of a result, which records the calls of `set_flow` and `stop` with their argument."""

    def __init__(self) -> None:
        self.calls: list[object] = []
        self.result = QueryResult(self.set_flow, self.calls.append)

    def set_flow(self, *, on: bool) -> None:
        self.calls.append(on)


def test_chunks_are_read_in_order_until_the_result_is_complete() -> None:
    async def read_chunks() -> list[bytes | None]:
        result = FakeSender().result
        result.add(b"one", last=False)
        first = await result.next_chunk()
        assert not result.is_whole
        asyncio.get_running_loop().call_soon(lambda: result.add(b"two", last=True))
        second = await result.next_chunk()
        assert result.is_whole
        return [first, second, await result.next_chunk()]

    assert asyncio.run(read_chunks()) == [b"one", b"two", None]


def test_sender_is_paused_while_the_buffer_is_full() -> None:
    async def fill_and_read() -> list[object]:
        sender = FakeSender()
        for _ in range(MAX_CHUNKS_AHEAD):
            sender.result.add(b"chunk", last=False)
        await sender.result.next_chunk()
        return sender.calls

    assert asyncio.run(fill_and_read()) == [False, True]


def test_result_with_a_fault_is_not_whole() -> None:
    async def read_failed_result() -> None:
        result = FakeSender().result
        result.add(b"one", last=False)
        result.fail(QueryFault(LOST_FAULT))
        assert not result.is_whole
        await result.read_all()

    with pytest.raises(QueryFault):
        asyncio.run(read_failed_result())


def test_sender_is_not_stopped_after_the_end() -> None:
    sender = FakeSender()
    sender.result.close()
    sender.result.add(b"one", last=True)
    sender.result.close()
    sender.result.fail(QueryFault(LOST_FAULT))
    assert sender.calls == [CANCELED_FAULT]
    assert asyncio.run(sender.result.read_all()) == b"one"


def test_result_is_read_up_to_a_limit() -> None:
    async def read_in_two_steps() -> None:
        result = FakeSender().result
        for _ in range(3):
            result.add(b"12345", last=False)
        assert await result.read_up_to(6) == b"1234512345"
        assert not result.is_whole
        result.add(b"6", last=True)
        assert await result.read_up_to(100) == b"123456"
        assert result.is_whole

    asyncio.run(read_in_two_steps())

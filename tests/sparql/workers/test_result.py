"""An answer comes in pieces, at the pace of who takes them."""

import asyncio

import pytest
from wgig.sparql.workers.protocol import CANCELED_FAULT, LOST_FAULT, QueryFault
from wgig.sparql.workers.result import MAX_PIECES_AHEAD, QueryResult


class Source:
    """What a result asks of the reader that it comes from."""

    def __init__(self) -> None:
        self.said: list[object] = []
        self.result = QueryResult(self.pace, self.said.append)

    def pace(self, *, on: bool) -> None:
        self.said.append(on)


def test_pieces_come_in_order_and_then_it_is_whole() -> None:
    async def story() -> list[bytes | None]:
        result = Source().result
        result.add(b"one", last=False)
        first = await result.next_piece()
        assert not result.is_whole
        asyncio.get_running_loop().call_soon(lambda: result.add(b"two", last=True))
        second = await result.next_piece()
        assert result.is_whole
        return [first, second, await result.next_piece()]

    assert asyncio.run(story()) == [b"one", b"two", None]


def test_the_reader_pauses_while_enough_pieces_wait() -> None:
    async def story() -> list[object]:
        source = Source()
        for _ in range(MAX_PIECES_AHEAD):
            source.result.add(b"piece", last=False)
        await source.result.next_piece()
        return source.said

    assert asyncio.run(story()) == [False, True]


def test_what_breaks_off_is_never_taken_for_whole() -> None:
    async def story() -> None:
        result = Source().result
        result.add(b"one", last=False)
        result.fail(QueryFault(LOST_FAULT))
        assert not result.is_whole
        await result.read_all()

    with pytest.raises(QueryFault):
        asyncio.run(story())


def test_nothing_is_stopped_that_has_ended() -> None:
    source = Source()
    source.result.close()
    source.result.add(b"one", last=True)
    source.result.close()
    source.result.fail(QueryFault(LOST_FAULT))
    assert source.said == [CANCELED_FAULT]
    assert asyncio.run(source.result.read_all()) == b"one"


def test_a_part_is_taken_where_the_whole_is_too_much() -> None:
    async def story() -> None:
        result = Source().result
        for _ in range(3):
            result.add(b"12345", last=False)
        assert await result.read_up_to(6) == b"1234512345"
        assert not result.is_whole
        result.add(b"6", last=True)
        assert await result.read_up_to(100) == b"123456"
        assert result.is_whole

    asyncio.run(story())

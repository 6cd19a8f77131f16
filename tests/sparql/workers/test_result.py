"""An answer comes in pieces, at the pace of who takes them."""

import asyncio

import pytest
from wgig.sparql.workers.protocol import CANCELED, LOST, Fault
from wgig.sparql.workers.result import AHEAD, Result


class Source:
    """What a result asks of the reader that it comes from."""

    def __init__(self) -> None:
        self.said: list[object] = []
        self.result = Result(self.pace, self.said.append)

    def pace(self, *, on: bool) -> None:
        self.said.append(on)


def test_pieces_come_in_order_and_then_it_is_whole() -> None:
    async def story() -> list[bytes | None]:
        result = Source().result
        result.add(b"one", last=False)
        first = await result.next()
        assert not result.is_whole
        asyncio.get_running_loop().call_soon(lambda: result.add(b"two", last=True))
        second = await result.next()
        assert result.is_whole
        return [first, second, await result.next()]

    assert asyncio.run(story()) == [b"one", b"two", None]


def test_the_reader_pauses_while_enough_pieces_wait() -> None:
    async def story() -> list[object]:
        source = Source()
        for _ in range(AHEAD):
            source.result.add(b"piece", last=False)
        await source.result.next()
        return source.said

    assert asyncio.run(story()) == [False, True]


def test_what_breaks_off_is_never_taken_for_whole() -> None:
    async def story() -> None:
        result = Source().result
        result.add(b"one", last=False)
        result.fail(Fault(LOST))
        assert not result.is_whole
        await result.whole()

    with pytest.raises(Fault):
        asyncio.run(story())


def test_nothing_is_stopped_that_has_ended() -> None:
    source = Source()
    source.result.close()
    source.result.add(b"one", last=True)
    source.result.close()
    source.result.fail(Fault(LOST))
    assert source.said == [CANCELED]
    assert asyncio.run(source.result.whole()) == b"one"


def test_a_part_is_taken_where_the_whole_is_too_much() -> None:
    async def story() -> None:
        result = Source().result
        for _ in range(3):
            result.add(b"12345", last=False)
        assert await result.up_to(6) == b"1234512345"
        assert not result.is_whole
        result.add(b"6", last=True)
        assert await result.up_to(100) == b"123456"
        assert result.is_whole

    asyncio.run(story())

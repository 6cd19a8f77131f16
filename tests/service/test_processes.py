"""Work in a process is given up when it takes too long or ends its process; the next is done all the same."""

import asyncio
import ctypes
import os
from collections.abc import Callable
from typing import Any

import pytest
from wgig.bodies import parse_form
from wgig.problems import Problem
from wgig.processes import MEMORY, Processes


@pytest.mark.parametrize(
    ("work", "argument", "status", "sentence"),
    [
        pytest.param(sum, range(10**15), 503, "longer than 1 seconds and was given up", id="endless"),
        pytest.param(bytearray, MEMORY, 413, "more memory or deeper nesting", id="greedy"),
        pytest.param(ctypes.string_at, 0, 413, "more memory or deeper nesting", id="crashing"),
        pytest.param(parse_form, b"%00", 400, "NUL character", id="refusing"),
    ],
)
def test_what_a_process_cannot_do_is_refused_and_the_next_call_is_answered(
    work: Callable[[Any], Any], argument: object, status: int, sentence: str
) -> None:
    async def both() -> int:
        processes = Processes(at_once=1, waiting=1, patience=30, seconds=30)
        assert await processes.run(os.getpid)
        processes.seconds = 1
        with pytest.raises(Problem, match=sentence) as caught:
            await processes.run(work, argument)
        assert caught.value.status == status
        processes.seconds = 30
        return await processes.run(os.getpid)

    assert asyncio.run(both()) != os.getpid()

"""Connections to query workers: the time limit of a query that is paused while its client reads."""

import asyncio
from typing import Any, cast

import uvloop
from wgig.sparql.workers.connections import WorkerConnection, WorkerListener


class IgnoringObject:
    """An object whose methods do nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


def test_query_without_time_left_can_be_paused() -> None:
    async def pause_at_the_time_limit() -> float:
        worker = WorkerConnection(0, cast(WorkerListener, IgnoringObject()), 0)
        worker.transport = cast(asyncio.Transport, IgnoringObject())
        worker.set_timer(0, lambda: None)  # uvloop returns a handle without a time
        worker.set_flow(on=False)
        assert worker.timer
        worker.timer.cancel()
        return worker.seconds_left

    assert uvloop.run(pause_at_the_time_limit()) <= 0

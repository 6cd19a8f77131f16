"""A generation of query workers: the forker with one copy of the quads, and the workers that it forks."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .connections import SLOW_QUERY_SECONDS, ForkerConnection, WorkerConnection
from .fair_queue import FairQueue
from .protocol import CHANGE_MESSAGE, CROWDED_FAULT, OPEN_MESSAGE, frame_message


@dataclass(frozen=True)
class GenerationOwner:
    """What a generation needs of its pool.

    Its workers are lent by the `queue`. `missed_writes` gives the serialized changes of the writes after a
    number, as long as a worker being forked may need them. `on_lost` is called when the forker exits,
    `on_all_opened` when all workers have opened a folder.
    """

    queue: FairQueue[WorkerConnection]
    missed_writes: Callable[[int], Sequence[bytes]]
    on_lost: Callable[["WorkerGeneration"], None]
    on_all_opened: Callable[[Path], None]


class WorkerGeneration:
    """A forker and its `size` workers, which are lent while the generation is serving.

    Their copy of the quads is of the state after write `number`, from `folder`. Workers read from that folder
    on disk where there are more than `max_quads` quads.
    """

    def __init__(self, folder: Path, number: int, size: int, max_quads: int, owner: GenerationOwner) -> None:
        """Neither the forker nor a worker is started yet."""
        self.folder, self.write_number, self.size, self.max_memory_quads = folder, number, size, max_quads
        self.owner, self.queue = owner, owner.queue
        self.forker = ForkerConnection(self.on_forked, self.on_forker_lost)
        self.workers: set[WorkerConnection] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.in_memory, self.is_serving, self.is_over = True, False, False
        self.forking_count = self.wasted_quads = 0
        self.ready = asyncio.Event()

    def load(self) -> asyncio.Future[bool]:
        """Let the started forker copy the quads.

        The future gives whether they are in memory, False where there are more than `max_quads`.
        """
        loaded = self.forker.load(self.folder)
        for body in self.owner.missed_writes(self.write_number):
            self.forker.send_change(body)
        loaded.add_done_callback(self.on_copied)
        return loaded

    def on_copied(self, loaded: asyncio.Future[bool]) -> None:
        """Record whether the quads are in memory."""
        if loaded.cancelled():
            return
        self.in_memory = loaded.exception() is None and loaded.result()

    async def populate(self) -> None:
        """Fork the workers, and wait for the first one. Raises OSError."""
        for _ in range(self.size):
            self.fork_worker()
        await self.ready.wait()
        if self.is_over:
            raise ConnectionResetError("the forker has exited")

    def serve(self) -> None:
        """Begin to lend the workers."""
        self.is_serving = True
        for worker in self.workers:
            self.queue.offer(worker)

    def retire(self) -> None:
        """Lend no worker any more, and close each when its query has ended."""
        self.is_serving, self.is_over = False, True
        for worker in [worker for worker in self.workers if not worker.result]:
            worker.close()
        self.end_if_empty()

    def send_change(self, body: bytes, folder: Path | None, removed: int) -> None:
        """Send a change to the forker and all workers, or let the workers open the folder that has it."""
        self.wasted_quads += removed if self.in_memory else 0
        self.forker.send_change(body)
        if not self.in_memory:
            self.folder = folder or self.folder
        for worker in self.workers:
            if self.in_memory:
                worker.send(frame_message(CHANGE_MESSAGE, body))
            else:
                self.open_folder(worker)

    def open_folder(self, worker: WorkerConnection) -> None:
        """Tell a worker to read from the folder from now on."""
        worker.pending_opens += 1
        worker.send(frame_message(OPEN_MESSAGE, str(self.folder).encode()))

    def fork_worker(self) -> None:
        """Fork one more worker."""
        self.forking_count += 1
        self.forker.fork()

    def on_forked(self, process_id: int, applied_changes: int, connection: socket.socket) -> None:
        """Connect to a new worker, which has applied so many changes to the copy."""
        worker = WorkerConnection(process_id, self, self.write_number + applied_changes)
        task = asyncio.create_task(worker.connect(connection))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def on_connected(self, worker: WorkerConnection) -> None:
        """Send a new worker the changes that it has missed, and lend it."""
        self.forking_count -= 1
        self.workers.add(worker)
        if self.in_memory:
            for body in self.owner.missed_writes(worker.seen_writes):
                worker.send(frame_message(CHANGE_MESSAGE, body))
        else:
            self.open_folder(worker)
        self.ready.set()
        if self.is_serving:
            self.queue.offer(worker)
        elif self.is_over:
            worker.close()

    def on_answered(self, worker: WorkerConnection, *, worn: bool) -> None:
        """Lend a worker to the next client, or close it."""
        self.queue.take_back(worker)
        if worn or not self.is_serving:
            worker.close()
        else:
            self.queue.offer(worker)
        self.end_surplus_worker()

    def end_surplus_worker(self) -> None:
        """Close an idle worker where there are more than `size`, but keep one idle."""
        idle = [worker for worker in self.queue.idle if worker in self.workers]
        if len(self.workers) > self.size and len(idle) > 1:
            self.queue.withdraw(idle[0])
            idle[0].close()

    def on_occupied(self) -> None:
        """Fork another worker where none is idle, up to twice `size`, as one stays busy."""
        if not self.queue.idle and len(self.workers) + self.forking_count < 2 * self.size:
            self.fork_worker()

    def on_crowded(self) -> None:
        """A client without long loans waits: if all workers have slow queries, fork another one.

        Where there are twice `size` workers already, one query is ended for it, with CROWDED_FAULT.
        """
        loans = self.queue.loans
        if self.forking_count or any(
            worker not in loans or loans[worker].seconds <= SLOW_QUERY_SECONDS for worker in self.workers
        ):
            return
        if len(self.workers) >= 2 * self.size:
            if not (victim := self.find_victim()):
                return
            victim.kill(CROWDED_FAULT)
        self.fork_worker()

    def find_victim(self) -> WorkerConnection | None:
        """The worker whose query is ended first when others wait; None where no query has run for long.

        Its client is one with the most workers, preferably with long queries before. Among these, queries
        without any output yet go first, then the longest.
        """
        loans, borrowers = self.queue.loans, self.queue.list_borrowers()

        def rank(worker: WorkerConnection) -> tuple[int, bool, bool, float]:
            client, has_begun = loans[worker].client, worker.result is not None and worker.result.has_begun
            had_long_loans = client in self.queue.long_until
            return borrowers.count(client), had_long_loans, not has_begun, loans[worker].seconds

        candidates = (worker for worker in self.workers if worker in loans and loans[worker].is_long)
        return max(candidates, key=rank, default=None)

    def on_opened(self) -> None:
        """Tell the pool when all workers have opened the folder."""
        if not any(worker.pending_opens for worker in self.workers):
            self.owner.on_all_opened(self.folder)

    def on_gone(self, worker: WorkerConnection) -> None:
        """Replace a worker that has exited."""
        self.workers.discard(worker)
        self.queue.withdraw(worker)
        self.queue.take_back(worker)
        if self.is_over:
            self.end_if_empty()
        elif len(self.workers) + self.forking_count < self.size:
            self.fork_worker()

    async def close(self) -> None:
        """Close all workers and the forker, and wait until they have exited."""
        self.is_serving, self.is_over = False, True
        await asyncio.gather(*self.tasks)
        for worker in self.workers.copy():
            worker.close()
        self.forker.close()
        await asyncio.sleep(0)
        await self.forker.exited

    def end_if_empty(self) -> None:
        """Close the forker when all workers have exited."""
        if not self.workers:
            self.forker.close()

    def on_forker_lost(self) -> None:
        """Handle the exit of the forker, with which its workers exit."""
        self.is_serving, self.is_over = False, True
        self.ready.set()
        self.owner.on_lost(self)

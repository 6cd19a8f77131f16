"""Generation of query workers: those of one copy of the quads, and their forker."""

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

    It lends its workers out by the `queue`. `missed_writes` gives the writes after a number, as far as
    somebody who is being made may have missed them. `on_lost` is called when the forker ends,
    `on_all_opened` when all workers read from a folder.
    """

    queue: FairQueue[WorkerConnection]
    missed_writes: Callable[[int], Sequence[bytes]]
    on_lost: Callable[["WorkerGeneration"], None]
    on_all_opened: Callable[[Path], None]


class WorkerGeneration:
    """A forker and its workers, as many as `size`; they are lent out while they serve.

    Their copy of the quads was taken after write `number`, and stands in `folder`. Workers read from there
    where the quads are more than `most`.
    """

    def __init__(self, folder: Path, number: int, size: int, most: int, owner: GenerationOwner) -> None:
        """There is no forker and no worker yet."""
        self.folder, self.write_number, self.size, self.max_memory_quads = folder, number, size, most
        self.owner, self.queue = owner, owner.queue
        self.forker = ForkerConnection(self.on_forked, self.on_forker_lost)
        self.workers: set[WorkerConnection] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.in_memory, self.is_serving, self.is_over = True, False, False
        self.forking_count = self.wasted_quads = 0
        self.ready = asyncio.Event()

    def load(self) -> asyncio.Future[bool]:
        """Let the forker, which is started, copy the quads; whether it has them, as they are not too many."""
        loaded = self.forker.load(self.folder)
        for body in self.owner.missed_writes(self.write_number):
            self.forker.send_change(body)
        loaded.add_done_callback(self.on_copied)
        return loaded

    def on_copied(self, loaded: asyncio.Future[bool]) -> None:
        """The quads are copied, or too many, or the forker has ended."""
        if loaded.cancelled():
            return
        self.in_memory = loaded.exception() is None and loaded.result()

    async def populate(self) -> None:
        """Have the workers made; the first one is there. Raises OSError."""
        for _ in range(self.size):
            self.fork_worker()
        await self.ready.wait()
        if self.is_over:
            raise ConnectionResetError("the process that makes workers has ended")

    def serve(self) -> None:
        """Lend the workers out."""
        self.is_serving = True
        for worker in self.workers:
            self.queue.offer(worker)

    def retire(self) -> None:
        """Lend nobody out any more, and end when everybody has answered what was asked."""
        self.is_serving, self.is_over = False, True
        for worker in [one for one in self.workers if not one.result]:
            worker.close()
        self.end_if_empty()

    def send_change(self, body: bytes, folder: Path | None, removed: int) -> None:
        """Tell everybody of a write, or of the folder that has it."""
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
        """Let a worker read from the folder from now on."""
        worker.pending_opens += 1
        worker.send(frame_message(OPEN_MESSAGE, str(self.folder).encode()))

    def fork_worker(self) -> None:
        """Have one more worker made."""
        self.forking_count += 1
        self.forker.fork()

    def on_forked(self, process: int, changes: int, connection: socket.socket) -> None:
        """A worker is there, which has seen so many changes of the copy."""
        worker = WorkerConnection(process, self, self.write_number + changes)
        task = asyncio.create_task(worker.connect(connection))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def on_connected(self, worker: WorkerConnection) -> None:
        """The connection to a worker stands: let it catch up, and lend it out."""
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
        """A worker has answered: lend it to the next."""
        self.queue.take_back(worker)
        if worn or not self.is_serving:
            worker.close()
        else:
            self.queue.offer(worker)
        self.end_surplus_worker()

    def end_surplus_worker(self) -> None:
        """End one who is idle of more workers than were asked for, unless all others are occupied."""
        idle = [one for one in self.queue.idle if one in self.workers]
        if len(self.workers) > self.size and len(idle) > 1:
            self.queue.withdraw(idle[0])
            idle[0].close()

    def on_occupied(self) -> None:
        """A worker is occupied, by a query that takes long or a slow client: have one for the others."""
        if not self.queue.idle and len(self.workers) + self.forking_count < 2 * self.size:
            self.fork_worker()

    def on_crowded(self) -> None:
        """Somebody waits who kept no worker for long: where all are at slow queries, have one more made.

        Where there are twice as many as were asked for, a query is ended for it, whose client is told so.
        """
        loans = self.queue.loans
        if self.forking_count or any(
            one not in loans or loans[one].seconds <= SLOW_QUERY_SECONDS for one in self.workers
        ):
            return
        if len(self.workers) >= 2 * self.size:
            if not (victim := self.find_victim()):
                return
            victim.kill(CROWDED_FAULT)
        self.fork_worker()

    def find_victim(self) -> WorkerConnection | None:
        """The worker whose query goes first where others wait; None where no query has run for long.

        It is one of the client that has the most workers; among such clients, of one who had long queries
        before. Of theirs it is one whose answer has not begun, and of these the longest.
        """
        loans, lent, lately = self.queue.loans, self.queue.list_borrowers(), self.queue.long_until

        def rank(worker: WorkerConnection) -> tuple[int, bool, bool, float]:
            client, has_begun = loans[worker].client, worker.result is not None and worker.result.has_begun
            return lent.count(client), client in lately, not has_begun, loans[worker].seconds

        long = (one for one in self.workers if one in loans and loans[one].is_long)
        return max(long, key=rank, default=None)

    def on_opened(self) -> None:
        """A worker reads from the folder."""
        if not any(one.pending_opens for one in self.workers):
            self.owner.on_all_opened(self.folder)

    def on_gone(self, worker: WorkerConnection) -> None:
        """A worker has ended: have another made in its place."""
        self.workers.discard(worker)
        self.queue.withdraw(worker)
        self.queue.take_back(worker)
        if self.is_over:
            self.end_if_empty()
        elif len(self.workers) + self.forking_count < self.size:
            self.fork_worker()

    async def close(self) -> None:
        """End all at once, and wait until they are gone."""
        self.is_serving, self.is_over = False, True
        await asyncio.gather(*self.tasks)
        for worker in self.workers.copy():
            worker.close()
        self.forker.close()
        await asyncio.sleep(0)
        await self.forker.exited

    def end_if_empty(self) -> None:
        """End the forker when all workers are gone."""
        if not self.workers:
            self.forker.close()

    def on_forker_lost(self) -> None:
        """The forker has ended, and so do its workers."""
        self.is_serving, self.is_over = False, True
        self.ready.set()
        self.owner.on_lost(self)

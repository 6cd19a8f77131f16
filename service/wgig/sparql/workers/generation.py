"""A generation of query workers: the forker with one copy of the quads, and the workers that it forks.

It may also fork the front processes, which evaluate bounded queries over the copy.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .connections import (
    CopyConnection,
    ForkerConnection,
    FrontCopyConnection,
    LentWorkerConnection,
    WorkerConnection,
)
from .fair_queue import FairQueue
from .policy import WorkerSet
from .protocol import OPEN_MESSAGE, frame_message

# A change of a paper takes 2 to 4 ms in each copy. It is applied soon only where a query is likely to need
# it: in the forker, in front processes, and in one worker of each. While writes go on, each write sends the
# changes of one copy, as all copies at once would take the CPU from the next write.
CHANGE_PAUSE_SECONDS, MIN_SENT_CHANGE_BYTES = 0.1, 128 * 1024
LONG_CHANGE_PAUSE_SECONDS = 2.0  # until the other workers get the changes that they have not needed
RENEWAL_PAUSE_SECONDS = 0.1  # between two workers, so that most are free for queries
FRONT_FORK_PAUSE_SECONDS = 1.0  # before a front process is forked in place of another one


@dataclass(frozen=True)
class GenerationOwner:
    """The queue and callbacks that a pool passes to its generations.

    `queue` lends the workers. `front_sizes` has the number of workers of each front process, by the path at
    which it listens. `front_count` front processes are forked from the copy in memory. `get_version` returns
    the number of the last write, `list_missed_writes` the serialized changes of the writes after a given
    number. `on_lost` is called when the forker exits, `on_all_opened` when all workers have opened a folder.
    """

    queue: FairQueue[WorkerConnection]
    front_sizes: Mapping[str, int]
    front_count: int
    get_version: Callable[[], int]
    list_missed_writes: Callable[[int], Sequence[bytes]]
    on_lost: Callable[["WorkerGeneration"], None]
    on_all_opened: Callable[[Path], None]


class WorkerGeneration(WorkerSet):
    """A forker and its `size` workers, which are lent while the generation is serving.

    `folder` contains a copy of the store after write `write_number`. The forker copies its quads to memory.
    If there are more than `max_quads`, workers read from the folder on disk.
    """

    def __init__(
        self, folder: Path, write_number: int, size: int, max_quads: int, owner: GenerationOwner
    ) -> None:
        """Create the generation; the pool starts the forker."""
        super().__init__(size, owner.queue)
        self.folder, self.write_number = folder, write_number
        self.max_memory_quads, self.owner = max_quads, owner
        self.forker = ForkerConnection(self.on_forked, self.on_forker_lost)
        self.lent_workers: set[LentWorkerConnection] = set()  # of front processes
        # Workers that are being forked, and those that were forked but are not connected yet: the path of
        # their front process, or "" for own workers. For a front process itself, its number.
        self.forking_fronts: deque[str | int] = deque()
        self.connecting_fronts: list[str | int] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.in_memory, self.is_retired = True, False
        self.change_timer: asyncio.TimerHandle | None = None
        self.renewal_timer: asyncio.TimerHandle | None = None
        # The worker that evaluated the last query after a write, by its front process.
        self.latest_workers = dict[str, LentWorkerConnection]()
        self.wasted_quads = 0  # removed quads, whose memory is not freed
        self.ready = asyncio.Event()  # set when the first worker is connected or the forker has exited

    @property
    def forking_count(self) -> int:
        """The number of own workers that are being forked."""
        return self.count_forking("")

    @property
    def all_workers(self) -> list[WorkerConnection | LentWorkerConnection]:
        """The own workers and those of front processes."""
        return [*self.workers, *self.lent_workers]

    def count_forking(self, front: str) -> int:
        """The number of workers of a front process that are being forked."""
        return self.forking_fronts.count(front) + self.connecting_fronts.count(front)

    @property
    def is_forking(self) -> bool:
        """Whether workers are being forked, which may miss a write."""
        return bool(self.forking_fronts or self.connecting_fronts)

    def load(self) -> asyncio.Future[bool]:
        """Let the started forker copy the quads.

        The result of the future is False if there are more than `max_quads`, so that they stay on disk.
        """
        loaded = self.forker.load(self.folder)
        for body in self.owner.list_missed_writes(self.write_number):
            self.forker.queue_change(body)
        self.forker.send()
        loaded.add_done_callback(self.on_copied)
        return loaded

    def on_copied(self, loaded: asyncio.Future[bool]) -> None:
        """Set `in_memory` when the forker has finished the copy."""
        if loaded.cancelled():
            return
        self.in_memory = loaded.exception() is None and loaded.result()

    async def populate(self) -> None:
        """Fork the workers, and wait for the first one. Raises OSError if the forker exits."""
        for _ in range(self.size):
            self.fork_worker()
        for front in self.owner.front_sizes:
            self.fork_front_workers(front)
        for number in range(self.owner.front_count):
            self.fork_front(number)
        await self.ready.wait()
        if self.is_retired:
            raise ConnectionResetError("the forker has exited")

    def serve(self) -> None:
        """Begin to lend the workers."""
        self.is_serving = True
        for worker in self.workers:
            self.queue.offer(worker)

    def retire(self) -> None:
        """Stop lending workers, and close each worker after its query."""
        self.is_serving, self.is_retired = False, True
        for worker in [worker for worker in self.workers if not worker.result]:
            self.queue.withdraw(worker)
            worker.close()
        for lent_worker in self.lent_workers:
            lent_worker.retire()
        self.end_if_empty()

    def queue_change(self, body: bytes, folder: Path | None, removed_quads: int) -> None:
        """Queue a change for the forker and all workers, to be sent before the next query or after a pause.

        Workers that read from disk open `folder` instead, which contains the change (None: the last folder).
        `removed_quads` is the number of quads that the change removes.
        """
        self.wasted_quads += removed_quads if self.in_memory else 0
        self.forker.queue_change(body)
        if not self.in_memory:
            self.folder = folder or self.folder
        for worker in self.all_workers:
            if self.in_memory:
                worker.queue_change(body)
            else:
                self.open_folder(worker)
        for lent_worker in self.lent_workers:
            lent_worker.queue_version(self.owner.get_version())
        longest = max(self.list_prompt_copies(), key=lambda copy: len(copy.waiting_changes))
        if len(longest.waiting_changes) > MIN_SENT_CHANGE_BYTES:
            longest.send()
        self.schedule_renewal()
        self.start_change_timer(CHANGE_PAUSE_SECONDS, self.send_waiting)

    def list_prompt_copies(self) -> list[CopyConnection]:
        """The copies that get changes after a short pause: a query is likely to need them."""
        next_own = next((worker for worker in reversed(self.queue.idle) if worker in self.workers), None)
        lent = [
            worker
            for worker in self.lent_workers
            if isinstance(worker, FrontCopyConnection) or worker is self.latest_workers.get(worker.front)
        ]
        return [self.forker, *filter(None, (next_own,)), *lent]

    def start_change_timer(self, seconds: float, action: Callable[[], None]) -> None:
        """Call `action` after a pause of so many seconds in the changes."""
        if self.change_timer:
            self.change_timer.cancel()
        self.change_timer = asyncio.get_running_loop().call_later(seconds, action)

    def send_waiting(self) -> None:
        """Send the changes that wait to the copies that are likely to need them, and to the others later."""
        for connection in self.list_prompt_copies():
            connection.send()
        self.start_change_timer(LONG_CHANGE_PAUSE_SECONDS, self.send_all_waiting)

    def send_all_waiting(self) -> None:
        """Send the changes that wait to all copies, except to workers that are replaced instead."""
        for connection in (self.forker, *self.all_workers):
            if connection is self.forker or not connection.has_many_changes:
                connection.send()

    def schedule_renewal(self) -> None:
        """Replace a worker with many changes after a pause, if there is one."""
        if not self.renewal_timer and self.find_changed_worker():
            self.renewal_timer = asyncio.get_running_loop().call_later(
                RENEWAL_PAUSE_SECONDS, self.renew_changed_worker
            )

    def find_changed_worker(self) -> WorkerConnection | LentWorkerConnection | None:
        """A free worker with many changes. A new one shares the memory of the changes with the forker."""
        if not (self.in_memory and self.is_serving):
            return None
        changed = (
            worker
            for worker in self.all_workers
            if worker.has_many_changes
            and (isinstance(worker, LentWorkerConnection) or worker in self.queue.idle)
        )
        return next(changed, None)

    def renew_changed_worker(self) -> None:
        """Replace a worker with many changes, unless another one is being forked; then the next one."""
        self.renewal_timer = None
        worker = self.find_changed_worker()
        if worker and not self.is_forking:
            worker.discard_changes()
            if isinstance(worker, LentWorkerConnection):
                worker.retire()
            else:
                self.queue.withdraw(worker)
                worker.close()
        self.schedule_renewal()

    def open_folder(self, worker: WorkerConnection | LentWorkerConnection) -> None:
        """Tell a worker to read from `self.folder` from now on."""
        worker.pending_opens += 1
        worker.send(frame_message(OPEN_MESSAGE, str(self.folder).encode()))

    def fork_worker(self, front: str = "") -> None:
        """Fork one more worker, for the front process that listens at the path `front`, if any."""
        self.forking_fronts.append(front)
        self.forker.fork()

    def fork_front_workers(self, front: str, *, more: int = 0) -> None:
        """Fork the workers that a front process lacks, or `more` of them, up to twice its number."""
        size = self.owner.front_sizes.get(front, 0)
        count = sum(worker.front == front for worker in self.lent_workers) + self.count_forking(front)
        wanted = min(count + more, 2 * size) if more else size
        if not self.is_retired:
            for _ in range(wanted - count):
                self.fork_worker(front)

    def fork_front(self, number: int) -> None:
        """Fork a front process, which takes the place of the one with the same number."""
        if self.in_memory and not self.is_retired:
            self.forking_fronts.append(number)
            self.forker.fork(number)

    def on_forked(self, process_id: int, applied_changes: int, connection: socket.socket) -> None:
        """Connect to a new worker, which has applied the first `applied_changes` changes to the copy."""
        last_write, front = self.write_number + applied_changes, self.forking_fronts.popleft()
        self.connecting_fronts.append(front)
        worker: WorkerConnection | LentWorkerConnection
        if isinstance(front, int):
            worker = FrontCopyConnection(front, self, last_write)
        elif front:
            worker = LentWorkerConnection(front, self, last_write)
        else:
            worker = WorkerConnection(process_id, self, last_write)
        task = asyncio.create_task(worker.connect(connection))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def on_lent(self, worker: LentWorkerConnection) -> None:
        """Send a new worker of a front process the changes that it has missed, then let it connect.

        The same for the copy in a front process.
        """
        self.connecting_fronts.remove(worker.key)
        self.lent_workers.add(worker)
        if self.latest_workers.get(worker.front) not in self.lent_workers:
            self.latest_workers[worker.front] = worker
        self.update_worker(worker)
        worker.queue_version(max(self.owner.get_version(), self.write_number))
        worker.begin()
        if self.is_retired:
            worker.retire()

    def on_pulled(self, worker: LentWorkerConnection) -> None:
        """Note that a query has needed the waiting changes of a worker."""
        self.latest_workers[worker.front] = worker

    def on_lent_exited(self, worker: LentWorkerConnection) -> None:
        """Replace a worker of a front process that has exited, if the front process still exists."""
        self.lent_workers.discard(worker)
        if self.is_retired:
            self.end_if_empty()
        elif isinstance(worker, FrontCopyConnection):
            loop = asyncio.get_running_loop()
            loop.call_later(FRONT_FORK_PAUSE_SECONDS, self.fork_front, worker.number)
        else:
            self.fork_front_workers(worker.front)

    def update_worker(self, worker: WorkerConnection | LentWorkerConnection) -> None:
        """Send a new worker the changes that it has missed, or the folder from which it reads."""
        if self.in_memory:
            for body in self.owner.list_missed_writes(worker.last_write):
                worker.queue_change(body)
        else:
            self.open_folder(worker)

    def on_connected(self, worker: WorkerConnection) -> None:
        """Send a new worker the changes that it has missed, then offer it to the queue."""
        self.connecting_fronts.remove("")
        self.workers.add(worker)
        self.update_worker(worker)
        self.ready.set()
        if self.is_serving:
            self.queue.offer(worker)
        elif self.is_retired:
            worker.close()

    def on_opened(self) -> None:
        """Notify the pool when all workers have opened the folder."""
        if not any(worker.pending_opens for worker in self.all_workers):
            self.owner.on_all_opened(self.folder)

    def on_exited(self, worker: WorkerConnection) -> None:
        """Replace a worker that has exited."""
        self.workers.discard(worker)
        self.queue.withdraw(worker)
        self.queue.take_back(worker)
        if self.is_retired:
            self.end_if_empty()
        elif len(self.workers) + self.forking_count < self.size:
            self.fork_worker()

    async def close(self) -> None:
        """Close all workers and the forker, and wait until they have exited."""
        self.is_serving, self.is_retired = False, True
        await asyncio.gather(*self.tasks)
        for worker in self.workers.copy():
            worker.close()
        for lent_worker in self.lent_workers:
            lent_worker.retire()
        self.forker.close()
        await asyncio.sleep(0)  # until `connection_lost` has set `exited`
        await self.forker.exited

    def end_if_empty(self) -> None:
        """Close the forker when all own workers have exited. Those of front processes exit by themselves."""
        if not self.workers:
            self.forker.close()

    def on_forker_lost(self) -> None:
        """Retire the generation: its workers get no more changes, and exit after the forker."""
        self.retire()
        self.ready.set()
        self.owner.on_lost(self)

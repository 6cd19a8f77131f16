"""Pool of query workers, which are sent each write before it is acknowledged.

A change is sent down the socket of each worker and of the forker. For a change above 100,000 quads, or one
that is not known, a new generation of workers is started instead.
"""

import asyncio
import logging
import shutil
from itertools import count
from pathlib import Path

from ...http.limits import identify_client
from ...settings import Settings
from ...store.change import Change, serialize_change
from ...store.errors import StoreError
from ...store.files import ASIDE_FOLDER
from ...store.store import Store
from .connections import WorkerConnection
from .fair_queue import FairQueue, QueueState
from .generation import GenerationOwner, WorkerGeneration
from .protocol import QueryJob
from .result import QueryResult

MAX_WAITING_QUERIES, WORKER_WAIT_SECONDS = 256, 10  # queries that wait, and for how many seconds each
LARGE_CHANGE_QUADS = 100_000  # for larger changes, a new copy is cheaper
MAX_WASTED_QUADS = 200_000  # removed quads, whose memory is not freed, after which the copy is replaced
FIRST_WORKERS_SECONDS = (
    1.0  # seconds to copy the quads to memory before workers on disk are started meanwhile
)
WORKERS_RETRY_SECONDS = 1.0  # seconds until the next try where starting workers failed

log = logging.getLogger("wgig")


class WorkerPool:
    """The query workers of a store, replaced when they exit.

    A change is sent to each worker before its write is acknowledged, so that every later query sees it.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        """No worker is started yet."""
        self.store, self.settings = store, settings
        max_per_client = settings.readers - 1
        self.queue: FairQueue[WorkerConnection] = FairQueue(
            max(1, max_per_client),
            max(1, 2 * max_per_client),
            MAX_WAITING_QUERIES,
            WORKER_WAIT_SECONDS,
            self.on_crowded,
        )
        self.owner = GenerationOwner(
            self.queue, self.missed_writes, self.on_generation_lost, self.remove_old_copies
        )
        self.folder = settings.store / ASIDE_FOLDER / "readers"
        self.folder_numbers = count()
        self.written_number = 0  # the last write; used in the writing thread
        self.version = 0  # the last write that was sent to the workers
        self.loading_folders: set[Path] = set()  # folders of copies that are being loaded
        # Number and serialized change of the writes that workers being started may have missed.
        self.recent_writes: list[tuple[int, bytes]] = []
        self.starting_count = 0
        self.generations: list[WorkerGeneration] = []
        self.current: WorkerGeneration | None = None
        self.start_lock = asyncio.Lock()  # held while a forker is started
        self.is_closed = False

    async def start(self) -> None:
        """Start workers, and keep them up to date with the store from now on."""
        self.loop = asyncio.get_running_loop()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.store.on_commit = self.on_commit
        await self.start_workers()

    async def start_workers(self) -> None:
        """Start workers; they read from disk until the quads are in memory, where that takes long."""
        self.renew_task = self.loop.create_task(self.renew())
        await asyncio.wait([self.renew_task], timeout=FIRST_WORKERS_SECONDS)
        if not self.renew_task.done():
            await self.replace(*await asyncio.to_thread(self.make_numbered_copy), max_quads=0)

    async def see_latest_writes(self) -> None:
        """Nothing to do: each write is visible before it is acknowledged."""

    async def ask(self, job: QueryJob, client: str) -> QueryResult:
        """Start a query of a client; its result. Raises Problem 503 where no worker gets free."""
        client_key = identify_client(client)
        worker = await self.queue.borrow(client_key)
        if not self.queue.idle and client_key in self.queue.long_borrowers():
            worker.listener.on_occupied()
        return worker.ask(job, self.settings.query_seconds)

    def on_crowded(self) -> None:
        """A client without long loans waits for a worker."""
        if self.current:
            self.current.on_crowded()

    @property
    def is_copying(self) -> bool:
        """Whether the quads are being copied, while queries read from disk or from an older copy."""
        return bool(self.starting_count)

    @property
    def queue_state(self) -> QueueState:
        """How many workers are busy and idle, and how many queries wait."""
        return self.queue.state

    async def close(self) -> None:
        """Close all workers, wait until they have exited, and remove their copies."""
        async with self.start_lock:
            self.is_closed = True
        await asyncio.gather(*(generation.close() for generation in self.generations))
        shutil.rmtree(self.folder, ignore_errors=True)

    # Called in the thread that writes.

    def on_commit(self, change: Change | None) -> None:
        """Send a change to the workers, or replace them where that is cheaper; None for an unknown change."""
        self.written_number += 1
        if change is None or len(change) > LARGE_CHANGE_QUADS:
            replacing = self.replace(*self.make_numbered_copy(), self.settings.reader_quads)
            asyncio.run_coroutine_threadsafe(replacing, self.loop).result()
            return
        folder = self.checkpoint() if self.reads_from_disk else None
        self.loop.call_soon_threadsafe(
            self.publish_write, self.written_number, serialize_change(change), folder, len(change.removed)
        )

    @property
    def reads_from_disk(self) -> bool:
        """Whether some workers read from a folder, so that each write needs a checkpoint."""
        return not all(generation.in_memory for generation in self.generations)

    def checkpoint(self, *, to_load: bool = False) -> Path:
        """The folder of a new copy of the store; `to_load` protects it from removal."""
        folder = self.folder / str(next(self.folder_numbers))
        if to_load:
            self.loading_folders.add(folder)
        self.store.copy_to(folder)
        return folder

    def make_numbered_copy(self) -> tuple[Path, int]:
        """The folder of a copy for new workers, and the number of the last write in it."""
        with self.store.write_lock():
            return self.checkpoint(to_load=True), self.written_number

    # Called in the event loop.

    def publish_write(self, number: int, body: bytes, folder: Path | None, removed: int) -> None:
        """Send a change to all workers."""
        self.version = number
        if not (self.starting_count or any(generation.forking_count for generation in self.generations)):
            self.recent_writes.clear()
        self.recent_writes.append((number, body))
        for generation in self.generations:
            generation.send_change(body, folder, removed)
        if folder and not self.reads_from_disk:  # the workers that read from there have just exited
            self.remove_old_copies()
        if self.current and self.current.wasted_quads > MAX_WASTED_QUADS and not self.starting_count:
            self.renew_task = self.loop.create_task(self.renew())

    def missed_writes(self, number: int) -> list[bytes]:
        """The serialized changes of the writes after number `number`."""
        return [body for write_number, body in self.recent_writes if write_number > number]

    async def renew(self) -> None:
        """Replace the workers by those of a new copy of the quads."""
        self.starting_count += 1
        try:
            await self.replace(*await asyncio.to_thread(self.make_numbered_copy), self.settings.reader_quads)
        finally:
            self.starting_count -= 1

    async def replace(self, folder: Path, number: int, max_quads: int) -> None:
        """Replace the workers by those of a copy, with up to `max_quads` quads in memory.

        Does nothing where another replacement was faster. The old workers finish their queries.
        """
        self.starting_count += 1
        try:
            while not (
                self.is_closed
                or self.has_equal_workers(number, max_quads)
                or await self.attempt_replacement(folder, number, max_quads)
            ):
                await asyncio.sleep(WORKERS_RETRY_SECONDS)
        finally:
            self.starting_count -= 1
            self.loading_folders.discard(folder)
            if not self.reads_from_disk:
                self.remove_old_copies()

    def has_equal_workers(self, number: int, max_quads: int) -> bool:
        """Whether the current workers have write `number`, and may have as many quads in memory."""
        return (
            self.current is not None
            and self.current.write_number >= number
            and self.current.max_memory_quads >= max_quads
        )

    async def attempt_replacement(self, folder: Path, number: int, max_quads: int) -> bool:
        """Try to replace the workers; whether that succeeded. Raises CancelledError where the pool closes."""
        new = WorkerGeneration(folder, number, self.settings.readers, max_quads, self.owner)
        try:
            await self.start_forker(new)
            if (
                self.current
                and not (new.in_memory or self.current.in_memory)
                and self.has_equal_workers(number, 0)
            ):
                self.current.max_memory_quads = max_quads  # they read from disk, as the new workers would
            else:
                await self.populate(new)
        except (OSError, StoreError) as error:
            if self.is_closed:
                raise asyncio.CancelledError from error
            log.error("Query workers could not be started; retrying: %s", error)
            return False
        if self.has_equal_workers(number, max_quads):
            new.retire()
            return True
        old, self.current, self.version = self.current, new, max(self.version, number)
        new.serve()
        if old:
            old.retire()
        return True

    async def start_forker(self, new: WorkerGeneration) -> None:
        """Start a forker and let it copy the quads.

        Raises OSError, and CancelledError where the pool closes.
        """
        async with self.start_lock:  # so that `close` finds it among the generations
            if self.is_closed:
                raise asyncio.CancelledError
            await new.forker.start(new.max_memory_quads, self.settings.query_memory)
            self.generations.append(new)
        await new.load()

    async def populate(self, new: WorkerGeneration) -> None:
        """Fork workers that have all writes. Raises OSError or StoreError."""
        loaded_folder = new.folder
        try:
            # From now on each write makes a checkpoint, but those since the copy did not.
            if not new.in_memory and self.written_number != new.write_number:
                new.folder, new.write_number = await asyncio.to_thread(self.make_numbered_copy)
            await new.populate()
        finally:
            if new.folder != loaded_folder:
                self.loading_folders.discard(new.folder)

    def remove_old_copies(self, newest: Path | None = None) -> None:
        """Remove the copies older than `newest`, which all workers read now; without it all copies.

        A copy that is being made has a name that is no number. Nothing is removed while the pool closes,
        which removes the whole folder.
        """
        if self.is_closed:
            return
        copies = [
            copy for copy in self.folder.iterdir() if copy.name.isdigit() and copy not in self.loading_folders
        ]
        for copy in copies:
            if newest is None or int(copy.name) < int(newest.name):
                shutil.rmtree(copy, ignore_errors=True)

    def on_generation_lost(self, generation: WorkerGeneration) -> None:
        """Handle the exit of a forker with its workers: start others if it was the current generation."""
        self.generations.remove(generation)
        if not self.reads_from_disk:
            self.remove_old_copies()
        if generation is self.current:
            self.current = None
            if not self.is_closed:
                self.start_task = self.loop.create_task(self.start_workers())

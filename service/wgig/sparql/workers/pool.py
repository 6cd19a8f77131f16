"""Pool of query workers. A worker gets each write before the next query after it.

A change is sent over the sockets of all workers and of the forker. For a change of more than 100,000 quads,
or of unknown content, a new generation of workers is started instead.
"""

import asyncio
import logging
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

from ...settings import Settings
from ...store.change import Change, serialize_change
from ...store.errors import DamagedStoreError, StoreError, translate_damage
from ...store.files import ASIDE_FOLDER
from ...store.store import Store
from .connections import OWN_FORKERS, ForkerOptions
from .fair_queue import QueueState
from .generation import GenerationOwner, WorkerGeneration
from .policy import make_worker_queue, start_query, start_query_soon
from .protocol import ForkerLimits, QueryJob
from .result import QueryResult

LARGE_CHANGE_QUADS = 100_000  # for larger changes, a new copy is cheaper
MAX_WASTED_QUADS = 200_000  # the memory of removed quads is not freed; above this the copy is replaced
FIRST_COPY_SECONDS = 1.0  # for which `start` waits for the copy to memory
WORKERS_FOLDER = "readers"  # in `aside`, for the copies that workers read
WORKERS_RETRY_SECONDS = 1.0  # until the next attempt after workers could not be started

log = logging.getLogger("wgig")


class WorkerPool:
    """The query workers of a store, replaced when they exit.

    A change is queued for each worker before its write is acknowledged, and sent before the next query.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        first_version: int = 0,
        announce_version: Callable[[int], None] = lambda _: None,
        forking: ForkerOptions = OWN_FORKERS,
    ) -> None:
        """Create the pool; `start` starts the workers.

        Versions begin with `first_version`. `announce_version` is called with each new one when all workers
        have the write, or get it before their next query.
        """
        self.store, self.settings, self.forking = store, settings, forking
        self.queue = make_worker_queue(settings.readers, self.on_crowded)
        self.front_sizes: dict[str, int] = {}  # workers of each front process, by the path of its socket
        self.owner = GenerationOwner(
            self.queue,
            self.front_sizes,
            forking.front_count,
            lambda: self.version,
            self.list_missed_writes,
            self.on_generation_lost,
            self.remove_old_copies,
        )
        self.folder = settings.store / ASIDE_FOLDER / WORKERS_FOLDER
        self.folder_numbers = count()
        self.announce_version = announce_version
        self.last_write_number = first_version  # number of the last write; used in the writing thread
        self.version = first_version  # number of the last write that was queued for the workers
        self.loading_folders: set[Path] = set()  # folders of copies that are being loaded
        # Numbers and serialized changes of the writes that a worker may miss while it is being started.
        self.recent_writes: list[tuple[int, bytes]] = []
        self.report_damage: Callable[[], None] = lambda: None  # called if a file of the store is damaged
        self.is_store_damaged = False
        self.starting_count = 0  # replacements of the workers that are in progress
        self.generations: list[WorkerGeneration] = []
        self.current: WorkerGeneration | None = None
        self.start_lock = asyncio.Lock()  # held while a forker is started
        self.is_closed = False
        self.renew_task: asyncio.Task[None] | None = None  # the last replacement that no write waits for

    async def start(self) -> None:
        """Start workers, and keep them up to date with the store from now on."""
        self.loop = asyncio.get_running_loop()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.store.on_commit = self.on_commit
        await self.start_workers()

    async def start_workers(self) -> None:
        """Start workers that read from disk, in 0.1 s. They serve until workers have a copy in memory."""
        await self.renew(max_quads=0)
        if self.settings.reader_quads:
            self.renew_task = self.loop.create_task(self.renew(self.settings.reader_quads))
            await asyncio.wait([self.renew_task], timeout=FIRST_COPY_SECONDS)

    def add_front(self, path: str, size: int) -> None:
        """Fork `size` workers for the front process that listens at a path, now and in later generations."""
        self.front_sizes[path] = size
        if self.current:
            self.current.fork_front_workers(path)

    def fork_more_front_workers(self, path: str) -> None:
        """Fork another worker for a front process whose workers are all busy, up to twice its number."""
        if self.current:
            self.current.fork_front_workers(path, more=1)

    def remove_front(self, path: str) -> None:
        """Fork no more workers for a front process that has exited; its workers exit by themselves."""
        self.front_sizes.pop(path, None)

    async def wait_until_copied(self) -> None:
        """Wait until workers have a copy of the quads in memory, if they are to have one."""
        if self.renew_task:
            await asyncio.wait([self.renew_task])

    async def see_latest_writes(self) -> None:
        """Do nothing, as workers have each write before it is acknowledged; other QueryWorkers may wait."""

    async def start_query(self, job: QueryJob, client: str) -> QueryResult:
        """Start a query of a client and return its result. Raises Problem 503 if no worker becomes free."""
        return await start_query(self.queue, job, client, self.settings.query_seconds)

    def start_query_soon(self, job: QueryJob, client: str) -> QueryResult:
        """Start a query of a client, now or when a worker is free for it, and return its result."""
        return start_query_soon(self.queue, job, client, self.settings.query_seconds)

    def on_crowded(self) -> None:
        """A client whose queries are all short waits for a worker: the generation ends a long query."""
        if self.current:
            self.current.on_crowded()

    @property
    def is_copying(self) -> bool:
        """Whether the quads are being copied. Meanwhile queries read from disk or from an older copy."""
        return bool(self.starting_count)

    @property
    def queue_state(self) -> QueueState:
        """The numbers of busy workers, idle workers and waiting queries."""
        return self.queue.state

    async def close(self) -> None:
        """Close all workers, wait until they have exited, and remove their copies."""
        async with self.start_lock:
            self.is_closed = True
        await asyncio.gather(*(generation.close() for generation in self.generations))
        shutil.rmtree(self.folder, ignore_errors=True)

    # `on_commit` runs in the thread that writes, and calls the methods up to `make_numbered_copy` there.

    def on_commit(self, change: Change | None) -> None:
        """Queue a change for the workers; replace the workers if that is cheaper or the change is None."""
        self.last_write_number += 1
        if self.loop.is_closed():  # the service is ending, and no query follows
            return
        if change is None or len(change) > LARGE_CHANGE_QUADS:
            replacing = self.replace(*self.make_numbered_copy(), self.settings.reader_quads)
            asyncio.run_coroutine_threadsafe(replacing, self.loop).result()
            return
        folder = self.copy_store() if self.reads_from_disk else None
        self.loop.call_soon_threadsafe(
            self.publish_write, self.last_write_number, serialize_change(change), folder, len(change.removed)
        )

    @property
    def reads_from_disk(self) -> bool:
        """Whether some workers read from a folder, so that each write needs a new copy of the store."""
        return not all(generation.in_memory for generation in self.generations)

    def copy_store(self, *, to_load: bool = False) -> Path:
        """Copy the store to a new folder, and return the folder; `to_load` protects it from removal."""
        folder = self.folder / str(next(self.folder_numbers))
        if to_load:
            self.loading_folders.add(folder)
        try:
            self.store.snapshot(f"{WORKERS_FOLDER}/{folder.name}")  # remove_old_copies removes it
        except BaseException:
            self.loading_folders.discard(folder)
            raise
        return folder

    def make_numbered_copy(self) -> tuple[Path, int]:
        """Copy the store for new workers; return the folder and the number of the last write in it."""
        with self.store.write_lock():
            return self.copy_store(to_load=True), self.last_write_number

    # The methods from here on are called in the event loop.

    def publish_write(self, write_number: int, body: bytes, folder: Path | None, removed_quads: int) -> None:
        """Queue the serialized change of write `write_number` for all workers.

        `folder` has a copy of the store for workers that read from disk, None if there are none. The change
        removes `removed_quads` quads.
        """
        self.version = write_number
        if not (self.starting_count or any(generation.is_forking for generation in self.generations)):
            self.recent_writes.clear()
        self.recent_writes.append((write_number, body))
        for generation in self.generations:
            generation.queue_change(body, folder, removed_quads)
        self.announce_version(write_number)
        if folder and not self.reads_from_disk:  # the workers that read from disk have just exited
            self.remove_old_copies()
        if self.current and self.current.wasted_quads > MAX_WASTED_QUADS and not self.starting_count:
            self.renew_task = self.loop.create_task(self.renew(self.settings.reader_quads))

    def list_missed_writes(self, write_number: int) -> list[bytes]:
        """The serialized changes of the writes after write `write_number`."""
        return [body for recent_number, body in self.recent_writes if recent_number > write_number]

    async def renew(self, max_quads: int) -> None:
        """Replace the workers by workers with a new copy of the quads, as `replace` does.

        If the store cannot be copied, this tries again.
        """
        self.starting_count += 1
        try:
            while not (self.is_closed or self.is_store_damaged):
                try:
                    copy = await asyncio.to_thread(self.make_numbered_copy)
                except (OSError, StoreError) as error:
                    self.report_start_error(error)
                    await asyncio.sleep(WORKERS_RETRY_SECONDS)
                else:
                    return await self.replace(*copy, max_quads)
        finally:
            self.starting_count -= 1

    async def replace(self, folder: Path, write_number: int, max_quads: int) -> None:
        """Replace the workers by workers with the copy in `folder`, made after write `write_number`.

        The quads are in memory if there are at most `max_quads`. Does nothing if another replacement was
        faster, or if a file of the store is damaged. The old workers finish their queries.
        """
        self.starting_count += 1
        try:
            while not (
                self.is_closed
                or self.is_store_damaged
                or self.has_sufficient_workers(write_number, max_quads)
                or await self.attempt_replacement(folder, write_number, max_quads)
            ):
                await asyncio.sleep(WORKERS_RETRY_SECONDS)
        finally:
            self.starting_count -= 1
            self.loading_folders.discard(folder)
            if not self.reads_from_disk:
                self.remove_old_copies()

    def has_sufficient_workers(self, write_number: int, max_quads: int) -> bool:
        """Whether the current workers have write `write_number`, and may hold `max_quads` quads in memory."""
        return (
            self.current is not None
            and self.current.write_number >= write_number
            and self.current.max_memory_quads >= max_quads
        )

    async def attempt_replacement(self, folder: Path, write_number: int, max_quads: int) -> bool:
        """Try to replace the workers, and return whether that succeeded.

        Raises CancelledError if the pool closes.
        """
        generation = WorkerGeneration(folder, write_number, self.settings.readers, max_quads, self.owner)
        try:
            await self.start_forker(generation)
            if (
                self.current
                and not (generation.in_memory or self.current.in_memory)
                and self.has_sufficient_workers(write_number, 0)
            ):
                # The new workers would read from disk as well: the current ones stay, with the new limit.
                self.current.max_memory_quads = max_quads
            else:
                await self.populate(generation)
        except (OSError, StoreError) as error:
            if self.is_closed:
                raise asyncio.CancelledError from error
            if generation in self.generations:
                generation.retire()
            self.report_start_error(error)
            return False
        if self.has_sufficient_workers(write_number, max_quads):
            generation.retire()
            return True
        old, self.current, self.version = self.current, generation, max(self.version, write_number)
        generation.serve()
        if old:
            old.retire()
        self.announce_version(self.version)
        return True

    def report_start_error(self, error: OSError | StoreError) -> None:
        """Log why workers could not be started. Report a damaged store, so that no other attempt is made."""
        self.is_store_damaged = isinstance(error, DamagedStoreError)
        if self.is_store_damaged:
            log.error("Query workers could not be started: %s", error)
            self.report_damage()
        else:
            log.error("Query workers could not be started; retrying: %s", error)

    async def start_forker(self, generation: WorkerGeneration) -> None:
        """Start a forker and let it copy the quads.

        Raises OSError if the forker fails, DamagedStoreError if it cannot read the quads, CancelledError if
        the pool closes.
        """
        async with self.start_lock:  # so that `close` closes this generation, too
            if self.is_closed:
                raise asyncio.CancelledError
            limits = ForkerLimits(generation.max_memory_quads, self.settings.query_memory, self.settings.base)
            await generation.forker.start(limits, self.forking.start)
            self.generations.append(generation)
        with translate_damage(self.settings.store):
            await generation.load()

    async def populate(self, generation: WorkerGeneration) -> None:
        """Fork workers that have all writes up to now. Raises OSError or StoreError."""
        loaded_folder = generation.folder
        try:
            # From now on `reads_from_disk` is true, and each write makes a copy for these workers. Writes
            # since the copy in `loaded_folder` made none, so another copy is needed.
            if not generation.in_memory and self.last_write_number != generation.write_number:
                generation.folder, generation.write_number = await asyncio.to_thread(self.make_numbered_copy)
            await generation.populate()
        finally:
            if generation.folder != loaded_folder:
                self.loading_folders.discard(generation.folder)

    def remove_old_copies(self, newest: Path | None = None) -> None:
        """Remove the copies older than `newest`, which all workers read now; without `newest` all copies.

        Copies being loaded are kept, and so are unfinished ones, which have a temporary name. If the pool is
        closed, this does nothing, because `close` removes the whole folder.
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
        """Handle the exit of a forker, planned or not: start new workers if its generation was current."""
        self.generations.remove(generation)
        if not self.reads_from_disk:
            self.remove_old_copies()
        if generation is self.current:
            self.current = None
            if not self.is_closed:
                log.warning(
                    "the process with the copy of the quads has exited; query workers are started again"
                )
                self.start_task = self.loop.create_task(self.start_workers())

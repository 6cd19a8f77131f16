"""Opening a store: the commits that the engine may lack are replayed, and an older layout is upgraded.

The engine has each commit completely or not at all, in order, but a power cut may have removed its last ones.
So all commits after its position are applied again, in order. What follows from them is computed by the same
code as in a commit, from what they change in the engine: that is exact from whatever commit the engine has
reached, as its derived quads always agree with its stated ones.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pyoxigraph as ox

from ..files import sync_to_disk
from .change import (
    MAX_COMPARED_QUADS,
    Change,
    combine_changes,
    find_existing_graphs,
    iter_graph_quads,
)
from .change_log import LOAD_BEGIN_ENTRY, ChangeLog, CommitOrigin, LogEntry
from .commit import apply_to_engine
from .errors import WITHOUT_LOG_ADVICE, StoreError, UnusableLogError, translate_disk_errors
from .files import ASIDE_FOLDER, VERSIONS_FOLDER, iter_version_files
from .folder import CHANGE_LOG_FILE, CURRENT_LAYOUT_NUMBER, read_layout
from .inference.inference import Inference
from .position import POSITION_FILE, EnginePosition

MAX_COMPARED_CHANGE_BYTES = 16 * 1024  # compressed, of about 1,000 quads, which takes 5 ms
MAX_UNREPORTED_COMMITS = 100  # replaying more takes a second or longer, so it is reported

# Files of the first layout, which had a journal and marks instead of a change log.
OBSOLETE_FILES = (
    "journal",
    "journal-inferred",
    "journal-undone",
    "inferred-by",
    "undescribed",
    "indexed",
    "in-line-with",
)
OBSOLETE_FOLDERS = (VERSIONS_FOLDER, f"{ASIDE_FOLDER}/kept")


def replay_log(
    quads: ox.Store,
    log: ChangeLog,
    position: EnginePosition,
    inference: Inference | None,
    report: Callable[[str], None],
) -> bool:
    """Apply the commits after a position to the engine. Returns whether there were any.

    The log must be that of the position. `report` is called with a message if that takes long. Raises
    StoreError if the log lacks a change.
    """
    start = max(position.version, log.find_last_reset())
    check_replayable(log, start)
    if log.last_version - start > MAX_UNREPORTED_COMMITS:
        report(f"Replaying {log.last_version - start} commits ...")
    for changes in batch_changes(log.iter_entries(start)):
        change = select_effective(merge_repeated_changes(changes), quads)
        if change:
            derived = inference.derive(quads, change) if inference else Change()
            apply_to_engine(combine_changes([change, derived]), quads)
    return start < log.last_version or position.version < start


def check_replayable(log: ChangeLog, start: int) -> None:
    """Raise StoreError if the changes after a version lack what was erased from them."""
    if log.has_erased_change(start):
        raise StoreError(
            f"The quads lack the versions after {start}, and the change log {log.path} does not "
            "contain all of them, because wgig forget erased some. Restore a backup."
        )


def check_position(position: EnginePosition, log: ChangeLog) -> None:
    """Raise UnusableLogError if the log is not that of the quads, or is older than them."""
    if position.log_id == log.id and position.version <= log.last_version:
        return
    raise UnusableLogError(
        f"The change log {log.path} does not belong to the quads in the same folder: they have "
        f"version {position.version}, but the log ends at version {log.last_version}; "
        f"{WITHOUT_LOG_ADVICE}."
        if position.log_id == log.id
        else f"The change log {log.path} belongs to a different store than the quads in the same "
        f"folder; {WITHOUT_LOG_ADVICE}."
    )


def check_log_exists(folder: Path, *, has_quads: bool) -> None:
    """Raise UnusableLogError if the store in a folder had a change log, and it is missing."""
    log = folder / CHANGE_LOG_FILE
    if log.exists() and log.stat().st_size:
        return
    has_had_log = has_quads and read_layout(folder)[0] >= CURRENT_LAYOUT_NUMBER
    if has_had_log or (folder / POSITION_FILE).exists():
        raise UnusableLogError(
            f"The change log {log} is missing. Put it back, together with the file {log.name}-wal "
            f"if there was one, or {WITHOUT_LOG_ADVICE}."
        )


def check_engine_version(quads: ox.Store, log: ChangeLog, version: int) -> None:
    """Raise StoreError if the engine lacks the commit that it has according to its position.

    What later commits have changed again is not compared, and no large commit, which would delay each start.
    """
    if log.count_change_bytes(version) > MAX_COMPARED_CHANGE_BYTES:
        return
    for entry in log.read_entries(version - 1, version):
        missing = select_effective(entry.change, quads) if entry.change else Change()
        if not missing:
            return
        later = merge_repeated_changes(later.change for later in log.iter_entries(version) if later.change)
        if {*missing.removed, *missing.added} - {*later.removed, *later.added}:
            raise StoreError(
                f"The quads in the folder of {log.path} are older than version {version}, although "
                f"{POSITION_FILE} says that they have it. Put back all files from the same point in "
                "time, or restore a backup."
            )


def prepare_new_engine(folder: Path) -> None:
    """Prepare a folder without quads: if it has a change log, they will be replayed from nothing.

    Raises StoreError, before the engine is created, if the log is missing, or lacks some of the quads.
    """
    check_log_exists(folder, has_quads=False)
    if (folder / CHANGE_LOG_FILE).exists():
        with closing(ChangeLog(folder / CHANGE_LOG_FILE)) as log:
            if log.find_last_reset():
                raise StoreError(
                    f"The quads in the folder of {log.path} are missing, and the log does not contain those "
                    "that were loaded by wgig load or by an older version. Restore a backup."
                )
            check_replayable(log, 0)
        with translate_disk_errors(folder):
            (folder / POSITION_FILE).unlink(missing_ok=True)  # it is that of the missing engine
            sync_to_disk(folder)


def batch_changes(entries: Iterator[LogEntry]) -> Iterator[list[Change]]:
    """The changes of entries in batches, which are large enough to be applied quickly."""
    batch, quad_count = list[Change](), 0
    for entry in entries:
        if entry.change is None:
            raise StoreError(
                f"The change of version {entry.version} is not in the change log. Restore a backup."
            )
        batch.append(entry.change)
        quad_count += len(entry.change)
        if quad_count >= MAX_COMPARED_QUADS:
            yield batch
            batch, quad_count = [], 0
    if batch:
        yield batch


def merge_repeated_changes(changes: Iterable[Change]) -> Change:
    """Consecutive changes as one, for quads that may have the first of them already.

    For each quad and graph, the last change of it counts, even if it undoes another one.
    """
    quads, graphs = dict[ox.Quad, bool](), dict[str, bool]()  # whether each exists after them
    for change in changes:
        quads |= dict.fromkeys(change.removed, False) | dict.fromkeys(change.added, True)
        graphs |= dict.fromkeys(change.dropped, False) | dict.fromkeys(change.created, True)
    return Change(
        tuple(quad for quad, exists in quads.items() if not exists),
        tuple(quad for quad, exists in quads.items() if exists),
        tuple(graph for graph, exists in graphs.items() if not exists),
        tuple(graph for graph, exists in graphs.items() if exists),
    )


def select_effective(change: Change, quads: ox.Store) -> Change:
    """The part of a change that the quads do not have yet."""
    named = (*map(ox.NamedNode, change.dropped), *map(ox.NamedNode, change.created))
    existing = find_existing_graphs(quads, named)
    # A dropped graph may have quads of later commits, if the engine has these already.
    dropped_quads = (
        quad
        for iri in existing.intersection(change.dropped)
        for quad in iter_graph_quads(quads, ox.NamedNode(iri))
    )
    return Change(
        tuple({quad for quad in change.removed if quad in quads}.union(dropped_quads)),
        tuple(quad for quad in change.added if quad not in quads),
        tuple(iri for iri in change.dropped if iri in existing),
        tuple(iri for iri in change.created if iri not in existing),
    )


def upgrade_first_layout(folder: Path, log: ChangeLog, report: Callable[[str], None]) -> None:
    """Begin the change log of a store of the first layout: its quads, and the old versions of its graphs.

    Interrupted, it is repeated. Raises StoreError and OSError.
    """
    report(f"Upgrading the store {folder} to a change log ...")
    if log.last_version == 0:
        log.add_old_contents(iter_version_files(folder / VERSIONS_FOLDER, report))
        log.append_step(LOAD_BEGIN_ENTRY, CommitOrigin(title="Upgrade"))


def remove_obsolete_files(folder: Path) -> None:
    """Remove the files of the first layout, after an upgrade."""
    for name in OBSOLETE_FILES:
        (folder / name).unlink(missing_ok=True)
    for name in OBSOLETE_FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)

"""Files of a store folder: the atomic swap of a store, file locks, graph versions of the first layout.

A restore replaces the store in its folder completely or not at all, even if the process dies in the middle:
after the first rename, the swap is completed when the store is next opened. All renames are inside the
folder, so that it may be a mount point; its subfolder `aside` has all files that are not part of
the store, except the access tokens.
"""

import fcntl
import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..files import make_private_folder, sync_to_disk


@contextmanager
def hold_file_lock(path: Path, busy_message: str = "") -> Iterator[None]:
    """Hold an exclusive lock on a file. Waits until it is free; with a `busy_message`, fails with it instead.

    The system releases the lock when the process ends. Raises OSError.
    """
    make_private_folder(path.parent)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy_message else 0))
        except BlockingIOError as error:
            raise OSError(busy_message) from error
        yield


ASIDE_FOLDER = "aside"
# In `aside`: what is built again if it is missing, and may have texts of earlier versions of graphs.
DUMPS_FOLDER, INDEX_FOLDER, RESOURCE_VERSIONS_FILE = "dumps", "index", "changes.sqlite"
RELEASES_FOLDER = "releases"
# Entries of the folder that a restore leaves in place and a backup leaves out. Access tokens are not content:
# a backup must not leak them, and a restore must not bring back revoked ones. Releases are published.
ENTRIES_OUTSIDE_BACKUP = {ASIDE_FOLDER, RELEASES_FOLDER, "tokens.json", "tokens.json.lock"}
COMMITTED_SWAP_PREFIX, PREVIOUS_STORE_PREFIX = "restored-", "before-"  # followed by a timestamp
INCOMING_STORE_FOLDER = "coming"
# The stages of a swap, T being the timestamp: the new store is renamed to restored-T (the swap is committed);
# the old files are moved to before-T; restored-T is renamed to coming; the new files are moved into the
# folder.


def swap_store(folder: Path, new_store: Path, timestamp: str) -> Path:
    """Replace the store in `folder` with the one in `new_store`, a folder in its `aside`.

    Returns the folder that the old store was moved to, which does not exist if the old store had no files.
    `timestamp` becomes part of the names of folders. The first rename commits the swap: if it is interrupted,
    `finish_store_swap` completes it. No process may open the store meanwhile.
    """
    new_store.rename(new_store.with_name(COMMITTED_SWAP_PREFIX + timestamp))
    sync_to_disk(new_store.parent)
    finish_store_swap(folder)
    return folder / ASIDE_FOLDER / (PREVIOUS_STORE_PREFIX + timestamp)


def finish_store_swap(folder: Path) -> None:
    """Complete an interrupted swap, if there is one. No process may open the store meanwhile."""
    aside = folder / ASIDE_FOLDER
    incoming = aside / INCOMING_STORE_FOLDER
    for committed in aside.glob(f"{COMMITTED_SWAP_PREFIX}*"):
        previous = aside / committed.name.replace(COMMITTED_SWAP_PREFIX, PREVIOUS_STORE_PREFIX, 1)
        previous.mkdir(exist_ok=True)
        # While the new store is named restored-T, none of its files is moved: all files in `folder` are old.
        move_store_files(folder, previous)
        if not any(previous.iterdir()):
            previous.rmdir()
        committed.rename(incoming)
    if incoming.exists():
        move_store_files(incoming, folder)
        incoming.rmdir()
        sync_to_disk(folder)


def move_store_files(source: Path, target: Path) -> None:
    """Move all entries of a folder into another one, except ENTRIES_OUTSIDE_BACKUP."""
    for path in list(source.iterdir()):
        if path.name not in ENTRIES_OUTSIDE_BACKUP:
            path.rename(target / path.name)


MANIFEST_FILE, BACKUP_STORE_FOLDER = "manifest.json", "store"  # in the folder of a backup


def find_backup_of_store(folder: Path) -> Path | None:
    """The backup that the store in `folder` is part of; None if it is part of none."""
    resolved = folder.resolve()
    with suppress(OSError, ValueError):
        if resolved.name == BACKUP_STORE_FOLDER:
            manifest = json.loads((resolved.parent / MANIFEST_FILE).read_bytes())
            if isinstance(manifest, dict) and "wgig" in manifest:
                return resolved.parent
    return None


VERSIONS_FOLDER = "versions"  # of the first layout: contents of graphs, as files named by their SHA-256
VERSION_FILE_SUFFIX = ".nt.gz"


def iter_version_files(folder: Path, report: Callable[[str], None]) -> Iterator[tuple[str, bytes]]:
    """The SHA-256 and the content of each version in the folder `versions`; damaged files are reported."""
    for path in sorted(folder.glob(f"*/*{VERSION_FILE_SUFFIX}")):
        digest = path.parent.name + path.name.removesuffix(VERSION_FILE_SUFFIX)
        try:
            content = gzip.decompress(path.read_bytes())
        except (OSError, EOFError, zlib.error) as error:
            report(f"The old version {path} cannot be read and is skipped: {error}.")
            continue
        if hashlib.sha256(content).hexdigest() == digest:
            yield digest, content
        else:
            report(f"The old version {path} is damaged and is skipped.")

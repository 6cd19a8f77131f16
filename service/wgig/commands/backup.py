"""`wgig backup`: a copy of the store, read again and found right, also while a service runs on it."""

import argparse
import time
from pathlib import Path

from ..backup.backups import back_up, prune
from ..backup.keeping import keep
from ..backup.manifest import NAME, DamagedError
from ..opening import refuse_without_store
from ..problems import Problem
from ..settings import Settings
from . import progress


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Make a backup, then delete old ones if so asked. Exit code 0. Raises Problem, StoreError, OSError."""
    target: Path = arguments.folder
    refuse_unfit(target, settings.store)
    refuse_without_store(settings.store)
    started = time.monotonic()
    try:
        backup, holds = back_up(settings.store, target, keep, progress)
    except DamagedError as error:
        raise OSError(f"There is no new backup: {error}. Look after the disks and try again.") from error
    except OSError as error:
        if error.strerror is None:  # it is a sentence already
            raise
        place = error.filename or target
        raise OSError(
            f"There is no new backup: {place}: {error.strerror}. Mend that and try again."
        ) from error
    print(
        f"Backed up {holds.quads:,} quads in {holds.graphs:,} named graphs into {backup} "
        f"in {time.monotonic() - started:.1f} s",
        flush=True,
    )
    if arguments.keep:
        for one in prune(target, arguments.keep):
            print(f"Deleted {one}", flush=True)
    return 0


def refuse_unfit(target: Path, store: Path) -> None:
    """Raise Problem 400 where backups cannot be kept in a folder."""
    if target.resolve().is_relative_to(store.resolve()):
        raise Problem(400, f"{target} is in the store itself. Name a folder elsewhere, best on another disk.")
    if (target / NAME).exists():
        raise Problem(400, f"{target} is a backup. Name the folder that it is in.")

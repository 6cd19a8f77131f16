"""`wgig restore`: a backup in the place of the store, while no service runs on it."""

import argparse
import time

from ..backup.backups import chosen, restore
from ..backup.manifest import DamagedError
from ..settings import Settings
from . import progress


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Restore a backup. Exit code 0. Raises Problem, StoreError, OSError: the store is as it was then.

    Raises ValueError over a shared store, of whose copy alone there is a backup.
    """
    if settings.remote_query:
        raise ValueError(
            f"The data is in the shared store at {settings.remote_query}, and {settings.store} has a copy "
            "of it. Restore the shared store by its own means. To restore into a folder without it, leave "
            "the WGIG_REMOTE settings out."
        )
    started = time.monotonic()
    backup = chosen(arguments.backup)
    try:
        manifest, before = restore(backup, settings.store, progress)
    except DamagedError as error:
        raise OSError(f"The backup {backup} is damaged: {error}. Take another one.") from error
    print(
        f"Restored {manifest.content.quads:,} quads in {manifest.content.graphs:,} named graphs, as of "
        f"{manifest.made}, from {backup} in {time.monotonic() - started:.1f} s",
        flush=True,
    )
    if before.exists():
        print(f"The store as it was is in {before}: delete that when nobody needs it.", flush=True)
    return 0

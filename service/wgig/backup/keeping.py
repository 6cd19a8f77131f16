"""Keep a store as it is at one moment, also while a service has it open: the service does it then."""

import shutil
from collections.abc import Callable
from pathlib import Path

from ..opening import refuse_without_store
from ..store import Store
from .backups import BUSY, LOCK
from .checkpoint import KEPT
from .control import ask, listen
from .locking import locked
from .swap import ASIDE

REQUEST = {"do": "checkpoint"}


def offer(store: Store, say: Callable[[str], None]) -> None:
    """Let others ask this process for a checkpoint of its store; `say` is told where that cannot be."""
    assert store.folder

    def answer(request: object) -> dict[str, object]:
        if request != REQUEST:
            return {
                "error": f"This is not understood: {request}. Use the same version of wgig as the service."
            }
        return {"quads": store.keep()}

    try:
        listen(store.folder, answer)
    except OSError as error:
        say(f"No backup can be made while this service runs: {error}. Stop it for a backup.")


def keep(folder: Path) -> int:
    """Make the checkpoint of the store in `folder`; returns how many quads the store has.

    Raises StoreError or OSError where nobody can.
    """
    refuse_without_store(folder)
    answer = ask(folder, REQUEST)
    return int(answer["quads"]) if answer else Store.open(folder).keep()


def copy_to(place: Path, folder: Path) -> None:
    """Make a new folder a store like the one in `folder` as it is now, by links where that can be.

    Raises StoreError or OSError where nobody can, or a backup is under way.
    """
    kept = folder / ASIDE / KEPT
    with locked(folder / ASIDE / LOCK, BUSY.format(folder)):
        shutil.rmtree(kept, ignore_errors=True)  # of one that was cut off
        try:
            keep(folder)
            shutil.move(kept, place)
        finally:
            shutil.rmtree(kept, ignore_errors=True)

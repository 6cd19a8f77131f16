"""Put another store in the place of the one in a folder, whole or not at all, whenever the process ends.

All happens inside of the folder of the store, so that it may be a mount point. What is of no use elsewhere
lies in a folder of it that is called aside.
"""

from pathlib import Path

from ..durable import sync

ASIDE = "aside"
# What stays in the folder, whatever store comes and goes. Who may write is no content: a backup gives no
# tokens away, and a restore brings none back that was revoked.
STAYS = {ASIDE, "tokens.json", "tokens.json.lock"}
DECIDED, BEFORE = "restored-", "before-"  # and a point of time
COMING = "coming"


def swap(folder: Path, fresh: Path, when: str) -> Path:
    """Make what `fresh` in the `aside` of a store holds the store; returns where the old one is, if any.

    From the first renaming on, the swap is decided: where it is cut off, `finish` goes on with it. Nobody
    may open the store meanwhile.
    """
    fresh.rename(fresh.with_name(DECIDED + when))
    sync(fresh.parent)
    finish(folder)
    return folder / ASIDE / (BEFORE + when)


def finish(folder: Path) -> None:
    """Go on with a swap that was cut off, if there is one. Nobody may open the store meanwhile."""
    aside = folder / ASIDE
    coming = aside / COMING
    for decided in aside.glob(f"{DECIDED}*"):
        before = aside / decided.name.replace(DECIDED, BEFORE, 1)
        before.mkdir(exist_ok=True)
        # As long as it is called decided, nothing new has come, and all that is there is old.
        move_all(folder, before)
        if not any(before.iterdir()):
            before.rmdir()
        decided.rename(coming)
    if coming.exists():
        move_all(coming, folder)
        coming.rmdir()
        sync(folder)


def move_all(source: Path, target: Path) -> None:
    """Move what a folder holds, but what stays, into another one."""
    for one in list(source.iterdir()):
        if one.name not in STAYS:
            one.rename(target / one.name)

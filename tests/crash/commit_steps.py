"""Write to a store, and kill the process at a step of the commit: python commit_steps.py STORE STEP

Prints `acknowledged` after the write. Without a STEP, it only opens the store.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wgig.store import position, recovery, transactions
from wgig.store.change_log import ChangeLog
from wgig.store.position import EnginePosition
from wgig.store.store import Store
from wgig.store.transactions import TransactionalStore

RULE = "CONSTRUCT { ?s <urn:inferred> ?o } WHERE { ?s <urn:stated> ?o }"
INFERRED_GRAPH = "urn:inferred"
FIRST_WRITE = "INSERT DATA { GRAPH <urn:g> { <urn:s> <urn:stated> 1 , [ <urn:in> 1 ] } }"
# Removes and adds quads with blank nodes, in several graphs.
SECOND_WRITE = """
DELETE { GRAPH <urn:g> { ?s ?p ?o } } INSERT { GRAPH <urn:h> { ?s ?p ?o } }
WHERE { GRAPH <urn:g> { ?s ?p ?o } };
INSERT DATA { GRAPH <urn:g> { <urn:s> <urn:stated> 2 } <urn:s> <urn:stated> [ <urn:in> 2 ] }"""


def kill_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_before(owner: Any, name: str) -> None:
    """Kill the process before the next call of a function."""
    setattr(owner, name, lambda *_args, **_options: kill_process())


def kill_after(owner: Any, name: str) -> None:
    """Kill the process after the next call of a function."""
    function = getattr(owner, name)

    def call_and_kill(*args: Any, **options: Any) -> None:
        function(*args, **options)
        kill_process()

    setattr(owner, name, call_and_kill)


# By the name of a step: how to kill the process there. Each is after the one before it.
STEPS: dict[str, Callable[[], None]] = {
    "before-log": lambda: kill_before(ChangeLog, "append"),
    "in-log-transaction": lambda: kill_after(ChangeLog, "keep_contents"),
    "after-log": lambda: kill_before(transactions, "apply_to_engine"),
    "after-engine": lambda: kill_after(transactions, "apply_to_engine"),
    "after-publication": lambda: kill_after(TransactionalStore, "_publish"),
    "before-flush": lambda: kill_before(TransactionalStore, "flush"),
    "after-flush": lambda: kill_before(EnginePosition, "write"),
    "in-position-file": lambda: kill_before(position, "asdict"),
    "after-position-file": lambda: kill_after(EnginePosition, "write"),
}
# The steps of a replay, which follows a kill after the log.
REPLAY_STEPS: dict[str, Callable[[], None]] = {
    "before-replay": lambda: kill_before(recovery, "apply_to_engine"),
    "after-replay": lambda: kill_after(recovery, "apply_to_engine"),
    "after-replay-before-flush": lambda: kill_before(TransactionalStore, "flush"),
}


def open_store(folder: Path) -> Store:
    return Store.open(folder, [RULE], INFERRED_GRAPH)


def main(folder: str, step: str = "") -> None:
    if step in REPLAY_STEPS:
        REPLAY_STEPS[step]()
    store = open_store(Path(folder))
    if step in STEPS:
        if not store:
            store.update(FIRST_WRITE)
            store.flush()
        STEPS[step]()
        store.update(SECOND_WRITE)
        print("acknowledged", flush=True)
        store.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])

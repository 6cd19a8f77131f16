"""Write to a store in a process, which is killed at a step.

`python commit_steps.py` reads calls of `run_write` from the standard input, each as a line with a JSON array
of arguments. It runs each in a fork, because the imports take longer than most writes, and prints a line with
a JSON array: the exit code and the output of the fork.
"""

import hashlib
import io
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pyoxigraph as ox
from wgig.store import position, recovery, retention, transactions
from wgig.store import store as store_module
from wgig.store.change import Change
from wgig.store.change_log import ChangeLog, NewCommit, ReplacedContent, SourceFile
from wgig.store.inference.inference import Inference
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
LOADED_TURTLE = b"<urn:l1> <urn:stated> 3 . <urn:l2> <urn:stated> 4 . <urn:l3> <urn:other> [ <urn:in> 5 ] ."
LOADED_FILE = SourceFile("loaded.ttl", "text/turtle", "ab" * 32)
VERSIONED_GRAPH, VERSION_COUNT, ERASED_VERSION = "urn:v", 6, 3


def kill_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_before(owner: Any, name: str, call: int = 1) -> None:
    """Kill the process before a call of a function: the next one, or a later one."""
    function, calls = getattr(owner, name), count(1)

    def kill_or_call(*args: Any, **options: Any) -> Any:
        if next(calls) == call:
            kill_process()
        return function(*args, **options)

    setattr(owner, name, kill_or_call)


def kill_after(owner: Any, name: str, call: int = 1) -> None:
    """Kill the process after a call of a function: the next one, or a later one."""
    function, calls = getattr(owner, name), count(1)

    def call_and_kill(*args: Any, **options: Any) -> Any:
        result = function(*args, **options)
        if next(calls) == call:
            kill_process()
        return result

    setattr(owner, name, call_and_kill)


def kill_in_bulk_extension() -> None:
    """Kill the process when the engine has a part of a large addition."""
    apply_in_bulk = TransactionalStore._apply_in_bulk

    def apply_part(store: TransactionalStore, change: Change, folder: Path) -> None:
        apply_in_bulk(store, replace(change, added=change.added[::2]), folder)
        kill_process()

    setattr(TransactionalStore, "_apply_in_bulk", apply_part)  # noqa: B010 - mypy allows no assignment


# By the name of a step: how to kill the process there. Each is after the one before it.
Steps = dict[str, Callable[[], None]]
COMMIT_STEPS: Steps = {
    "before-derivation": lambda: kill_before(TransactionalStore, "_derive"),
    "before-log": lambda: kill_before(ChangeLog, "append"),
    "in-log-transaction": lambda: kill_after(ChangeLog, "keep_contents"),
    "after-log": lambda: kill_before(transactions, "apply_to_engine"),
    "after-engine": lambda: kill_after(transactions, "apply_to_engine"),
    "after-publication": lambda: kill_after(TransactionalStore, "_publish"),
    "before-flush": lambda: kill_before(TransactionalStore, "flush"),
    "after-flush": lambda: kill_before(EnginePosition, "write"),
    "in-position-file": lambda: kill_before(position, "asdict"),
    "before-rename-of-position-file": lambda: kill_before(Path, "replace"),
    "after-position-file": lambda: kill_after(EnginePosition, "write"),
    "after-log-checkpoint": lambda: kill_after(ChangeLog, "checkpoint"),
}
# The steps of a large addition. The engine does not add it atomically.
BULK_COMMIT_STEPS: Steps = {
    "before-log": lambda: kill_before(ChangeLog, "append"),
    "after-log": lambda: kill_before(TransactionalStore, "_apply_in_bulk"),
    "after-marked-position": lambda: kill_after(EnginePosition, "write"),
    "in-engine": kill_in_bulk_extension,
    "after-engine": lambda: kill_after(TransactionalStore, "_apply_in_bulk"),
    "before-flush": lambda: kill_before(TransactionalStore, "flush"),
    "after-flush": lambda: kill_before(EnginePosition, "write", call=2),
    "after-position-file": lambda: kill_after(EnginePosition, "write", call=2),
}
# The steps of a bulk load.
LOAD_STEPS: Steps = {
    "before-flush": lambda: kill_before(TransactionalStore, "flush"),
    "before-begin": lambda: kill_before(ChangeLog, "append_step"),
    "after-begin": lambda: kill_after(ChangeLog, "append_step"),
    "after-engine": lambda: kill_before(ChangeLog, "append_step", call=2),
    "after-file": lambda: kill_after(ChangeLog, "append_step", call=2),
    "before-inference": lambda: kill_before(Inference, "rebuild"),
    "after-inference": lambda: kill_after(Inference, "rebuild"),
    "before-reset": lambda: kill_before(ChangeLog, "append_step", call=3),
    "after-reset": lambda: kill_after(ChangeLog, "append_step", call=3),
    "after-publication": lambda: kill_after(TransactionalStore, "_publish"),
    "before-last-flush": lambda: kill_before(TransactionalStore, "flush", call=2),
    "after-last-flush": lambda: kill_after(TransactionalStore, "flush", call=2),
}
# The steps of erasing the content of a version.
ERASURE_STEPS: Steps = {
    "before-flush": lambda: kill_before(TransactionalStore, "_sync_engine"),
    "before-log": lambda: kill_before(store_module, "erase_content"),
    "in-log-transaction": lambda: kill_after(retention, "erase_graph_version"),
    "after-log": lambda: kill_before(ChangeLog, "truncate_wal"),
    "after-truncation": lambda: kill_after(ChangeLog, "truncate_wal"),
    "before-publication": lambda: kill_before(TransactionalStore, "_publish"),
    "after-publication": lambda: kill_after(TransactionalStore, "_publish"),
    "before-copy": lambda: kill_before(store_module, "copy_quads"),
    "after-copy": lambda: kill_after(store_module, "copy_quads"),
    "before-swap": lambda: kill_before(Path, "rename"),
    "after-committed-swap": lambda: kill_before(Path, "rename", call=2),
    "between-renames": lambda: kill_before(Path, "rename", call=3),
    "after-renames": lambda: kill_after(Path, "rename", call=3),
    "before-epoch": lambda: kill_before(ChangeLog, "begin_epoch"),
    "before-mark": lambda: kill_before(ChangeLog, "mark_purged"),
    "after-mark": lambda: kill_after(ChangeLog, "mark_purged"),
}
# The steps of removing the changes of old versions.
COMPACTION_STEPS: Steps = {
    "before-flush": lambda: kill_before(TransactionalStore, "_sync_engine"),
    "before-snapshots": lambda: kill_before(retention, "keep_graph_snapshot"),
    "after-snapshots": lambda: kill_after(retention, "keep_graph_snapshot"),
    "before-truncation": lambda: kill_before(ChangeLog, "truncate_wal"),
    "after-truncation": lambda: kill_after(ChangeLog, "truncate_wal"),
}
# The steps of a replay, which follows a kill after the log.
REPLAY_STEPS: Steps = {
    "before-replay": lambda: kill_before(recovery, "apply_to_engine"),
    "after-replay": lambda: kill_after(recovery, "apply_to_engine"),
    "after-replay-before-flush": lambda: kill_before(TransactionalStore, "flush"),
}


def open_store(folder: Path) -> Store:
    return Store.open(folder, [RULE], INFERRED_GRAPH)


def parse_triples(turtle: bytes) -> list[ox.Triple]:
    return [quad.triple for quad in ox.parse(turtle, ox.RdfFormat.TURTLE)]


def build_version_text(number: int) -> bytes:
    """A text of one version of the graph with versions, which compression does not change."""
    return hashlib.sha256(b"%d" % number).hexdigest().encode()


def build_version(number: int) -> bytes:
    """The content of a version of the graph with versions, as N-Triples."""
    return b'<urn:v> <urn:stated> "%s" .\n' % build_version_text(number)


def write_versions(store: Store) -> None:
    """Replace a graph, and keep its old contents in the log."""
    for number in range(VERSION_COUNT):
        change = store.compute_replacement(VERSIONED_GRAPH, parse_triples(build_version(number)))
        before = build_version(number - 1)
        replaced = [ReplacedContent(VERSIONED_GRAPH, before, store.log.keep_content(before))]
        store.commit([NewCommit(change, replaced=replaced if number else [])])


def write_first(store: Store) -> None:
    store.update(FIRST_WRITE)


def commit_update(store: Store) -> None:
    store.update(SECOND_WRITE)
    print("acknowledged", flush=True)
    store.flush()


def commit_in_bulk(store: Store) -> None:
    store.replace({"urn:g2": parse_triples(LOADED_TURTLE)})
    print("acknowledged", flush=True)


def load_file(store: Store) -> None:
    if LOADED_FILE not in store.list_interrupted_files("urn:g2"):
        store.bulk_load(io.BytesIO(LOADED_TURTLE), ox.RdfFormat.TURTLE, "urn:g2", LOADED_FILE)
        store.finish_load()
    print("acknowledged", flush=True)


def erase_version(store: Store) -> None:
    store.forget([store.log.keep_content(build_version(ERASED_VERSION))])
    store.purge_quads(lambda _: None)
    print("acknowledged", flush=True)


def compact_versions(store: Store) -> None:
    *_, last_entry = store.log.iter_entries()
    store.compact(last_entry.time)
    print("acknowledged", flush=True)


# By the name of a write: what is written to a new store before it, the write, and its steps.
WRITES: dict[str, tuple[Callable[[Store], None], Callable[[Store], None], Steps]] = {
    "commit": (write_first, commit_update, COMMIT_STEPS),
    "bulk-commit": (write_first, commit_in_bulk, BULK_COMMIT_STEPS),
    "load": (write_first, load_file, LOAD_STEPS),
    "erasure": (write_versions, erase_version, ERASURE_STEPS),
    "compaction": (write_versions, compact_versions, COMPACTION_STEPS),
}


def run_write(folder: str, write_name: str = "", step: str = "") -> None:
    """Write, and print `acknowledged` afterwards; without the name of a write, only open the store."""
    if write_name == "bulk-commit":
        transactions.MIN_BULK_QUADS = 1
    if step in REPLAY_STEPS:
        REPLAY_STEPS[step]()
    store = open_store(Path(folder))
    if write_name in WRITES:
        prepare, write, steps = WRITES[write_name]
        if not store:
            prepare(store)
            if write_name in ("commit", "bulk-commit", "load"):
                store.flush()
        steps[step]()
        write(store)


def run_in_fork(arguments: list[str]) -> tuple[int, str]:
    """The exit code and output of a call of `run_write` in a fork."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(write_end, sys.stdout.fileno())
        code = 1
        try:
            run_write(*arguments)
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)
    os.close(write_end)
    with open(read_end, encoding="utf-8") as output:  # noqa: PTH123  a descriptor has no path
        text = output.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run_in_fork(json.loads(line))), flush=True)

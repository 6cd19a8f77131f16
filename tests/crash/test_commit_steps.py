"""A process that is killed at any step of a write leaves the state before it or after it.

A write is lost only if it was not in the change log yet, and so never after it was acknowledged.
"""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.store.errors import MissingChangesError
from wgig.store.folder import CHANGE_LOG_FILE, QUADS_FOLDER
from wgig.store.position import POSITION_FILE
from wgig.store.store import Store

from .commit_steps import (
    BULK_COMMIT_STEPS,
    COMMIT_STEPS,
    COMPACTION_STEPS,
    ERASED_VERSION,
    ERASURE_STEPS,
    FIRST_WRITE,
    INFERRED_GRAPH,
    LOAD_STEPS,
    REPLAY_STEPS,
    RULE,
    SECOND_WRITE,
    VERSION_COUNT,
    build_version,
    build_version_text,
    commit_in_bulk,
    compact_versions,
    erase_version,
    load_file,
    open_store,
    write_versions,
)

WriteRunner = Callable[..., str]


@pytest.fixture(scope="module")
def run_until_killed() -> Iterator[WriteRunner]:
    """A function that runs a write in a process: what it printed before it was killed."""
    command = [sys.executable, str(Path(__file__).with_name("commit_steps.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def run(folder: Path, *arguments: str) -> str:
            assert process.stdin
            assert process.stdout
            print(json.dumps([str(folder), *arguments]), file=process.stdin, flush=True)
            code, output = json.loads(process.stdout.readline())
            assert code == -signal.SIGKILL
            return str(output)

        yield run


def canonical_quads(store: Store) -> set[ox.Quad]:
    """The quads with canonical blank node labels."""
    dataset = ox.Dataset(store.match())
    dataset.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return set(dataset)


@pytest.fixture(scope="module")
def expected() -> list[set[ox.Quad]]:
    """The quads before and after the update."""
    store = Store.in_memory([RULE], INFERRED_GRAPH)
    states = []
    for update in (FIRST_WRITE, SECOND_WRITE):
        store.update(update)
        states.append(canonical_quads(store))
    return states


@pytest.fixture(scope="module")
def expected_addition(expected: list[set[ox.Quad]]) -> list[set[ox.Quad]]:
    """The quads before and after the addition of a file."""
    store = Store.in_memory([RULE], INFERRED_GRAPH)
    store.update(FIRST_WRITE)
    commit_in_bulk(store)
    return [expected[0], canonical_quads(store)]


def is_step_after(step: str, steps: object, first: str) -> bool:
    """Whether a step is `first` or comes after it."""
    names = list(steps)  # type: ignore[call-overload]
    return bool(names.index(step) >= names.index(first))


def check_store(folder: Path, quads: set[ox.Quad]) -> None:
    """Check the quads of a store, also after a replay from nothing."""
    store = open_store(folder)
    exact_quads = set(store.match())
    assert canonical_quads(store) == quads
    assert store.close()
    replayed = folder.with_name("replayed")
    replayed.mkdir()
    shutil.copy(folder / CHANGE_LOG_FILE, replayed)
    assert set(open_store(replayed).match()) == exact_quads


@pytest.mark.parametrize("step", COMMIT_STEPS)
def test_a_killed_commit_is_complete_or_missing(
    tmp_path: Path, run_until_killed: WriteRunner, step: str, expected: list[set[ox.Quad]]
) -> None:
    output = run_until_killed(tmp_path / "store", "commit", step)
    assert bool(output) == is_step_after(step, COMMIT_STEPS, "before-flush")
    check_store(tmp_path / "store", expected[is_step_after(step, COMMIT_STEPS, "after-log")])


@pytest.mark.parametrize("step", BULK_COMMIT_STEPS)
def test_a_killed_commit_of_many_quads_is_complete_or_missing(
    tmp_path: Path, run_until_killed: WriteRunner, step: str, expected_addition: list[set[ox.Quad]]
) -> None:
    assert not run_until_killed(tmp_path / "store", "bulk-commit", step)
    check_store(tmp_path / "store", expected_addition[is_step_after(step, BULK_COMMIT_STEPS, "after-log")])


@pytest.mark.parametrize("step", LOAD_STEPS)
def test_a_killed_load_is_complete_or_missing_and_goes_on(
    tmp_path: Path, run_until_killed: WriteRunner, step: str, expected_addition: list[set[ox.Quad]]
) -> None:
    assert not run_until_killed(tmp_path / "store", "load", step)
    store = open_store(tmp_path / "store")
    assert not store.is_loading
    is_loaded = is_step_after(step, LOAD_STEPS, "after-engine")
    assert canonical_quads(store) == expected_addition[is_loaded]
    if not is_step_after(step, LOAD_STEPS, "after-reset"):
        load_file(store)
        assert canonical_quads(store) == expected_addition[1]
    exact_quads = set(store.match())
    assert store.close()
    del store
    assert set(open_store(tmp_path / "store").match()) == exact_quads


def read_versions(store: Store) -> list[bool]:
    """Whether each old version of a graph can be read. It must have the right content then."""
    are_readable = []
    for number in range(VERSION_COUNT - 1):
        content = build_version(number)
        try:
            assert store.old_contents.read_content(store.log.keep_content(content)) == content
        except MissingChangesError:
            are_readable.append(False)
        else:
            are_readable.append(True)
    return are_readable


def find_files_with_version(folder: Path, number: int) -> list[Path]:
    """The files of a store that have the text of a version."""
    text = build_version_text(number)
    return [path for path in folder.rglob("*") if path.is_file() and text in path.read_bytes()]


@pytest.fixture(scope="module")
def expected_versions() -> set[ox.Quad]:
    """The quads of the store with versions."""
    store = Store.in_memory([RULE], INFERRED_GRAPH)
    write_versions(store)
    return canonical_quads(store)


@pytest.mark.parametrize("step", ERASURE_STEPS)
def test_a_killed_erasure_is_complete_or_missing_and_can_be_repeated(
    tmp_path: Path, run_until_killed: WriteRunner, step: str, expected_versions: set[ox.Quad]
) -> None:
    assert not run_until_killed(tmp_path / "store", "erasure", step)
    store = open_store(tmp_path / "store")
    all_readable = [True] * (VERSION_COUNT - 1)
    others_readable = [number != ERASED_VERSION for number in range(VERSION_COUNT - 1)]
    is_erased = is_step_after(step, ERASURE_STEPS, "after-log")
    assert read_versions(store) == (others_readable if is_erased else all_readable)
    assert bool(find_files_with_version(tmp_path / "store", ERASED_VERSION)) is not is_erased
    erase_version(store)
    assert read_versions(store) == others_readable
    assert not find_files_with_version(tmp_path / "store", ERASED_VERSION)
    assert find_files_with_version(tmp_path / "store", VERSION_COUNT - 1)
    assert canonical_quads(store) == expected_versions


@pytest.mark.parametrize("step", COMPACTION_STEPS)
def test_a_killed_compaction_is_complete_or_missing_and_can_be_repeated(
    tmp_path: Path, run_until_killed: WriteRunner, step: str, expected_versions: set[ox.Quad]
) -> None:
    assert not run_until_killed(tmp_path / "store", "compaction", step)
    store = open_store(tmp_path / "store")
    assert canonical_quads(store) == expected_versions
    is_compacted = is_step_after(step, COMPACTION_STEPS, "before-truncation")
    last_is_readable = [number == VERSION_COUNT - 2 for number in range(VERSION_COUNT - 1)]
    assert read_versions(store) == (last_is_readable if is_compacted else [True] * (VERSION_COUNT - 1))
    compact_versions(store)
    assert read_versions(store) == last_is_readable


@pytest.mark.parametrize("step", REPLAY_STEPS)
def test_a_killed_replay_is_repeated(
    tmp_path: Path, run_until_killed: WriteRunner, step: str, expected: list[set[ox.Quad]]
) -> None:
    run_until_killed(tmp_path / "store", "commit", "after-log")
    run_until_killed(tmp_path / "store", "", step)
    check_store(tmp_path / "store", expected[1])


@pytest.mark.parametrize("position", ["first", "none"])
def test_an_engine_that_is_ahead_of_its_position_converges(
    tmp_path: Path, run_until_killed: WriteRunner, position: str, expected: list[set[ox.Quad]]
) -> None:
    folder = tmp_path / "store"
    # The engine has both commits, its position is the first one.
    run_until_killed(folder, "commit", "before-flush")
    if position == "none":
        (folder / POSITION_FILE).unlink()
    check_store(folder, expected[1])


def test_an_engine_that_lost_its_last_commits_gets_them_again(
    tmp_path: Path, run_until_killed: WriteRunner, expected: list[set[ox.Quad]]
) -> None:
    folder, saved = tmp_path / "store", tmp_path / "saved"
    run_until_killed(folder, "commit", "before-log")
    shutil.copytree(folder / QUADS_FOLDER, saved)
    run_until_killed(folder, "commit", "before-flush")
    shutil.rmtree(folder / QUADS_FOLDER)
    saved.rename(folder / QUADS_FOLDER)
    check_store(folder, expected[1])

"""A process that is killed at any step of a commit leaves the state before it or after it.

A commit is lost only if it was not in the change log yet, and so never after it was acknowledged.
"""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.store.folder import CHANGE_LOG_FILE, QUADS_FOLDER
from wgig.store.position import POSITION_FILE
from wgig.store.store import Store

from .commit_steps import FIRST_WRITE, INFERRED_GRAPH, REPLAY_STEPS, RULE, SECOND_WRITE, STEPS, open_store

STEP_NAMES = list(STEPS)
FIRST_LOGGED_STEP = STEP_NAMES.index("after-log")


def run_until_killed(folder: Path, step: str) -> str:
    """What the process printed before it was killed."""
    process = subprocess.run(
        [sys.executable, Path(__file__).with_name("commit_steps.py"), folder, step],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    return process.stdout


def canonical_quads(store: Store) -> set[ox.Quad]:
    """The quads with canonical blank node labels."""
    dataset = ox.Dataset(store.match())
    dataset.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return set(dataset)


@pytest.fixture(scope="module")
def expected() -> list[set[ox.Quad]]:
    """The quads before and after the write."""
    store = Store.in_memory([RULE], INFERRED_GRAPH)
    states = []
    for update in (FIRST_WRITE, SECOND_WRITE):
        store.update(update)
        states.append(canonical_quads(store))
    return states


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


@pytest.mark.parametrize("step", STEP_NAMES)
def test_a_killed_commit_is_complete_or_missing(
    tmp_path: Path, step: str, expected: list[set[ox.Quad]]
) -> None:
    output = run_until_killed(tmp_path / "store", step)
    position = STEP_NAMES.index(step)
    assert bool(output) == (position >= STEP_NAMES.index("before-flush"))
    check_store(tmp_path / "store", expected[position >= FIRST_LOGGED_STEP])


@pytest.mark.parametrize("step", REPLAY_STEPS)
def test_a_killed_replay_is_repeated(tmp_path: Path, step: str, expected: list[set[ox.Quad]]) -> None:
    run_until_killed(tmp_path / "store", "after-log")
    run_until_killed(tmp_path / "store", step)
    check_store(tmp_path / "store", expected[1])


@pytest.mark.parametrize("position", ["first", "none"])
def test_an_engine_that_is_ahead_of_its_position_converges(
    tmp_path: Path, position: str, expected: list[set[ox.Quad]]
) -> None:
    folder = tmp_path / "store"
    run_until_killed(folder, "before-flush")  # the engine has both commits, its position is the first one
    if position == "none":
        (folder / POSITION_FILE).unlink()
    check_store(folder, expected[1])


def test_an_engine_that_lost_its_last_commits_gets_them_again(
    tmp_path: Path, expected: list[set[ox.Quad]]
) -> None:
    folder, saved = tmp_path / "store", tmp_path / "saved"
    run_until_killed(folder, "before-log")
    shutil.copytree(folder / QUADS_FOLDER, saved)
    run_until_killed(folder, "before-flush")
    shutil.rmtree(folder / QUADS_FOLDER)
    saved.rename(folder / QUADS_FOLDER)
    check_store(folder, expected[1])

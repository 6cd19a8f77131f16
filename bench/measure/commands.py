"""Time commands alternately, so that noise of the machine affects all of them equally.

A peer is a command of another program for the same task as ours.
"""

import compileall
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from statistics import median

import wgig

# Runs a command once, and returns its seconds, without those of its preparation.
TimedRun = Callable[[], float]

PYTHON = sys.executable
WGIG = [PYTHON, "-m", "wgig"]


@dataclass(frozen=True)
class Comparison:
    """Seconds of our command and of the peer, by round; the goal is maximum seconds or a minimum ratio."""

    measure: str  # what is measured, such as "first response, new store"
    own_name: str
    peer_name: str
    own_seconds: Sequence[float]
    peer_seconds: Sequence[float]
    quads: int = 0  # that each command loads
    goal_seconds: float | None = None
    goal_ratio: float | None = None

    @property
    def ratio(self) -> float:
        """How many times as fast as the peer our command is: the median of the rounds."""
        return median(peer / own for own, peer in zip(self.own_seconds, self.peer_seconds, strict=True))

    @property
    def meets_goal(self) -> bool | None:
        """Whether the goal is met; None if there is none."""
        if self.goal_ratio is not None:
            return self.ratio >= self.goal_ratio
        return None if self.goal_seconds is None else median(self.own_seconds) <= self.goal_seconds


def compile_modules() -> None:
    """Write the bytecode of our modules, as an installation does.

    A checkout has none if PYTHONDONTWRITEBYTECODE is set. Each start would then take 0.4 s to compile them.
    """
    compileall.compile_dir(Path(wgig.__file__).parent, quiet=1)


def time_alternately(runs: Mapping[str, TimedRun], rounds: int) -> dict[str, list[float]]:
    """Seconds of each run in each round, by name, in the order A B C, A B C, ..."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(run())
    return times


def time_command(*arguments: str | Path, **environment: str) -> float:
    """Seconds that a command takes from start to end. Raises SystemExit with its stderr if it fails."""
    command = tuple(map(str, arguments))
    start = time.perf_counter()
    process = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {process.returncode}:\n{process.stderr[-2000:]}")
    return seconds


def find_oxigraph() -> str:
    """The command `oxigraph`, beside this interpreter or on PATH. Raises SystemExit if there is none."""
    path = which("oxigraph", path=Path(PYTHON).parent) or which("oxigraph")
    if not path:
        raise SystemExit(
            "There is no command `oxigraph`. Install the dependency group `bench`: pip install --group bench"
        )
    return path

"""Time commands alternately, so that noise of the machine affects all of them equally."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from statistics import median

# One run of something, which takes this many seconds; what it needs is made ready outside the time.
Run = Callable[[], float]

PYTHON = sys.executable
WGIG = [PYTHON, "-m", "wgig"]


@dataclass(frozen=True)
class Comparison:
    """Our seconds and the peer's, round by round; a goal is the most seconds, or the least ratio."""

    what: str
    ours: str
    peer: str
    times: Sequence[float]
    peer_times: Sequence[float]
    quads: int = 0
    goal_seconds: float | None = None
    goal_ratio: float | None = None

    @property
    def ratio(self) -> float:
        """How many times as fast as the peer: the median of the rounds."""
        return median(peer / own for own, peer in zip(self.times, self.peer_times, strict=True))

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.goal_ratio is not None:
            return self.ratio >= self.goal_ratio
        return None if self.goal_seconds is None else median(self.times) <= self.goal_seconds


def side_by_side(runs: Mapping[str, Run], rounds: int) -> dict[str, list[float]]:
    """Seconds of each run in each round, by name: A B C, A B C, ..."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(run())
    return times


def command(*words: str | Path, **environment: str) -> float:
    """Seconds that a command takes from start to end. Raises SystemExit with what it said when it fails."""
    words, environment = tuple(map(str, words)), os.environ | environment
    start = time.perf_counter()
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))} failed with {done.returncode}:\n{done.stderr[-2000:]}")
    return seconds


def oxigraph() -> str:
    """The server of the peer, from the environment that runs this or from the path."""
    found = which("oxigraph", path=Path(PYTHON).parent) or which("oxigraph")
    if not found:
        raise SystemExit(
            "The peer `oxigraph` is missing. Install the dependency group `bench`: pip install --group bench"
        )
    return found

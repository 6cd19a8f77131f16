"""Papers by the million: what one more paper costs by Spark and by processes, beside `wgig check`."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ..measure.commands import WGIG, command, side_by_side
from .check import CORES, papers

GOAL = 0.8  # of the papers a second of `wgig check`
PEER = "wgig check"


@dataclass(frozen=True)
class Rate:
    """Seconds of one way to check few papers and many, round by round, and those of `wgig check`."""

    what: str
    more: int
    few: Sequence[float]
    many: Sequence[float]
    peer: Sequence[float]

    @property
    def start(self) -> float:
        """Seconds for the few papers, which are those that it takes to start."""
        return median(self.few)

    @property
    def rates(self) -> list[float]:
        """Papers a second and core of those that the many are more, so without the start."""
        return [self.more / (many - few) / CORES for few, many in zip(self.few, self.many, strict=True)]

    @property
    def ratio(self) -> float:
        """How many times as fast as `wgig check`: the median of the rounds."""
        return median(own / peer for own, peer in zip(self.rates, self.peer, strict=True))


def compare(scratch: Path, few: int, many: int, rounds: int) -> list[Rate]:
    """Each way to check a few papers and many, in turns: A few, A many, B few, ..."""
    ways = {
        PEER: alone,
        "wgig bulk check --on processes": on("processes"),
        "wgig bulk check --on spark": on("spark"),
    }
    runs = {
        (name, size): run(way, filled(scratch / f"papers-{size}", size), scratch / "out")
        for name, way in ways.items()
        for size in (few, many)
    }
    times = side_by_side({f"{name} {size}": work for (name, size), work in runs.items()}, rounds)
    peer: Sequence[float] = [1.0] * rounds
    found = []
    for name in ways:
        one = Rate(name, many - few, times[f"{name} {few}"], times[f"{name} {many}"], peer)
        if name == PEER:
            peer = one.rates
            one = Rate(name, one.more, one.few, one.many, peer)
        found.append(one)
    return found


Way = Callable[[Path, Path], Sequence[str | Path]]


def alone(papers: Path, out: Path) -> Sequence[str | Path]:
    """The words of `wgig check`, which writes its report as JSON."""
    return "check", papers, "--profile", "draft", "--output", out.with_suffix(".json")


def on(means: str) -> Way:
    """The words of `wgig bulk check`."""
    return lambda papers, out: ("bulk", "check", papers, "--profile", "draft", "--out", out, "--on", means)


def run(way: Way, papers: Path, out: Path) -> Callable[[], float]:
    """A run, the folder of the one before being away."""

    def work() -> float:
        shutil.rmtree(out, ignore_errors=True)
        return command(*WGIG, *way(papers, out), "--jobs", str(CORES))

    return work


def filled(folder: Path, size: int) -> Path:
    """A folder with so many papers."""
    folder.mkdir(exist_ok=True)
    for number, paper in enumerate(papers(size)):
        (folder / f"{number:06}.ttl").write_bytes(paper)
    return folder


def markdown(found: Sequence[Rate]) -> str:
    """The table."""
    lines = [
        f"| {found[0].more:,} more papers | start s | papers/s a core | to `{PEER}` | goal | met |",
        "| --- | --- | --- | --- | --- | --- |",
        *(
            f"| {one.what} | {one.start:.1f} | {median(one.rates):,.0f} | {one.ratio:.2f} "
            f"| {'' if one.what == PEER else f'>= {GOAL}'} | {'' if one.what == PEER else met(one)} |"
            for one in found
        ),
    ]
    return "\n".join(lines)


def met(one: Rate) -> str:
    """Whether the goal is met."""
    return "yes" if one.ratio >= GOAL else "no"

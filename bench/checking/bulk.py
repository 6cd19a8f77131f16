"""`wgig bulk check` on Spark and on processes: papers per second and core, compared with `wgig check`."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ..measure.commands import WGIG, TimedRun, time_alternately, time_command
from ..report.markdown import format_table
from .check import CORES, generate_turtle_papers

MIN_SPEED_RATIO = 0.8  # papers per second and core, relative to `wgig check`
PEER = "wgig check"


@dataclass(frozen=True)
class Rate:
    """Seconds of one command for few papers and for many, by round, and the rates of `wgig check`."""

    command: str
    added_papers: int  # many minus few
    few: Sequence[float]  # seconds
    many: Sequence[float]  # seconds
    peer_rates: Sequence[float]  # papers per second and core

    @property
    def start_seconds(self) -> float:
        """Seconds for the few papers, which is the time to start."""
        return median(self.few)

    @property
    def rates(self) -> list[float]:
        """Papers per second and core in each round, without the start."""
        return [
            self.added_papers / (many - few) / CORES for few, many in zip(self.few, self.many, strict=True)
        ]

    @property
    def ratio(self) -> float:
        """Speed relative to `wgig check`: the median of the rounds."""
        return median(own / peer for own, peer in zip(self.rates, self.peer_rates, strict=True))

    @property
    def is_peer(self) -> bool:
        """Whether this is `wgig check` itself, which has no goal."""
        return self.command == PEER


def compare_bulk_checks(scratch: Path, few: int, many: int, rounds: int) -> list[Rate]:
    """The rates of each command. It runs with few papers and with many: A few, A many, B few, ..."""
    commands = {
        PEER: build_check_command,
        "wgig bulk check --on processes": make_bulk_command("processes"),
        "wgig bulk check --on spark": make_bulk_command("spark"),
    }
    runs = {
        f"{name} {size}": make_run(command, write_papers(scratch / f"papers-{size}", size), scratch / "out")
        for name, command in commands.items()
        for size in (few, many)
    }
    times = time_alternately(runs, rounds)
    peer_rates: Sequence[float] = [1.0] * rounds  # until those of the first command, the peer, are known
    rates = []
    for name in commands:
        rate = Rate(name, many - few, times[f"{name} {few}"], times[f"{name} {many}"], peer_rates)
        if name == PEER:
            peer_rates = rate.rates
            rate = Rate(name, rate.added_papers, rate.few, rate.many, peer_rates)
        rates.append(rate)
    return rates


# Builds the arguments of `wgig` from the folder of papers and the output path.
CommandBuilder = Callable[[Path, Path], Sequence[str | Path]]


def build_check_command(papers: Path, out: Path) -> Sequence[str | Path]:
    """The arguments of `wgig check`, which writes its report as JSON."""
    return "check", papers, "--profile", "draft", "--output", out.with_suffix(".json")


def make_bulk_command(platform: str) -> CommandBuilder:
    """The builder of the arguments of `wgig bulk check`."""
    return lambda papers, out: ("bulk", "check", papers, "--profile", "draft", "--out", out, "--on", platform)


def make_run(build_command: CommandBuilder, papers: Path, out: Path) -> TimedRun:
    """A run of a command; it deletes the output of the previous one first."""

    def run() -> float:
        shutil.rmtree(out, ignore_errors=True)
        return time_command(*WGIG, *build_command(papers, out), "--jobs", str(CORES))

    return run


def write_papers(folder: Path, count: int) -> Path:
    """Write generated papers into a folder, and return it."""
    folder.mkdir(exist_ok=True)
    for number, paper in enumerate(generate_turtle_papers(count)):
        (folder / f"{number:06}.ttl").write_bytes(paper)
    return folder


def format_rates(rates: Sequence[Rate]) -> str:
    """A table with a row for each command."""
    return format_table(
        f"{rates[0].added_papers:,} more papers | start s | papers/s per core "
        f"| ratio to `{PEER}` | goal | met",
        (
            [
                rate.command,
                f"{rate.start_seconds:.1f}",
                f"{median(rate.rates):,.0f}",
                f"{rate.ratio:.2f}",
                "" if rate.is_peer else f">= {MIN_SPEED_RATIO}",
                "" if rate.is_peer else "yes" if rate.ratio >= MIN_SPEED_RATIO else "no",
            ]
            for rate in rates
        ),
    )

"""`python -m bench.soak`: an hour of steady load on a service, and on one over a shared store beside it."""

import argparse
import json
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from wgig.settings import MIB

from ..compare.peers import YES
from ..measure.commands import WGIG, oxigraph
from ..measure.server import running
from ..report import markdown
from ..report.page import PAGE
from ..report.report import RESULTS, machine
from ..writing.put import complete
from . import verdict
from .load import Load, Tally
from .mix import TOKEN, mix
from .samples import Sample, Watched

EMBEDDED, SHARED = "embedded", "shared"
PAPERS = 8
HURRY, EVERY = 4, 60  # times the pace while it warms up, and seconds between two words on that
SETTINGS = {"WGIG_TOKEN": TOKEN, "WGIG_METRICS": "open"}


@dataclass
class Service:
    """A service under load, and what was seen of it."""

    name: str
    watched: Watched
    tally: Tally
    samples: list[Sample] = field(default_factory=list)

    def look(self) -> None:
        """Take one more sample, and say it in a line."""
        self.samples.append(one := self.watched.sample(self.tally.taken()))
        print(f"{self.name:8} {said(one)}", file=sys.stderr, flush=True)

    def faults(self) -> list[str]:
        """What went wrong while it ran, in words."""
        return [f"{self.name}: {one}" for one in (*verdict.grown(self.samples), *self.tally.faults)]

    def left(self) -> list[str]:
        """What it left behind when it was stopped, in words."""
        there = verdict.left(self.watched.left(), self.watched.store, self.watched.temporary)
        return [f"{self.name}: {one}" for one in there]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it and keep what was seen; 0 where nothing grew, went wrong or is left, else 1."""
    asked = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is stopped
    services: list[Service] = []
    with TemporaryDirectory(prefix="wgig-soak-") as folder:
        with ExitStack() as stack:
            settings = stack.enter_context(shared(Path(folder) / "engine"))
            for name, more in ((EMBEDDED, {}), (SHARED, settings)):
                services.append(stack.enter_context(served(name, Path(folder), more)))
            with suppress(KeyboardInterrupt):  # what was seen until then counts
                warm(services, asked)
                with loaded(services, asked.rate):
                    watch(services, asked)
        faults = [fault for one in services for fault in (*one.faults(), *one.left())]
    keep(asked.out, services, faults)
    draw(asked.plot, services)
    report(services, faults)
    return bool(faults)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    add = found.add_argument
    add("--seconds", type=float, default=3600, help="how long (default: 3600)")
    add("--warm", type=float, default=600, help="seconds of a faster pace before (default: 600)")
    add("--every", type=float, default=10, help="seconds from one sample to the next (default: 10)")
    add("--rate", type=float, default=8, help="requests a second to each of the two (default: 8)")
    add("--out", type=Path, default=RESULTS / "soak.json", help="file that gets the samples")
    add("--plot", type=Path, default=PAGE.parent / "figures" / "soak.svg", help="file that gets the plot")
    return found


@contextmanager
def shared(store: Path) -> Iterator[dict[str, str]]:
    """The settings of a service over a shared store, which is there meanwhile."""
    words = [oxigraph(), "serve", "--location", str(store)]
    with running(words, "--bind", "127.0.0.1:{port}", question=f"/query{YES}") as one:
        home = f"http://127.0.0.1:{one.port}"
        yield {
            "WGIG_REMOTE_QUERY": f"{home}/query",
            "WGIG_REMOTE_UPDATE": f"{home}/update",
            "WGIG_REMOTE_PROFILE": "oxigraph",
        }


@contextmanager
def served(name: str, scratch: Path, settings: Mapping[str, str]) -> Iterator[Service]:
    """A service on the shipped data."""
    store, temporary = scratch / name, scratch / f"{name}-temporary"
    temporary.mkdir()
    words = [*WGIG, "serve", "--store", str(store)]
    environment = {**SETTINGS, **settings, "TMPDIR": str(temporary)}
    with running(words, "--port", "{port}", environment=environment) as one:
        yield Service(name, Watched(one.process, one.port, store, temporary), Tally())


@contextmanager
def loaded(services: Sequence[Service], rate: float) -> Iterator[None]:
    """Clients of each service, who ask so often a second."""
    with ExitStack() as stack:
        for one in services:
            load = Load(one.watched.port, mix(complete(PAPERS)), rate, one.tally)
            stack.enter_context(load)
        yield


def warm(services: Sequence[Service], asked: argparse.Namespace) -> None:
    """Ask several times as often for a while, until the caches of the engine are full (160 MiB)."""
    with loaded(services, asked.rate * HURRY):
        for left in range(int(asked.warm), 0, -EVERY):
            print(f"warming up, {left} s more", file=sys.stderr, flush=True)
            time.sleep(min(EVERY, left))
    for one in services:
        one.tally.taken()


def watch(services: Sequence[Service], asked: argparse.Namespace) -> None:
    """Take samples until the time is up."""
    start = time.monotonic()
    for number in range(1, int(asked.seconds / asked.every) + 1):
        time.sleep(max(0.0, start + number * asked.every - time.monotonic()))
        for one in services:
            one.look()
        keep(asked.out, services)


def said(one: Sample) -> str:
    """A sample in a line."""
    asked, stored = one.asked, sum(size for _, size in one.store.values())
    return (
        f"{one.seconds:5.0f} s: {one.whole / MIB:.0f} MiB, {one.resident / MIB:.0f} resident, "
        f"{one.processes} processes, {one.threads} threads, {one.handles} files, {one.quads:,} quads, "
        f"store {stored / MIB:.0f} MiB, {one.temporary[0]} temporary files, load {one.load:.1f}; "
        f"{asked.requests} requests, {asked.busy} busy, {asked.faults} wrong, "
        f"p50 {markdown.ms(asked.p50)} ms, p99 {markdown.ms(asked.p99)} ms"
    )


def keep(path: Path, services: Sequence[Service], faults: Sequence[str] = ()) -> None:
    """Write all samples to a file of JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {"machine": machine(), "faults": faults}
    for one in services:
        found[one.name] = {**one.tally.kept(), "samples": [asdict(sample) for sample in one.samples]}
    path.write_text(json.dumps(found) + "\n")


def draw(path: Path, services: Sequence[Service]) -> None:
    """Write the plot."""
    from ..report import plots  # noqa: PLC0415  needs matplotlib, which nothing else does
    from . import plot  # noqa: PLC0415  as this does

    plots.save(plot.figure({one.name: one.samples for one in services}), path)


def report(services: Sequence[Service], faults: Sequence[str]) -> None:
    """Print the figures, and what went wrong."""
    rows = verdict.table({one.name: one.samples for one in services})
    print(markdown.table("service | figure | second quarter | last quarter", rows))
    print("", *(faults or ["Nothing grew that should not, nothing went wrong, nothing is left."]), sep="\n")


if __name__ == "__main__":
    sys.exit(main())

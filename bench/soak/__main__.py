"""`python -m bench.soak`: an hour of steady load on two services, one of them with a shared store."""

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

from ..compare.peers import ASK_TRUE
from ..measure.commands import WGIG, find_oxigraph
from ..measure.server import run_server
from ..report.markdown import format_ms, format_table
from ..report.page import SERVING_PAGE
from ..report.report import RESULTS_FOLDER, describe_machine
from ..writing.put import generate_conforming_papers
from . import verdict
from .load import Load, Tally
from .mix import TOKEN, make_request_mix
from .samples import Sample, ServiceMonitor

EMBEDDED, SHARED = "embedded", "shared"
PAPERS = 8  # different ones, which are written and checked
WARM_UP_RATE_FACTOR = 4  # times the rate of the run
WARM_UP_LOG_SECONDS = 60  # between messages
SETTINGS = {"WGIG_TOKEN": TOKEN, "WGIG_METRICS": "open"}


@dataclass
class SoakService:
    """A service under load, with its samples."""

    name: str
    monitor: ServiceMonitor
    tally: Tally
    samples: list[Sample] = field(default_factory=list)

    def take_sample(self) -> None:
        """Take a sample, and print it on one line."""
        sample = self.monitor.sample(self.tally.take_summary())
        self.samples.append(sample)
        print(f"{self.name:8} {format_sample(sample)}", file=sys.stderr, flush=True)

    def list_faults(self) -> list[str]:
        """Figures that grew and wrong responses, each in a sentence."""
        return [f"{self.name}: {fault}" for fault in (*verdict.find_growth(self.samples), *self.tally.faults)]

    def list_leftovers(self) -> list[str]:
        """Processes and files that exist after the service was stopped, each in a sentence."""
        monitor = self.monitor
        leftovers = verdict.find_leftovers(monitor.find_left_processes(), monitor.store, monitor.temporary)
        return [f"{self.name}: {leftover}" for leftover in leftovers]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak and save the samples; return 1 if there is growth, a fault or a leftover, else 0."""
    options = build_parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the started processes are stopped
    services: list[SoakService] = []
    with TemporaryDirectory(prefix="wgig-soak-") as folder:
        with ExitStack() as stack:
            shared_settings = stack.enter_context(run_shared_store(Path(folder) / "engine"))
            for name, settings in ((EMBEDDED, {}), (SHARED, shared_settings)):
                services.append(stack.enter_context(run_service(name, Path(folder), settings)))
            with suppress(KeyboardInterrupt):  # the samples until then count
                warm_up(services, options)
                with load_services(services, options.rate):
                    take_samples(services, options)
        faults = [
            fault for service in services for fault in (*service.list_faults(), *service.list_leftovers())
        ]
    write_samples(options.out, services, faults)
    write_plot(options.plot, services)
    print_report(services, faults)
    return bool(faults)


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    add = parser.add_argument
    add("--seconds", type=float, default=3600, help="duration (default: 3600)")
    add("--warm", type=float, default=600, help="seconds of a warm-up at a higher rate (default: 600)")
    add("--every", type=float, default=10, help="seconds between samples (default: 10)")
    add("--rate", type=float, default=8, help="requests per second to each service (default: 8)")
    add("--out", type=Path, default=RESULTS_FOLDER / "soak.json", help="file for the samples")
    add("--plot", type=Path, default=SERVING_PAGE.parent / "figures" / "soak.svg", help="file for the plot")
    return parser


@contextmanager
def run_shared_store(store: Path) -> Iterator[dict[str, str]]:
    """Run `oxigraph serve` as the shared store; yield the settings of a service that uses it."""
    command = [find_oxigraph(), "serve", "--location", str(store)]
    with run_server(command, "--bind", "127.0.0.1:{port}", ready_path=f"/query{ASK_TRUE}") as server:
        url = f"http://127.0.0.1:{server.port}"
        yield {
            "WGIG_REMOTE_QUERY": f"{url}/query",
            "WGIG_REMOTE_UPDATE": f"{url}/update",
            "WGIG_REMOTE_PROFILE": "oxigraph",
        }


@contextmanager
def run_service(name: str, scratch: Path, settings: Mapping[str, str]) -> Iterator[SoakService]:
    """A running service with the shipped data, and with a separate folder for temporary files."""
    store, temporary = scratch / name, scratch / f"{name}-temporary"
    temporary.mkdir()
    command = [*WGIG, "serve", "--store", str(store)]
    environment = {**SETTINGS, **settings, "TMPDIR": str(temporary)}
    with run_server(command, "--port", "{port}", environment=environment) as server:
        monitor = ServiceMonitor(server.pid, server.port, store, temporary)
        yield SoakService(name, monitor, Tally())


@contextmanager
def load_services(services: Sequence[SoakService], rate: float) -> Iterator[None]:
    """Clients that send so many requests per second to each service."""
    with ExitStack() as stack:
        for service in services:
            mix = make_request_mix(generate_conforming_papers(PAPERS))
            stack.enter_context(Load(service.monitor.port, mix, rate, service.tally))
        yield


def warm_up(services: Sequence[SoakService], options: argparse.Namespace) -> None:
    """Send requests at a higher rate for so long that the caches of the storage engine fill (160 MiB)."""
    with load_services(services, options.rate * WARM_UP_RATE_FACTOR):
        for left in range(int(options.warm), 0, -WARM_UP_LOG_SECONDS):
            print(f"warming up, {left} s left", file=sys.stderr, flush=True)
            time.sleep(min(WARM_UP_LOG_SECONDS, left))
    for service in services:
        service.tally.take_summary()  # discarded


def take_samples(services: Sequence[SoakService], options: argparse.Namespace) -> None:
    """Take samples at regular intervals until the duration is over."""
    start = time.monotonic()
    for number in range(1, int(options.seconds / options.every) + 1):
        time.sleep(max(0.0, start + number * options.every - time.monotonic()))
        for service in services:
            service.take_sample()
        write_samples(options.out, services)


def format_sample(sample: Sample) -> str:
    """A sample on one line."""
    summary, stored_bytes = sample.load_summary, sum(size for _, size in sample.store.values())
    return (
        f"{sample.seconds:5.0f} s: {sample.total_memory / MIB:.0f} MiB, "
        f"{sample.resident / MIB:.0f} resident, {sample.processes} processes, {sample.threads} threads, "
        f"{sample.open_files} files, {sample.quads:,} quads, store {stored_bytes / MIB:.0f} MiB, "
        f"{sample.temporary[0]} temporary files, load {sample.load:.1f}; "
        f"{summary.requests} requests, {summary.busy} busy, {summary.faults} wrong, "
        f"p50 {format_ms(summary.p50)} ms, p99 {format_ms(summary.p99)} ms"
    )


def write_samples(path: Path, services: Sequence[SoakService], faults: Sequence[str] = ()) -> None:
    """Write all samples to a JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {"machine": describe_machine(), "faults": faults}
    for service in services:
        samples = [asdict(sample) for sample in service.samples]
        results[service.name] = {**service.tally.summarize_kinds(), "samples": samples}
    path.write_text(json.dumps(results) + "\n")


def write_plot(path: Path, services: Sequence[SoakService]) -> None:
    """Draw the plot, and write it."""
    from ..report import plots  # noqa: PLC0415  only the plot needs matplotlib
    from . import plot  # noqa: PLC0415  likewise

    plots.save_figure(plot.draw_services({service.name: service.samples for service in services}), path)


def print_report(services: Sequence[SoakService], faults: Sequence[str]) -> None:
    """Print the figures and the faults."""
    rows = verdict.iter_table_rows({service.name: service.samples for service in services})
    print(format_table("service | figure | second quarter | last quarter", rows))
    print("", *(faults or ["No growth, no faults, no leftovers."]), sep="\n")


if __name__ == "__main__":
    sys.exit(main())

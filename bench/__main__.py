"""`python -m bench`: measure loading, starting, checking, serving and writing, against other servers."""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from . import search
from .checking import bulk, check
from .compare import peers
from .loading import load, readiness, start
from .measure.commands import Comparison, compile_modules
from .report import page, report
from .serving import fairness, growth, http, pages, remote_store, streaming, things, throughput
from .writing import projections, put

# `ready` is loading until everything works, `bulk` is `wgig bulk check`, `growth` the time of queries as the
# data grows, `streams` the memory with slow clients, `throughput` requests per second, `fairness` ASK of one
# client beside a busy one, `things` resources and lists, `following` the updates of projections, `looking`
# HTML pages, `sharing` a shared store.
SECTIONS = (
    "start",
    "load",
    "ready",
    "checking",
    "bulk",
    "serving",
    "growth",
    "streams",
    "throughput",
    "fairness",
    "writing",
    "things",
    "following",
    "searching",
    "looking",
    "sharing",
)

FEW_BULK_PAPERS = 100  # so few that a check of them takes little longer than the start of the command


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmarks that the command line selects, print or write the tables, save all figures."""
    options = build_parser().parse_args(arguments)
    if not options.page.is_file():
        raise SystemExit(f"{options.page} is not a file. Give a copy of {page.SERVING_PAGE}.")
    sizes, rounds, seconds = sorted(options.papers), options.rounds, options.seconds
    if options.quick:
        sizes, rounds, seconds = [1000], 3, 0.2
    compile_modules()
    machine = report.describe_machine()
    folder = (
        nullcontext(options.scratch) if options.scratch else tempfile.TemporaryDirectory(prefix="wgig-bench-")
    )
    with folder as path:
        scratch = Path(path).absolute()
        scratch.mkdir(exist_ok=True)
        comparisons, figures = measure_commands(options.only, scratch, sizes, rounds, machine)
        measured = (
            measure(options, scratch, sizes, seconds, figures)
            for measure in (measure_queries, measure_pages_and_writes)
        )
        for section, tables in chain.from_iterable(measured):
            conditions = page.format_conditions(machine | peers.list_versions())
            page.write_section(options.page, section, f"{conditions}\n\n{tables}")
            print(f"The tables of {section} are in {options.page}", file=sys.stderr)
    print(f"\nAll figures: {report.write_results(comparisons, machine, **figures)}", file=sys.stderr)


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    add = parser.add_argument
    add("--only", nargs="+", choices=SECTIONS, default=SECTIONS, help="sections to measure (default: all)")
    add("--papers", type=int, nargs="+", default=[1000], help="numbers of papers (default: 1000)")
    add("--rounds", type=int, default=5, help="rounds of each comparison of commands (default: 5)")
    add("--seconds", type=float, default=2, help="seconds for each query and server (default: 2)")
    add("--quick", action="store_true", help="same as --papers 1000 --rounds 3 --seconds 0.2")
    add("--scratch", type=Path, help="folder that keeps data and filled stores for the next run")
    add("--page", type=Path, default=page.SERVING_PAGE, help="page into which the tables are written")
    add(
        "--set",
        nargs="+",
        type=parse_setting,
        default=[],
        metavar="WGIG_NAME=VALUE",
        help="settings of wgig serve",
    )
    return parser


def parse_setting(text: str) -> tuple[str, str]:
    """The name and the value of a setting."""
    name, _, value = text.partition("=")
    return name, value


def measure_commands(
    sections: Sequence[str], scratch: Path, sizes: list[int], rounds: int, machine: dict[str, Any]
) -> tuple[list[Comparison], dict[str, Any]]:
    """Measure the commands of the shell, and print the tables; return comparisons, and figures by section."""
    comparisons: list[Comparison] = []
    figures: dict[str, Any] = {}
    if "start" in sections:
        comparisons += start.compare_starts(scratch, rounds)
    if "load" in sections:
        comparisons += load.compare_loading(scratch, sizes, rounds)
    service_sizes: list[readiness.ServiceSize] = []
    if "ready" in sections:
        for papers in sizes:
            readiness_comparisons, size = readiness.measure_readiness(scratch, papers, rounds)
            comparisons += readiness_comparisons
            service_sizes.append(size)
        figures["ready"] = [asdict(size) for size in service_sizes]
    if comparisons:
        print(report.format_comparisons(comparisons, machine))
    if service_sizes:
        print(f"\n{readiness.format_sizes(service_sizes)}")
    if "checking" in sections:
        costs, runs = check.compare_checks(scratch, min(sizes)), check.check_folders(scratch, sizes)
        print(f"\n{check.format_checks(costs, runs)}")
        figures["checking"] = check.summarize_checks(costs, runs)
    if "bulk" in sections:
        rates = bulk.compare_bulk_checks(scratch, FEW_BULK_PAPERS, max(sizes), rounds)
        print(f"\n{bulk.format_rates(rates)}")
        figures["bulk"] = [asdict(rate) for rate in rates]
    return comparisons, figures


def measure_queries(
    options: argparse.Namespace, scratch: Path, sizes: list[int], seconds: float, figures: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    """Measure the sections about queries; yield the name and tables of each. Adds to `figures`."""
    settings = dict(options.set)
    few, many, sections = sizes[0], sizes[-1], options.only
    if "serving" in sections:
        from .report import plots  # noqa: PLC0415  only the plots need matplotlib

        queries = [
            query for papers in sizes for query in http.compare_queries(scratch, papers, seconds, settings)
        ]
        plots.write_plots(options.page.parent / page.FIGURES_FOLDER, queries)
        figures["serving"] = [asdict(query) for query in queries]
        servers = page.format_peers(peers.list_peers(few, settings))
        yield "serving", f"{servers}\n\n{page.format_queries(queries)}"
    if "growth" in sections and few < many:
        growths = growth.compare_growth(scratch, few, many, seconds, settings)
        figures["growth"] = [asdict(query) for query in growths]
        yield "growth", page.format_growth(growths)
    if "streams" in sections:
        streams = streaming.compare_streams(scratch, many, settings)
        figures["streams"] = [asdict(stream) for stream in streams]
        yield "streams", page.format_streams(streams)
    if "throughput" in sections:
        request_rates = [
            rate
            for papers in sizes
            for rate in throughput.compare_rates(scratch, papers, 5 * seconds, settings)
        ]
        figures["throughput"] = [asdict(rate) for rate in request_rates]
        if request_rates:
            yield "throughput", page.format_rates(request_rates)
    if "fairness" in sections:
        ask_times = fairness.compare_ask_times(scratch, few, 10 * seconds, settings)
        figures["fairness"] = [asdict(measurement) for measurement in ask_times]
        yield "fairness", page.format_ask_times(ask_times)


def measure_pages_and_writes(
    options: argparse.Namespace, scratch: Path, sizes: list[int], seconds: float, figures: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    """Measure the sections about writes, pages and a shared store, as `measure_queries` does."""
    settings = dict(options.set)
    few, sections = sizes[0], options.only
    if "writing" in sections:
        writes = {papers: put.compare_writes(scratch, papers, seconds, settings) for papers in sizes}
        crowd_result = put.measure_crowd(scratch, few, settings)
        figures["writing"] = {"puts": writes, "crowd": asdict(crowd_result)}
        yield "writing", page.format_writes(writes, crowd_result)
    if "things" in sections:
        resources = [
            resource
            for papers in sizes
            for resource in things.compare_resources(scratch, papers, seconds, settings)
        ]
        figures["things"] = [asdict(resource) for resource in resources]
        yield "things", page.format_resources(resources)
    if "following" in sections:
        steps = {papers: projections.measure_projections(scratch, papers, settings) for papers in sizes}
        figures["following"] = steps
        yield "following", page.format_projections(steps)
    if "searching" in sections:
        searches = [
            measurement
            for papers in sizes
            for measurement in search.compare_searches(scratch, papers, seconds, settings)
        ]
        updates = {
            papers: search.summarize_updates(search.measure_index_updates(scratch, papers))
            for papers in sizes
        }
        figures["searching"] = {
            "searches": [asdict(measurement) for measurement in searches],
            "added": updates,
        }
        yield "searching", page.format_searches(searches, updates)
    if "looking" in sections:
        measured_pages, floor_load = pages.compare_pages(scratch, seconds, settings)
        figures["looking"] = {
            "pages": [asdict(measured_page) for measured_page in measured_pages],
            "floor": asdict(floor_load),  # a page with only a heading
        }
        yield "looking", page.format_pages(measured_pages, floor_load)
    if "sharing" in sections:
        shared_queries = [
            query for papers in sizes for query in remote_store.compare_shared_store(scratch, papers, seconds)
        ]
        rates = remote_store.measure_instance_scaling(scratch)
        figures["sharing"] = {"passed": [asdict(query) for query in shared_queries], "rates": rates}
        yield "sharing", page.format_shared_store(shared_queries, rates)


if __name__ == "__main__":
    main()

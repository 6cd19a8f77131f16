"""The page of the benchmarks of serving: tables are written between marks, all other text is kept."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from wgig.settings import CHECKOUT_FOLDER

from .. import search
from ..compare import virtuoso
from ..compare.peers import OURS, OXIGRAPH, Peer
from ..serving import concurrency, http, pages, remote_store, things
from ..serving.fairness import AskTimes
from ..serving.growth import Growth
from ..serving.http import CLIENT_ALONE, FIRST, REPEATED, QueryMeasurement
from ..serving.queries import ROWS_QUESTION
from ..serving.streaming import StreamMemory
from ..serving.throughput import RequestRate
from ..writing import projections, put
from .markdown import (
    format_maximum,
    format_maximum_met,
    format_minimum,
    format_minimum_met,
    format_ms,
    format_number,
    format_table,
)

SERVING_PAGE = CHECKOUT_FOLDER / "docs" / "benchmarks" / "serving.md"
FIGURES_FOLDER = "figures"  # of the plots, beside the page
WAY_TITLES = {  # by the way in which a query is sent
    FIRST: "First requests, each with a different query text:",
    REPEATED: "Repeated requests with the same query text:",
}


def write_section(page: Path, section: str, block: str) -> None:
    """Replace the text between the marks of a section. Raises SystemExit if the page does not have them."""
    begin, end = f"<!-- measured: {section} -->", f"<!-- end: {section} -->"
    before, has_begin, old = page.read_text(encoding="utf-8").partition(begin)
    _, has_end, after = old.partition(end)
    if not (has_begin and has_end):
        raise SystemExit(f"{page} has no lines {begin} and {end}. Add them at the place for the tables.")
    page.write_text(f"{before}{begin}\n\n{block}\n\n{end}{after}", encoding="utf-8")


def format_conditions(machine: Mapping[str, Any]) -> str:
    """The date and the machine of a measurement."""
    conditions = ", ".join(f"{name} {value}" for name, value in machine.items())
    return f"Measured on {datetime.now(UTC):%d %B %Y}: {conditions}."


def format_peers(peers: Iterable[Peer]) -> str:
    """The command and settings of each server."""
    lines = [f"- **{peer.name}**: {peer.description}." for peer in peers]
    if not virtuoso.is_installed():
        lines.append("- **Virtuoso** is left out: it was not installed.")
    return "\n".join(lines)


def format_queries(measurements: Sequence[QueryMeasurement]) -> str:
    """The tables of queries: a heading for each size, with tables of first and of repeated requests."""
    blocks = []
    for papers, group in groupby(measurements, key=lambda measurement: measurement.papers):
        same_size = list(group)
        blocks += [
            f"### {papers:,} papers",
            f"![How many times as fast as {OXIGRAPH}]({FIGURES_FOLDER}/answers-{papers}.svg)",
        ]
        for way, title in WAY_TITLES.items():
            same_way = [measurement for measurement in same_size if measurement.way == way]
            blocks += [
                title,
                format_own_table(same_way),
                "Other servers, and the client alone:",
                format_peer_table(same_way),
            ]
        blocks.append(format_first_bytes(same_size))
    return "\n\n".join(blocks)


def format_own_table(measurements: Iterable[QueryMeasurement]) -> str:
    """A row for each query and each of our servers, with the reason if it was not measured."""
    return format_table(
        "query | rows | server | ms (p99) | CPU ms "
        f"| {OXIGRAPH} ms (p99) | CPU ms | speed by time | speed by CPU | goal | met",
        (
            [
                measurement.question,
                f"{measurement.rows:,}",
                name,
                *format_times(measurement, name),
                *format_times(measurement, OXIGRAPH),
                *(format_number(measurement.ratio(name, key)) for key in ("p50", "cpu")),
                format_minimum(measurement.goal(name)),
                format_goal_met(measurement, name),
            ]
            for measurement in measurements
            for name in measurement.own_names()
        ),
    )


def format_times(measurement: QueryMeasurement, name: str) -> tuple[str, str]:
    """Median and p99 in milliseconds, and milliseconds of CPU; or the reason why there are none."""
    if name not in measurement.figures:
        return measurement.refused.get(name, ""), ""
    figures = measurement.figures[name]
    return f"{format_ms(figures['p50'])} ({format_ms(figures['p99'])})", format_ms(figures["cpu"])


def format_goal_met(measurement: QueryMeasurement, name: str) -> str:
    """Whether the goal is met by time and by CPU, by one of them, or by neither."""
    goal = measurement.goal(name)
    if name in measurement.refused:
        return "**no**"
    ratios = {key: measurement.ratio(name, key) for key in ("p50", "cpu")}
    if goal is None or None in ratios.values():
        return ""
    met = {key for key, ratio in ratios.items() if ratio is not None and ratio >= goal}
    return {0: "**no**", 2: "yes"}.get(len(met), "by time only" if "p50" in met else "by CPU only")


def format_peer_table(measurements: Sequence[QueryMeasurement]) -> str:
    """A row for each query: the times of the other servers, or why they were not measured."""
    names = {name for measurement in measurements for name in (*measurement.figures, *measurement.refused)}
    peers = sorted(name for name in names if not name.startswith((OURS, OXIGRAPH, CLIENT_ALONE)))
    columns = [*peers, CLIENT_ALONE]
    return format_table(
        f"query | {' | '.join(f'{name} ms (p99) | CPU ms' for name in columns)}",
        (
            [measurement.question, *(cell for name in columns for cell in format_times(measurement, name))]
            for measurement in measurements
        ),
    )


def format_first_bytes(measurements: Iterable[QueryMeasurement]) -> str:
    """The time to the first byte of 100,000 rows, in first requests."""
    rows = next(
        measurement
        for measurement in measurements
        if measurement.question == ROWS_QUESTION.name and measurement.way == FIRST
    )
    return "The first byte of 100,000 rows:\n\n" + format_table(
        "server | first byte ms (p99) | last byte ms | goal | met",
        (
            [
                name,
                f"{format_ms(figures['first byte p50'])} ({format_ms(figures['first byte p99'])})",
                format_ms(figures["p50"]),
                *format_max_seconds(
                    figures["first byte p50"],
                    http.MAX_FIRST_BYTE_SECONDS if name.startswith(OURS) else None,
                ),
            ]
            for name, figures in rows.figures.items()
            if name != CLIENT_ALONE
        ),
    )


def format_max_seconds(seconds: float, goal: float | None) -> tuple[str, str]:
    """The goal, a maximum in seconds, as milliseconds, and whether it is met; both empty if it is None."""
    return format_maximum(goal, "ms", 1000), format_maximum_met(seconds, goal)


def format_growth(growths: Iterable[Growth]) -> str:
    """A row for each query and server."""
    return format_table(
        "query | server | papers | ms | CPU ms | time ratio | CPU ratio | goal | met",
        (
            [
                growth.question,
                growth.server,
                f"{growth.few:,} → {growth.many:,}",
                " → ".join(map(format_ms, growth.seconds)),
                " → ".join(map(format_ms, growth.cpu)),
                format_number(growth.ratio),
                format_number(growth.ratio_cpu),
                format_maximum(growth.goal),
                format_maximum_met(growth.ratio, growth.goal),
            ]
            for growth in growths
        ),
    )


def format_streams(streams: Iterable[StreamMemory]) -> str:
    """A row for each server."""
    return format_table(
        "server | papers | clients | concurrent streams | complete responses "
        "| MiB before | MiB maximum | MiB per stream | goal | met",
        (
            [
                stream.server,
                f"{stream.papers:,}",
                str(stream.clients),
                str(stream.concurrent_streams),
                str(stream.complete_streams),
                *(f"{size / 2**20:,.1f}" for size in (stream.before, stream.peak, stream.bytes_per_stream)),
                format_maximum(stream.goal, "MiB", 2**-20),
                format_maximum_met(stream.bytes_per_stream, stream.goal),
            ]
            for stream in streams
        ),
    )


def format_rates(rates: Iterable[RequestRate]) -> str:
    """A row for each server and number of connections."""
    return format_table(
        f"papers | connections | server | requests/s | of {OXIGRAPH} | goal | met | of one core | goal | met",
        (
            [
                f"{rate.papers:,}",
                str(rate.connections),
                rate.server,
                f"{rate.rate:,.0f}",
                format_number(rate.rate / rate.peer_rate),
                format_minimum(rate.peer_goal),
                format_minimum_met(rate.rate / rate.peer_rate, rate.peer_goal),
                format_number(rate.rate / rate.one_core_rate),
                format_minimum(rate.speedup_goal),
                format_minimum_met(rate.rate / rate.one_core_rate, rate.speedup_goal),
            ]
            for rate in rates
        ),
    )


def format_ask_times(measurements: Iterable[AskTimes]) -> str:
    """A row for each number of front processes and each load."""
    return format_table(
        "front processes | load by the other client | pages per second | ASK | refused "
        "| ms (p99) | goal p99 | met",
        (
            [
                str(measurement.fronts),
                measurement.load,
                format_number(measurement.pages_per_second or None),
                f"{measurement.requests:,}",
                str(measurement.refused),
                f"{format_ms(measurement.p50)} ({format_ms(measurement.p99)})",
                format_maximum(measurement.goal, "ms", 1e3),
                format_maximum_met(measurement.p99, measurement.goal),
            ]
            for measurement in measurements
        ),
    )


def format_searches(
    measurements: Iterable[search.SearchMeasurement], updates: Mapping[int, Mapping[str, float]]
) -> str:
    """A row for each type of search, and the time that the index adds to a write, by number of papers."""
    searches = format_table(
        f"papers | search | ms | p95 ms | CPU ms | {OXIGRAPH}, filter: ms | speed by time | goal p95 | met",
        (
            [
                f"{measurement.papers:,}",
                measurement.description,
                *(format_ms(measurement.figures[key]) for key in ("p50", "p95", "cpu")),
                format_ms(measurement.peer["p50"]),
                format_number(measurement.peer["p50"] / measurement.figures["p50"]),
                *format_max_seconds(measurement.figures["p95"], measurement.goal),
            ]
            for measurement in measurements
        ),
    )
    writes = format_table(
        "papers | papers written | added ms | p95 ms | goal p95 | met",
        (
            [
                f"{papers:,}",
                f"{figures['papers']:,}",
                *(format_ms(figures[key]) for key in ("p50", "p95")),
                *format_max_seconds(figures["p95"], search.MAX_ADDED_SECONDS),
            ]
            for papers, figures in updates.items()
        ),
    )
    return f"{searches}\n\n{writes}"


def format_resources(measurements: Iterable[things.ResourceMeasurement]) -> str:
    """A row for each list, resource and table, with its query."""
    return format_table(
        "papers | path | ms | p95 ms | CPU ms | KiB | query alone: ms | CPU ms "
        "| time ratio | CPU ratio | goal | met",
        (
            [
                f"{measurement.papers:,}",
                f"`{measurement.request_name}`",
                *(format_ms(measurement.figures[key]) for key in ("p50", "p95", "cpu")),
                format_number(measurement.figures["bytes"] / 1024),
                *(format_ms(measurement.query[key]) if measurement.query else "" for key in ("p50", "cpu")),
                format_number(measurement.ratio),
                format_number(measurement.ratio_cpu),
                *format_resource_goal(measurement),
            ]
            for measurement in measurements
        ),
    )


def format_resource_goal(measurement: things.ResourceMeasurement) -> tuple[str, str]:
    """The goal of a path, and whether it is met: its time, or its time relative to that of its query."""
    if measurement.ratio is not None:
        return (
            format_maximum(things.MAX_TIME_RATIO),
            format_maximum_met(measurement.ratio, things.MAX_TIME_RATIO),
        )
    if measurement.max_seconds is None:
        return "", ""
    seconds = measurement.figures["p50"]
    return (
        format_maximum(measurement.max_seconds, "ms", 1000),
        format_maximum_met(seconds, measurement.max_seconds),
    )


def format_projections(steps_by_papers: Mapping[int, projections.StepTimes]) -> str:
    """A row for each step of a write and of the self-description."""
    return format_table(
        "papers | step | calls | ms | p95 ms | goal | met",
        (
            [
                f"{papers:,}",
                name,
                f"{figures['papers']:,}",  # one call for each paper
                *(format_ms(figures[key]) for key in ("p50", "p95")),
                *format_max_seconds(
                    figures["p50"],
                    projections.MAX_DESCRIPTION_SECONDS if name == projections.DESCRIPTION_TOTAL else None,
                ),
            ]
            for papers, steps in steps_by_papers.items()
            for name, figures in steps.items()
        ),
    )


def format_pages(measurements: Sequence[pages.PageMeasurement], floor: pages.PhoneLoad) -> str:
    """Two tables with a row for each page: the time of the server, and the load by a phone.

    `floor` is the load of a page with only a heading.
    """
    server = format_table(
        "page | first ms (p95) | goal p95 | met | cached ms (p95) | goal p95 | met",
        (
            [
                f"`{measurement.path}`",
                *(
                    cell
                    for figures, goal in (
                        (measurement.first, pages.MAX_FIRST_SECONDS),
                        (measurement.cached, pages.MAX_CACHED_SECONDS),
                    )
                    for cell in (
                        f"{format_ms(figures['p50'])} ({format_ms(figures['p95'])})",
                        *format_max_seconds(figures["p95"], goal),
                    )
                ),
            ]
            for measurement in measurements
        ),
    )
    phone = format_table(
        "page | largest paint ms | ratio to floor | goal | met | shift | met | requests | kB | goal | met",
        (
            [
                f"`{measurement.path}`",
                format_ms(measurement.phone_load.paint),
                format_number(measurement.phone_load.paint / floor.paint),
                *format_max_seconds(measurement.phone_load.paint, pages.MAX_PAINT_SECONDS),
                f"{measurement.phone_load.shift:.3f}",
                format_maximum_met(round(measurement.phone_load.shift, 3), pages.MAX_SHIFT),
                str(measurement.phone_load.requests),
                format_number(measurement.phone_load.transferred_bytes / 1000),
                format_maximum(measurement.max_bytes // 1000, "kB"),
                format_maximum_met(measurement.phone_load.transferred_bytes, measurement.max_bytes),
            ]
            for measurement in measurements
        ),
    )
    floor_sentence = f"The floor, a page with only a heading, is painted after {format_ms(floor.paint)} ms."
    return f"{server}\n\n{floor_sentence}\n\n{phone}"


def format_shared_store(
    measurements: Iterable[remote_store.SharedStoreMeasurement], rates: Mapping[int, float]
) -> str:
    """A row for each query, to an engine and through an instance; and the rates of one and two instances."""
    queries = format_table(
        "engine | papers | query | bytes | engine: ms | instance: ms | added ms | time ratio "
        "| goal | met | repeated: ms",
        (
            [
                measurement.engine,
                f"{measurement.papers:,}",
                measurement.question,
                f"{measurement.size:,}",
                format_ms(measurement.engine_seconds),
                format_ms(measurement.instance_seconds),
                format_ms(measurement.instance_seconds - measurement.engine_seconds),
                format_number(measurement.instance_seconds / measurement.engine_seconds),
                f"<= {remote_store.MAX_ADDED_SECONDS * 1000:g} ms added"
                if measurement.size <= remote_store.MAX_SHORT_BYTES
                else f"ratio <= {remote_store.MAX_TIME_RATIO:g}",
                "yes" if measurement.meets_goal else "**no**",
                format_ms(measurement.cached_seconds),
            ]
            for measurement in measurements
        ),
    )
    instances = format_table(
        f"instances, each with {remote_store.CONCURRENT_QUERIES} concurrent queries, over an engine "
        f"that takes {remote_store.SLOW_QUERY_SECONDS * 1000:g} ms | queries/s | ratio",
        ([str(count), format_number(rate), format_number(rate / rates[1])] for count, rate in rates.items()),
    )
    return f"{queries}\n\n{instances}"


def format_writes(writes: Mapping[int, put.PutFigures], crowd: concurrency.CrowdResult) -> str:
    """The tables of writes one after the other and of their rate, by number of papers; that of the crowd."""
    rows = [(papers, name, figures) for papers, puts in writes.items() for name, figures in puts.items()]
    one_by_one = format_table(
        "papers in the store | server | papers written | ms | goal | met | p95 ms | goal | met | p99 ms "
        "| CPU ms | with all that follows | goal | met",
        (
            [
                f"{papers:,}",
                name,
                f"{figures['requests']:,}",
                format_ms(figures["p50"]),
                *format_put_goal(name, figures["p50"], put.MAX_PUT_SECONDS),
                format_ms(figures["p95"]),
                *format_put_goal(name, figures["p95"], put.MAX_P95_RATIO * writes[papers][OXIGRAPH]["p95"]),
                *(format_ms(figures[key]) for key in ("p99", "cpu", put.TOTAL_CPU)),
                *format_put_goal(name, figures[put.TOTAL_CPU], put.MAX_TOTAL_CPU_SECONDS),
            ]
            for papers, name, figures in rows
        ),
    )
    rates = format_table(
        f"papers in the store | server | one writer: papers/s | {put.MANY_WRITERS} writers | ratio",
        (
            [
                f"{papers:,}",
                name,
                *(format_number(figures[key]) for key in (put.ONE_WRITER_RATE, put.MANY_WRITERS_RATE)),
                format_number(figures[put.MANY_WRITERS_RATE] / figures[put.ONE_WRITER_RATE]),
            ]
            for papers, name, figures in rows
        ),
    )
    rate_goal = (
        f"The goal of {OURS} is {put.MIN_WRITERS_RATIO:g} times the rate of one writer, and "
        f"{put.MIN_RATE:g} papers per second."
    )
    concurrent = format_table(
        f"{concurrency.WRITERS} concurrent writers and {concurrency.READERS} readers | count",
        (
            ["seconds", f"{crowd.seconds:.1f}"],
            ["writes acknowledged", f"{crowd.writes:,}"],
            ["reads", f"{crowd.reads:,}"],
            ["busy (429 or 503)", f"{crowd.busy:,}"],
            ["other refusals", str(len(crowd.refusals))],
            ["acknowledged writes lost", str(crowd.lost_papers)],
            ["partial writes read", str(crowd.partial_reads)],
            ["reads older than an acknowledged write", str(crowd.stale_reads)],
            ["goal: none of the last four", "yes" if crowd.meets_goal else "**no**"],
        ),
    )
    return "\n\n".join((one_by_one, rates, rate_goal, concurrent))


def format_put_goal(name: str, seconds: float, goal: float) -> tuple[str, str]:
    """The goal of ours as milliseconds, to three digits, and whether it is met; both empty for others."""
    if name != put.OWN_PEER_NAME:
        return "", ""
    return f"<= {format_ms(goal)} ms", format_maximum_met(seconds, goal)

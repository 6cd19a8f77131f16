"""The page of the benchmarks of serving: its tables are written between marks, hand-written text is kept."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from wgig.settings import CHECKOUT_FOLDER

from ..compare import virtuoso
from ..compare.peers import OURS, OXIGRAPH, Peer
from ..search import ADDED_P95, Searched
from ..serving.concurrency import READERS, WRITERS, Crowd
from ..serving.growth import Growth
from ..serving.http import FIRST, FIRST_BYTE, FLOOR, REPEATED, Measured
from ..serving.pages import CACHED_P95, FIRST_P95, PAINT, SHIFT, Looked, Seen
from ..serving.queries import ROWS
from ..serving.remote_store import AT_ONCE, MORE_SECONDS, MORE_TIMES, SHORT, SLOW, Passed
from ..serving.streaming import Streams
from ..serving.things import GOAL, Compared
from ..writing.projections import DESCRIBED, DESCRIBED_MOST
from ..writing.put import OWN, PUT_P95, Puts
from .markdown import kept, least, most, ms, number, table

PAGE = CHECKOUT_FOLDER / "docs" / "benchmarks" / "serving.md"
FIGURES = "figures"  # the folder of the plots, beside the page


def write(page: Path, section: str, block: str) -> None:
    """Put the tables of a section between its marks. Raises SystemExit where the page lacks them."""
    begin, end = f"<!-- measured: {section} -->", f"<!-- end: {section} -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{page} needs a place between {begin} and {end}.")
    page.write_text(f"{before}{begin}\n\n{block}\n\n{end}{after}", encoding="utf-8")


def taken(facts: Mapping[str, Any]) -> str:
    """When and where figures were taken."""
    said = ", ".join(f"{name} {value}" for name, value in facts.items())
    return f"Measured on {datetime.now(UTC):%d %B %Y}: {said}."


def given(peers: Iterable[Peer]) -> str:
    """What each server was given, and which is not here."""
    lines = [f"- **{peer.name}**: {peer.given}." for peer in peers]
    if not virtuoso.installed():
        lines.append("- **Virtuoso** is left out, as it is not installed where this was measured.")
    return "\n".join(lines)


def answers(found: Sequence[Measured]) -> str:
    """The tables of the questions: a heading for each size, a table for each way of asking."""
    parts = []
    for papers, of_size in groupby(found, key=lambda one: one.papers):
        measured = list(of_size)
        parts += [
            f"### {papers:,} papers",
            f"![How many times as fast as {OXIGRAPH}]({FIGURES}/answers-{papers}.svg)",
        ]
        for way in (FIRST, REPEATED):
            same_way = [one for one in measured if one.way == way]
            parts += [
                f"Asked {WAYS[way]}:",
                ours(same_way),
                "The others, and the client alone:",
                others(same_way),
            ]
        parts.append(first_bytes(measured))
    return "\n\n".join(parts)


WAYS = {
    FIRST: "for the first time, with another text each time",
    REPEATED: "again and again, with the same text",
}


def ours(found: Iterable[Measured]) -> str:
    """A row for each question and each of ours, with the reason where it was not timed."""
    return table(
        "question | rows | asked of | ms (p99) | CPU ms "
        f"| {OXIGRAPH} ms (p99) | CPU ms | by time | by CPU | goal | met",
        (
            [
                one.question,
                f"{one.rows:,}",
                name,
                *shown(one, name),
                *shown(one, OXIGRAPH),
                *(number(one.ratio(name, by)) for by in ("p50", "cpu")),
                least(one.goal(name)),
                verdict(one, name),
            ]
            for one in found
            for name in one.own()
        ),
    )


def shown(one: Measured, name: str) -> tuple[str, str]:
    """Median and slow end in milliseconds, and milliseconds of CPU; or why there are none."""
    if name not in one.figures:
        return one.refused.get(name, ""), ""
    figures = one.figures[name]
    return f"{ms(figures['p50'])} ({ms(figures['p99'])})", ms(figures["cpu"])


def verdict(one: Measured, name: str) -> str:
    """Whether the goal is met by the clock, by the CPU, by both or by none."""
    goal = one.goal(name)
    if name in one.refused:
        return "**no**"
    ratios = {by: one.ratio(name, by) for by in ("p50", "cpu")}
    if goal is None or None in ratios.values():
        return ""
    met = {by for by, ratio in ratios.items() if ratio is not None and ratio >= goal}
    return {0: "**no**", 2: "yes"}.get(len(met), "by time only" if "p50" in met else "by CPU only")


def others(found: Sequence[Measured]) -> str:
    """A row for each question: the medians of the other servers, or why they were not asked."""
    names = {name for one in found for name in (*one.figures, *one.refused)}
    columns = [*sorted(name for name in names if not name.startswith((OURS, OXIGRAPH, FLOOR))), FLOOR]
    return table(
        f"question | {' | '.join(f'{name} ms (p99) | CPU ms' for name in columns)}",
        (
            [
                one.question,
                *(cell for name in columns for cell in shown(one, name)),
            ]
            for one in found
        ),
    )


def first_bytes(found: Iterable[Measured]) -> str:
    """The first byte of 100,000 rows, asked for the first time."""
    one = next(one for one in found if one.question == ROWS.name and one.way == FIRST)
    return "The first byte of the rows:\n\n" + table(
        "server | first byte ms (p99) | last byte ms | goal | met",
        (
            [
                name,
                f"{ms(figures['first byte p50'])} ({ms(figures['first byte p99'])})",
                ms(figures["p50"]),
                most(FIRST_BYTE if name.startswith(OURS) else None, "ms", 1000),
                kept(figures["first byte p50"], FIRST_BYTE if name.startswith(OURS) else None),
            ]
            for name, figures in one.figures.items()
            if name != FLOOR
        ),
    )


def growth(found: Iterable[Growth]) -> str:
    """A row for each question and server."""
    return table(
        "question | server | papers | ms | CPU ms | times as long | times the CPU | goal | met",
        (
            [
                one.question,
                one.server,
                f"{one.few:,} → {one.many:,}",
                " → ".join(map(ms, one.seconds)),
                " → ".join(map(ms, one.cpu)),
                number(one.ratio),
                number(one.ratio_cpu),
                most(one.goal),
                kept(one.ratio, one.goal),
            ]
            for one in found
        ),
    )


def streams(found: Iterable[Streams]) -> str:
    """A row for each server."""
    return table(
        "server | papers | clients | read at once | whole answers "
        "| MiB before | MiB at most | MiB a stream | goal | met",
        (
            [
                one.server,
                f"{one.papers:,}",
                str(one.clients),
                str(one.at_once),
                str(one.whole),
                *(f"{size / 2**20:,.1f}" for size in (one.before, one.peak, one.each)),
                most(one.goal, "MiB", 2**-20),
                kept(one.each, one.goal),
            ]
            for one in found
        ),
    )


def searching(found: Iterable[Searched], follows: Mapping[int, Mapping[str, float]]) -> str:
    """A row for each kind of search, and what the index adds to a write."""
    searches = table(
        f"papers | search | ms | p95 ms | CPU ms | {OXIGRAPH}, a filter: ms | by time | goal p95 | met",
        (
            [
                f"{one.papers:,}",
                one.what,
                *(ms(one.figures[key]) for key in ("p50", "p95", "cpu")),
                ms(one.peer["p50"]),
                number(one.peer["p50"] / one.figures["p50"]),
                most(one.goal, "ms", 1000),
                kept(one.figures["p95"], one.goal),
            ]
            for one in found
        ),
    )
    writes = table(
        "papers | papers written | added ms | p95 ms | goal p95 | met",
        (
            [
                f"{papers:,}",
                f"{one['papers']:,}",
                *(ms(one[key]) for key in ("p50", "p95")),
                most(ADDED_P95, "ms", 1000),
                kept(one["p95"], ADDED_P95),
            ]
            for papers, one in follows.items()
        ),
    )
    return f"{searches}\n\n{writes}"


def things(found: Iterable[Compared]) -> str:
    """A row for each list, thing and table, beside the query behind it."""
    return table(
        "papers | what | ms | p95 ms | CPU ms | KiB | its query: ms | CPU ms "
        "| times as long | times the CPU | goal | met",
        (
            [
                f"{one.papers:,}",
                f"`{one.what}`",
                *(ms(one.figures[key]) for key in ("p50", "p95", "cpu")),
                number(one.figures["bytes"] / 1024),
                *(ms(one.query[key]) if one.query else "" for key in ("p50", "cpu")),
                number(one.ratio),
                number(one.ratio_cpu),
                most(GOAL if one.query else None),
                kept(one.ratio, GOAL) if one.ratio else "",
            ]
            for one in found
        ),
    )


def following(found: Mapping[int, Mapping[str, Mapping[str, float]]]) -> str:
    """A row for each part that follows a write."""
    return table(
        "papers | part | times | ms | p95 ms | goal | met",
        (
            [
                f"{papers:,}",
                what,
                f"{one['papers']:,}",
                *(ms(one[key]) for key in ("p50", "p95")),
                most(DESCRIBED_MOST if what == DESCRIBED else None, "ms", 1000),
                kept(one["p50"], DESCRIBED_MOST if what == DESCRIBED else None),
            ]
            for papers, of_size in found.items()
            for what, one in of_size.items()
        ),
    )


def looking(found: Iterable[Looked], floor: Seen) -> str:
    """A row for each page: what it costs the server, and what a phone sees of it."""
    pages = list(found)
    server = table(
        "page | first ms (p95) | goal p95 | met | cached ms (p95) | goal p95 | met",
        (
            [
                f"`{one.path}`",
                *(
                    cell
                    for figures, goal in ((one.first, FIRST_P95), (one.cached, CACHED_P95))
                    for cell in (
                        f"{ms(figures['p50'])} ({ms(figures['p95'])})",
                        most(goal, "ms", 1000),
                        kept(figures["p95"], goal),
                    )
                ),
            ]
            for one in pages
        ),
    )
    phone = table(
        "page | largest paint ms | times the floor | goal | met | shift | met | requests | KiB | goal | met",
        (
            [
                f"`{one.path}`",
                ms(one.seen.paint),
                number(one.seen.paint / floor.paint),
                most(PAINT, "ms", 1000),
                kept(one.seen.paint, PAINT),
                f"{one.seen.shift:.3f}",
                kept(round(one.seen.shift, 3), SHIFT),
                str(one.seen.requests),
                number(one.seen.weight / 1024),
                most(one.heaviest / 1024, "KiB"),
                kept(one.seen.weight, one.heaviest),
            ]
            for one in pages
        ),
    )
    return (
        f"{server}\n\nThe floor, a heading and nothing else, is drawn after {ms(floor.paint)} ms.\n\n{phone}"
    )


def sharing(found: Iterable[Passed], rates: Mapping[int, float]) -> str:
    """A row for each question asked of an engine and through an instance, and what two instances do."""
    questions = table(
        "engine | papers | question | bytes | asked itself: ms | through an instance: ms | more ms | times "
        "| goal | met | again: ms",
        (
            [
                one.engine,
                f"{one.papers:,}",
                one.question,
                f"{one.size:,}",
                *map(ms, (one.direct, one.through, one.through - one.direct)),
                number(one.through / one.direct),
                f"<= {MORE_SECONDS * 1000:g} ms more" if one.size <= SHORT else f"<= {MORE_TIMES:g} times",
                "yes" if one.met else "**no**",
                ms(one.again),
            ]
            for one in found
        ),
    )
    instances = table(
        f"instances, each with {AT_ONCE} queries at once, over an engine that takes {SLOW * 1000:g} ms "
        "| queries/s | times",
        ([str(count), number(rate), number(rate / rates[1])] for count, rate in rates.items()),
    )
    return f"{questions}\n\n{instances}"


def writing(papers: int, puts: Puts, crowd: Crowd) -> str:
    """The writes of papers one after the other, and the crowd."""
    one_by_one = table(
        f"PUT of a paper beside {papers:,} | papers | ms | p95 ms | p99 ms | CPU ms | goal p95 | met",
        (
            [
                name,
                f"{one['requests']:,}",
                *(ms(one[key]) for key in ("p50", "p95", "p99", "cpu")),
                most(PUT_P95 if name == OWN else None, "ms", 1000),
                kept(one["p95"], PUT_P95 if name == OWN else None),
            ]
            for name, one in puts.items()
        ),
    )
    at_once = table(
        f"{WRITERS} writers and {READERS} readers at once | count",
        (
            ["seconds", f"{crowd.seconds:.1f}"],
            ["writes acknowledged", f"{crowd.writes:,}"],
            ["reads", f"{crowd.reads:,}"],
            ["told to come again", f"{crowd.busy:,}"],
            ["refused otherwise", str(len(crowd.refused))],
            ["acknowledged and lost", str(crowd.lost)],
            ["half states read", str(crowd.half)],
            ["reads older than what was acknowledged", str(crowd.stale)],
            ["goal: none of the last four", "yes" if crowd.met else "**no**"],
        ),
    )
    return f"{one_by_one}\n\n{at_once}"

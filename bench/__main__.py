"""`python -m bench`: measure load, start, checking, serving and writing beside the peers, in one run."""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import search
from .checking import bulk, check
from .compare import peers
from .loading import load, start
from .measure.commands import Comparison
from .report import page, report
from .serving import growth, http, pages, remote_store, streaming, things
from .writing import projections, put

SECTIONS = (
    "start",
    "load",
    "checking",
    "bulk",
    "serving",
    "growth",
    "streams",
    "writing",
    "things",
    "following",
    "searching",
    "looking",
    "sharing",
)

FEW = 100  # papers, which cost little beside the start


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmarks that the command line asks for, print or write the tables, keep the figures."""
    asked = parser().parse_args(arguments)
    sizes, rounds, seconds = sorted(asked.papers), asked.rounds, asked.seconds
    if asked.quick:
        sizes, rounds, seconds = [1000], 3, 0.2
    facts = report.machine()
    folder = (
        nullcontext(asked.scratch) if asked.scratch else tempfile.TemporaryDirectory(prefix="wgig-bench-")
    )
    with folder as name:
        scratch = Path(name).absolute()
        scratch.mkdir(exist_ok=True)
        comparisons, kept = commands(asked.only, scratch, sizes, rounds, facts)
        for section, block in served(asked, scratch, sizes, seconds, kept):
            when = page.taken(facts | peers.versions())
            page.write(asked.page, section, f"{when}\n\n{block}")
            print(f"The tables of {section} are in {asked.page}", file=sys.stderr)
    print(f"\nAll figures: {report.keep(comparisons, facts, **kept)}", file=sys.stderr)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    add = found.add_argument
    add("--only", nargs="+", choices=SECTIONS, default=SECTIONS, help="what to measure (default: all)")
    add("--papers", type=int, nargs="+", default=[1000], help="sizes of the data (default: 1000)")
    add("--rounds", type=int, default=5, help="rounds of each comparison of commands (default: 5)")
    add("--seconds", type=float, default=2, help="for each question, server and way of asking (default: 2)")
    add("--quick", action="store_true", help="1,000 papers, three rounds, a fifth of a second")
    add("--scratch", type=Path, help="folder that keeps data and filled stores for the next run")
    add("--page", type=Path, default=page.PAGE, help="page that gets the tables of serving")
    add(
        "--set", nargs="+", type=setting, default=[], metavar="WGIG_NAME=VALUE", help="settings of wgig serve"
    )
    return found


def setting(text: str) -> tuple[str, str]:
    """The name and the value of a setting."""
    name, _, value = text.partition("=")
    return name, value


def commands(
    only: Sequence[str], scratch: Path, sizes: list[int], rounds: int, facts: dict[str, Any]
) -> tuple[list[Comparison], dict[str, Any]]:
    """Measure what the shell does, and print the tables."""
    comparisons: list[Comparison] = []
    kept: dict[str, Any] = {}
    if "start" in only:
        comparisons += start.compare(scratch, rounds)
    if "load" in only:
        comparisons += load.compare(scratch, sizes, rounds)
    if comparisons:
        print(report.markdown(comparisons, facts))
    if "checking" in only:
        found, runs = check.costs(scratch, min(sizes)), check.bulk(scratch, sizes)
        print(f"\n{check.markdown(found, runs)}")
        kept["checking"] = check.kept(found, runs)
    if "bulk" in only:
        rates = bulk.compare(scratch, FEW, max(sizes), rounds)
        print(f"\n{bulk.markdown(rates)}")
        kept["bulk"] = [asdict(one) for one in rates]
    return comparisons, kept


def served(
    asked: argparse.Namespace, scratch: Path, sizes: list[int], seconds: float, kept: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    """Measure what goes over HTTP: each section of the page, once it is there; all figures are kept, too."""
    settings = dict(asked.set)
    few, many, only = sizes[0], sizes[-1], asked.only
    if "serving" in only:
        from .report import plots  # noqa: PLC0415  needs matplotlib, which nothing else does

        found = [one for papers in sizes for one in http.compare(scratch, papers, seconds, settings)]
        plots.draw(asked.page.parent / page.FIGURES, found)
        kept["serving"] = [asdict(one) for one in found]
        given = page.given(peers.peers(few, settings))
        yield "serving", f"{given}\n\n{page.answers(found)}"
    if "growth" in only and few < many:
        grown = growth.compare(scratch, few, many, seconds, settings)
        kept["growth"] = [asdict(one) for one in grown]
        yield "growth", page.growth(grown)
    if "streams" in only:
        streamed = streaming.compare(scratch, many, settings)
        kept["streams"] = [asdict(one) for one in streamed]
        yield "streams", page.streams(streamed)
    if "writing" in only:
        puts, crowd = put.compare(scratch, few, seconds, settings)
        kept["writing"] = {"puts": puts, "crowd": asdict(crowd)}
        yield "writing", page.writing(few, puts, crowd)
    if "things" in only:
        compared = [one for papers in sizes for one in things.compare(scratch, papers, seconds, settings)]
        kept["things"] = [asdict(one) for one in compared]
        yield "things", page.things(compared)
    if "following" in only:
        parts = {papers: projections.compare(scratch, papers, settings) for papers in sizes}
        kept["following"] = parts
        yield "following", page.following(parts)
    if "searching" in only:
        searches = [one for papers in sizes for one in search.compare(scratch, papers, seconds, settings)]
        follows = {papers: search.summed(search.added(scratch, papers)) for papers in sizes}
        kept["searching"] = {"searches": [asdict(one) for one in searches], "added": follows}
        yield "searching", page.searching(searches, follows)
    if "looking" in only:
        looked, floor = pages.compare(scratch, seconds, settings)
        kept["looking"] = {"pages": [asdict(one) for one in looked], "floor": asdict(floor)}
        yield "looking", page.looking(looked, floor)
    if "sharing" in only:
        passed = [one for papers in sizes for one in remote_store.compare(scratch, papers, seconds)]
        rates = remote_store.scaled(scratch)
        kept["sharing"] = {"passed": [asdict(one) for one in passed], "rates": rates}
        yield "sharing", page.sharing(passed, rates)


if __name__ == "__main__":
    main()

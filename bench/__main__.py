"""`python -m bench`: measure load, start, help and checking against their peers, side by side in one run."""

import argparse
import sys
import tempfile
from pathlib import Path

from . import check, load, report, start

SECTIONS = ("start", "load", "checking")


def main() -> None:
    """Run the benchmarks that the command line asks for, print the tables, keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", choices=SECTIONS, default=SECTIONS, help="what to measure (default: all)"
    )
    parser.add_argument(
        "--papers",
        type=int,
        nargs="+",
        default=[1000, 10_000],
        help="sizes of the files (default: 1000 10000)",
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each comparison (default: 5)")
    parser.add_argument("--quick", action="store_true", help="1,000 papers and three rounds, under a minute")
    asked = parser.parse_args()
    sizes, rounds = ([1000], 3) if asked.quick else (asked.papers, asked.rounds)
    comparisons, kept = [], {}
    facts = report.machine()
    with tempfile.TemporaryDirectory(prefix="wgig-bench-") as folder:
        scratch = Path(folder)
        if "start" in asked.only:
            comparisons += start.compare(scratch, rounds)
        if "load" in asked.only:
            comparisons += load.compare(scratch, sizes, rounds)
        print(report.markdown(comparisons, facts))
        if "checking" in asked.only:
            found, runs = check.costs(scratch, min(sizes)), check.bulk(scratch, sizes)
            print(f"\n{check.markdown(found, runs)}")
            kept = check.kept(found, runs)
    print(f"\nAll figures: {report.keep(comparisons, facts, checking=kept)}", file=sys.stderr)


if __name__ == "__main__":
    main()

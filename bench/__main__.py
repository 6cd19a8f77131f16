"""`python -m bench`: measure load, start and help against their peers, side by side in one run."""

import argparse
import sys
import tempfile
from pathlib import Path

from . import load, report, start


def main() -> None:
    """Run the benchmarks that the command line asks for, print the table, keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
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
    with tempfile.TemporaryDirectory(prefix="wgig-bench-") as folder:
        scratch = Path(folder)
        comparisons = start.compare(scratch, rounds) + load.compare(scratch, sizes, rounds)
    facts = report.machine()
    print(report.markdown(comparisons, facts))
    print(f"\nAll figures: {report.keep(comparisons, facts)}", file=sys.stderr)


if __name__ == "__main__":
    main()

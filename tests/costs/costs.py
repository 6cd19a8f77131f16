"""What requests cost: as it is kept in a file, as it is measured, and where it rose."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

KEPT = Path(__file__).with_name("request_costs.toml")
CHECKOUT = Path(__file__).parents[2]
RENEW = "python -m tests.costs.renew"
MEASURE = "python -m tests.costs.measure"
MORE_PERCENT = 10  # by which a figure may be above the kept one
HEADER = f"""\
# What requests cost the service, which a test compares with what they cost now: a figure that is more than
# a tenth above the one here fails. What the figures are stands in tests/costs/measure.py. After a change that
# is worth its cost, or that made something cheaper: {RENEW}
"""

# By the name of a request, its figures by their names.
Costs = Mapping[str, Mapping[str, int]]


class Rise(NamedTuple):
    """A figure of a request that is more than a tenth above the kept one."""

    request: str
    figure: str
    kept: int
    found: int

    def __str__(self) -> str:
        percent = f" (+{100 * (self.found - self.kept) / self.kept:.0f} %)" if self.kept else ""
        return (
            f"{self.request}: {self.figure} rose from {self.kept} to {self.found}{percent}, by more than a "
            f"tenth. The functions that are called most: {MEASURE} --functions. Where the rise is worth it, "
            f"renew {KEPT.relative_to(CHECKOUT)} by: {RENEW}"
        )


def find_rises(kept: Costs, found: Costs) -> Iterator[Rise]:
    """The figures that are more than a tenth above the kept ones, of those that both sides have."""
    for request, figures in found.items():
        for figure, value in figures.items():
            limit = kept.get(request, {}).get(figure)
            if limit is not None and value * 100 > limit * (100 + MORE_PERCENT):
                yield Rise(request, figure, limit, value)


def measure_costs() -> Costs:
    """The costs as they are now, measured in a fresh process."""
    # An earlier test may have called the command in this process, which forbids imports from this folder.
    environment = os.environ | {"PYTHONHASHSEED": "0", "PYTHONPATH": str(CHECKOUT)}
    command = [sys.executable, "-m", "tests.costs.measure"]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"The costs could not be measured:\n{done.stderr}")
    found: Costs = json.loads(done.stdout)
    return found


def read_costs() -> Costs:
    """The costs that are kept."""
    return tomllib.loads(KEPT.read_text("utf-8"))


def write_costs(costs: Costs) -> None:
    """Keep these costs, a line for each request."""
    KEPT.write_text(HEADER + "".join(format_line(*pair) for pair in costs.items()), "utf-8")


def format_line(request: str, figures: Mapping[str, int]) -> str:
    """The line of a request."""
    return f'"{request}" = {{ {", ".join(f"{name} = {value}" for name, value in figures.items())} }}\n'

"""The costs of requests: measure them, read and write the baseline file, find increases."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

BASELINE_FILE = Path(__file__).with_name("request_costs.toml")
CHECKOUT = Path(__file__).parents[2]
RENEW_COMMAND = "python -m tests.costs.renew"
MEASURE_COMMAND = "python -m tests.costs.measure"
ALLOWED_INCREASE_PERCENT = 10  # of a figure above its baseline
BASELINE_HEADER = f"""\
# The baseline of the costs of requests. A test fails if a measured figure is more than a tenth above its
# figure here. tests/costs/measure.py explains the figures. After a change that is worth its cost, or that
# reduces costs, renew this file: {RENEW_COMMAND}
"""

# The figures of each request, by the names of request and figure.
Costs = Mapping[str, Mapping[str, int]]


class CostIncrease(NamedTuple):
    """A figure of a request that is more than a tenth above its baseline."""

    request: str
    figure: str
    baseline: int
    measured: int

    def __str__(self) -> str:
        percent = (
            f" (+{100 * (self.measured - self.baseline) / self.baseline:.0f} %)" if self.baseline else ""
        )
        return (
            f"{self.request}: {self.figure} rose from {self.baseline} to {self.measured}{percent}, by more "
            f"than a tenth. To list the functions with the most calls: {MEASURE_COMMAND} --functions. If the "
            f"change is worth its cost, renew {BASELINE_FILE.relative_to(CHECKOUT)} by: {RENEW_COMMAND}"
        )


def find_cost_increases(baseline: Costs, measured: Costs) -> Iterator[CostIncrease]:
    """The figures more than a tenth above the baseline, among the figures that both sides have."""
    for request, figures in measured.items():
        for figure, value in figures.items():
            base_value = baseline.get(request, {}).get(figure)
            if base_value is not None and value * 100 > base_value * (100 + ALLOWED_INCREASE_PERCENT):
                yield CostIncrease(request, figure, base_value, value)


def measure_costs() -> Costs:
    """The current costs, measured in a new process."""
    # An earlier test may have run the `wgig` command here, which takes the checkout off the import path.
    environment = os.environ | {
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": f"{CHECKOUT}{os.pathsep}{CHECKOUT / 'service'}",
    }
    command = [sys.executable, "-m", "tests.costs.measure"]
    process = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
    )
    if process.returncode:
        raise RuntimeError(f"The costs could not be measured:\n{process.stderr}")
    costs: Costs = json.loads(process.stdout)
    return costs


def read_baseline() -> Costs:
    """The costs in the baseline file."""
    return tomllib.loads(BASELINE_FILE.read_text("utf-8"))


def write_baseline(costs: Costs) -> None:
    """Write the baseline file, a line for each request."""
    lines = [format_line(request, figures) for request, figures in costs.items()]
    BASELINE_FILE.write_text(BASELINE_HEADER + "".join(lines), "utf-8")


def format_line(request: str, figures: Mapping[str, int]) -> str:
    """The line of a request in the baseline file."""
    return f'"{request}" = {{ {", ".join(f"{name} = {value}" for name, value in figures.items())} }}\n'

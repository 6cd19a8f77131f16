"""The results of a run: a table of commands for people, and all figures as JSON for comparing runs."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from ..measure.commands import Comparison

RESULTS_FOLDER = Path(__file__).parents[1] / "results"
HEADER = ("measure", "ours", "seconds", "peer", "seconds", "quads/s", "ratio", "goal", "met")


def describe_machine() -> dict[str, Any]:
    """The conditions of a measurement: processor, cores, load, memory, operating system, versions."""
    return {
        "processor": read_processor_name(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "pyoxigraph": version("pyoxigraph"),
        "oxigraph": version("oxigraph"),
        "pyshifty": version("pyshifty"),
        "pyshacl": version("pyshacl"),
    }


def read_processor_name() -> str:
    """The model name of the processor, or its architecture if there is no model name (Linux)."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def format_comparisons(comparisons: Sequence[Comparison], machine: dict[str, Any]) -> str:
    """The machine, and a table: seconds as median (minimum-maximum), our speed relative to the peer's."""
    rows = [HEADER, tuple("-" * len(title) for title in HEADER), *map(format_comparison_row, comparisons)]
    lines = [f"| {' | '.join(cells)} |" for cells in rows] if comparisons else []
    return "\n".join([", ".join(f"{name} {value}" for name, value in machine.items()), "", *lines])


def format_comparison_row(comparison: Comparison) -> tuple[str, ...]:
    """The cells of one comparison."""
    goal = ""
    if comparison.goal_ratio:
        goal = f">= {comparison.goal_ratio}"
    elif comparison.goal_seconds:
        goal = f"<= {comparison.goal_seconds} s"
    return (
        comparison.measure,
        comparison.own_name,
        format_spread(comparison.own_seconds),
        comparison.peer_name,
        format_spread(comparison.peer_seconds),
        f"{comparison.quads / median(comparison.own_seconds):,.0f}" if comparison.quads else "",
        f"{comparison.ratio:.2f}",
        goal,
        {True: "yes", False: "no", None: ""}[comparison.meets_goal],
    )


def format_spread(times: Sequence[float]) -> str:
    """Median, minimum and maximum, in seconds."""
    return f"{median(times):.2f} ({min(times):.2f}-{max(times):.2f})"


def write_results(comparisons: Sequence[Comparison], machine: dict[str, Any], **sections: Any) -> Path:
    """Write all figures to a new JSON file, and return its path."""
    RESULTS_FOLDER.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    commands = [
        {
            "what": comparison.measure,
            "ours": {"name": comparison.own_name, **summarize_seconds(comparison.own_seconds)},
            "peer": {"name": comparison.peer_name, **summarize_seconds(comparison.peer_seconds)},
            "quads": comparison.quads,
            "ratio": comparison.ratio,
            "goal": {
                "ratio": comparison.goal_ratio,
                "seconds": comparison.goal_seconds,
                "met": comparison.meets_goal,
            },
        }
        for comparison in comparisons
    ]
    path = RESULTS_FOLDER / f"{now:%Y%m%d-%H%M%S}.json"
    results = {"time": now.isoformat(), "machine": machine, "comparisons": commands, **sections}
    path.write_text(json.dumps(results, indent=2) + "\n")
    return path


def summarize_seconds(times: Sequence[float]) -> dict[str, Any]:
    """All seconds in the order of the rounds, with their minimum, median and maximum."""
    return {"seconds": list(times), "min": min(times), "median": median(times), "max": max(times)}

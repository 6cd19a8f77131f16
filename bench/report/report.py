"""What was measured, as a table for people and as JSON for comparing runs."""

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

RESULTS = Path(__file__).parents[1] / "results"
HEADER = ("measure", "ours", "seconds", "peer", "seconds", "quads/s", "ratio", "goal", "met")


def machine() -> dict[str, Any]:
    """What the figures depend on: processor, cores, how busy they were, memory, system, and versions."""
    return {
        "processor": processor(),
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


def processor() -> str:
    """What the processor calls itself, or its kind where it does not say (Linux)."""
    said = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    names = [line.partition(":")[2].strip() for line in said.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def markdown(comparisons: Sequence[Comparison], facts: dict[str, Any]) -> str:
    """A table of the comparisons; seconds are median (least-most), the ratio is our speed to the peer's."""
    rows = [HEADER, tuple("-" * len(name) for name in HEADER), *map(row, comparisons)]
    lines = [f"| {' | '.join(cells)} |" for cells in rows] if comparisons else []
    return "\n".join([", ".join(f"{name} {value}" for name, value in facts.items()), "", *lines])


def row(one: Comparison) -> tuple[str, ...]:
    """The cells of one comparison."""
    goal = (
        f">= {one.goal_ratio}" if one.goal_ratio else f"<= {one.goal_seconds} s" if one.goal_seconds else ""
    )
    return (
        one.what,
        one.ours,
        spread(one.times),
        one.peer,
        spread(one.peer_times),
        f"{one.quads / median(one.times):,.0f}" if one.quads else "",
        f"{one.ratio:.2f}",
        goal,
        {True: "yes", False: "no", None: ""}[one.met],
    )


def spread(times: Sequence[float]) -> str:
    """Median, least and most."""
    return f"{median(times):.2f} ({min(times):.2f}-{max(times):.2f})"


def keep(comparisons: Sequence[Comparison], facts: dict[str, Any], **more: Any) -> Path:
    """Write all figures to a new file of JSON and return its path."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    found = [
        {
            "what": one.what,
            "ours": {"name": one.ours, **figures(one.times)},
            "peer": {"name": one.peer, **figures(one.peer_times)},
            "quads": one.quads,
            "ratio": one.ratio,
            "goal": {"ratio": one.goal_ratio, "seconds": one.goal_seconds, "met": one.met},
        }
        for one in comparisons
    ]
    path = RESULTS / f"{now:%Y%m%d-%H%M%S}.json"
    path.write_text(
        json.dumps({"time": now.isoformat(), "machine": facts, "comparisons": found, **more}, indent=2) + "\n"
    )
    return path


def figures(times: Sequence[float]) -> dict[str, Any]:
    """All times in the order of the rounds, with their least, median and most, in seconds."""
    return {"seconds": list(times), "min": min(times), "median": median(times), "max": max(times)}

"""How much is tried: the same few things at each run, or ever new ones for `FUZZ_SECONDS` (`make fuzz`)."""

import os
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
CALM: dict[str, Any] = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
BLOCK = 100  # examples between two looks at the clock


def hold(test: Callable[[Any], None], given_: SearchStrategy[Any], examples: int, share: float) -> None:
    """Run a test with so many examples, or with others for its share of the time that there is."""
    phases = (Phase.generate, Phase.shrink)
    if not SECONDS:
        settings(max_examples=examples, derandomize=True, phases=phases, **CALM)(given(given_)(test))()
        return
    end = time.monotonic() + SECONDS * share
    while time.monotonic() < end:
        settings(max_examples=BLOCK, phases=phases, **CALM)(given(given_)(test))()

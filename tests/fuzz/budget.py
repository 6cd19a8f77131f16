"""The budget of the fuzz tests: fixed examples, or random ones for `FUZZ_SECONDS` (`make fuzz`)."""

import os
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

FUZZ_SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
HYPOTHESIS_OPTIONS: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}
EXAMPLES_PER_RUN = 100  # between two checks of the time, if FUZZ_SECONDS is set


def run_fuzz_test(
    test: Callable[[Any], None], strategy: SearchStrategy[Any], example_count: int, time_share: float
) -> None:
    """Run a test with fixed examples, or with random ones for a share of FUZZ_SECONDS if that is set."""
    phases = (Phase.generate, Phase.shrink)
    if not FUZZ_SECONDS:
        fixed = settings(max_examples=example_count, derandomize=True, phases=phases, **HYPOTHESIS_OPTIONS)
        fixed(given(strategy)(test))()
        return
    end = time.monotonic() + FUZZ_SECONDS * time_share
    while time.monotonic() < end:
        settings(max_examples=EXAMPLES_PER_RUN, phases=phases, **HYPOTHESIS_OPTIONS)(given(strategy)(test))()

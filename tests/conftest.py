"""The fixtures for all test folders; each module of tests/fixtures has one subject."""

import gc
import os

pytest_plugins = [
    "tests.fixtures.npx",
    "tests.fixtures.outputs",
    "tests.fixtures.processes",
    "tests.fixtures.service",
    "tests.fixtures.shipped",
    "tests.fixtures.stores",
]

# The tests keep many objects; with the default thresholds, garbage collection took a sixth of their time.
gc.set_threshold(100_000, 50, 100)

# Most tests are about one process that speaks HTTP; tests/fronts is about several.
os.environ.setdefault("WGIG_WORKERS", "1")

"""The fixtures for all test folders; each module of tests/fixtures has one subject."""

import gc

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

"""Fixtures that all folders of tests see; each module of tests/fixtures is a subject."""

import gc

pytest_plugins = [
    "tests.fixtures.npx",
    "tests.fixtures.processes",
    "tests.fixtures.service",
    "tests.fixtures.shipped",
    "tests.fixtures.stores",
]

# The tests keep many objects, and a sixth of their time went into looking whether these are garbage.
gc.set_threshold(100_000, 50, 100)

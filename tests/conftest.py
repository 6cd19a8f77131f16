"""The fixtures for all test folders; each module of tests/fixtures has one subject."""

import gc
import os
import shutil
import tempfile
from pathlib import Path

from httpx2._config import DEFAULT_TIMEOUT_CONFIG

pytest_plugins = [
    "tests.fixtures.docs_site",
    "tests.fixtures.npx",
    "tests.fixtures.outputs",
    "tests.fixtures.processes",
    "tests.fixtures.service",
    "tests.fixtures.shipped",
    "tests.fixtures.stores",
]

# The tests keep many objects; with the default thresholds, garbage collection took a sixth of their time.
gc.set_threshold(100_000, 50, 100)

# Temporary files are in memory where there is room: stores call fsync, and the crash tests waited for the
# disk more than half of their time. `tmp_path_retention_policy` removes the folders of tests that pass.
MEMORY_FOLDER, MIN_FREE_BYTES = Path("/dev/shm"), 8_000_000_000
if (
    "TMPDIR" not in os.environ
    and os.access(MEMORY_FOLDER, os.W_OK)
    and shutil.disk_usage(MEMORY_FOLDER).free >= MIN_FREE_BYTES
):
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY_FOLDER)

# Most tests are about one process that speaks HTTP; tests/fronts is about several.
os.environ.setdefault("WGIG_WORKERS", "1")
# Three parts of the suite share the processors of a machine. What takes 3 s alone reached the limit of 10 s,
# which also ends updates, and the 5 s that clients wait by default. The tests of limits set them themselves.
os.environ.setdefault("WGIG_PAPER_SECONDS", "60")
DEFAULT_TIMEOUT_CONFIG.read = 60

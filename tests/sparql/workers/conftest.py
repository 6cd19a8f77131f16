"""The settings of the service for tests of query workers."""

from pathlib import Path

import pytest
from wgig.settings import MIB, Settings


@pytest.fixture(params=["in memory", "on disk"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Two workers with small limits, which have the quads in memory or read them from disk."""
    max_quads = 100_000 if request.param == "in memory" else 0
    return Settings(store=tmp_path, readers=2, reader_quads=max_quads, query_seconds=1, query_memory=64 * MIB)

"""Settings of readers with small limits."""

from pathlib import Path

import pytest
from wgig.settings import MIB, Settings


@pytest.fixture(params=["in memory", "on disk"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Two readers with small limits, which hold the quads in memory, or read them from disk."""
    most = 100_000 if request.param == "in memory" else 0
    return Settings(store=tmp_path, readers=2, reader_quads=most, query_seconds=1, query_memory=64 * MIB)

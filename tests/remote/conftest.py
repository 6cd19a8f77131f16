"""Fixtures for tests of a shared store with an in-memory engine."""

import pytest
from wgig.remote import claims, copy, ledger, sharing

from tests.fixtures.memory_engine import MemoryEngine


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waits of instances for each other and for the engine."""
    monkeypatch.setattr(claims, "CLAIM_RECHECK_SECONDS", 0.001)
    monkeypatch.setattr(claims, "WAIT_AFTER_REMOVAL_SECONDS", 0.01)
    monkeypatch.setattr(copy, "COPY_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(copy, "WRITER_LOST_SECONDS", 0.1)
    monkeypatch.setattr(ledger, "WRITE_LEASE_SECONDS", 0.5)
    monkeypatch.setattr(ledger, "WAIT_AFTER_REMOVAL_SECONDS", 0.01)
    monkeypatch.setattr(sharing, "WAIT_AFTER_REMOVAL_SECONDS", 0.01)
    monkeypatch.setattr(ledger, "LEDGER_RETRY_SECONDS", 0.01)


@pytest.fixture
def engine() -> MemoryEngine:
    """An engine in memory that loses no updates."""
    return MemoryEngine()

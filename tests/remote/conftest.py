"""Stores over an engine in memory wait less than over one of another machine."""

import pytest
from wgig.remote import claims, copy, ledger, sharing

from tests.fixtures.memory_engine import Memory


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again soon, and give up soon."""
    monkeypatch.setattr(claims, "CLAIM_RECHECK_SECONDS", 0.001)
    monkeypatch.setattr(claims, "WAIT_AFTER_REMOVAL_SECONDS", 0.01)
    monkeypatch.setattr(copy, "COPY_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(copy, "WRITER_GONE_SECONDS", 0.1)
    monkeypatch.setattr(ledger, "WRITE_LEASE_SECONDS", 0.5)
    monkeypatch.setattr(ledger, "WAIT_AFTER_REMOVAL_SECONDS", 0.01)
    monkeypatch.setattr(sharing, "WAIT_AFTER_REMOVAL_SECONDS", 0.01)
    monkeypatch.setattr(ledger, "LEDGER_RETRY_SECONDS", 0.01)


@pytest.fixture
def memory() -> Memory:
    """An engine in memory that does what it is told."""
    return Memory()

"""Stores over an engine in memory wait less than over one of another machine."""

import pytest
from wgig.remote import claims, copy, ledger, sharing

from tests.fixtures.memory_engine import Memory


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again soon, and give up soon."""
    monkeypatch.setattr(claims, "AGAIN", 0.001)
    monkeypatch.setattr(claims, "LATE", 0.01)
    monkeypatch.setattr(copy, "PAUSE", 0.01)
    monkeypatch.setattr(copy, "GONE", 0.1)
    monkeypatch.setattr(ledger, "LEASE", 0.5)
    monkeypatch.setattr(ledger, "LATE", 0.01)
    monkeypatch.setattr(sharing, "LATE", 0.01)
    monkeypatch.setattr(ledger, "AGAIN", 0.01)


@pytest.fixture
def memory() -> Memory:
    """An engine in memory that does what it is told."""
    return Memory()

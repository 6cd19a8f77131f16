"""The position of the engine is never replaced by an earlier one."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from wgig.rdf.serialization import parse_graph_document
from wgig.store import transactions
from wgig.store.position import EnginePosition
from wgig.store.store import Store

RULE = "CONSTRUCT { ?s a <urn:Animal> } WHERE { ?s a <urn:Cat> }"


def read_position(folder: Path) -> EnginePosition:
    position = EnginePosition.read(folder)
    assert position
    return position


class SlowFlush:
    """A flush on another thread that has made its position, and waits before the engine is flushed."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """Start the flush, and wait until it waits."""
        is_waiting, self.goes_on = threading.Event(), threading.Event()
        make_position, thread = store._make_position, threading.Thread(target=store.flush)

        def make_position_and_wait() -> EnginePosition:
            position = make_position()
            if threading.current_thread() is thread:
                self.position = position
            return position

        def write_position(position: EnginePosition, folder: Path) -> None:
            if threading.current_thread() is thread:
                is_waiting.set()
                assert self.goes_on.wait(60)
            real_write(position, folder)

        real_write: Any = store._write_position
        monkeypatch.setattr(store, "_make_position", make_position_and_wait)
        monkeypatch.setattr(store, "_write_position", write_position)
        self.thread = thread
        thread.start()
        assert is_waiting.wait(60)

    def finish(self) -> None:
        """Let the flush go on, and wait for its end."""
        self.goes_on.set()
        self.thread.join(60)


def test_a_slow_flush_does_not_undo_a_later_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(tmp_path)
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    slow_flush = SlowFlush(store, monkeypatch)
    store.update("INSERT DATA { <urn:s> <urn:p> 2 }")
    store.flush()
    slow_flush.finish()
    assert read_position(tmp_path).version == 2


def test_a_slow_flush_does_not_undo_the_mark_of_a_large_addition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mark says that what is derived must be computed anew if the addition is interrupted."""
    monkeypatch.setattr(transactions, "MIN_BULK_QUADS", 2)
    store = Store.open(tmp_path, [RULE])
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    assert read_position(tmp_path).rules
    slow_flush = SlowFlush(store, monkeypatch)
    monkeypatch.setattr(store, "flush", lambda: None)
    triples = parse_graph_document(b"<urn:tom> a <urn:Cat> . <urn:kit> a <urn:Cat> .", "text/turtle")
    store.replace({"urn:g": triples})
    slow_flush.finish()
    assert read_position(tmp_path) == replace(slow_flush.position, version=0, rules="")

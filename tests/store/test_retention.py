"""Old content is removed from the change log: named versions for good, or all before some time."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from wgig.store.change import Change
from wgig.store.change_log import ChangeLog, NewCommit, ReplacedContent
from wgig.store.errors import MissingChangesError, StoreError
from wgig.store.retention import compact_log, erase_content

from .test_change_log import GRAPH, make_commit, make_quad

SECRET = 77_777  # a value that nothing else contains


@pytest.fixture
def log(tmp_path: Path) -> ChangeLog:
    """A log whose versions 1 to 9 set the value of the graph to SECRET and the eight numbers after it."""
    log = ChangeLog(tmp_path / "log.sqlite")
    for value in range(9):
        commit = make_commit(log, SECRET + value)
        log.append([commit if value else NewCommit(Change((), commit.change.added))])
    return log


def serialize_value(value: int) -> bytes:
    return f"{make_quad(value).triple} .\n".encode()


def test_an_erased_content_is_gone_and_the_others_remain(log: ChangeLog) -> None:
    erase_content(log, log.keep_content(serialize_value(SECRET + 2)))
    with pytest.raises(MissingChangesError, match="erased by the operator"):
        log.read_graph(GRAPH, 3)
    with pytest.raises(MissingChangesError, match="erased by the operator"):
        log.read_content(log.keep_content(serialize_value(SECRET + 2)))
    for version in (1, 2, 4, 5, 9):
        assert log.read_graph(GRAPH, version) == serialize_value(SECRET + version - 1)
    assert [entry.version for entry in log.iter_entries()] == list(range(1, 10))


def test_no_entry_has_the_erased_quad(log: ChangeLog) -> None:
    erase_content(log, log.keep_content(serialize_value(SECRET + 2)))
    changes = [entry.change for entry in log.iter_entries()]
    quads = {quad for change in changes if change for quad in (*change.removed, *change.added)}
    assert make_quad(SECRET + 2) not in quads
    assert {make_quad(SECRET + 1), make_quad(SECRET + 3)} <= quads


def test_a_content_that_came_back_is_erased_everywhere(log: ChangeLog) -> None:
    content = serialize_value(SECRET + 2)
    replaced = ReplacedContent(
        GRAPH, serialize_value(SECRET + 8), log.keep_content(serialize_value(SECRET + 8))
    )
    log.append([NewCommit(Change((make_quad(SECRET + 8),), (make_quad(SECRET + 2),)), replaced=[replaced])])
    log.append(
        [
            NewCommit(
                Change((make_quad(SECRET + 2),)),
                replaced=[ReplacedContent(GRAPH, content, log.keep_content(content))],
            )
        ]
    )
    erase_content(log, log.keep_content(content))
    assert log.read_graph(GRAPH, 11) == b""
    for version in (3, 10):
        with pytest.raises(MissingChangesError, match="erased by the operator"):
            log.read_graph(GRAPH, version)


def test_an_unknown_content_cannot_be_erased(log: ChangeLog) -> None:
    with pytest.raises(StoreError, match="has no version"):
        erase_content(log, log.keep_content(serialize_value(SECRET + 8)))


def test_compacting_keeps_the_contents_since_then(log: ChangeLog) -> None:
    entries = list(log.iter_entries())
    assert compact_log(log, entries[5].time) == 5
    assert compact_log(log, entries[5].time) == 0
    for version in (5, 6, 7, 8, 9):
        assert log.read_graph(GRAPH, version) == serialize_value(SECRET + version - 1)
    for version in (1, 2, 3, 4):
        with pytest.raises(MissingChangesError):
            log.read_graph(GRAPH, version)
    assert [entry.origin for entry in log.iter_entries()] == [entry.origin for entry in entries]


def test_a_graph_can_be_changed_after_everything_was_compacted(log: ChangeLog) -> None:
    compact_log(log, datetime.now(UTC))
    log.append([make_commit(log, SECRET + 9)])
    assert log.read_graph(GRAPH, 10) == serialize_value(SECRET + 9)
    assert log.read_graph(GRAPH, 9) == serialize_value(SECRET + 8)

"""The mark of what agrees with the quads."""

import os
from pathlib import Path

from wgig.store.recovery import CleanMark


def test_a_mark_has_its_text_until_it_is_removed(tmp_path: Path) -> None:
    mark = CleanMark(tmp_path / "mark")
    assert (mark.read(), mark.remove()) == ("", False)
    mark.write("one")
    mark.write("two")
    assert (mark.read(), mark.remove(), mark.read()) == ("two", True, "")


def test_a_mark_that_a_backup_holds_by_a_link_is_not_changed_there(tmp_path: Path) -> None:
    mark = CleanMark(tmp_path / "mark")
    mark.write("one")
    os.link(mark.path, tmp_path / "backup")
    mark.write("two")
    assert (tmp_path / "backup").read_text() == "one"


def test_a_mark_of_damaged_bytes_is_that_of_no_write(tmp_path: Path) -> None:
    mark = CleanMark(tmp_path / "mark")
    mark.path.write_bytes(b"\xff\xfe")
    assert mark.read() not in ("", "one")

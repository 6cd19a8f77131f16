"""A mark is a file that exists while derived data agrees with the quads; its text names the last write."""

import os
from pathlib import Path

from wgig.store.recovery import CleanMark


def test_a_mark_has_its_text_until_it_is_removed(tmp_path: Path) -> None:
    mark = CleanMark(tmp_path / "mark")
    assert (mark.read(), mark.remove()) == ("", False)
    mark.write("one")
    mark.write("two")
    assert (mark.read(), mark.remove(), mark.read()) == ("two", True, "")


def test_a_mark_that_a_backup_links_is_not_changed_in_the_backup(tmp_path: Path) -> None:
    mark = CleanMark(tmp_path / "mark")
    mark.write("one")
    os.link(mark.path, tmp_path / "backup")
    mark.write("two")
    assert (tmp_path / "backup").read_text() == "one"


def test_a_damaged_mark_matches_no_write(tmp_path: Path) -> None:
    mark = CleanMark(tmp_path / "mark")
    mark.path.write_bytes(b"\xff\xfe")
    assert mark.read() not in ("", "one")  # neither absent nor the text of a write

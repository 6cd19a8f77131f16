"""The folder of a store is private, and an error of the system about it becomes a sentence with the fix."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from wgig.cli.main import main
from wgig.projections import make_projections
from wgig.store.errors import StoreError, build_store_error, translate_disk_errors
from wgig.store.files import ASIDE_FOLDER
from wgig.store.folder import CHANGE_LOG_FILE, QUADS_FOLDER
from wgig.store.store import Store

from tests.fixtures.stores import BASE

FOLDER = Path("/srv/store")


@pytest.mark.parametrize(
    ("error_number", "sentence"),
    [
        (errno.EACCES, "cannot be read or written with your permissions; change its owner"),
        (errno.EROFS, "is on a read-only file system; give another folder with --store"),
        (errno.ENOSPC, "is on a disk that is full; free some space"),
        (errno.EDQUOT, "exceeds your disk quota; free some space"),
        (errno.EMFILE, "needs more open files than the system allows; raise the limit: ulimit -n"),
        (errno.EEXIST, "is not a folder; give a folder with --store"),
        (errno.ENOTDIR, "is not a folder; give a folder with --store"),
    ],
    ids=errno.errorcode.get,
)
def test_an_error_of_the_system_is_explained(error_number: int, sentence: str) -> None:
    with pytest.raises(StoreError, match=f"^The store /srv/store {sentence}"), translate_disk_errors(FOLDER):
        raise OSError(error_number, os.strerror(error_number))


def test_an_unknown_error_is_reported_unchanged() -> None:
    assert str(build_store_error(RuntimeError("odd"), FOLDER)) == "The store /srv/store failed: odd."


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Files and folders are readable and writable for all, if the program does not care."""
    umask = os.umask(0)
    yield
    os.umask(umask)


@pytest.mark.usefixtures("open_umask")
def test_only_the_owner_of_a_new_store_can_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WGIG_DATA", "none")
    store = Store.open(tmp_path / "new" / "store")
    assert store.folder
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    store.close()
    del store
    for name in ("store", "restored"):
        folder = tmp_path / "new" / name
        assert main(["backup", str(tmp_path / "backups"), "--store", str(tmp_path / "new" / "store")]) == 0
        assert main(["restore", str(tmp_path / "backups"), "--store", str(folder)]) == 0
        for path in (folder, folder / ASIDE_FOLDER, folder / QUADS_FOLDER, folder / CHANGE_LOG_FILE):
            assert not path.stat().st_mode & 0o077, path
    assert not (tmp_path / "new").stat().st_mode & 0o077
    assert not (tmp_path / "backups").stat().st_mode & 0o077


@pytest.mark.usefixtures("open_umask")
def test_what_a_store_has_aside_is_private_in_a_folder_that_existed(tmp_path: Path) -> None:
    (tmp_path / ASIDE_FOLDER).mkdir()  # by an older version
    store = Store.open(tmp_path)
    projections = make_projections(store, BASE)
    projections.search_index.ensure_current()
    projections.resource_versions.ensure_current()
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    assert not (tmp_path / ASIDE_FOLDER).stat().st_mode & 0o077
    databases = [
        path for path in (tmp_path / ASIDE_FOLDER).rglob("*") if path.name.startswith(("things", "changes"))
    ]
    assert len(databases) >= 4  # with their write-ahead logs
    assert [path for path in databases if path.stat().st_mode & 0o077] == []
    assert not (tmp_path / QUADS_FOLDER).stat().st_mode & 0o077

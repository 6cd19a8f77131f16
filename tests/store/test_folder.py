"""An error of the system about the folder of a store becomes a sentence with the cause and the fix."""

import errno
import os
from pathlib import Path

import pytest
from wgig.store.errors import StoreError, build_store_error, translate_disk_errors

FOLDER = Path("/srv/store")


@pytest.mark.parametrize(
    ("error_number", "sentence"),
    [
        (errno.EACCES, "may not be read or written by you; change its owner"),
        (errno.EROFS, "is on a read-only file system; give another folder with --store"),
        (errno.ENOSPC, "is on a disk that is full; free some space"),
        (errno.EDQUOT, "is over your disk quota; free some space"),
        (errno.EMFILE, "needs more open files than the system allows; raise the limit: ulimit -n"),
        (errno.ENOTDIR, "is not a folder; give a folder with --store"),
    ],
    ids=errno.errorcode.get,
)
def test_an_error_of_the_system_is_explained(error_number: int, sentence: str) -> None:
    with pytest.raises(StoreError, match=f"^The store /srv/store {sentence}"), translate_disk_errors(FOLDER):
        raise OSError(error_number, os.strerror(error_number))


def test_an_unknown_error_is_reported_unchanged() -> None:
    assert str(build_store_error(RuntimeError("odd"), FOLDER)) == "The store /srv/store failed: odd."

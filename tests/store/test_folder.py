"""What the disk says, as a sentence with the mend."""

import errno
import os
from pathlib import Path

import pytest
from wgig.store.errors import StoreError, build_store_error, translate_disk_errors

FOLDER = Path("/srv/store")


@pytest.mark.parametrize(
    ("code", "sentence"),
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
def test_an_error_of_the_system_is_explained(code: int, sentence: str) -> None:
    with pytest.raises(StoreError, match=f"^The store /srv/store {sentence}"), translate_disk_errors(FOLDER):
        raise OSError(code, os.strerror(code))


def test_what_nobody_foresaw_is_said_as_it_is() -> None:
    assert str(build_store_error(RuntimeError("odd"), FOLDER)) == "The store /srv/store failed: odd."

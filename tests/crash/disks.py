"""Disks of our own (Linux, as root): what is on them can be told, and they fail when they are to."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SIZE = 256 * 1024 * 1024  # bytes; what is not written takes no room
# The journal of the file system is not written because time goes by, only where somebody waits for that.
LAZY = ("-o", "loop,commit=600")


def system(*command: str | Path) -> None:
    """Run a command. Raises CalledProcessError, or FileNotFoundError where there is none."""
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def mounted(what: str | Path, folder: Path, *options: str) -> Iterator[Path]:
    """Around the use of a disk, which is to be found in the folder."""
    folder.mkdir(exist_ok=True)
    system("mount", *options, what, folder)
    try:
        yield folder
    finally:
        system("umount", folder)


def formatted(image: Path) -> Path:
    """A file that is an empty disk. Skips the test where such a disk cannot be used."""
    image.touch()
    os.truncate(image, SIZE)
    try:
        system("mkfs.ext4", "-q", image)
        with mounted(image, image.with_name("probe"), *LAZY):
            pass
    except FileNotFoundError as error:
        pytest.skip(f"a disk of our own needs {error.filename}")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no disk of our own can be mounted: {error.stderr.decode().strip()}")
    return image


def copy(image: Path, left: Path) -> None:
    """Make a disk of what would be left on another one if its power failed now.

    What was written and not brought to disk is held by the file system alone, and is not in the file that it
    takes for a disk. Nothing may be written meanwhile.
    """
    system("cp", "--sparse=always", image, left)


def fail(folder: Path) -> None:
    """Have the file system in a folder give up its disk: it takes no write until it is mounted anew."""
    system("mount", "-o", "remount,abort", folder)

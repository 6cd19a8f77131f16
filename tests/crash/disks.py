"""Disk images mounted by a loop device (Linux, as root), which can be copied and made to fail."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

IMAGE_BYTES = 256 * 1024 * 1024  # sparse, so it occupies only what is written
# The file system writes its journal only on a sync, or after 600 s.
LAZY_COMMIT_OPTIONS = ("-o", "loop,commit=600")


def run_system_command(*command: str | Path) -> None:
    """Run a command. Raises CalledProcessError, or FileNotFoundError if the command does not exist."""
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def mount_image(image: str | Path, folder: Path, *options: str) -> Iterator[Path]:
    """Context in which a disk image is mounted on a folder."""
    folder.mkdir(exist_ok=True)
    run_system_command("mount", *options, image, folder)
    try:
        yield folder
    finally:
        run_system_command("umount", folder)


def format_image(image: Path) -> Path:
    """Create an empty disk image. Skips the test if images cannot be mounted."""
    image.touch()
    os.truncate(image, IMAGE_BYTES)
    try:
        # By default, so small a file system has blocks of 1 KiB: SQLite reserves space for its shared memory
        # in pages of 4 KiB, so the process would be killed (SIGBUS) on a full disk.
        run_system_command("mkfs.ext4", "-q", "-b", "4096", image)
        with mount_image(image, image.with_name("probe"), *LAZY_COMMIT_OPTIONS):
            pass
    except FileNotFoundError as error:
        pytest.skip(f"a disk image needs {error.filename}")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no disk image can be mounted: {error.stderr.decode().strip()}")
    return image


def copy_image(image: Path, copy: Path) -> None:
    """Copy a disk image as a power failure would leave it now.

    Data that was not synced is only in the file system, not in the image file. Nothing may be written
    meanwhile.
    """
    run_system_command("cp", "--sparse=always", image, copy)


def abort_file_system(folder: Path) -> None:
    """Make the file system on a folder fail: it refuses writes until it is mounted again."""
    run_system_command("mount", "-o", "remount,abort", folder)

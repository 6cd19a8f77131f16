"""What a service has open, and which of its processes are left."""

import subprocess
from pathlib import Path

from bench.measure.commands import PYTHON
from bench.soak.samples import Watched


def test_a_process_that_is_left_is_told(tmp_path: Path) -> None:
    with subprocess.Popen([PYTHON, "-c", "input()"], stdin=subprocess.PIPE) as process:
        watched = Watched(process.pid, 0, tmp_path, tmp_path)
        watched.seen[process.pid] = "another time"
        assert not watched.left(), "the number belongs to another process by now"
        watched.note([process.pid])
        assert watched.left(grace=0) == [process.pid]
        process.communicate(b"\n")
        assert not watched.left()

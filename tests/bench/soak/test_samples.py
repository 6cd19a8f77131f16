"""Processes that are left after a service was stopped are found."""

import subprocess
from pathlib import Path

from bench.measure.commands import PYTHON
from bench.soak.samples import ServiceMonitor


def test_a_process_that_is_left_is_found(tmp_path: Path) -> None:
    with subprocess.Popen([PYTHON, "-c", "input()"], stdin=subprocess.PIPE) as process:
        monitor = ServiceMonitor(process.pid, 0, tmp_path, tmp_path)
        monitor.start_times[process.pid] = "another time"
        assert not monitor.find_left_processes(), "the process with this ID is another one"
        monitor.remember_processes([process.pid])
        assert monitor.find_left_processes(timeout_seconds=0) == [process.pid]
        process.communicate(b"\n")
        assert not monitor.find_left_processes()

"""The measured CPU includes all descendants of a process."""

import os
import subprocess
import sys
import time

from bench.measure import processes


def test_the_cpu_of_a_process_includes_its_ended_and_running_children() -> None:
    use_cpu = "import time\nwhile time.process_time() < 0.2: pass\n"
    parent = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {use_cpu!r}]); "
        "print(flush=True); input()"
    )
    command = [sys.executable, "-c", parent]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # the child of the process has ended
        assert processes.measure_cpu_seconds(process.pid) >= 0.2
        assert process.pid in processes.iter_process_tree(os.getpid())
        cpu_before, start = processes.measure_cpu_seconds(os.getpid()), time.process_time()
        assert processes.measure_memory_bytes(process.pid) > 2**20
        cpu_seconds = processes.measure_cpu_seconds(os.getpid()) - cpu_before
        # The CPU of this process counts too; a tick is a hundredth of a second.
        assert cpu_seconds >= time.process_time() - start - 0.01
        process.communicate(b"\n")
    assert processes.measure_cpu_seconds(process.pid) == 0  # it has ended

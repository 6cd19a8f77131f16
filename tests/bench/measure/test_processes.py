"""No CPU of a server is left out."""

import os
import subprocess
import sys
import time

from bench.measure import processes


def test_the_cpu_of_a_process_counts_what_it_started_and_what_ended() -> None:
    burn = "import time\nwhile time.process_time() < 0.2: pass\n"
    wait = "print(flush=True); input()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}]); {wait}"
    words = [sys.executable, "-c", parent]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert processes.cpu(process.pid) >= 0.2
        assert process.pid in processes.family(os.getpid())
        before, start = processes.cpu(os.getpid()), time.process_time()
        assert processes.memory(process.pid) > 2**20
        assert processes.cpu(os.getpid()) - before >= time.process_time() - start - 0.01
        process.communicate(b"\n")
    assert processes.cpu(process.pid) == 0

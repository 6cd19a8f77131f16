"""Run a command once for each of its steps in the file system, and kill it before that step.

    python moments.py FOLDER COMMAND...

Each run works in a copy of the folder: FOLDER-1 is killed before the first step, FOLDER-2 before the second,
until a run ends by itself. Prints the steps, one per line.
"""

import os
import shutil
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any

from wgig.cli import backup
from wgig.cli.main import main
from wgig.store.backup import verification

# Modules of the commands, imported before the forks. No store is opened: a fork does not copy its threads.
COMMANDS = {"backup": backup, "restore": backup}
STEP_EVENTS = ("os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.link")  # audit events of Python
PROBE_COUNT = 50  # enough for a small store; the default takes most of the time of a backup


def run_until_step(folder: Path, command: list[str], step: int, output_descriptor: int) -> None:
    """In a child process: run the command in a folder, and kill the process before a step."""
    step_count, previous_event = 0, ""

    def count_step(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal step_count, previous_event
        # Consecutive removals of files count as one step. A mkdir of an existing folder changes nothing.
        is_ignored = event == previous_event == "os.remove" or (
            event == "os.mkdir" and Path(arguments[0]).exists()
        )
        if event in STEP_EVENTS and not is_ignored:
            step_count += 1
            previous_event = event
            if step_count == step:
                os.write(output_descriptor, f"{event} {arguments[:2]}\n".encode())
                os.kill(os.getpid(), signal.SIGKILL)

    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # hides the output of the command
    sys.addaudithook(count_step)
    os._exit(main(command))


def kill_at_each_step(folder: Path, command: list[str]) -> int:
    """Kill the command before each of its steps. Returns the exit code of the run that ended by itself."""
    output_descriptor = os.dup(1)
    for step in count(1):
        run_folder = folder.with_name(f"{folder.name}-{step}")
        shutil.copytree(folder, run_folder)
        child = os.fork()
        if not child:
            run_until_step(run_folder, command, step, output_descriptor)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code != -signal.SIGKILL:
            return code
    raise AssertionError("the loop returns")


if __name__ == "__main__":
    assert sys.argv[2] in COMMANDS
    verification.PROBE_COUNT = PROBE_COUNT
    sys.exit(kill_at_each_step(Path(sys.argv[1]).resolve(), sys.argv[2:]))

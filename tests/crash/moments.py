"""Run a command once for each step that it takes in the file system, and kill it before that step.

    python moments.py FOLDER COMMAND...

Each run works in a copy of the folder: FOLDER-1 is killed before the first step, FOLDER-2 before the second,
until a run comes to its end. Prints the steps, one a line.
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

# Imported once, before the forks. No store is opened here, as its threads would not come along.
COMMANDS = {"backup": backup, "restore": backup}
STEPS = ("os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.link")


def killed(folder: Path, command: list[str], moment: int, out: int) -> None:
    """In a child: run the command in a folder, and be killed before the step of that number."""
    steps, before = 0, ""

    def step(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal steps, before
        # The files of one folder are removed in a row.
        idle = event == before == "os.remove" or (event == "os.mkdir" and Path(arguments[0]).exists())
        if event in STEPS and not idle:
            steps += 1
            before = event
            if steps == moment:
                os.write(out, f"{event} {arguments[:2]}\n".encode())
                os.kill(os.getpid(), signal.SIGKILL)

    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.addaudithook(step)
    os._exit(main(command))


def run(folder: Path, command: list[str]) -> int:
    """Kill the command at each of its moments; returns the exit code of the run that came to its end."""
    out = os.dup(1)
    for moment in count(1):
        copy = folder.with_name(f"{folder.name}-{moment}")
        shutil.copytree(folder, copy)
        child = os.fork()
        if not child:
            killed(copy, command, moment, out)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code != -signal.SIGKILL:
            return code
    raise AssertionError("a run comes to its end")


if __name__ == "__main__":
    assert sys.argv[2] in COMMANDS
    sys.exit(run(Path(sys.argv[1]).resolve(), sys.argv[2:]))

"""The plan of a query as the engine makes it: its own command tells it, for the library does not.

The command is of the same release as the library. It plans by the shape of the patterns alone, so it is asked
over an empty store, in a process of its own that can be ended.
"""

import atexit
import json
import re
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

import pyoxigraph as ox

from ..problems import Problem
from ..settings import MIB

SECONDS = 5
MEMORY = 256 * MIB
KILLED = "killed"
OUTPUTS = {"SELECT": "json", "ASK": "json", "CONSTRUCT": "nt", "DESCRIBE": "nt"}

_NAME = re.compile(r"(\w+)(?:\((.*)\))?", re.DOTALL)


@dataclass(frozen=True)
class Step:
    """A step of the plan: its name as the engine has it, what stands in its brackets, and the steps below."""

    name: str
    detail: str
    parts: tuple["Step", ...]

    def walk(self) -> Iterator["Step"]:
        """This step and all below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


def plan(text: str, form: str, base: str) -> Step:
    """The plan of a query of this form, whose relative IRIs stand below `base`.

    Raises SyntaxError where the text does not parse, Problem 422 where it cannot be planned, 503 where that
    takes more than five seconds or 256 MiB.
    """
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "plan.json"
        command = [installed(), "query", "--location", empty_store().name, "--explain-file", told]
        command += ["--query-base", base, "--results-format", OUTPUTS[form]]
        said = run([str(part) for part in command], text)
        syntax = re.search(r"error at \d+:\d+: .*", said)
        if syntax:
            raise SyntaxError(syntax[0])
        if not told.exists() or said:
            raise refusal(said)
        return read_step(json.loads(told.read_text("utf-8"))["plan"])


@cache
def installed() -> Path:
    """Where the command is, wherever its package was installed."""
    files = distribution("oxigraph").files or []
    return next(Path(str(file.locate())) for file in files if file.stem == "oxigraph")


@cache
def empty_store() -> tempfile.TemporaryDirectory[str]:
    """A folder with a store that holds nothing; it goes with this process."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    ox.Store(folder.name).flush()
    return folder


def run(command: list[str], text: str) -> str:
    """What the command says against a text that it gets; empty where it is content."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=subprocess.PIPE) as process:
        if hasattr(resource, "prlimit"):
            resource.prlimit(process.pid, resource.RLIMIT_DATA, (MEMORY, MEMORY))
        try:
            _, said = process.communicate(text.encode(), SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return KILLED
        return "" if process.returncode == 0 else KILLED if process.returncode < 0 else said.decode()


def refusal(said: str) -> Problem:
    """Why there is no plan."""
    if said == KILLED:
        return too_large()
    reason = said.partition("\n")[0].removeprefix("Error: ").rstrip(".")
    return Problem(422, f"The query is well written, but cannot be planned: {reason}.")


def too_large() -> Problem:
    """The 503 for a query whose plan takes too much."""
    return Problem(503, "To plan this query takes more than this service may spend. Ask in smaller parts.")


def read_step(told: dict[str, object]) -> Step:
    """A step as the engine writes it, with those below."""
    found = _NAME.fullmatch(str(told["name"]))
    assert found
    below = told.get("children", [])
    assert isinstance(below, list)
    return Step(found[1], found[2] or "", tuple(map(read_step, below)))

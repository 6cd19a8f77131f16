"""The query plan from Oxigraph's command line tool, as the library does not expose it, and pattern counts.

The tool is of the same release as the library. The planner sees only the shape of the patterns, so it runs on
an empty store, in a process of its own with a limit of 5 seconds and 256 MiB. Matches of the patterns are
counted in the real data, up to 100,000 each and for about a second in all.
"""

import atexit
import io
import json
import re
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox

from ..problems import Problem
from ..settings import MIB
from ..store.store import Store
from ..store.view import QueryDataset

PLAN_SECONDS = 5
MAX_PLAN_MEMORY_BYTES = 256 * MIB
PLANNER_KILLED = "killed"
PLANNER_OUTPUT_FORMATS = {"SELECT": "json", "ASK": "json", "CONSTRUCT": "nt", "DESCRIBE": "nt"}

_STEP_NAME_PATTERN = re.compile(r"(\w+)(?:\((.*)\))?", re.DOTALL)


@dataclass(frozen=True)
class PlanStep:
    """A step of the plan: its name as the engine has it, what stands in its brackets, and the steps below."""

    name: str
    detail: str
    parts: tuple["PlanStep", ...]

    def walk(self) -> Iterator["PlanStep"]:
        """This step and all below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


def plan_query(text: str, form: str, base: str) -> PlanStep:
    """The plan of a query of this form, whose relative IRIs stand below `base`.

    Raises SyntaxError where the text does not parse, Problem 422 where it cannot be planned, 503 where that
    takes more than five seconds or 256 MiB.
    """
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "plan.json"
        command = [
            find_planner_command(),
            "query",
            "--location",
            make_empty_store().name,
            "--explain-file",
            told,
        ]
        command += ["--query-base", base, "--results-format", PLANNER_OUTPUT_FORMATS[form]]
        said = run_planner([str(part) for part in command], text)
        syntax = re.search(r"error at \d+:\d+: .*", said)
        if syntax:
            raise SyntaxError(syntax[0])
        if not told.exists() or said:
            raise planner_refusal_problem(said)
        return parse_plan_step(json.loads(told.read_text("utf-8"))["plan"])


@cache
def find_planner_command() -> Path:
    """Where the command is, wherever its package was installed."""
    files = distribution("oxigraph").files or []
    return next(Path(str(file.locate())) for file in files if file.stem == "oxigraph")


@cache
def make_empty_store() -> tempfile.TemporaryDirectory[str]:
    """A folder with a store that holds nothing; it goes with this process."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    ox.Store(folder.name).flush()
    return folder


def run_planner(command: list[str], text: str) -> str:
    """What the command says against a text that it gets; empty where it is content."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=subprocess.PIPE) as process:
        if hasattr(resource, "prlimit"):
            resource.prlimit(
                process.pid, resource.RLIMIT_DATA, (MAX_PLAN_MEMORY_BYTES, MAX_PLAN_MEMORY_BYTES)
            )
        try:
            _, said = process.communicate(text.encode(), PLAN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return PLANNER_KILLED
        return "" if process.returncode == 0 else PLANNER_KILLED if process.returncode < 0 else said.decode()


def planner_refusal_problem(said: str) -> Problem:
    """Why there is no plan."""
    if said == PLANNER_KILLED:
        return plan_too_large_problem()
    reason = said.partition("\n")[0].removeprefix("Error: ").rstrip(".")
    return Problem(422, f"The query is well written, but cannot be planned: {reason}.")


def plan_too_large_problem() -> Problem:
    """The 503 for a query whose plan takes too much."""
    return Problem(503, "To plan this query takes more than this service may spend. Ask in smaller parts.")


def parse_plan_step(told: dict[str, object]) -> PlanStep:
    """A step as the engine writes it, with those below."""
    found = _STEP_NAME_PATTERN.fullmatch(str(told["name"]))
    assert found
    below = told.get("children", [])
    assert isinstance(below, list)
    return PlanStep(found[1], found[2] or "", tuple(map(parse_plan_step, below)))


MAX_COUNTED_STATEMENTS = 100_000  # statements that are counted for a pattern
COUNT_SECONDS = 1.0  # until no further pattern is counted

# As the engine writes the terms of a plan; what is told of a triple is one of them. A path ends in a bracket.
_TERM_SPELLING_PATTERN = r'<<.*>>|<[^<>]*>|\?\w+|"(?:[^"\\]|\\.)*"(?:@[\w-]+|\^\^<[^<>]*>)?'
_PLAN_TERM_PATTERN = re.compile(_TERM_SPELLING_PATTERN)
_PLAN_PATH_PATTERN = re.compile(
    rf"({_TERM_SPELLING_PATTERN}) ([!(^].*\)[*+?]?) ({_TERM_SPELLING_PATTERN})"
    rf"(?: ({_TERM_SPELLING_PATTERN}))?"
)
_PLAN_PROPERTY_PATTERN = re.compile(r"<[^<>]*>")


class StatementCount(NamedTuple):
    """How many statements match a pattern: fewer, if `is_upper_bound`; more, if `is_lower_bound`."""

    number: int
    is_upper_bound: bool = False
    is_lower_bound: bool = False

    def __str__(self) -> str:
        """The number in words."""
        if self.is_lower_bound:
            return f"more than {MAX_COUNTED_STATEMENTS:,} statements"
        few = "at most " if self.is_upper_bound and self.number else ""
        return f"{few}{self.number:,} statement{'' if self.number == 1 else 's'}"


def count_plan_statements(
    steps: Iterable[PlanStep], store: Store, dataset: QueryDataset
) -> dict[str, StatementCount]:
    """The statements in the dataset for each pattern of a plan, and for each property of its paths.

    The key is the pattern as the plan writes it, or the IRI in < and >. What there is no time for is missing.
    """
    begun = time.monotonic()
    found: dict[str, StatementCount] = {}
    for wanted in dict.fromkeys(one for step in steps for one in list_counted_patterns(step)):
        if time.monotonic() - begun > COUNT_SECONDS:
            break
        found[wanted] = count_pattern_statements(wanted, store, dataset)
    return found


def list_counted_patterns(step: PlanStep) -> list[str]:
    """What is to be counted for a step."""
    if step.name == "QuadPattern":
        return [step.detail]
    return _PLAN_PROPERTY_PATTERN.findall(split_pattern_terms(step.detail)[1]) if step.name == "Path" else []


def split_pattern_terms(pattern: str) -> list[str]:
    """Subject, predicate or path, object, and the graph where one is named."""
    path = _PLAN_PATH_PATTERN.fullmatch(pattern)
    return [one for one in path.groups() if one] if path else _PLAN_TERM_PATTERN.findall(pattern)


def count_pattern_statements(pattern: str, store: Store, dataset: QueryDataset) -> StatementCount:
    """The statements for one pattern, by a query that stops after the bound."""
    slots = (
        split_pattern_terms(pattern)
        if not pattern.startswith("<") or " " in pattern
        else ["?s", pattern, "?o"]
    )
    variables = [slot for slot in slots if slot.startswith("?")]
    names = [f"?v{place}" if slot.startswith("?") else slot for place, slot in enumerate(slots)]
    inner = " ".join(names[:3])
    if len(names) > 3:
        inner = f"GRAPH {names[3]} {{ {inner} }}"
    out = io.BytesIO()
    # Two names for a variable that stands twice: what has the same in both places cannot be counted in time.
    query = (
        f"SELECT (COUNT(*) AS ?n) {{ SELECT (1 AS ?one) {{ {inner} }} LIMIT {MAX_COUNTED_STATEMENTS + 1} }}"
    )
    store.query(query, "text/csv", out, dataset)
    number = int(out.getvalue().split()[1])
    return StatementCount(
        min(number, MAX_COUNTED_STATEMENTS),
        len(set(variables)) < len(variables),
        number > MAX_COUNTED_STATEMENTS,
    )

"""Query plans, and counts of the statements that match the patterns of a plan.

A plan comes from Oxigraph's command line tool, because the library does not return plans. The tool and the
library are of the same release. The planner uses only the shape of the patterns, so it runs on an empty
store, in a separate process with limits of 5 seconds and 256 MiB. Matches of the patterns are counted in the
store of the service, up to 100,000 for each pattern and for about a second in total.
"""

import atexit
import io
import json
import logging
import re
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox

from ..problems import Problem, missing_extra_problem
from ..settings import MIB
from ..store.store import Store
from ..store.view import QueryDataset

PLAN_SECONDS = 5
MAX_PLAN_MEMORY_BYTES = 256 * MIB
PLANNER_KILLED = "killed"  # the message of `run_planner` if the planner exceeds a limit
PLANNER_OUTPUT_FORMATS = {"SELECT": "json", "ASK": "json", "CONSTRUCT": "nt", "DESCRIBE": "nt"}

log = logging.getLogger("wgig")

_STEP_NAME_PATTERN = re.compile(r"(\w+)(?:\((.*)\))?", re.DOTALL)


@dataclass(frozen=True)
class PlanStep:
    """A step of the plan: its name in the engine, the text in parentheses after it, and its child steps."""

    name: str
    detail: str
    children: tuple["PlanStep", ...]

    def walk(self) -> Iterator["PlanStep"]:
        """This step and all its descendants."""
        yield self
        for child in self.children:
            yield from child.walk()


def plan_query(text: str, form: str, base: str) -> PlanStep:
    """The plan of a query, with relative IRIs resolved against `base`; `form` is SELECT, ASK and so on.

    Raises SyntaxError for a syntax error, Problem 422 if the query cannot be planned, 501 without the extra
    `explain`, 503 if planning takes more than 5 seconds or 256 MiB, or the planner cannot read its store.
    """
    store_folder = find_empty_store()
    with tempfile.TemporaryDirectory() as folder:
        plan_file = Path(folder) / "plan.json"
        command = [
            find_planner_command(),
            "query",
            "--location",
            store_folder,
            "--explain-file",
            plan_file,
        ]
        command += ["--query-base", base, "--results-format", PLANNER_OUTPUT_FORMATS[form]]
        message = run_planner([str(part) for part in command], text)
        syntax_error = re.search(r"error at \d+:\d+: .*", message)
        if syntax_error:
            raise SyntaxError(syntax_error[0])
        if store_folder in message:
            remove_empty_store()  # the next plan makes a new one
            log.error("the planner cannot read its empty store: %s", message.partition("\n")[0])
            raise Problem(
                503,
                "The query cannot be planned at the moment. The log of the service gives the reason. Try "
                "again.",
            )
        if not plan_file.exists() or message:
            raise planner_refusal_problem(message)
        return parse_plan_step(json.loads(plan_file.read_text("utf-8"))["plan"])


@cache
def find_planner_command() -> Path:
    """The path of the `oxigraph` command, found by the metadata of its package. Raises Problem 501."""
    try:
        files = distribution("oxigraph").files or []
    except PackageNotFoundError as error:
        raise missing_extra_problem("Queries cannot be explained", "explain") from error
    return next(Path(str(file.locate())) for file in files if file.stem == "oxigraph")


def find_empty_store() -> str:
    """The path of a folder with an empty store, which is made again if it was removed, as from /tmp."""
    if not (Path(make_empty_store().name) / "CURRENT").exists():  # a file of every store
        remove_empty_store()
    return make_empty_store().name


@cache
def make_empty_store() -> tempfile.TemporaryDirectory[str]:
    """A temporary folder with an empty store, to be removed by `remove_empty_store`."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(remove_empty_store)
    ox.Store(folder.name).flush()
    return folder


def remove_empty_store() -> None:
    """Remove the folder with the empty store, if there is one."""
    if make_empty_store.cache_info().currsize:
        make_empty_store().cleanup()
        make_empty_store.cache_clear()


def run_planner(command: list[str], text: str) -> str:
    """Run the planner with a query as input, and return its error message.

    The message is empty if the planner succeeds, PLANNER_KILLED if it exceeds a limit.
    """
    devnull = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=devnull, stderr=subprocess.PIPE) as process:
        if hasattr(resource, "prlimit"):
            resource.prlimit(
                process.pid, resource.RLIMIT_DATA, (MAX_PLAN_MEMORY_BYTES, MAX_PLAN_MEMORY_BYTES)
            )
        try:
            _, message = process.communicate(text.encode(), PLAN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return PLANNER_KILLED
        return (
            "" if process.returncode == 0 else PLANNER_KILLED if process.returncode < 0 else message.decode()
        )


def planner_refusal_problem(message: str) -> Problem:
    """The 422 or 503 for a query without a plan; `message` is from `run_planner`."""
    if message == PLANNER_KILLED:
        return plan_too_large_problem()
    reason = message.partition("\n")[0].removeprefix("Error: ").rstrip(".")
    return Problem(422, f"The query has no syntax error, but cannot be planned: {reason}.")


def plan_too_large_problem() -> Problem:
    """The 503 for a query whose planning takes too much time or memory."""
    return Problem(
        503, "Planning this query exceeds the time or memory limit. Split it into smaller queries."
    )


def parse_plan_step(step: dict[str, object]) -> PlanStep:
    """A step and its descendants, from the JSON of the engine."""
    match = _STEP_NAME_PATTERN.fullmatch(str(step["name"]))
    assert match
    children = step.get("children", [])
    assert isinstance(children, list)
    return PlanStep(match[1], match[2] or "", tuple(map(parse_plan_step, children)))


MAX_COUNTED_STATEMENTS = 100_000  # per pattern
COUNT_SECONDS = 1.0  # after which no further pattern is counted

# The spelling of terms in a plan, including triple terms. A property path starts with !, ( or ^. It ends
# with a parenthesis, which *, + or ? may follow.
_TERM_REGEX_TEXT = r'<<.*>>|<[^<>]*>|\?\w+|"(?:[^"\\]|\\.)*"(?:@[\w-]+|\^\^<[^<>]*>)?'
_PLAN_TERM_PATTERN = re.compile(_TERM_REGEX_TEXT)
_PLAN_PATH_PATTERN = re.compile(
    rf"({_TERM_REGEX_TEXT}) ([!(^].*\)[*+?]?) ({_TERM_REGEX_TEXT})"
    rf"(?: ({_TERM_REGEX_TEXT}))?"
)
_PLAN_PROPERTY_PATTERN = re.compile(r"<[^<>]*>")


class StatementCount(NamedTuple):
    """The number of statements that match a pattern.

    If `is_upper_bound`, there are at most `number`; if `is_lower_bound`, there are more than `number`.
    """

    number: int
    is_upper_bound: bool = False
    is_lower_bound: bool = False

    def __str__(self) -> str:
        """The count as text, such as `at most 20 statements`."""
        if self.is_lower_bound:
            return f"more than {MAX_COUNTED_STATEMENTS:,} statements"
        prefix = "at most " if self.is_upper_bound and self.number else ""
        return f"{prefix}{self.number:,} statement{'' if self.number == 1 else 's'}"


def count_plan_statements(
    steps: Iterable[PlanStep], store: Store, dataset: QueryDataset
) -> dict[str, StatementCount]:
    """The number of statements in the dataset for each pattern of a plan and each property of its paths.

    `steps` are all steps of the plan (`PlanStep.walk`). The keys are the patterns as the plan spells them,
    and the IRIs of properties in < and >. Patterns that were not counted within COUNT_SECONDS are missing.
    """
    started_at = time.monotonic()
    counts: dict[str, StatementCount] = {}
    for pattern in dict.fromkeys(pattern for step in steps for pattern in list_patterns_to_count(step)):
        if time.monotonic() - started_at > COUNT_SECONDS:
            break
        counts[pattern] = count_pattern_statements(pattern, store, dataset)
    return counts


def list_patterns_to_count(step: PlanStep) -> list[str]:
    """The pattern of a step, or the properties of its path, as keys for `count_plan_statements`."""
    if step.name == "QuadPattern":
        return [step.detail]
    return _PLAN_PROPERTY_PATTERN.findall(split_pattern_terms(step.detail)[1]) if step.name == "Path" else []


def split_pattern_terms(pattern: str) -> list[str]:
    """The terms of a pattern: subject, predicate or path, object, and the graph if there is one."""
    path = _PLAN_PATH_PATTERN.fullmatch(pattern)
    return [term for term in path.groups() if term] if path else _PLAN_TERM_PATTERN.findall(pattern)


def count_pattern_statements(pattern: str, store: Store, dataset: QueryDataset) -> StatementCount:
    """The number of statements that match a pattern, or that have a property given as <IRI>."""
    is_property = pattern.startswith("<") and " " not in pattern
    terms = ["?s", pattern, "?o"] if is_property else split_pattern_terms(pattern)
    variables = [term for term in terms if term.startswith("?")]
    # A variable that occurs twice gets two names, because a count of equal terms in both places is too slow.
    distinct_terms = [f"?v{number}" if term.startswith("?") else term for number, term in enumerate(terms)]
    group = " ".join(distinct_terms[:3])
    if len(distinct_terms) > 3:
        group = f"GRAPH {distinct_terms[3]} {{ {group} }}"
    out = io.BytesIO()
    query = (
        f"SELECT (COUNT(*) AS ?n) {{ SELECT (1 AS ?one) {{ {group} }} LIMIT {MAX_COUNTED_STATEMENTS + 1} }}"
    )
    store.query(query, "text/csv", out, dataset)
    matches = int(out.getvalue().split()[1])
    return StatementCount(
        min(matches, MAX_COUNTED_STATEMENTS),
        is_upper_bound=len(set(variables)) < len(variables),
        is_lower_bound=matches > MAX_COUNTED_STATEMENTS,
    )

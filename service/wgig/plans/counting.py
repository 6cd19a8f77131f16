"""How many statements match the patterns of a plan, counted up to a bound in number and time."""

import io
import re
import time
from collections.abc import Iterable
from typing import NamedTuple

from ..store import Dataset, Store
from .plan import Step

MOST = 100_000  # statements that are counted for a pattern
SECONDS = 1.0  # until no further pattern is counted

# As the engine writes the terms of a plan; what is told of a triple is one of them. A path ends in a bracket.
_TERM_PATTERN = r'<<.*>>|<[^<>]*>|\?\w+|"(?:[^"\\]|\\.)*"(?:@[\w-]+|\^\^<[^<>]*>)?'
_TERM = re.compile(_TERM_PATTERN)
_PATH = re.compile(rf"({_TERM_PATTERN}) ([!(^].*\)[*+?]?) ({_TERM_PATTERN})(?: ({_TERM_PATTERN}))?")
_PROPERTY = re.compile(r"<[^<>]*>")


class Count(NamedTuple):
    """How many statements match a pattern. `most`: there may be fewer; `least`: there are more."""

    number: int
    most: bool = False
    least: bool = False

    def __str__(self) -> str:
        """The number in words."""
        if self.least:
            return f"more than {MOST:,} statements"
        few = "at most " if self.most and self.number else ""
        return f"{few}{self.number:,} statement{'' if self.number == 1 else 's'}"


def counts(steps: Iterable[Step], store: Store, dataset: Dataset) -> dict[str, Count]:
    """The statements in the dataset for each pattern of a plan, and for each property of its paths.

    The key is the pattern as the plan writes it, or the IRI in < and >. What there is no time for is missing.
    """
    begun = time.monotonic()
    found: dict[str, Count] = {}
    for wanted in dict.fromkeys(one for step in steps for one in patterns(step)):
        if time.monotonic() - begun > SECONDS:
            break
        found[wanted] = count(wanted, store, dataset)
    return found


def patterns(step: Step) -> list[str]:
    """What is to be counted for a step."""
    if step.name == "QuadPattern":
        return [step.detail]
    return _PROPERTY.findall(terms(step.detail)[1]) if step.name == "Path" else []


def terms(pattern: str) -> list[str]:
    """Subject, predicate or path, object, and the graph where one is named."""
    path = _PATH.fullmatch(pattern)
    return [one for one in path.groups() if one] if path else _TERM.findall(pattern)


def count(pattern: str, store: Store, dataset: Dataset) -> Count:
    """The statements for one pattern, by a query that stops after the bound."""
    slots = terms(pattern) if not pattern.startswith("<") or " " in pattern else ["?s", pattern, "?o"]
    variables = [slot for slot in slots if slot.startswith("?")]
    names = [f"?v{place}" if slot.startswith("?") else slot for place, slot in enumerate(slots)]
    inner = " ".join(names[:3])
    if len(names) > 3:
        inner = f"GRAPH {names[3]} {{ {inner} }}"
    out = io.BytesIO()
    # Two names for a variable that stands twice: what has the same in both places cannot be counted in time.
    query = f"SELECT (COUNT(*) AS ?n) {{ SELECT (1 AS ?one) {{ {inner} }} LIMIT {MOST + 1} }}"
    store.query(query, "text/csv", out, dataset)
    number = int(out.getvalue().split()[1])
    return Count(min(number, MOST), len(set(variables)) < len(variables), number > MOST)

"""A line of JSON for each paper, or for a file without one, and what many lines come to.

Each line is an object: `path`; `number` of the paper in its file, from 1; `graph`, the named graph that says
it is a paper, and `iri`, null for none; `outcome`: `conforms`, `fails`, `unread` or `passed over` (Markdown
that looks like no paper). An unread file has its `problem`, a paper what the report in JSON says of it.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import pyoxigraph as ox

from .. import known
from ..check import PAPER
from ..files import Candidate
from ..report import Outcome, Unread
from ..reports.json import of_paper
from ..reports.saying import members
from .quads import stated

CONFORMS, FAILS, UNREAD, PASSED_OVER = "conforms", "fails", "unread", "passed over"
FINE, NO, UNREADABLE, MISTAKEN = 0, 1, 2, 3  # exit codes, as of `wgig check`


Line = dict[str, Any]


def lines(file: Candidate, outcome: Outcome | None, language: str) -> Iterator[str]:
    """The lines about a file as they are written, from what was found in it; None where it is passed over."""
    return map(written, about(file, outcome, language))


def written(line: Line) -> str:
    """A line as JSON, half a character of a path being escaped."""
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def about(file: Candidate, outcome: Outcome | None, language: str) -> Iterator[Line]:
    """The lines about a file."""
    for number, one in enumerate(objects(file, outcome, language), 1):
        yield {"path": file.path, "number": number, "graph": None, "iri": None} | one


def objects(file: Candidate, outcome: Outcome | None, language: str) -> Iterator[Line]:
    """What the lines say beside where it is."""
    if outcome is None:
        yield {"outcome": PASSED_OVER}
    elif isinstance(outcome, Unread):
        yield {"outcome": UNREAD, "problem": members(outcome.problem)}
    else:
        graphs = homes(file)
        for paper in outcome.papers:
            how = {"graph": graphs.get(paper.iri), "outcome": CONFORMS if paper.conforms else FAILS}
            yield how | of_paper(paper, outcome.media_type, language)


def homes(file: Candidate) -> dict[str, str]:
    """The named graphs that say that something is a paper, by its IRI."""
    return {
        str(one.subject).strip("<>"): one.graph_name.value
        for one in stated(file)
        if one.predicate == known.TYPE and one.object == PAPER and isinstance(one.graph_name, ox.NamedNode)
    }


class Tally:
    """How many there are of what. Tallies of parts can be added."""

    def __init__(self, written: Iterable[str] = ()) -> None:
        """Count the lines."""
        self.counts = Counter[tuple[str, str]]()
        for one in written:
            self.take(json.loads(one))

    def take(self, line: Line) -> None:
        """Count a line."""
        self.counts["files", ""] += line["number"] == 1
        self.counts["outcomes", line["outcome"]] += 1
        if "problem" in line:
            self.counts["problems", str(line["problem"]["status"])] += 1
        for code in {one["code"] for one in line.get("findings", ()) if not one["waived"]}:
            self.counts["rules", code] += 1

    def __add__(self, other: "Tally") -> "Tally":
        """Both as one."""
        whole = Tally()
        whole.counts = self.counts + other.counts
        return whole

    def of(self, kind: str) -> dict[str, int]:
        """How many there are of each of a kind."""
        return {name: count for (one, name), count in sorted(self.counts.items()) if one == kind and count}

    @property
    def files(self) -> int:
        """How many files there are."""
        return self.counts["files", ""]

    @property
    def code(self) -> int:
        """The exit code: that of the worst outcome."""
        if any(status >= "5" for status in self.of("problems")):
            return MISTAKEN
        outcomes = self.of("outcomes")
        return UNREADABLE if UNREAD in outcomes else NO if FAILS in outcomes else FINE

    def of_papers(self) -> "Done":
        """What a check came to: papers by outcome and broken rule, files by the status of a problem."""
        outcomes = self.of("outcomes")
        papers = outcomes.get(CONFORMS, 0) + outcomes.get(FAILS, 0)
        counts = {"outcomes": outcomes, "problems": self.of("problems"), "rules": self.of("rules")}
        return Done({"files": self.files, "papers": papers} | counts, self.code)

    def of_files(self, files: int) -> "Done":
        """What a description came to, these being the lines about the files that are unread."""
        return Done({"files": files, "unread": self.files, "problems": self.of("problems")}, self.code)


class Done(NamedTuple):
    """What a job came to: its summary, and the exit code."""

    summary: dict[str, Any]
    code: int

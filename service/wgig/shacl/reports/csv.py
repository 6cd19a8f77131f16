"""The report as CSV (RFC 4180): a row for each finding.

There is a row, too, for each file that was not checked, and for each paper of which findings are left out.
"""

import csv
import io
from collections.abc import Iterator, Sequence

from ...text import inert
from ..findings import Outcome, Paper, Report, Unread
from .json import of_finding
from .phrases import paper_iri, phrase

COLUMNS = (
    "file",
    "paper",
    "code",
    "severity",
    "section",
    "part",
    "message",
    "name",
    "focus",
    "path",
    "value",
    "line",
    "column",
    "excerpt",
    "mend",
    "suggestion",
    "waived",
    "rule",
)
# What makes a spreadsheet take the text of a stranger for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\n")

Row = dict[str, object]


def write(outcomes: Sequence[Outcome], language: str) -> bytes:
    """The table in UTF-8, with a header.

    It is made to be opened in a spreadsheet, so an apostrophe goes before a text that would be run there as a
    formula. Programs should read another form.
    """
    out = io.StringIO()
    table = csv.DictWriter(out, COLUMNS, restval="")
    table.writeheader()
    table.writerows(
        {name: safe(value) for name, value in row.items()} for one in outcomes for row in rows(one, language)
    )
    return out.getvalue().encode()


def rows(outcome: Outcome, language: str) -> Iterator[Row]:
    """The rows of a file."""
    if isinstance(outcome, Unread):
        yield of_unread(outcome)
    if isinstance(outcome, Report):
        for paper in outcome.papers:
            of = {"file": outcome.name, "paper": paper_iri(paper)}
            yield from (of | of_finding(one, outcome.media_type, language) for one in paper.findings)
            if paper.left_out:
                yield of | of_left_out(paper, language)


def of_left_out(paper: Paper, language: str) -> Row:
    """What the row says of findings that are left out: a violation may be among them unless all is well."""
    return {
        "code": "left-out",
        "severity": "Info" if paper.conforms else "Violation",
        "message": phrase("left out", language, count=paper.left_out),
    }


def of_unread(unread: Unread) -> Row:
    """The row of a file that was not checked. In place of a rule it names the kind of problem."""
    problem = unread.problem
    said = {name: problem.members.get(name) for name in ("line", "column", "excerpt")}
    return {
        "file": unread.name,
        "code": problem.slug,
        "severity": "Violation",
        "message": problem.detail,
        **said,
    }


def safe(value: object) -> object:
    """The value of a cell, such that no spreadsheet runs it, and no CI job into whose log it gets."""
    if not isinstance(value, str):
        return value
    text = "\n".join(map(inert, value.split("\n")))
    return f"'{text}" if text.startswith(FORMULA) else text

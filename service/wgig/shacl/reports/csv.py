"""The report as CSV (RFC 4180): a row for each finding.

There is a row, too, for each file that was not checked, and for each paper of which findings are left out.
"""

from collections.abc import Iterator, Sequence

from ...text import defuse_ci_command, serialize_csv_rows
from ..findings import CheckOutcome, PaperReport, Report, UncheckedFile
from .json import build_finding_object
from .phrases import format_paper_iri, format_report_phrase

FINDING_CSV_COLUMNS = (
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
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\n")

FindingRow = dict[str, object]


def write_csv_report(outcomes: Sequence[CheckOutcome], language: str) -> bytes:
    """The table in UTF-8, with a header.

    It is made to be opened in a spreadsheet, so an apostrophe goes before a text that would be run there as a
    formula. Programs should read another form.
    """
    rows = (
        [escape_csv_cell(row.get(name)) for name in FINDING_CSV_COLUMNS]
        for one in outcomes
        for row in iter_finding_rows(one, language)
    )
    return serialize_csv_rows([FINDING_CSV_COLUMNS, *rows])


def iter_finding_rows(outcome: CheckOutcome, language: str) -> Iterator[FindingRow]:
    """The rows of a file."""
    if isinstance(outcome, UncheckedFile):
        yield build_unchecked_row(outcome)
    if isinstance(outcome, Report):
        for paper in outcome.papers:
            of = {"file": outcome.name, "paper": format_paper_iri(paper)}
            yield from (
                of | build_finding_object(one, outcome.media_type, language) for one in paper.findings
            )
            if paper.left_out:
                yield of | build_left_out_row(paper, language)


def build_left_out_row(paper: PaperReport, language: str) -> FindingRow:
    """What the row says of findings that are left out: a violation may be among them unless all is well."""
    return {
        "code": "left-out",
        "severity": "Info" if paper.conforms else "Violation",
        "message": format_report_phrase("left out", language, count=paper.left_out),
    }


def build_unchecked_row(unread: UncheckedFile) -> FindingRow:
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


def escape_csv_cell(value: object) -> object:
    """The value of a cell, such that no spreadsheet runs it, and no CI job into whose log it gets."""
    if not isinstance(value, str):
        return value
    text = "\n".join(map(defuse_ci_command, value.split("\n")))
    return f"'{text}" if text.startswith(FORMULA_PREFIXES) else text

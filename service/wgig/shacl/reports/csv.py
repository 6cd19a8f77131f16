"""The report as CSV (RFC 4180): a row for each finding.

There is also a row for each unchecked file, and for each paper with too many findings, some of which are left
out.
"""

from collections.abc import Iterator, Sequence

from ...text import defuse_ci_command, serialize_csv_rows
from ..findings import CheckOutcome, PaperReport, Report, UncheckedFile
from .json import build_finding_object
from .phrases import format_paper_iri, format_report_phrase

FINDING_CSV_COLUMNS = (  # "file" is the name of the file; the module `json` describes the others
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
# Text that begins with one of these is a formula for a spreadsheet.
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\n")

FindingRow = dict[str, object]


def write_csv_report(outcomes: Sequence[CheckOutcome], language: str) -> bytes:
    """The table in UTF-8, with a header.

    As the table is for spreadsheets, a text that would run as a formula gets an apostrophe in front. Programs
    should read another format.
    """
    rows = (
        [escape_csv_cell(row.get(name)) for name in FINDING_CSV_COLUMNS]
        for outcome in outcomes
        for row in iter_finding_rows(outcome, language)
    )
    return serialize_csv_rows([FINDING_CSV_COLUMNS, *rows])


def iter_finding_rows(outcome: CheckOutcome, language: str) -> Iterator[FindingRow]:
    """The rows of a file."""
    if isinstance(outcome, UncheckedFile):
        yield build_unchecked_row(outcome)
    if isinstance(outcome, Report):
        for paper in outcome.papers:
            common_cells = {"file": outcome.name, "paper": format_paper_iri(paper)}
            yield from (
                common_cells | build_finding_object(finding, outcome.media_type, language)
                for finding in paper.findings
            )
            if paper.left_out:
                yield common_cells | build_left_out_row(paper, language)


def build_left_out_row(paper: PaperReport, language: str) -> FindingRow:
    """The row for findings that are left out, with the severity Info if the paper conforms."""
    return {
        "code": "left-out",
        "severity": "Info" if paper.conforms else "Violation",
        "message": format_report_phrase("left out", language, count=paper.left_out),
    }


def build_unchecked_row(unchecked: UncheckedFile) -> FindingRow:
    """The row for an unchecked file. Its code is the slug of the problem."""
    problem = unchecked.problem
    location = {name: problem.members.get(name) for name in ("line", "column", "excerpt")}
    return {
        "file": unchecked.name,
        "code": problem.slug,
        "severity": "Violation",
        "message": problem.detail,
        **location,
    }


def escape_csv_cell(value: object) -> object:
    """The value of a cell, safe to open in a spreadsheet and to print in the log of a CI job."""
    if not isinstance(value, str):
        return value
    text = "\n".join(map(defuse_ci_command, value.split("\n")))
    return f"'{text}" if text.startswith(FORMULA_PREFIXES) else text

"""The report as workflow commands of GitHub Actions, which shows each finding at its line.

If a paper has too many findings, a notice has the number of those that are left out.
"""

from collections.abc import Iterator, Sequence

from ...problems import Problem
from ...text import replace_control_characters
from ..findings import CheckOutcome, Finding, UncheckedFile
from .phrases import finding_term, format_report_phrase, format_short_term

COMMAND_BY_SEVERITY = {"Violation": "error", "Warning": "warning", "Info": "notice"}
# Characters that would end a message, and characters that would end the value of a property.
MESSAGE_ESCAPES = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
PROPERTY_ESCAPES = MESSAGE_ESCAPES | str.maketrans({":": "%3A", ",": "%2C"})


def write_github_report(outcomes: Sequence[CheckOutcome], language: str) -> bytes:
    """The report in UTF-8, one command per line; empty without findings."""
    return "".join(
        f"{line}\n" for outcome in outcomes for line in iter_github_commands(outcome, language)
    ).encode()


def iter_github_commands(outcome: CheckOutcome, language: str) -> Iterator[str]:
    """The commands of a file."""
    if isinstance(outcome, UncheckedFile):
        yield format_problem_command(outcome.name, outcome.problem)
        return
    for finding in outcome.findings:
        yield format_finding_command(outcome.name, finding, language)
    for paper in outcome.papers:
        if paper.left_out:
            sentence = format_report_phrase("left out", language, count=paper.left_out)
            yield format_github_command("notice", sentence, file=outcome.name, title=paper.title)


def format_problem_command(name: str, problem: Problem) -> str:
    """The command about a file that was not checked."""
    line, column = (problem.members.get(member) for member in ("line", "column"))
    return format_github_command(
        "error", problem.detail, file=name, line=line, col=column, title=problem.title
    )


def format_finding_command(name: str, finding: Finding, language: str) -> str:
    """The command about a finding, a notice if it is waived."""
    sentences = [f"{finding.rule.message_in(language)} ({format_short_term(finding_term(finding))})"]
    if finding.suggestion:
        sentences.append(format_report_phrase("suggestion", language, suggestion=finding.suggestion))
    if finding.waiver:
        sentences.append(format_report_phrase("waiver", language, reason=finding.waiver))
    line, column = finding.position or (None, None)
    return format_github_command(
        "notice" if finding.waiver else COMMAND_BY_SEVERITY[finding.rule.severity],
        "\n".join(sentences),
        file=name,
        line=line,
        col=column,
        title=finding.rule.code,
    )


def format_github_command(command: str, message: str, **properties: object) -> str:
    """A workflow command with escaped values, without the properties that are None."""
    encoded_properties = ",".join(
        f"{name}={replace_control_characters(str(value)).translate(PROPERTY_ESCAPES)}"
        for name, value in properties.items()
        if value is not None
    )
    return (
        f"::{command} {encoded_properties}::{replace_control_characters(message).translate(MESSAGE_ESCAPES)}"
    )

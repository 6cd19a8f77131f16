"""The report as workflow commands of GitHub Actions: each finding becomes an annotation of its line."""

from collections.abc import Iterator, Sequence

from ...problems import Problem
from ...text import harmless
from ..findings import Finding, Outcome, Unread
from .phrases import about, phrase, short

COMMANDS = {"Violation": "error", "Warning": "warning", "Info": "notice"}
# What would end a message, and what would end the value of a property before it.
IN_MESSAGE = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
IN_PROPERTY = IN_MESSAGE | str.maketrans({":": "%3A", ",": "%2C"})


def write(outcomes: Sequence[Outcome], language: str) -> bytes:
    """A command a line; nothing where nothing is found."""
    return "".join(f"{line}\n" for one in outcomes for line in lines(one, language)).encode()


def lines(outcome: Outcome, language: str) -> Iterator[str]:
    """The commands of a file."""
    if isinstance(outcome, Unread):
        yield of_problem(outcome.name, outcome.problem)
        return
    for finding in outcome.findings:
        yield of_finding(outcome.name, finding, language)
    for paper in outcome.papers:
        if paper.left_out:
            sentence = phrase("left out", language, count=paper.left_out)
            yield command("notice", sentence, file=outcome.name, title=paper.title)


def of_problem(name: str, problem: Problem) -> str:
    """The command about a file that was not checked."""
    line, column = (problem.members.get(member) for member in ("line", "column"))
    return command("error", problem.detail, file=name, line=line, col=column, title=problem.title)


def of_finding(name: str, finding: Finding, language: str) -> str:
    """The command about a finding; what is waived is only a notice."""
    sentences = [f"{finding.rule.says(language)} ({short(about(finding))})"]
    if finding.suggestion:
        sentences.append(phrase("suggestion", language, suggestion=finding.suggestion))
    if finding.waiver:
        sentences.append(phrase("waiver", language, reason=finding.waiver))
    line, column = finding.place or (None, None)
    return command(
        "notice" if finding.waiver else COMMANDS[finding.rule.severity],
        "\n".join(sentences),
        file=name,
        line=line,
        col=column,
        title=finding.rule.code,
    )


def command(kind: str, message: str, **properties: object) -> str:
    """A workflow command, escaped; properties without a value are left out."""
    said = ",".join(
        f"{name}={harmless(str(value)).translate(IN_PROPERTY)}"
        for name, value in properties.items()
        if value is not None
    )
    return f"::{kind} {said}::{harmless(message).translate(IN_MESSAGE)}"

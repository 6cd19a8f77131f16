"""The report for people in a shell: 80 columns wide, and in color when asked for."""

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from ...text import defuse_ci_command, flatten_untrusted_text, replace_control_characters
from ..findings import (
    STATE_DONE,
    STATE_FAULTY,
    STATE_MISSING,
    STATE_NOT_CHECKED,
    STATE_WAIVED,
    CheckOutcome,
    Finding,
    PaperReport,
    Report,
    UncheckedFile,
)
from ..rules import section_headings
from .phrases import (
    completeness_text,
    finding_term,
    format_finding_place,
    format_problem_place,
    format_report_phrase,
    format_short_term,
    get_rule_example,
)

REPORT_WIDTH_COLUMNS = 80
SGR_BOLD, SGR_DIM, SGR_RED, SGR_GREEN, SGR_YELLOW, SGR_BLUE = "1", "2", "31", "32", "33", "34"
STATE_STYLES = {
    "Violation": SGR_RED,
    "Warning": SGR_YELLOW,
    "Info": SGR_BLUE,
    STATE_DONE: SGR_GREEN,
    STATE_MISSING: SGR_RED,
    STATE_FAULTY: SGR_RED,
    STATE_WAIVED: SGR_BLUE,
    STATE_NOT_CHECKED: SGR_DIM,
}
WRAPPING_CONSOLE = Console(file=io.StringIO(), width=REPORT_WIDTH_COLUMNS)


def write_text_report(outcomes: Sequence[CheckOutcome], language: str, *, color: bool = False) -> bytes:
    """The report in UTF-8. Of many files, one that conforms takes a single line; a total ends the report."""
    return b"".join(iter_text_report(outcomes, language, color=color))


def iter_text_report(
    outcomes: Iterable[CheckOutcome], language: str, *, color: bool = False
) -> Iterator[bytes]:
    """The report file by file, as the outcomes come; none of them is kept."""
    pen = TextReportFormatter(language, color)
    waiting = iter(outcomes)
    first = [*islice(waiting, 2)]
    tally: Counter[str] = Counter()
    for one in chain(first, waiting):
        tally["unread" if isinstance(one, UncheckedFile) else "good" if one.conforms else "bad"] += 1
        yield encode_report_lines(pen.outcome_lines(one, alone=len(first) == 1))
    if tally.total() > 1:
        yield encode_report_lines(["", pen.total_line(tally)])


def encode_report_lines(lines: Iterable[str]) -> bytes:
    """The lines in UTF-8."""
    return "".join(f"{defuse_ci_command(line)}\n" for line in lines).encode()


class TextReportFormatter:
    """Writes lines in a language, with or without color."""

    def __init__(self, language: str, color: bool) -> None:
        """Take the language, and whether lines are colored."""
        self.language, self.color = language, color

    def get_phrase(self, name: str, **values: object) -> str:
        """A phrase in the language."""
        return format_report_phrase(name, self.language, **values)

    def style_text(self, text: str, style: str) -> str:
        """The text in a style of ECMA-48 (SGR), or as it is."""
        return f"\x1b[{style}m{text}\x1b[0m" if self.color else text

    def outcome_lines(self, outcome: CheckOutcome, *, alone: bool) -> list[str]:
        """The lines about a file."""
        if isinstance(outcome, UncheckedFile):
            return [*self.unchecked_lines(outcome)]
        if outcome.conforms and not alone:
            return [self.conforming_line(outcome)]
        return [line for paper in outcome.papers for line in self.paper_lines(outcome, paper)]

    def unchecked_lines(self, unread: UncheckedFile) -> Iterator[str]:
        """Why a file was not checked."""
        where = flatten_untrusted_text(format_problem_place(unread.name, unread.problem))
        unread_phrase = self.style_text(self.get_phrase("unread"), SGR_RED)
        yield f"{self.style_text('✗', SGR_RED)} {self.style_text(where, SGR_BOLD)}: {unread_phrase}"
        yield from wrap_indented_text(flatten_untrusted_text(unread.problem.detail), 2)
        for line in replace_control_characters(unread.problem.members.get("excerpt", "")).splitlines():
            yield f"    {line}"

    def conforming_line(self, report: Report) -> str:
        """The line about a file that conforms, with the number of what it might still look at."""
        remarks = Counter(one.rule.severity for one in report.findings if not one.waiver)
        counted = [f"{self.get_phrase(name)}: {remarks[name]}" for name in STATE_STYLES if remarks[name]]
        said = ", ".join([self.get_phrase("conforms", profile=report.profile), *counted])
        name = self.style_text(flatten_untrusted_text(report.name), SGR_BOLD)
        return f"{self.style_text('✓', SGR_GREEN)} {name}: {said}"

    def total_line(self, tally: Counter[str]) -> str:
        """How many files conform, and how many there are."""
        counts = {name: tally[name] for name in ("good", "bad", "unread")}
        return self.style_text(self.get_phrase("total", files=tally.total(), **counts), SGR_BOLD)

    def paper_lines(self, report: Report, paper: PaperReport) -> Iterator[str]:
        """The lines about a paper: what was found, section by section, and what it comes to."""
        yield self.style_text(flatten_untrusted_text(f"{report.name}: {paper.title}"), SGR_BOLD)
        for section, inside in groupby(paper.findings, key=lambda one: one.rule.section):
            yield from (
                "",
                self.style_text(
                    f"{section}. {section_headings()[section].title_in(self.language)}", SGR_BOLD
                ),
            )
            for _, same in groupby(inside, key=lambda one: (one.rule.code, one.waiver)):
                yield ""
                yield from self.broken_rule_lines(report, [*same])
        if paper.left_out:
            yield from ("", self.get_phrase("left out", count=paper.left_out))
        yield ""
        yield from self.summary_lines(report, paper)

    def broken_rule_lines(self, report: Report, same: Sequence[Finding]) -> Iterator[str]:
        """The lines about a rule that is broken: what it says, where that is so, and how to mend it."""
        rule, waiver = same[0].rule, same[0].waiver
        severity = self.style_text(
            self.get_phrase(rule.severity), SGR_DIM if waiver else STATE_STYLES[rule.severity]
        )
        yield f"  {severity}  {rule.code}"
        yield from wrap_indented_text(rule.message_in(self.language), 4)
        if waiver:
            yield from wrap_indented_text(self.get_phrase("waiver", reason=flatten_untrusted_text(waiver)), 4)
        for finding in sorted(same, key=lambda one: one.place or (0, 0)):
            yield from self.finding_lines(report.name, finding)
        yield f"    {self.style_text(self.get_phrase('example') + ':', SGR_DIM)}"
        yield from (f"      {line}" for line in get_rule_example(rule, report.media_type).splitlines())
        yield f"    {self.style_text(rule.iri, SGR_DIM)}"

    def finding_lines(self, name: str, finding: Finding) -> Iterator[str]:
        """The lines about one place where a rule is broken."""
        where = self.style_text(flatten_untrusted_text(format_finding_place(name, finding)), SGR_BLUE)
        yield f"    {where}  {flatten_untrusted_text(format_short_term(finding_term(finding)))}"
        if finding.line:
            yield "      " + truncate_to_width(flatten_untrusted_text(finding.line), REPORT_WIDTH_COLUMNS - 6)
        if finding.suggestion:
            yield from wrap_indented_text(self.get_phrase("suggestion", suggestion=finding.suggestion), 6)

    def summary_lines(self, report: Report, paper: PaperReport) -> Iterator[str]:
        """The state of each section, how complete the paper is, and the verdict."""
        titles = [
            f"{one.number}. {section_headings()[one.number].title_in(self.language)}"
            for one in paper.sections
        ]
        states = [self.get_phrase(one.state) for one in paper.sections]
        broad = min(max(map(cell_len, titles)), REPORT_WIDTH_COLUMNS - 4 - max(map(cell_len, states)))
        for title, state, section in zip(titles, states, paper.sections, strict=True):
            column = set_cell_size(truncate_to_width(title, broad), broad)
            yield f"  {column}  {self.style_text(state, STATE_STYLES[section.state])}"
        yield ""
        name, mark, style = ("conforms", "✓", SGR_GREEN) if paper.conforms else ("fails", "✗", SGR_RED)
        verdict = self.style_text(f"{mark} {self.get_phrase(name, profile=report.profile)}", style)
        yield f"{verdict}; {completeness_text(paper, self.language)}"


def wrap_indented_text(text: str, indent: int) -> Iterator[str]:
    """A sentence in lines that fit, also where its script has wide characters and no spaces."""
    for line in Text(text).wrap(WRAPPING_CONSOLE, REPORT_WIDTH_COLUMNS - indent):
        yield " " * indent + line.plain.rstrip()


def truncate_to_width(text: str, width: int) -> str:
    """The text in one line of at most so many columns, an ellipsis at the end where it is cut."""
    line = text.replace("\t", " ")
    return line if cell_len(line) <= width else set_cell_size(line, width - 1) + "…"

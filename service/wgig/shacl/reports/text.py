"""The report as plain text for a terminal: 80 columns wide, optionally in color."""

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice
from operator import attrgetter

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from ...text import defuse_ci_command, flatten_untrusted_text, shorten_untrusted_text
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
from ..rules import SHAPES_PROFILE, section_headings
from .phrases import (
    completeness_text,
    count_findings,
    finding_counts_text,
    finding_term,
    format_finding_position,
    format_problem_position,
    format_report_phrase,
    format_short_term,
    get_rule_example,
    section_state_text,
    verdict_text,
)

REPORT_WIDTH_COLUMNS = 80
SGR_BOLD, SGR_DIM, SGR_RED, SGR_GREEN, SGR_YELLOW, SGR_BLUE = "1", "2", "31", "32", "33", "34"
# By the severity of a rule, and by the state of a section.
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
    """The report in UTF-8. Among several files, each that conforms has one line, and totals come last."""
    return b"".join(iter_text_report(outcomes, language, color=color))


def iter_text_report(
    outcomes: Iterable[CheckOutcome], language: str, *, color: bool = False
) -> Iterator[bytes]:
    """The report file by file in UTF-8, as outcomes arrive, without keeping them in memory."""
    formatter = TextReportFormatter(language, color)
    later_outcomes = iter(outcomes)
    first_outcomes = [*islice(later_outcomes, 2)]
    file_counts, finding_counts = Counter[str](), Counter[str]()
    for outcome in chain(first_outcomes, later_outcomes):
        verdict = "unread" if isinstance(outcome, UncheckedFile) else "good" if outcome.conforms else "bad"
        file_counts[verdict] += 1
        finding_counts += count_findings(outcome)
        yield encode_report_lines(formatter.outcome_lines(outcome, is_only_file=len(first_outcomes) == 1))
    if file_counts.total() > 1:
        yield encode_report_lines(["", formatter.total_line(file_counts)])
    if finding_counts:
        yield encode_report_lines(
            [formatter.style_text(finding_counts_text(finding_counts, language), SGR_BOLD)]
        )


def encode_report_lines(lines: Iterable[str]) -> bytes:
    """The lines in UTF-8, with commands for CI services made harmless."""
    return "".join(f"{defuse_ci_command(line)}\n" for line in lines).encode()


class TextReportFormatter:
    """Formats the lines of the report in a language, with or without color."""

    def __init__(self, language: str, color: bool) -> None:
        """Take the language, and whether lines are colored."""
        self.language, self.color = language, color

    def get_phrase(self, name: str, **values: object) -> str:
        """A phrase in the language."""
        return format_report_phrase(name, self.language, **values)

    def style_text(self, text: str, style: str) -> str:
        """The text with an SGR style (ECMA-48), or unchanged if color is off."""
        return f"\x1b[{style}m{text}\x1b[0m" if self.color else text

    def outcome_lines(self, outcome: CheckOutcome, *, is_only_file: bool) -> list[str]:
        """The lines about a file."""
        if isinstance(outcome, UncheckedFile):
            return [*self.unchecked_lines(outcome)]
        if outcome.conforms and not is_only_file:
            return [self.conforming_line(outcome)]
        return [line for paper in outcome.papers for line in self.paper_lines(outcome, paper)]

    def unchecked_lines(self, unchecked: UncheckedFile) -> Iterator[str]:
        """The lines about a file that was not checked, with the reason."""
        location = flatten_untrusted_text(format_problem_position(unchecked.name, unchecked.problem))
        unread_phrase = self.style_text(self.get_phrase("unread"), SGR_RED)
        yield f"{self.style_text('✗', SGR_RED)} {self.style_text(location, SGR_BOLD)}: {unread_phrase}"
        yield from wrap_indented_text(flatten_untrusted_text(unchecked.problem.detail), 2)
        for line in unchecked.problem.members.get("excerpt", "").splitlines():
            yield f"    {line}"

    def conforming_line(self, report: Report) -> str:
        """The line about a file that conforms, with the number of its findings by severity."""
        counts_text = finding_counts_text(count_findings(report), self.language)
        verdict = verdict_text(report.profile, conforms=True, language=self.language)
        phrases = ", ".join(filter(None, [verdict, counts_text]))
        name = self.style_text(flatten_untrusted_text(report.name), SGR_BOLD)
        return f"{self.style_text('✓', SGR_GREEN)} {name}: {phrases}"

    def total_line(self, file_counts: Counter[str]) -> str:
        """The numbers of all files, of those that conform, do not conform, and were not checked."""
        counts = {name: file_counts[name] for name in ("good", "bad", "unread")}
        return self.style_text(self.get_phrase("total", files=file_counts.total(), **counts), SGR_BOLD)

    def paper_lines(self, report: Report, paper: PaperReport) -> Iterator[str]:
        """The lines about a paper: its findings section by section, then the summary."""
        heading = f"{report.name}: {paper.title}" if paper.is_paper else report.name
        yield self.style_text(flatten_untrusted_text(heading), SGR_BOLD)
        for section, section_findings in groupby(paper.findings, key=attrgetter("section")):
            if paper.is_paper:
                heading = f"{section}. {section_headings()[section].title_in(self.language)}"
                yield from ("", self.style_text(heading, SGR_BOLD))
            for _, rule_findings in groupby(
                section_findings, key=lambda finding: (finding.rule.code, finding.waiver)
            ):
                yield ""
                yield from self.broken_rule_lines(report, [*rule_findings])
        if paper.left_out:
            yield from ("", self.get_phrase("left out", count=paper.left_out))
        yield ""
        yield from self.summary_lines(report, paper)

    def broken_rule_lines(self, report: Report, findings: Sequence[Finding]) -> Iterator[str]:
        """The lines about a broken rule: its message, its violations, and an example of a fix."""
        rule, waiver = findings[0].rule, findings[0].waiver
        severity = self.style_text(
            self.get_phrase(rule.severity), SGR_DIM if waiver else STATE_STYLES[rule.severity]
        )
        yield f"  {severity}  {flatten_untrusted_text(rule.code)}"
        yield from wrap_indented_text(flatten_untrusted_text(rule.message_in(self.language)), 4)
        if waiver:
            yield from wrap_indented_text(self.get_phrase("waiver", reason=flatten_untrusted_text(waiver)), 4)
        for finding in sorted(findings, key=lambda finding: finding.position or (0, 0)):
            yield from self.finding_lines(report.name, finding)
        if example := get_rule_example(rule, report.media_type):
            yield f"    {self.style_text(self.get_phrase('example') + ':', SGR_DIM)}"
            yield from (f"      {line}" for line in example.splitlines())
        if rule.iri:
            yield f"    {self.style_text(flatten_untrusted_text(shorten_untrusted_text(rule.iri)), SGR_DIM)}"

    def finding_lines(self, name: str, finding: Finding) -> Iterator[str]:
        """The lines about one violation of a rule: position, term, text of the line, suggestion."""
        location = self.style_text(flatten_untrusted_text(format_finding_position(name, finding)), SGR_BLUE)
        is_node_unknown = finding.rule.profile == SHAPES_PROFILE and not finding.position
        terms = [finding.focus] if is_node_unknown and finding.value is not None else []
        terms.append(finding_term(finding))
        yield f"    {location}  {flatten_untrusted_text(': '.join(map(format_short_term, terms)))}"
        if finding.line:
            yield "      " + truncate_to_width(flatten_untrusted_text(finding.line), REPORT_WIDTH_COLUMNS - 6)
        if finding.suggestion:
            yield from wrap_indented_text(self.get_phrase("suggestion", suggestion=finding.suggestion), 6)

    def summary_lines(self, report: Report, paper: PaperReport) -> Iterator[str]:
        """The state of each section, the number of parts that the paper has, and whether it conforms."""
        if paper.is_paper:
            yield from self.section_lines(paper)
            yield ""
        mark, style = ("✓", SGR_GREEN) if paper.conforms else ("✗", SGR_RED)
        verdict = f"{mark} {verdict_text(report.profile, paper.conforms, self.language)}"
        completeness = completeness_text(paper, self.language)
        fits = cell_len(f"{verdict}; {completeness}") <= REPORT_WIDTH_COLUMNS
        yield f"{self.style_text(verdict, style)}{f'; {completeness}' if fits else ''}"
        if not fits:
            yield from wrap_indented_text(completeness, 2)

    def section_lines(self, paper: PaperReport) -> Iterator[str]:
        """The titles and states of the sections, in two columns."""
        titles = [
            f"{section.number}. {section_headings()[section.number].title_in(self.language)}"
            for section in paper.sections
        ]
        states = [
            section_state_text(section._replace(missing=()), self.language) for section in paper.sections
        ]
        # Without the indentation and the gap between the columns, two spaces each.
        title_width = min(max(map(cell_len, titles)), REPORT_WIDTH_COLUMNS - 4 - max(map(cell_len, states)))
        for title, state, section in zip(titles, states, paper.sections, strict=True):
            padded_title = set_cell_size(truncate_to_width(title, title_width), title_width)
            yield f"  {padded_title}  {self.style_text(state, STATE_STYLES[section.state])}"


def wrap_indented_text(text: str, indent: int) -> Iterator[str]:
    """A text in indented lines of at most REPORT_WIDTH_COLUMNS, also in scripts with wide characters."""
    for line in Text(text).wrap(WRAPPING_CONSOLE, REPORT_WIDTH_COLUMNS - indent):
        yield " " * indent + line.plain.rstrip()


def truncate_to_width(text: str, width: int) -> str:
    """The text on one line of at most `width` columns, with an ellipsis at the end if it is cut."""
    line = text.replace("\t", " ")
    return line if cell_len(line) <= width else set_cell_size(line, width - 1) + "…"

"""Check reports as HTML: a standalone file with its styles inside, or part of a page of the service.

The outcome for a file is its report, or the reason why it was not checked. Links in a standalone file lead to
the IRIs of rules, links on a page to the pages of the service. At most the first 2000 lines of a file are
shown, each cut to 500 characters.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count, groupby
from operator import attrgetter
from typing import ClassVar, NamedTuple

from ...i18n import writing_direction
from ...pages.rendering import build_static_path, read_static_files, render_template
from ...rdf.formats import FILE_FORMATS
from ...text import TextLines, shorten_untrusted_text
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
    SectionState,
    UncheckedFile,
)
from ..rules import Rule, section_headings
from .phrases import (
    completeness_text,
    finding_counts_text,
    finding_term,
    format_report_phrase,
    format_short_term,
    get_rule_example,
    join_phrases,
    report_language,
    section_state_text,
    verdict_text,
)

MAX_SHOWN_LINES = 2000  # of each file
MAX_PAGE_LINE_CHARACTERS = 500  # of each shown line
# The symbol of a section by its state, and of a finding by the severity of its rule.
STATE_SYMBOLS = {
    STATE_DONE: "✓",
    STATE_MISSING: "✗",
    STATE_FAULTY: "!",
    STATE_WAIVED: "○",
    STATE_NOT_CHECKED: "–",
    "Violation": "✗",
    "Warning": "!",
    "Info": "i",
}

NumberedFinding = tuple[int, Finding]  # the number is unique in the file


class SourceLine(NamedTuple):
    """A line of a file: its number, its text, and the findings in it by their numbers."""

    number: int
    text: str
    findings: Sequence[NumberedFinding]


@dataclass(frozen=True)
class FileView:
    """A file on the page: its number, its outcome, and its text (empty if it is not shown).

    A pasted text is a file, too, but its name is not shown.
    """

    number: int
    outcome: CheckOutcome
    text: str = ""
    is_pasted: bool = False

    @property
    def is_unchecked(self) -> bool:
        """Whether the file was not checked."""
        return isinstance(self.outcome, UncheckedFile)

    @cached_property
    def papers(self) -> list[tuple[PaperReport, list[NumberedFinding]]]:
        """The papers of the file, each with its findings."""
        numbers = count(1)
        papers = self.outcome.papers if isinstance(self.outcome, Report) else ()
        return [(paper, [(next(numbers), finding) for finding in paper.findings]) for paper in papers]

    @property
    def findings(self) -> Sequence[Finding]:
        """The findings of all papers."""
        return self.outcome.findings if isinstance(self.outcome, Report) else ()

    def lines(self) -> Iterator[SourceLine]:
        """The first MAX_SHOWN_LINES lines of the text, each with its findings."""
        findings_by_line: dict[int, list[NumberedFinding]] = {}
        for _, findings in self.papers:
            for number, finding in findings:
                if finding.position:
                    findings_by_line.setdefault(finding.position.line, []).append((number, finding))
        for number in range(1, min(self.line_count, MAX_SHOWN_LINES) + 1):
            yield SourceLine(
                number,
                shorten_untrusted_text(self.text_lines.line(number), MAX_PAGE_LINE_CHARACTERS),
                findings_by_line.get(number, ()),
            )

    @property
    def line_count(self) -> int:
        """The number of lines of the text."""
        return len(self.text_lines.line_starts)

    @cached_property
    def text_lines(self) -> TextLines:
        """The lines of the text."""
        return TextLines(self.text)


def service_rule_path(rule: Rule) -> str:
    """The path of the page of a rule in the service."""
    return f"/shapes/{rule.code}"


@dataclass(frozen=True)
class ReportView:
    """The data of a report template: outcomes in a language, optionally with the texts of their files.

    `texts` are in the order of the outcomes; a text that is not shown is empty. `pasted_numbers` are the
    numbers of the files that are pasted texts. `rule_page` returns the URL or path of the page of a rule.
    """

    outcomes: Sequence[CheckOutcome]
    language: str
    texts: Sequence[str] = ()
    pasted_numbers: Collection[int] = ()
    rule_page: Callable[[Rule], str] = service_rule_path

    symbols: ClassVar[Mapping[str, str]] = STATE_SYMBOLS
    max_lines: ClassVar[int] = MAX_SHOWN_LINES

    @property
    def files(self) -> list[FileView]:
        """The files, numbered from one."""
        texts = self.texts or [""] * len(self.outcomes)
        pairs = zip(self.outcomes, texts, strict=True)
        return [
            FileView(number, outcome, text, number in self.pasted_numbers)
            for number, (outcome, text) in enumerate(pairs, 1)
        ]

    @property
    def only_paper(self) -> PaperReport | None:
        """The paper, if there is only one file and only one paper in it."""
        papers = [paper for file in self.files for paper, _ in file.papers]
        return papers[0] if len(self.outcomes) == len(papers) == 1 else None

    @property
    def all_conform(self) -> bool:
        """Whether each file was read and conforms."""
        return all(isinstance(outcome, Report) and outcome.conforms for outcome in self.outcomes)

    @property
    def unchecked_count(self) -> int:
        """The number of files that were not checked."""
        return sum(isinstance(outcome, UncheckedFile) for outcome in self.outcomes)

    def finding_counts(self, language: str) -> str:
        """The numbers of shown findings by kind, such as `8 errors, 1 note`; empty for none."""
        return replace(self, language=language).kind_counts(self.findings)

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """The kinds of the shown findings, each with a phrase that has its number, such as `8 errors`."""
        return self.list_kinds(self.findings)

    @property
    def findings(self) -> list[Finding]:
        """The shown findings of all files."""
        return [finding for file in self.files for finding in file.findings]

    def kind_counts(self, findings: Sequence[Finding]) -> str:
        """The numbers of findings by kind, such as `8 errors, 1 note`."""
        return join_phrases([phrase for _, phrase in self.list_kinds(findings)], self.language)

    def list_kinds(self, findings: Sequence[Finding]) -> list[tuple[str, str]]:
        """The kinds of these findings, each with a phrase that has its number."""
        counts = Counter(map(self.kind, findings))
        phrases = {
            severity: finding_counts_text({severity: counts[severity]}, self.language)
            for severity in ("Violation", "Warning", "Info")
        } | {STATE_WAIVED: self.get_phrase("waived parts", count=counts[STATE_WAIVED])}
        return [(kind, phrase) for kind, phrase in phrases.items() if counts[kind]]

    def kind(self, finding: Finding) -> str:
        """The severity of a finding, or that it is waived."""
        return STATE_WAIVED if finding.waiver else finding.rule.severity

    @property
    def language_tag(self) -> str:
        """The language tag of the phrases: the requested language, or `en`."""
        return report_language(self.language)

    @property
    def direction(self) -> str:
        """The writing direction, `ltr` or `rtl`."""
        return writing_direction(self.language)

    def get_phrase(self, name: str, **values: object) -> str:
        """The phrase with this key of REPORT_PHRASES, with `values` in its placeholders."""
        return format_report_phrase(name, self.language, **values)

    def file_name(self, file: FileView) -> str:
        """The name of a file; of a pasted text, what it is."""
        return self.get_phrase("pasted") if file.is_pasted else file.outcome.name

    def format_name(self, report: Report) -> str:
        """The name of the format of a checked file."""
        return next(format_.title for format_ in FILE_FORMATS if format_.media_type == report.media_type)

    def verdict(self, report: Report, conforms: bool) -> str:
        """Whether a file or a paper of it conforms to the profile, such as `not complete`."""
        return verdict_text(report.profile, conforms, self.language)

    def completeness(self, paper: PaperReport) -> str:
        """The sentence with the number of required parts that a paper has."""
        return completeness_text(paper, self.language)

    def heading(self, section: int) -> str:
        """The number and title of a section of the template."""
        return f"{section}. {section_headings()[section].title_in(self.language)}"

    def section_state(self, section: SectionState) -> str:
        """The state of a section, with the parts that are missing."""
        return section_state_text(section, self.language)

    def findings_by_section(
        self, findings: Sequence[NumberedFinding]
    ) -> Iterator[tuple[str, list[NumberedFinding]]]:
        """The findings of each section, with the heading of the section."""
        for section, group in groupby(findings, key=lambda numbered: numbered[1].section):
            yield self.heading(section), [*group]

    def waiver_text(self, finding: Finding) -> str:
        """The author's reason why a finding does not count. U+2068 and U+2069 isolate its text direction."""
        return self.get_phrase("waiver", reason=f"\u2068{finding.waiver}\u2069")

    def message(self, rule: Rule) -> str:
        """The message of a rule."""
        return rule.message_in(self.language)

    def term(self, finding: Finding, paper: PaperReport) -> str:
        """The term that a finding is about; empty if it is the paper itself."""
        term = finding_term(finding)
        return "" if term.value == paper.iri else format_short_term(term)

    def example(self, rule: Rule, report: Report) -> str:
        """The example of how to fix a violation of a rule, in the syntax of the file."""
        return get_rule_example(rule, report.media_type)


def write_html_report(outcomes: Sequence[CheckOutcome], language: str) -> bytes:
    """The standalone page in UTF-8, with links to the IRIs of rules."""
    view = ReportView(outcomes, language, rule_page=attrgetter("iri"))
    style = read_static_files()[build_static_path("style.css")].decode()
    return render_template("report-file.html", view=view, style=style)

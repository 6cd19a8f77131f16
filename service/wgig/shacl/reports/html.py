"""Check reports as HTML: a standalone file with its styles inside, or part of a page of the service.

Links of a standalone file lead to the web, not to a service. Of each file up to 2000 lines are shown, up to
500 characters each.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count, groupby
from operator import attrgetter
from typing import ClassVar, NamedTuple

from ...pages.rendering import render, static_files, static_path
from ...text import TextLines, cut
from ..findings import DONE, FAULTY, MISSING, NOT_CHECKED, WAIVED, Finding, Outcome, Paper, Report, Unread
from ..rules import Rule, headings
from .phrases import about, completeness_text, example_link, phrase, short, spoken, writing_direction

LINES = 2000  # of a file whose text is shown
LONGEST = 500  # characters of such a line
SYMBOLS = {
    DONE: "✓",
    MISSING: "✗",
    FAULTY: "!",
    WAIVED: "○",
    NOT_CHECKED: "–",
    "Violation": "✗",
    "Warning": "!",
    "Info": "i",
}


Numbered = tuple[int, Finding]


class Line(NamedTuple):
    """A line of a file: its number, its text, and the findings in it by their numbers."""

    number: int
    text: str
    findings: Sequence[Numbered]


@dataclass(frozen=True)
class ShownFile:
    """A file on the page: its number, what came of it, and its text, empty where that is not shown."""

    number: int
    outcome: Outcome
    text: str = ""

    @property
    def unread(self) -> bool:
        """Whether it was not checked."""
        return isinstance(self.outcome, Unread)

    @cached_property
    def papers(self) -> list[tuple[Paper, list[Numbered]]]:
        """Its papers with their findings, which are numbered through the file."""
        numbers = count(1)
        papers = self.outcome.papers if isinstance(self.outcome, Report) else ()
        return [(paper, [(next(numbers), one) for one in paper.findings]) for paper in papers]

    def lines(self) -> Iterator[Line]:
        """The first lines of its text, each with its findings."""
        found: dict[int, list[Numbered]] = {}
        for _, findings in self.papers:
            for number, finding in findings:
                if finding.place:
                    found.setdefault(finding.place.line, []).append((number, finding))
        for number in range(1, min(self.length, LINES) + 1):
            yield Line(number, cut(self.ends.line(number), LONGEST), found.get(number, ()))

    @property
    def length(self) -> int:
        """How many lines its text has."""
        return len(self.ends.starts)

    @cached_property
    def ends(self) -> TextLines:
        """The lines of its text."""
        return TextLines(self.text)


def on_service(rule: Rule) -> str:
    """Where a service has the page of a rule."""
    return f"/shapes/{rule.code}"


@dataclass(frozen=True)
class Shown:
    """What is shown: outcomes, in a language, beside the texts of their files where these are given.

    `texts` are in the order of the outcomes, empty where one is not to be shown. `rule_page` tells where the
    page of a rule is.
    """

    outcomes: Sequence[Outcome]
    language: str
    texts: Sequence[str] = ()
    rule_page: Callable[[Rule], str] = on_service

    symbols: ClassVar[Mapping[str, str]] = SYMBOLS
    most_lines: ClassVar[int] = LINES

    @property
    def files(self) -> list[ShownFile]:
        """The files, numbered from one."""
        texts = self.texts or [""] * len(self.outcomes)
        pairs = zip(self.outcomes, texts, strict=True)
        return [ShownFile(number, outcome, text) for number, (outcome, text) in enumerate(pairs, 1)]

    @property
    def conform(self) -> bool:
        """Whether each file was read and conforms."""
        return all(isinstance(one, Report) and one.conforms for one in self.outcomes)

    @property
    def tag(self) -> str:
        """The language as it is spoken here."""
        return spoken(self.language)

    @property
    def direction(self) -> str:
        """The direction of writing."""
        return writing_direction(self.language)

    def say(self, name: str, **values: object) -> str:
        """A phrase in the language."""
        return phrase(name, self.language, **values)

    def completeness(self, paper: Paper) -> str:
        """How much of what the template asks for is there."""
        return completeness_text(paper, self.language)

    def heading(self, section: int) -> str:
        """Number and title of a section of the template."""
        return f"{section}. {headings()[section].says(self.language)}"

    def sections(self, findings: Sequence[Numbered]) -> Iterator[tuple[str, list[Numbered]]]:
        """The findings below the headings of the template."""
        for section, group in groupby(findings, key=lambda one: one[1].rule.section):
            yield self.heading(section), [*group]

    def waived(self, finding: Finding) -> str:
        """Why a finding does not count; the words of the author keep their own direction of writing."""
        return self.say("waiver", reason=f"\u2068{finding.waiver}\u2069")

    def message(self, rule: Rule) -> str:
        """What a rule says."""
        return rule.says(self.language)

    def term(self, finding: Finding) -> str:
        """The term that a finding is about."""
        return short(about(finding))

    def example(self, rule: Rule, report: Report) -> str:
        """How to mend what breaks a rule, in the language of the file."""
        return example_link(rule, report.media_type)


def write(outcomes: Sequence[Outcome], language: str) -> bytes:
    """The page in UTF-8. Links lead to the web, not to a service."""
    shown = Shown(outcomes, language, rule_page=attrgetter("iri"))
    style = static_files()[static_path("style.css")].decode()
    return render("report-file.html", shown=shown, style=style)

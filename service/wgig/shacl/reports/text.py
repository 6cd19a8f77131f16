"""The report for people in a shell: 80 columns wide, and in color when asked for."""

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from ...text import harmless, inert, one_line
from ..findings import DONE, FAULTY, MISSING, NOT_CHECKED, WAIVED, Finding, Outcome, Paper, Report, Unread
from ..rules import headings
from .phrases import about, completeness_text, example_link, phrase, place_text, problem_place, short

WIDTH = 80
BOLD, DIM, RED, GREEN, YELLOW, BLUE = "1", "2", "31", "32", "33", "34"
STYLES = {
    "Violation": RED,
    "Warning": YELLOW,
    "Info": BLUE,
    DONE: GREEN,
    MISSING: RED,
    FAULTY: RED,
    WAIVED: BLUE,
    NOT_CHECKED: DIM,
}
PLAIN = Console(file=io.StringIO(), width=WIDTH)


def write(outcomes: Sequence[Outcome], language: str, *, color: bool = False) -> bytes:
    """The report in UTF-8. Of many files, one that conforms takes a single line; a total ends the report."""
    return b"".join(stream(outcomes, language, color=color))


def stream(outcomes: Iterable[Outcome], language: str, *, color: bool = False) -> Iterator[bytes]:
    """The report file by file, as the outcomes come; none of them is kept."""
    pen = Pen(language, color)
    waiting = iter(outcomes)
    first = [*islice(waiting, 2)]
    tally: Counter[str] = Counter()
    for one in chain(first, waiting):
        tally["unread" if isinstance(one, Unread) else "good" if one.conforms else "bad"] += 1
        yield joined(pen.outcome(one, alone=len(first) == 1))
    if tally.total() > 1:
        yield joined(["", pen.total(tally)])


def joined(lines: Iterable[str]) -> bytes:
    """The lines in UTF-8."""
    return "".join(f"{inert(line)}\n" for line in lines).encode()


class Pen:
    """Writes lines in a language, with or without color."""

    def __init__(self, language: str, color: bool) -> None:
        """Take the language, and whether lines are colored."""
        self.language, self.color = language, color

    def say(self, name: str, **values: object) -> str:
        """A phrase in the language."""
        return phrase(name, self.language, **values)

    def paint(self, text: str, style: str) -> str:
        """The text in a style of ECMA-48 (SGR), or as it is."""
        return f"\x1b[{style}m{text}\x1b[0m" if self.color else text

    def outcome(self, outcome: Outcome, *, alone: bool) -> list[str]:
        """The lines about a file."""
        if isinstance(outcome, Unread):
            return [*self.unread(outcome)]
        if outcome.conforms and not alone:
            return [self.compact(outcome)]
        return [line for paper in outcome.papers for line in self.paper(outcome, paper)]

    def unread(self, unread: Unread) -> Iterator[str]:
        """Why a file was not checked."""
        where = one_line(problem_place(unread.name, unread.problem))
        yield f"{self.paint('✗', RED)} {self.paint(where, BOLD)}: {self.paint(self.say('unread'), RED)}"
        yield from indented(one_line(unread.problem.detail), 2)
        for line in harmless(unread.problem.members.get("excerpt", "")).splitlines():
            yield f"    {line}"

    def compact(self, report: Report) -> str:
        """The line about a file that conforms, with the number of what it might still look at."""
        remarks = Counter(one.rule.severity for one in report.findings if not one.waiver)
        counted = [f"{self.say(name)}: {remarks[name]}" for name in STYLES if remarks[name]]
        said = ", ".join([self.say("conforms", profile=report.profile), *counted])
        return f"{self.paint('✓', GREEN)} {self.paint(one_line(report.name), BOLD)}: {said}"

    def total(self, tally: Counter[str]) -> str:
        """How many files conform, and how many there are."""
        counts = {name: tally[name] for name in ("good", "bad", "unread")}
        return self.paint(self.say("total", files=tally.total(), **counts), BOLD)

    def paper(self, report: Report, paper: Paper) -> Iterator[str]:
        """The lines about a paper: what was found, section by section, and what it comes to."""
        yield self.paint(one_line(f"{report.name}: {paper.title}"), BOLD)
        for section, inside in groupby(paper.findings, key=lambda one: one.rule.section):
            yield from ("", self.paint(f"{section}. {headings()[section].says(self.language)}", BOLD))
            for _, same in groupby(inside, key=lambda one: (one.rule.code, one.waiver)):
                yield ""
                yield from self.broken(report, [*same])
        if paper.left_out:
            yield from ("", self.say("left out", count=paper.left_out))
        yield ""
        yield from self.summary(report, paper)

    def broken(self, report: Report, same: Sequence[Finding]) -> Iterator[str]:
        """The lines about a rule that is broken: what it says, where that is so, and how to mend it."""
        rule, waiver = same[0].rule, same[0].waiver
        severity = self.paint(self.say(rule.severity), DIM if waiver else STYLES[rule.severity])
        yield f"  {severity}  {rule.code}"
        yield from indented(rule.says(self.language), 4)
        if waiver:
            yield from indented(self.say("waiver", reason=one_line(waiver)), 4)
        for finding in sorted(same, key=lambda one: one.place or (0, 0)):
            yield from self.place(report.name, finding)
        yield f"    {self.paint(self.say('example') + ':', DIM)}"
        yield from (f"      {line}" for line in example_link(rule, report.media_type).splitlines())
        yield f"    {self.paint(rule.iri, DIM)}"

    def place(self, name: str, finding: Finding) -> Iterator[str]:
        """The lines about one place where a rule is broken."""
        where = self.paint(one_line(place_text(name, finding)), BLUE)
        yield f"    {where}  {one_line(short(about(finding)))}"
        if finding.line:
            yield "      " + fitting(one_line(finding.line), WIDTH - 6)
        if finding.suggestion:
            yield from indented(self.say("suggestion", suggestion=finding.suggestion), 6)

    def summary(self, report: Report, paper: Paper) -> Iterator[str]:
        """The state of each section, how complete the paper is, and the verdict."""
        titles = [f"{one.number}. {headings()[one.number].says(self.language)}" for one in paper.sections]
        states = [self.say(one.state) for one in paper.sections]
        broad = min(max(map(cell_len, titles)), WIDTH - 4 - max(map(cell_len, states)))
        for title, state, section in zip(titles, states, paper.sections, strict=True):
            column = set_cell_size(fitting(title, broad), broad)
            yield f"  {column}  {self.paint(state, STYLES[section.state])}"
        yield ""
        name, mark, style = ("conforms", "✓", GREEN) if paper.conforms else ("fails", "✗", RED)
        verdict = self.paint(f"{mark} {self.say(name, profile=report.profile)}", style)
        yield f"{verdict}; {completeness_text(paper, self.language)}"


def indented(text: str, indent: int) -> Iterator[str]:
    """A sentence in lines that fit, also where its script has wide characters and no spaces."""
    for line in Text(text).wrap(PLAIN, WIDTH - indent):
        yield " " * indent + line.plain.rstrip()


def fitting(text: str, width: int) -> str:
    """The text in one line of at most so many columns, an ellipsis at the end where it is cut."""
    line = text.replace("\t", " ")
    return line if cell_len(line) <= width else set_cell_size(line, width - 1) + "…"

"""Findings of a check, the state of each section, and whether a paper conforms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..problems import Problem
from ..text import TextPosition, replace_control_characters, shorten_untrusted_text
from .results import Term
from .rules import Rule

STATE_DONE, STATE_MISSING, STATE_FAULTY, STATE_WAIVED, STATE_NOT_CHECKED = (
    "done",
    "missing",
    "faulty",
    "waived",
    "not checked",
)


class Correction(NamedTuple):
    """A change of the text that follows a suggestion: at `position`, `old` is replaced by `new`."""

    position: TextPosition
    old: str
    new: str


@dataclass(frozen=True)
class Finding:
    """One violation of a rule.

    `focus` is the focus node, `value` the wrong value if there is one. `position` is that of the value, or of
    the node or heading that lacks one; None if the format has no lines, or the file does not have this value
    or node. `line` is the text of the line at `position`, `suggestion` the nearest valid name, `waiver` the
    author's reason why the finding does not count, `correction` the change of the text to the suggestion.
    `misspelled_section` is the section of a part whose name is misspelled.
    """

    rule: Rule
    focus: Term
    value: Term | None = None
    position: TextPosition | None = None
    line: str = ""
    suggestion: str = ""
    waiver: str = ""
    correction: Correction | None = None
    misspelled_section: int | None = None

    def __post_init__(self) -> None:
        """Replace control characters in the author's text, and shorten the waiver."""
        object.__setattr__(self, "line", replace_control_characters(self.line))
        object.__setattr__(self, "waiver", shorten_untrusted_text(self.waiver))

    @property
    def section(self) -> int:
        """The number of the section that the finding is about."""
        return self.rule.section if self.misspelled_section is None else self.misspelled_section

    def is_blocking(self, profile: str) -> bool:
        """Whether the finding makes the paper fail a profile."""
        return self.rule.is_blocking(profile) and not self.waiver


class SectionState(NamedTuple):
    """The state of a section of the template: `done`, `missing`, `faulty`, `waived` or `not checked`.

    If it is `missing`, `missing` are the rules that require the missing parts, in the order of the template:
    without a forum, only the one that requires a forum.
    """

    number: int
    state: str
    missing: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class PaperReport:
    """The report on one paper of a file, or on all of it if it was checked against other shapes.

    `parts` is the number of parts that the template requires. The paper has `met` of them and waives `waived`
    of them. `left_out` is the number of findings that are not shown, and `left_out_counts` has the numbers of
    those that are not waived by severity. With other shapes, there are no sections and parts, and
    `focus_nodes` is the number of nodes that were checked. A long title is cut.
    """

    iri: str
    title: str
    findings: Sequence[Finding]
    sections: Sequence[SectionState]
    met: int
    waived: int
    parts: int
    conforms: bool
    left_out: int
    left_out_counts: Mapping[str, int] = field(default_factory=dict)
    focus_nodes: int = 0

    def __post_init__(self) -> None:
        """Cut the title."""
        object.__setattr__(self, "title", shorten_untrusted_text(self.title))

    @property
    def is_paper(self) -> bool:
        """Whether this is about a paper by the rules of the template."""
        return bool(self.sections)


@dataclass(frozen=True)
class Report:
    """The report on a file, paper by paper. A long file name is cut."""

    name: str
    media_type: str
    profile: str
    papers: Sequence[PaperReport]

    def __post_init__(self) -> None:
        """Cut the name."""
        object.__setattr__(self, "name", shorten_untrusted_text(self.name))

    @property
    def conforms(self) -> bool:
        """Whether each paper of the file conforms to the profile."""
        return all(paper.conforms for paper in self.papers)

    @property
    def findings(self) -> list[Finding]:
        """The findings of all papers, in the order of `papers`."""
        return [finding for paper in self.papers for finding in paper.findings]


@dataclass(frozen=True)
class UncheckedFile:
    """A file that could not be checked, and why: it cannot be read or has no paper.

    A long file name is cut.
    """

    name: str
    problem: Problem

    def __post_init__(self) -> None:
        """Cut the name."""
        object.__setattr__(self, "name", shorten_untrusted_text(self.name))


CheckOutcome = Report | UncheckedFile

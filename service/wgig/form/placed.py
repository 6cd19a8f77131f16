"""What the check found, at the fields that it is about."""

from collections.abc import Iterator
from typing import NamedTuple

import pyoxigraph as ox

from ..markdown.values import ID, NAMES
from ..placing import is_blank
from ..report import BLOCKING, Finding
from .filled import name
from .layout import ASSESSMENT
from .stating import Stating

SECTION = "section-"


class Message(NamedTuple):
    """What is said at a field: its name, how grave it is (`Violation`, `Warning`, `Info`), the sentence.

    `language` is that of the sentence; `code` is that of the rule, empty where the form itself says it;
    `blocks`: it keeps the paper from the profile. The name may be that of a part, or of a section, where no
    field is meant.
    """

    field: str
    severity: str
    text: str
    language: str
    code: str = ""
    blocks: bool = True


def message(finding: Finding, stating: Stating, profile: str, language: str) -> Message:
    """A finding as a message at its field."""
    rule = finding.rule
    hint = f" {finding.suggestion}" if finding.suggestion else ""
    blocks = rule.severity in BLOCKING[profile] and not finding.waiver
    field = next(names(finding, stating), f"{SECTION}{rule.section}")
    return Message(field, rule.severity, f"{rule.says(language)}{hint}", language, rule.code, blocks)


def names(finding: Finding, stating: Stating) -> Iterator[str]:
    """The names of fields that a finding may be about, the most exact first."""
    rule, there = finding.rule, stating.names
    if isinstance(finding.focus, ox.Literal):
        return
    if finding.value not in (None, finding.focus):
        yield from values(finding, stating)
    if rule.counted.startswith(NAMES["principle"]):
        yield from measured(finding, stating)
    yield from (there[one] for one in ((finding.focus, path) for path in rule.predicates) if one in there)
    if rule.code == "WGIG-2-CATEGORY-INVENTORY":  # whose path stands in its query
        yield "category"
    for path in rule.predicates:
        yield from (one for one in stating.source.nodes if one and path.endswith(f"#{one}"))
    if finding.focus != stating.paper and finding.focus in there:
        yield there[finding.focus]


def values(finding: Finding, stating: Stating) -> Iterator[str]:
    """The names of the fields that make the statement whose value a finding is about."""
    for triple in stating.draft.of(finding.focus):
        along = triple.predicate.value in finding.rule.predicates
        same = triple.object == finding.value or (is_blank(finding.value) and is_blank(triple.object))
        if along and same and triple in stating.names:
            yield stating.names[triple]
    if not isinstance(finding.value, ox.Literal):
        yield from filter(None, [stating.names.get(finding.value)])


def measured(finding: Finding, stating: Stating) -> Iterator[str]:
    """The names of the assessments by the criterion that a rule counts: the last where there are too many."""
    criterion = finding.rule.counted.removeprefix(f"{ID}principle/")
    rows = [one for one in stating.rows(ASSESSMENT) if one.words("criterion") == criterion]
    if rows and finding.rule.component == "QualifiedMaxCount":
        yield f"{name(ASSESSMENT, rows[-1])}-judges"
    yield from (f"{name(ASSESSMENT, one)}-verdict" for one in rows if one.is_blank)

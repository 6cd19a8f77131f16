"""What the form fills in from the issue of a new paper, until the author changes it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from ...http.language import gettext
from ...i18n import gettext_noop
from ...problems import Problem
from ...shacl.findings import STATE_DONE, STATE_NOT_CHECKED, SectionState
from ...shacl.reports.html import STATE_SYMBOLS
from ...shacl.reports.phrases import section_state_text
from ..markdown import reader
from ..skeleton import build_paper_skeleton
from .check import FormCheckResult
from .fields import FORM_SECTIONS, PAPER_PART
from .original import OriginalPaper
from .state import FormRow

ISSUE_ADDRESS_PREFIX = "issue="  # of the query of the address at which a new paper on an issue is opened
# The author chose the issue, and the language is a default: neither is a claim about the issue.
CHOSEN_FIELDS = frozenset(("issue", "inLanguage"))
STATE_FILLED_IN = "filled in"  # of a section whose required fields are filled in, some by the form
FORM_STATE_SYMBOLS = {**STATE_SYMBOLS, STATE_FILLED_IN: "?"}
# In the form, a section in which nothing is required has these words instead of `not checked`.
OPTIONAL_TEXT, FILLED_IN_TEXT = gettext_noop("optional"), gettext_noop("filled in: check")


class SectionStatus(NamedTuple):
    """The state of a section for the author, also in words: one of `SectionState`, or STATE_FILLED_IN."""

    number: int
    state: str
    text: str


@dataclass(frozen=True)
class Prefilled:
    """The fields that the form filled in from an issue, and which of them the author wants to keep."""

    issue: str
    fields: frozenset[str]
    kept_fields: frozenset[str]

    @property
    def required_fields_to_check(self) -> list[str]:
        """The required fields that are filled in only by the form."""
        to_check = self.fields - self.kept_fields
        return [field.key for field in PAPER_PART.fields if field.required and field.key in to_check]

    def list_statuses(self, check_result: FormCheckResult | None, language: str) -> list[SectionStatus]:
        """The statuses of the sections after a check; before, none."""
        return [
            self.build_status(section, language)
            for section in (check_result.sections if check_result else ())
        ]

    def build_status(self, section: SectionState, language: str) -> SectionStatus:
        """The status of a section: not done if only the form has filled in a required field."""
        keys = {item.key for item in FORM_SECTIONS[section.number]}
        if section.state == STATE_DONE and not keys.isdisjoint(self.required_fields_to_check):
            return SectionStatus(section.number, STATE_FILLED_IN, gettext(FILLED_IN_TEXT))
        is_optional = section.state == STATE_NOT_CHECKED
        text = gettext(OPTIONAL_TEXT) if is_optional else section_state_text(section, language)
        return SectionStatus(section.number, section.state, text)

    def count_met(self, check_result: FormCheckResult) -> int:
        """The number of required parts that the author has written or wants to keep."""
        return check_result.requirements_met - len(self.required_fields_to_check)


def find_prefilled(address: str, paper: FormRow, kept_fields: frozenset[str]) -> Prefilled:
    """The fields of the paper itself whose values are those that the form filled in when it was opened.

    `address` and `kept_fields` are those of `FormRequest`.
    """
    issue = address.removeprefix(ISSUE_ADDRESS_PREFIX) if address.startswith(ISSUE_ADDRESS_PREFIX) else ""
    fields: set[str] = set()
    with suppress(Problem):  # no issue, or one that the form did not send
        values = list_prefilled_values(issue)
        fields = {key for key, texts in values.items() if list_texts(paper, key) == texts}
    return Prefilled(issue, frozenset(fields), kept_fields & fields)


@lru_cache(maxsize=100)  # more than there are issues
def list_prefilled_values(issue: str) -> Mapping[str, list[str]]:
    """The values that the form fills in for an issue, by field. Raises Problem 404 if it is unknown."""
    paper = OriginalPaper(reader.parse_paper_triples(build_paper_skeleton(issue))[0]).form_state.paper
    return {key: texts for key in paper.values.keys() - CHOSEN_FIELDS if (texts := list_texts(paper, key))}


def list_texts(row: FormRow, key: str) -> list[str]:
    """The values of a field in any order, without blank ones."""
    return sorted(filter(None, (value.text.strip() for value in row.values.get(key, ()))))

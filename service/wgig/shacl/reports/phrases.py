"""Phrases and formatting that the report formats share, in the six UN languages.

Phrases come from the message catalogs (`locale/`), with English as fallback. Terms are shown in Turtle syntax
on one line, positions as `file:line:column`, which editors and terminals recognize.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyoxigraph as ox
from babel.lists import format_list

from ...i18n import load_catalog, pgettext_noop
from ...problems import Problem
from ...rdf.formats import MARKDOWN, WORD_DOCUMENT
from ...rdf.namespaces import PAPER_NAMESPACE, shorten_iri
from ...settings import Settings
from ...text import shorten_untrusted_text
from ..findings import (
    STATE_DONE,
    STATE_FAULTY,
    STATE_MISSING,
    STATE_NOT_CHECKED,
    STATE_WAIVED,
    CheckOutcome,
    Finding,
    PaperReport,
    SectionState,
    UncheckedFile,
)
from ..results import Term
from ..rules import MESSAGE_LANGUAGES, Rule

# Severities, states, and sentences with placeholders. They have the context "report" in the catalogs, as
# pages use some of the same words with another meaning. The form of none of these depends on a number.
REPORT_PHRASES = {
    "Violation": pgettext_noop("report", "error"),
    "Warning": pgettext_noop("report", "warning"),
    "Info": pgettext_noop("report", "note"),
    STATE_DONE: pgettext_noop("report", "done"),
    STATE_MISSING: pgettext_noop("report", "missing"),
    STATE_FAULTY: pgettext_noop("report", "faulty"),
    STATE_WAIVED: pgettext_noop("report", "waived"),
    STATE_NOT_CHECKED: pgettext_noop("report", "not checked"),
    "conforms": pgettext_noop("report", "conforms to the profile {profile}"),
    "fails": pgettext_noop("report", "does not conform to the profile {profile}"),
    "unread": pgettext_noop("report", "this file was not checked"),
    "completeness": pgettext_noop("report", "{met} of {parts} parts are present"),
    "missing parts": pgettext_noop("report", "missing: {parts}"),
    "missing count": pgettext_noop("report", "missing parts: {count}"),
    "faulty sections": pgettext_noop("report", "faulty sections: {count}"),
    "waived parts": pgettext_noop("report", "waived: {count}"),
    "flawless": pgettext_noop("report", "Nothing to fix."),
    "example": pgettext_noop("report", "Example"),
    "suggestion": pgettext_noop("report", "Did you mean {suggestion}?"),
    "waiver": pgettext_noop("report", "Waived: {reason}"),
    "left out": pgettext_noop("report", "Findings not shown: {count}"),
    "sections": pgettext_noop("report", "Sections of the template"),
    "section": pgettext_noop("report", "Section"),
    "state": pgettext_noop("report", "State"),
    "findings": pgettext_noop("report", "Findings"),
    "line": pgettext_noop("report", "Line {line}, column {column}"),
    "text": pgettext_noop("report", "Text of the file"),
    "text cut": pgettext_noop("report", "Only the first {shown} of {lines} lines are shown"),
    "report": pgettext_noop("report", "Check report"),
    "total": pgettext_noop(
        "report", "Files: {files}; conforming: {good}; not conforming: {bad}; not checked: {unread}"
    ),
}


MAX_NAMED_PARTS = 3  # of the missing parts of a section


def format_report_phrase(name: str, language: str, **values: object) -> str:
    """A phrase in a language, or in English if reports lack the language, with its placeholders filled in."""
    translations = load_catalog(report_language(language))
    return translations.pgettext("report", REPORT_PHRASES[name]).format(**values)


def count_findings(outcome: CheckOutcome) -> Counter[str]:
    """The numbers of shown findings that are not waived, by severity."""
    findings = () if isinstance(outcome, UncheckedFile) else outcome.findings
    return Counter(finding.rule.severity for finding in findings if not finding.waiver)


def finding_counts_text(counts: Mapping[str, int], language: str) -> str:
    """The numbers of findings by severity, such as `8 errors, 1 note`; empty if there is none."""
    errors, warnings, notes = (counts.get(severity, 0) for severity in ("Violation", "Warning", "Info"))
    count_phrase = load_catalog(report_language(language)).npgettext
    phrases = {
        count_phrase("report", "{count} error", "{count} errors", errors): errors,
        count_phrase("report", "{count} warning", "{count} warnings", warnings): warnings,
        count_phrase("report", "{count} note", "{count} notes", notes): notes,
    }
    return format_list(
        [phrase.format(count=count) for phrase, count in phrases.items() if count],
        style="unit",
        locale=report_language(language),
    )


def completeness_text(paper: PaperReport, language: str) -> str:
    """The sentence with the numbers of required parts that a paper has and waives, and of faulty sections."""
    faulty = sum(section.state == STATE_FAULTY for section in paper.sections)
    counts = {"faulty sections": faulty, "waived parts": paper.waived}
    phrases = [
        format_report_phrase("completeness", language, met=paper.met, parts=paper.parts),
        *(format_report_phrase(name, language, count=count) for name, count in counts.items() if count),
    ]
    return "; ".join(phrases)


def section_state_text(section: SectionState, language: str) -> str:
    """The state of a section, such as `done`, or what it lacks, such as `missing: title, drafter`.

    Of more than MAX_NAMED_PARTS missing parts, it has the number.
    """
    if not section.missing:
        return format_report_phrase(section.state, language)
    if len(section.missing) > MAX_NAMED_PARTS:
        return format_report_phrase("missing count", language, count=len(section.missing))
    names = [rule.name.get(language, rule.name["en"]) for rule in section.missing]
    parts = format_list(names, style="unit", locale=report_language(language))
    return format_report_phrase("missing parts", language, parts=parts)


def report_language(language: str) -> str:
    """The language, or English if reports are not available in it."""
    return language if language in MESSAGE_LANGUAGES else "en"


MAX_SHORT_VALUE_CHARACTERS = 60  # characters of a value shown in a sentence


def format_plain_term(term: Term | None) -> str:
    """The IRI or text of a term, or `_:` and the label of a blank node; cut if long, empty for None."""
    if term is None:
        return ""
    return shorten_untrusted_text(str(term) if isinstance(term, ox.BlankNode) else term.value)


def format_paper_iri(paper: PaperReport) -> str:
    """The IRI of a paper, or the label of a blank node; cut if long."""
    return shorten_untrusted_text(paper.iri)


def format_short_term(term: Term) -> str:
    """A term in Turtle syntax on one line: a prefixed name or IRI, a quoted text, or `[]`; cut if long."""
    if isinstance(term, ox.NamedNode):
        return format_turtle_iri(shorten_untrusted_text(term.value))
    if isinstance(term, ox.BlankNode):
        return "[]"
    return f'"{shorten_untrusted_text(" ".join(term.value.split()), MAX_SHORT_VALUE_CHARACTERS)}"'


def format_turtle_iri(iri: str) -> str:
    """An IRI in Turtle syntax, as a prefixed name if possible, with slashes escaped."""
    prefixed_name = shorten_iri(iri)
    if prefixed_name != iri:
        return prefixed_name
    return (
        "paper:" + iri.removeprefix(PAPER_NAMESPACE).replace("/", r"\/")
        if iri.startswith(PAPER_NAMESPACE)
        else f"<{iri}>"
    )


def finding_term(finding: Finding) -> Term:
    """The term that a finding is about: its value, or the focus node."""
    return finding.focus if finding.value is None else finding.value


def get_rule_example(rule: Rule, media_type: str) -> str:
    """The example of how to fix a violation of a rule, in the syntax of a file of this media type."""
    as_markdown = media_type in (MARKDOWN.media_type, WORD_DOCUMENT.media_type)
    return rule.in_markdown if as_markdown else rule.in_turtle


def format_file_position(name: str, line: int | None, column: int | None) -> str:
    """The position `file:line:column`, as editors and terminals recognize it; only `file` without a line."""
    return f"{name}:{line}:{column}" if line else name


def format_finding_position(name: str, finding: Finding) -> str:
    """The position of a finding, as `file:line:column`."""
    return format_file_position(name, *(finding.position or (None, None)))


def format_problem_position(name: str, problem: Problem) -> str:
    """The position of the problem of an unreadable file, as `file:line:column`."""
    return format_file_position(name, problem.members.get("line"), problem.members.get("column"))


def file_problem_members(problem: Problem) -> dict[str, Any]:
    """The members of a problem document (RFC 9457) about a file, without the `instance` of a request."""
    return {name: value for name, value in problem.document(Settings.base, "").items() if name != "instance"}

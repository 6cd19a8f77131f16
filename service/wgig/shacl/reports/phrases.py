"""Phrases and formatting that the report formats share, in the six UN languages.

Phrases come from the message catalogs (`locale/`), with English as fallback. Terms are shown in Turtle syntax
on one line, positions as `file:line:column`, which editors and terminals recognize.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyoxigraph as ox

from ...i18n import get_list_separator, load_catalog, pgettext_noop
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
from ..rules import COMMENTS_SECTION, MESSAGE_LANGUAGES, Rule

# Severities, states, and sentences with placeholders. They have the context "report" in the catalogs, as
# pages use some of the same words with another meaning. The form of none of these depends on a number.
REPORT_PHRASES = {
    "Violation": pgettext_noop("report", "error"),
    "Warning": pgettext_noop("report", "warning"),
    "Info": pgettext_noop("report", "note"),
    STATE_DONE: pgettext_noop("report", "present"),
    STATE_MISSING: pgettext_noop("report", "missing"),
    STATE_FAULTY: pgettext_noop("report", "present, to correct"),
    STATE_WAIVED: pgettext_noop("report", "waived"),
    STATE_NOT_CHECKED: pgettext_noop("report", "not checked"),
    "draft conforms": pgettext_noop("report", "no errors"),
    "draft fails": pgettext_noop("report", "has errors"),
    "complete conforms": pgettext_noop("report", "complete"),
    "complete fails": pgettext_noop("report", "not complete"),
    "final conforms": pgettext_noop("report", "final"),
    "final fails": pgettext_noop("report", "not final"),
    "shapes conforms": pgettext_noop("report", "conforms to the shapes"),
    "shapes fails": pgettext_noop("report", "does not conform to the shapes"),
    "focus nodes": pgettext_noop("report", "Nodes checked: {count}"),
    "shape": pgettext_noop("report", "Shape"),
    "unread": pgettext_noop("report", "this file was not checked"),
    "completeness": pgettext_noop("report", "{met} of {parts} parts are present"),
    "missing parts": pgettext_noop("report", "missing: {parts}"),
    "missing count": pgettext_noop("report", "missing parts: {count}"),
    "waived parts": pgettext_noop("report", "waived: {count}"),
    "flawless": pgettext_noop("report", "Nothing to fix."),
    "example": pgettext_noop("report", "Example"),
    "suggestion": pgettext_noop("report", "Did you mean {suggestion}?"),
    "waiver": pgettext_noop("report", "Waived: {reason}"),
    "left out": pgettext_noop("report", "Findings not shown: {count}"),
    "sections": pgettext_noop("report", "Sections of the template"),
    "section": pgettext_noop("report", "Section"),
    "state": pgettext_noop("report", "State"),
    "optional": pgettext_noop("report", "optional"),
    "findings": pgettext_noop("report", "Findings"),
    "shown": pgettext_noop("report", "Show"),
    "all": pgettext_noop("report", "All findings"),
    "pasted": pgettext_noop("report", "Pasted text"),
    "read as": pgettext_noop("report", "{file}, read as {format}"),
    "rule": pgettext_noop("report", "Rule"),
    "line": pgettext_noop("report", "Line {line}, column {column}"),
    "text": pgettext_noop("report", "Text of the file"),
    "text cut": pgettext_noop("report", "Only the first {shown} of {lines} lines are shown"),
    "report": pgettext_noop("report", "Check report"),
    "total": pgettext_noop(
        "report", "Files: {files}; conforming: {good}; not conforming: {bad}; not checked: {unread}"
    ),
}


# Messages about shapes that have none of their own, and notes about what was not used.
SHAPE_MESSAGES = {
    "constraint": pgettext_noop("report", "Does not satisfy {constraint}"),
    "imports": pgettext_noop(
        "report", "The shapes import others (owl:imports), which were not fetched and not used: {iris}"
    ),
    "rules": pgettext_noop("report", "The shapes have rules (sh:rule), which were not run: {count}"),
    "no targets": pgettext_noop(
        "report", "No node of the data is a target of the shapes, so nothing was checked."
    ),
    "unreachable": pgettext_noop(
        "report", "Blank nodes that are targets, which an endpoint does not let one check: {count}"
    ),
}


def translate_shape_message(name: str, **values: object) -> dict[str, str]:
    """A message of SHAPE_MESSAGES by language, with its placeholders filled in."""
    return {
        language: load_catalog(language).pgettext("report", SHAPE_MESSAGES[name]).format(**values)
        for language in MESSAGE_LANGUAGES
    }


MAX_NAMED_PARTS = 3  # of the missing parts of a section


def format_report_phrase(name: str, language: str, **values: object) -> str:
    """A phrase in a language, or in English if reports lack the language, with its placeholders filled in."""
    translations = load_catalog(report_language(language))
    return translations.pgettext("report", REPORT_PHRASES[name]).format(**values)


def count_findings(outcome: CheckOutcome) -> Counter[str]:
    """The numbers of findings that are not waived, by severity, including those that are not shown."""
    counts = Counter[str]()
    for paper in () if isinstance(outcome, UncheckedFile) else outcome.papers:
        counts.update(finding.rule.severity for finding in paper.findings if not finding.waiver)
        counts.update(paper.left_out_counts)
    return counts


def finding_counts_text(counts: Mapping[str, int], language: str) -> str:
    """The numbers of findings by severity, such as `8 errors, 1 note`; empty if there is none."""
    errors, warnings, notes = (counts.get(severity, 0) for severity in ("Violation", "Warning", "Info"))
    catalog = load_catalog(report_language(language))
    phrases = {
        catalog.npgettext("report", "{count} error", "{count} errors", errors): errors,
        catalog.npgettext("report", "{count} warning", "{count} warnings", warnings): warnings,
        catalog.npgettext("report", "{count} note", "{count} notes", notes): notes,
    }
    return join_phrases([phrase.format(count=count) for phrase, count in phrases.items() if count], language)


def join_phrases(phrases: Sequence[str], language: str) -> str:
    """The phrases as a list on one line, such as `8 errors, 1 note`."""
    return get_list_separator(report_language(language)).join(phrases)


def verdict_text(profile: str, conforms: bool, language: str) -> str:
    """Whether a paper conforms to a profile, such as `not complete`."""
    return format_report_phrase(f"{profile} {'conforms' if conforms else 'fails'}", language)


def completeness_text(paper: PaperReport, language: str) -> str:
    """The sentence with the numbers of required parts that a paper has and waives, or of checked nodes."""
    if not paper.is_paper:
        return format_report_phrase("focus nodes", language, count=paper.focus_nodes)
    phrases = [format_report_phrase("completeness", language, met=paper.met, parts=paper.parts)]
    if paper.waived:
        phrases.append(format_report_phrase("waived parts", language, count=paper.waived))
    return "; ".join(phrases)


def section_state_text(section: SectionState, language: str) -> str:
    """The state of a section, such as `present`, or what it lacks, such as `missing: title, drafter`.

    The section that is optional is not called `not checked` if it is empty. Of more than MAX_NAMED_PARTS
    missing parts, the text has the number.
    """
    if (section.number, section.state) == (COMMENTS_SECTION, STATE_NOT_CHECKED):
        return format_report_phrase("optional", language)
    if not section.missing:
        return format_report_phrase(section.state, language)
    if len(section.missing) > MAX_NAMED_PARTS:
        return format_report_phrase("missing count", language, count=len(section.missing))
    names = [rule.name.get(language, rule.name["en"]) for rule in section.missing]
    return format_report_phrase("missing parts", language, parts=join_phrases(names, language))


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

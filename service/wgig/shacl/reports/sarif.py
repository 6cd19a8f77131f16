"""The report as SARIF 2.1.0 (OASIS), a format of code hosts and editors."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import pyoxigraph as ox

from ..._version import __version__
from ...problems import Problem
from ...settings import Settings
from ..findings import CheckOutcome, Finding, Report, UncheckedFile
from ..rules import (
    MESSAGE_LANGUAGES,
    PROFILE_NAMESPACE,
    SHAPES_PROFILE,
    Rule,
    ShapeRule,
    rules_by_code,
)
from .phrases import finding_term, format_report_phrase, format_short_term, report_language

SARIF_SCHEMA_URL = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
SARIF_LEVELS = {"Violation": "error", "Warning": "warning", "Info": "note"}


def write_sarif_report(outcomes: Sequence[CheckOutcome], language: str) -> bytes:
    """The log in UTF-8, with one run."""
    log = {"$schema": SARIF_SCHEMA_URL, "version": "2.1.0", "runs": [build_sarif_run(outcomes, language)]}
    return f"{json.dumps(log, ensure_ascii=False)}\n".encode()


def build_sarif_run(outcomes: Sequence[CheckOutcome], language: str) -> dict[str, Any]:
    """The run over all files, not successful if a file was not checked (section 3.20.14)."""
    reports = [report for report in outcomes if isinstance(report, Report)]
    findings = [finding for report in reports for finding in report.findings]
    is_by_template = not any(report.profile == SHAPES_PROFILE for report in reports)
    broken_rules = dict.fromkeys(finding.rule for finding in findings)
    rules = [*(rules_by_code().values() if is_by_template else broken_rules)]
    indexes = {rule: index for index, rule in enumerate(rules)}
    return {
        "tool": {"driver": build_sarif_driver(tuple(rules), language)},
        "language": report_language(language),
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": len(reports) == len(outcomes),
                "toolExecutionNotifications": [*iter_sarif_notifications(outcomes, language)],
            }
        ],
        "properties": {
            "profiles": sorted({PROFILE_NAMESPACE + report.profile for report in reports if is_by_template})
        },
        "results": [
            build_sarif_result(report.name, finding, indexes[finding.rule], language)
            for report in reports
            for finding in report.findings
        ],
    }


@lru_cache(len(MESSAGE_LANGUAGES))  # the rules of the template; other shapes are seldom sent twice
def build_sarif_driver(rules: tuple[Rule, ...], language: str) -> dict[str, Any]:
    """The checker with these rules."""
    return {
        "name": "wgig",
        "version": __version__,
        "informationUri": Settings.base,
        "rules": [
            build_shape_descriptor(rule, language)
            if isinstance(rule, ShapeRule)
            else build_rule_descriptor(rule, language)
            for rule in rules
        ],
    }


def build_shape_descriptor(rule: ShapeRule, language: str) -> dict[str, Any]:
    """A constraint of other shapes as a reporting descriptor."""
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.name_in(language)},
        "fullDescription": {"text": rule.message_in(language)},
        "defaultConfiguration": {"level": SARIF_LEVELS[rule.severity]},
    }


def build_rule_descriptor(rule: Rule, language: str) -> dict[str, Any]:
    """A rule as a reporting descriptor (section 3.49)."""
    as_text = f"{rule.message_in(language)}\n\nTurtle:\n{rule.in_turtle}\n\nMarkdown:\n{rule.in_markdown}"
    as_markdown = (
        f"{rule.message_in(language)}\n\nTurtle:\n\n{format_code_block(rule.in_turtle, 'turtle')}\n\n"
        f"Markdown:\n\n{format_code_block(rule.in_markdown, 'markdown')}"
    )
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in re.findall(r"\w+", rule.name["en"])),
        "shortDescription": {"text": rule.name_in(language)},
        "fullDescription": {"text": rule.reason},
        "help": {"text": as_text, "markdown": as_markdown},
        "helpUri": rule.iri,
        "defaultConfiguration": {"level": SARIF_LEVELS[rule.severity]},
        "properties": {"tags": [f"section-{rule.section}", rule.profile]},
    }


def format_code_block(code: str, language: str) -> str:
    """A block of code in Markdown, fenced by four backticks, as an example may have a fence of three."""
    return f"````{language}\n{code}\n````"


def build_sarif_result(name: str, finding: Finding, rule_index: int, language: str) -> dict[str, Any]:
    """A finding as a result (section 3.27)."""
    rule = finding.rule
    sentence = f"{rule.message_in(language)} ({format_short_term(finding_term(finding))})"
    if finding.suggestion:
        sentence += " " + format_report_phrase("suggestion", language, suggestion=finding.suggestion)
    line, column = finding.position or (None, None)
    result: dict[str, Any] = {
        "ruleId": rule.code,
        "ruleIndex": rule_index,
        "level": SARIF_LEVELS[rule.severity],
        "message": {"text": sentence},
        "locations": [build_sarif_location(name, line, column, finding.line)],
        "partialFingerprints": {"finding/v1": compute_finding_fingerprint(finding)},
    }
    if finding.waiver:
        result["suppressions"] = [{"kind": "inSource", "justification": finding.waiver}]
    return result


def compute_finding_fingerprint(finding: Finding) -> str:
    """The hash of rule, focus node and value, which stays the same when the finding moves in the text.

    All blank nodes count as equal, as their labels are new in each run.
    """
    terms = ("[]" if isinstance(term, ox.BlankNode) else str(term) for term in (finding.focus, finding.value))
    parts = (finding.rule.code, *terms)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def build_sarif_location(
    name: str, line: int | None, column: int | None, excerpt: str = ""
) -> dict[str, Any]:
    """A location in a file (section 3.28)."""
    physical_location: dict[str, Any] = {"artifactLocation": {"uri": quote(name.replace("\\", "/"))}}
    if line:
        physical_location["region"] = {"startLine": line, "startColumn": column}
        if excerpt:
            physical_location["region"]["snippet"] = {"text": excerpt}
    return {"physicalLocation": physical_location}


def iter_sarif_notifications(outcomes: Sequence[CheckOutcome], language: str) -> Iterator[dict[str, Any]]:
    """The notifications of the run: files that were not checked, findings left out as there are too many."""
    for outcome in outcomes:
        if isinstance(outcome, UncheckedFile):
            yield build_unchecked_notification(outcome.name, outcome.problem)
            continue
        for paper in outcome.papers:
            if paper.left_out:
                text = format_report_phrase("left out", language, count=paper.left_out)
                yield build_sarif_notification("note", text, build_sarif_location(outcome.name, None, None))


def build_unchecked_notification(name: str, problem: Problem) -> dict[str, Any]:
    """The notification that a file was not checked, with the reason."""
    members = problem.members
    location = build_sarif_location(name, members.get("line"), members.get("column"))
    return build_sarif_notification("error", problem.detail, location)


def build_sarif_notification(level: str, text: str, location: dict[str, Any]) -> dict[str, Any]:
    """A notification with its location (section 3.58)."""
    return {"level": level, "message": {"text": text}, "locations": [location]}

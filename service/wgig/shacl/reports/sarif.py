"""The report as SARIF 2.1.0 (OASIS), which code hosts and editors read."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any
from urllib.parse import quote

import pyoxigraph as ox

from ..._version import __version__
from ...problems import Problem
from ...settings import Settings
from ..findings import Finding, Outcome, Report, Unread
from ..rules import PROFILE, Rule, rules
from .phrases import about, phrase, short, spoken

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"Violation": "error", "Warning": "warning", "Info": "note"}


def write(outcomes: Sequence[Outcome], language: str) -> bytes:
    """The log in UTF-8, with one run."""
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run(outcomes, language)]}
    return f"{json.dumps(log, ensure_ascii=False)}\n".encode()


def run(outcomes: Sequence[Outcome], language: str) -> dict[str, Any]:
    """The run over all files. It failed in part where a file was not checked (section 3.20.14)."""
    reports = [one for one in outcomes if isinstance(one, Report)]
    return {
        "tool": {"driver": driver(language)},
        "language": spoken(language),
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": len(reports) == len(outcomes),
                "toolExecutionNotifications": [*notifications(outcomes, language)],
            }
        ],
        "properties": {"profiles": sorted({PROFILE + one.profile for one in reports})},
        "results": [
            result(report.name, finding, language) for report in reports for finding in report.findings
        ],
    }


@cache
def driver(language: str) -> dict[str, Any]:
    """The checker and all its rules."""
    return {
        "name": "wgig",
        "version": __version__,
        "informationUri": Settings.base,
        "rules": [descriptor(rule, language) for rule in rules().values()],
    }


@cache
def numbers() -> dict[str, int]:
    """The place of each rule among those of the driver."""
    return {code: number for number, code in enumerate(rules())}


def descriptor(rule: Rule, language: str) -> dict[str, Any]:
    """A rule (section 3.49)."""
    as_text = f"{rule.says(language)}\n\nTurtle:\n{rule.in_turtle}\n\nMarkdown:\n{rule.in_markdown}"
    as_markdown = (
        f"{rule.says(language)}\n\nTurtle:\n\n{fenced(rule.in_turtle, 'turtle')}\n\n"
        f"Markdown:\n\n{fenced(rule.in_markdown, 'markdown')}"
    )
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in re.findall(r"\w+", rule.name["en"])),
        "shortDescription": {"text": rule.name.get(language, rule.name["en"])},
        "fullDescription": {"text": rule.reason},
        "help": {"text": as_text, "markdown": as_markdown},
        "helpUri": rule.iri,
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"tags": [f"section-{rule.section}", rule.profile]},
    }


def fenced(code: str, language: str) -> str:
    """A block of code in Markdown."""
    return f"````{language}\n{code}\n````"


def result(name: str, finding: Finding, language: str) -> dict[str, Any]:
    """A finding (section 3.27)."""
    rule = finding.rule
    sentence = f"{rule.says(language)} ({short(about(finding))})"
    if finding.suggestion:
        sentence += " " + phrase("suggestion", language, suggestion=finding.suggestion)
    line, column = finding.place or (None, None)
    found: dict[str, Any] = {
        "ruleId": rule.code,
        "ruleIndex": numbers()[rule.code],
        "level": LEVELS[rule.severity],
        "message": {"text": sentence},
        "locations": [location(name, line, column, finding.line)],
        "partialFingerprints": {"finding/v1": fingerprint(finding)},
    }
    if finding.waiver:
        found["suppressions"] = [{"kind": "inSource", "justification": finding.waiver}]
    return found


def fingerprint(finding: Finding) -> str:
    """What stays the same when the text around a finding moves: the rule, the node and the value.

    Blank nodes are not told apart: their labels are new in each run.
    """
    terms = ("[]" if isinstance(one, ox.BlankNode) else str(one) for one in (finding.focus, finding.value))
    parts = (finding.rule.code, *terms)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def location(name: str, line: int | None, column: int | None, excerpt: str = "") -> dict[str, Any]:
    """A place in a file (section 3.28)."""
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(name.replace("\\", "/"))}}
    if line:
        physical["region"] = {"startLine": line, "startColumn": column}
        if excerpt:
            physical["region"]["snippet"] = {"text": excerpt}
    return {"physicalLocation": physical}


def notifications(outcomes: Sequence[Outcome], language: str) -> Iterator[dict[str, Any]]:
    """What the run itself has to say: files that were not checked, findings that are left out."""
    for one in outcomes:
        if isinstance(one, Unread):
            yield unchecked(one.name, one.problem)
            continue
        for paper in one.papers:
            if paper.left_out:
                text = phrase("left out", language, count=paper.left_out)
                yield notification("note", text, location(one.name, None, None))


def unchecked(name: str, problem: Problem) -> dict[str, Any]:
    """That a file was not checked, and why."""
    said = problem.members
    place = location(name, said.get("line"), said.get("column"))
    return notification("error", problem.detail, place)


def notification(level: str, text: str, place: dict[str, Any]) -> dict[str, Any]:
    """A notification about a place (section 3.58)."""
    return {"level": level, "message": {"text": text}, "locations": [place]}

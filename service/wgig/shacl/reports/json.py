"""The report as JSON. New versions only add keys. A name, IRI, title or value is cut after 1,000 characters.

- `conforms`: whether each file was read and conforms; `profile`: `draft`, `complete` or `final`, null if no
  file could be read
- `files`: one object per file, in the order of the request or command line
  - `name`, given by the sender; `conforms`: whether all its papers conform
  - `problem`: only if the file was not checked: the reason, as a problem document (RFC 9457), with `line`,
    `column` and `excerpt` if it does not parse
  - `focusNodes`, `findings`, `leftOut`: only if the file was checked against other shapes than those of the
    template: the number of nodes that are targets, and the members that a paper has otherwise; `profile` is
    then null, and there are no `papers`
  - `papers`: one object per paper in the file
    - `iri`, `title`, `conforms`
    - `completeness`: the numbers of required `parts`, of parts `met`, and of parts `waived`
    - `sections`: `number` (0 is the paper itself), `title`, and `state`: `done`, `missing`, `faulty`,
      `waived` or `not checked`
    - `leftOut`: the number of findings that are left out of `findings`, because there are too many
    - `findings`: ordered by section and rule
      - `code`: the stable name of the rule; `rule`: its IRI, empty if it has none
      - `severity`: `Violation`, `Warning` or `Info`, as in SHACL
      - `section`, `part`: the section and part of the template, such as `7` and `7b`
      - `name`, `message`: the rule in a few words, and what the author should do, in the requested language
      - `focus`: the focus node; `path`: a SPARQL property path, empty if the rule has none
      - `value`: the wrong IRI or text, or null
      - `line`, `column`: counted from 1, in characters; null if the format has no lines
      - `excerpt`: the text of that line, or empty
      - `mend`: an example of a fix in the syntax of the file, Turtle or Markdown
      - `suggestion`: the nearest valid name, or null
      - `waived`: the author's reason why the finding does not count, or null
"""

import json
from collections.abc import Sequence
from typing import Any

from ..findings import CheckOutcome, Finding, PaperReport, Report, UncheckedFile
from ..rules import SHAPES_PROFILE, section_headings
from .phrases import file_problem_members, format_paper_iri, format_plain_term, get_rule_example


def write_json_report(outcomes: Sequence[CheckOutcome], language: str) -> bytes:
    """The report in UTF-8."""
    return f"{json.dumps(build_report_object(outcomes, language), ensure_ascii=False)}\n".encode()


def build_report_object(outcomes: Sequence[CheckOutcome], language: str) -> dict[str, Any]:
    """The outermost object."""
    reports = [report for report in outcomes if isinstance(report, Report)]
    return {
        "conforms": len(reports) == len(outcomes) and all(report.conforms for report in reports),
        "profile": reports[0].profile if reports and reports[0].profile != SHAPES_PROFILE else None,
        "files": [build_file_object(outcome, language) for outcome in outcomes],
    }


def build_file_object(outcome: CheckOutcome, language: str) -> dict[str, Any]:
    """The object of a file."""
    if isinstance(outcome, UncheckedFile):
        return {
            "name": outcome.name,
            "conforms": False,
            "papers": [],
            "problem": file_problem_members(outcome.problem),
        }
    file = {"name": outcome.name, "conforms": outcome.conforms}
    if outcome.profile == SHAPES_PROFILE:
        return {
            **file,
            "papers": [],
            "focusNodes": sum(part.focus_nodes for part in outcome.papers),
            "findings": [
                build_finding_object(finding, outcome.media_type, language) for finding in outcome.findings
            ],
            "leftOut": sum(part.left_out for part in outcome.papers),
        }
    return {
        **file,
        "papers": [build_paper_object(paper, outcome.media_type, language) for paper in outcome.papers],
    }


def build_paper_object(paper: PaperReport, media_type: str, language: str) -> dict[str, Any]:
    """The object of a paper."""
    return {
        "iri": format_paper_iri(paper),
        "title": paper.title,
        "conforms": paper.conforms,
        "completeness": {"met": paper.met, "waived": paper.waived, "parts": paper.parts},
        "sections": [
            {
                "number": section.number,
                "title": section_headings()[section.number].title_in(language),
                "state": section.state,
            }
            for section in paper.sections
        ],
        "findings": [build_finding_object(finding, media_type, language) for finding in paper.findings],
        "leftOut": paper.left_out,
    }


def build_finding_object(finding: Finding, media_type: str, language: str) -> dict[str, Any]:
    """The object of a finding."""
    rule = finding.rule
    line, column = finding.position or (None, None)
    return {
        "code": rule.code,
        "severity": rule.severity,
        "section": finding.section,
        "part": rule.part,
        "message": rule.message_in(language),
        "name": rule.name_in(language),
        "focus": format_plain_term(finding.focus),
        "path": rule.path,
        "value": None if finding.value is None else format_plain_term(finding.value),
        "line": line,
        "column": column,
        "excerpt": finding.line,
        "mend": get_rule_example(rule, media_type),
        "suggestion": finding.suggestion or None,
        "waived": finding.waiver or None,
        "rule": rule.iri,
    }

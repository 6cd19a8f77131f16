"""Corrections: the change of the text that follows a suggestion."""

import pytest
from wgig.papers.readers import read_paper_document
from wgig.rdf.formats import JSON_LD, MARKDOWN, N_TRIPLES, TURTLE, Format
from wgig.shacl.check import check_document
from wgig.shacl.findings import Correction, Report

from tests.fixtures.checked_papers import PREFIXES

pytestmark = pytest.mark.slow

WGIG, ISSUE, PAPER = (f"https://w3id.org/wgig/{path}" for path in ("ontology#", "id/issue/", "id/paper/"))
SPAM_PAPER = f"<{PAPER}x> a <{WGIG}IssuePaper>"


def check_paper(text: str, format_: Format) -> Report:
    return check_document(read_paper_document(f"paper.{format_.suffix}", text.encode(), format_), "draft")


def apply_corrections(text: str, format_: Format) -> str:
    """The text after the corrections of its findings."""
    lines = text.split("\n")
    corrections = {
        finding.correction for finding in check_paper(text, format_).findings if finding.correction
    }
    for correction in sorted(corrections, reverse=True):
        index, start = correction.position.line - 1, correction.position.column - 1
        line = lines[index]
        assert line.startswith(correction.old, start)
        lines[index] = line[:start] + correction.new + line[start + len(correction.old) :]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (f"{PREFIXES} paper:x a wgig:IssuePaper ; wgig:issue issue:spamm .", "wgig:issue issue:spam ."),
        (f"{PREFIXES} paper:x a wgig:IssuePaper ; wgig:strenght issue:spam .", "; wgig:strength issue:spam"),
        (f"{PREFIXES} paper:x a wgig:IssuePaper ; wgig:issue <{ISSUE}spamm> .", f"<{ISSUE}spam> ."),
        (f"PREFIX i: <{ISSUE}> {SPAM_PAPER} ; <{WGIG}issue> i:spamm .", "i:spam ."),
        (
            f"PREFIX w: <https://w3id.org/> {SPAM_PAPER} ; <{WGIG}issue> w:wgig\\/id\\/issue\\/spamm .",
            f"<{WGIG}issue> <{ISSUE}spam> .",
        ),
        (f"@base <{ISSUE}> . {SPAM_PAPER} ; <{WGIG}issue> <spamm> .", f"<{ISSUE}spam> ."),
        (
            f"{PREFIXES} paper:x a wgig:IssuePaper ; wgig:assessment "
            '[ a wgig:Assessment ; wgig:criterion principle:democracy ; wgig:verdict "Not assessed"@en ] .',
            "wgig:verdict verdict:not-assessed ]",
        ),
        (
            f"{SPAM_PAPER} ; <{WGIG}category> 'stable-and-secure' .",
            "<https://w3id.org/wgig/id/category/stable-and-secure> .",
        ),
        (
            f"{PREFIXES} paper:x a wgig:IssuePaper ; wgig:mechanism "
            "[ a wgig:Mechanism ; wgig:about mechanism:icann ] .",
            "wgig:about agent:icann ]",
        ),
        (
            f"{SPAM_PAPER} ; <{WGIG}mechanism> "
            f"[ a <{WGIG}Mechanism> ; <{WGIG}about> <https://w3id.org/wgig/id/mechanism/icann> ] .",
            "<https://w3id.org/wgig/id/agent/icann> ]",
        ),
        (
            f'{PREFIXES} paper:wp-spam a wgig:IssuePaper ; dcterms:title "Notes on mail"@en .',
            'dcterms:title "Spam"@en .',
        ),
        (
            f"{PREFIXES} paper:x a wgig:IssuePaper ; wgig:forum "
            '[ a wgig:Forum ; wgig:makesDecisions "no" ] .',
            "wgig:makesDecisions false ]",
        ),
        (
            f"{PREFIXES} paper:x a wgig:IssuePaper ; wgig:forum "
            "[ a wgig:Forum ; wgig:makesDecisions 'Yes'@en ] .",
            "wgig:makesDecisions true ]",
        ),
    ],
)  # fmt: skip
def test_correction_in_turtle_is_written_like_the_wrong_name(wrong: str, right: str) -> None:
    text = apply_corrections(wrong, TURTLE)
    assert right in text
    assert not any(finding.suggestion for finding in check_paper(text, TURTLE).findings)


def test_correction_in_n_triples_is_an_iri() -> None:
    text = f"{SPAM_PAPER.replace(' a ', ' <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> ')} .\n"
    text += f"<{PAPER}x> <{WGIG}issue> <{ISSUE}spamm> .\n"
    assert apply_corrections(text, N_TRIPLES) == text.replace("spamm", "spam")


@pytest.mark.parametrize("wrong", ["id:issue/spamm", f"{ISSUE}spamm"])
def test_correction_in_json_ld_is_a_string(wrong: str) -> None:
    text = (
        '{"@context": {"id": "https://w3id.org/wgig/id/", '
        f'"issue": {{"@id": "{WGIG}issue", "@type": "@id"}}}}, '
        f'"@id": "id:paper/x", "@type": "{WGIG}IssuePaper",\n "issue": "{wrong}"}}'
    )
    assert apply_corrections(text, JSON_LD) == text.replace("spamm", "spam")


MARKDOWN_TEXT = """---
paper: wp-spam
title: "Notes on mail"
issue: "spamm"
drafters:
  - afonsoo
cites: [declaration/48, declaration/480]
waivers: {WGIG-0-LATER: So.}
---

## 2. Attribution

- acces-for-all

## 4. Actors

### Other actors

- Office for govenments (govenments)
- Office for trade (govenments)

## 6. Mechanisms

### Code of practice

## 7. Adequacy

### b. Transparent

Verdict: adequat
Mechanism: World Trade Organisation

### c. Democratic

Mechanism: Code of practise
"""


def test_correction_in_markdown_is_a_plain_name() -> None:
    expected = MARKDOWN_TEXT
    for old, new in (
        ("Notes on mail", "Spam"),
        ("spamm", "spam"),
        ("afonsoo", "afonso"),
        ("declaration/480", "declaration/48"),
        ("WGIG-0-LATER", "WGIG-0-LATE"),
        ("acces-for-all", "access-for-all"),
        ("trade (govenments)", "trade (governments)"),  # the other is twice in its line
        ("adequat\n", "adequate\n"),
        ("World Trade Organisation", "agent/world-trade-organization"),
        ("Code of practise", "Code of practice"),
    ):
        assert old in expected
        expected = expected.replace(old, new)
    assert apply_corrections(MARKDOWN_TEXT, MARKDOWN) == expected


def test_name_that_is_not_in_the_text_has_no_correction() -> None:
    text = f'{PREFIXES} paper:x a wgig:IssuePaper ; wgig:pages "1"^^wgig:Fourm .'
    (finding,) = (finding for finding in check_paper(text, TURTLE).findings if finding.suggestion)
    assert (finding.suggestion, finding.correction) == ("wgig:Forum", None)


def test_correction_has_the_position_of_the_name() -> None:
    text = "---\npaper: x\n---\n\n## 4. Actors\n\n### Other actors\n\n- Büro 𝒳 (govenments)\n"
    (finding,) = (finding for finding in check_paper(text, MARKDOWN).findings if finding.suggestion)
    assert finding.position == (9, 3)
    assert finding.correction == Correction((9, 11), "govenments", "governments")  # type: ignore[arg-type]

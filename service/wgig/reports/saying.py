"""What several forms say of a finding: its terms, its place, and how to mend it."""

from functools import cache
from typing import Any

import pyoxigraph as ox

from ..documents import MARKDOWN, WORD
from ..engines import Term
from ..namespaces import namespaces, shorten
from ..problems import Problem
from ..report import Finding, Paper
from ..rules import Rule
from ..settings import Settings
from ..steering import cut

SHORT = 60  # characters of a value beside a sentence
PAPER = f"{Settings.base}id/paper/"


def plain(term: Term | None) -> str:
    """The IRI or text of a term, `_:` and the label of a blank node, a long one cut; empty for none."""
    if term is None:
        return ""
    return cut(str(term) if isinstance(term, ox.BlankNode) else term.value)


def paper_iri(paper: Paper) -> str:
    """The IRI of a paper, a long one cut; the label of a blank node."""
    return cut(paper.iri)


def short(term: Term) -> str:
    """A term as Turtle has it, in one line: with a prefix where there is one, in quotes, or `[]`; cut."""
    if isinstance(term, ox.NamedNode):
        return short_iri(cut(term.value))
    if isinstance(term, ox.BlankNode):
        return "[]"
    return f'"{cut(" ".join(term.value.split()), SHORT)}"'


def short_iri(iri: str) -> str:
    """An IRI with a prefix where it has one; that of a part of a paper with its slashes escaped."""
    found = shorten(iri, known())
    if found != iri:
        return found
    return "paper:" + iri.removeprefix(PAPER).replace("/", r"\/") if iri.startswith(PAPER) else f"<{iri}>"


@cache
def known() -> dict[str, str]:
    """The namespaces by prefix."""
    return namespaces(Settings.base)


def about(finding: Finding) -> Term:
    """The term that a finding is about: its value, or the node that lacks something."""
    return finding.focus if finding.value is None else finding.value


def example(rule: Rule, media_type: str) -> str:
    """The ready example of how to mend what breaks a rule, in the language of a file of this media type."""
    as_markdown = media_type in (MARKDOWN.media_type, WORD.media_type)
    return rule.in_markdown if as_markdown else rule.in_turtle


def spot(name: str, line: int | None, column: int | None) -> str:
    """`file:line:column`, as editors and terminals know it; `file` alone where there is no line."""
    return f"{name}:{line}:{column}" if line else name


def place(name: str, finding: Finding) -> str:
    """Where a finding is, as `file:line:column`."""
    return spot(name, *(finding.place or (None, None)))


def problem_place(name: str, problem: Problem) -> str:
    """Where the problem of an unreadable file is, as `file:line:column`."""
    return spot(name, problem.members.get("line"), problem.members.get("column"))


def members(problem: Problem) -> dict[str, Any]:
    """The members of a problem document (RFC 9457) about a file, which has no request to name."""
    return {name: value for name, value in problem.document(Settings.base, "").items() if name != "instance"}

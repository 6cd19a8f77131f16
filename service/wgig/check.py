"""Is this paper complete? The one function behind the shell, the service, the board and the tests."""

from collections.abc import Iterable, Sequence

import pyoxigraph as ox

from . import beyond, known
from .documents import Document
from .engines import Result, Term, engine
from .placing import Places
from .problems import Problem
from .report import Finding, Paper, Report
from .rules import PROFILES, WGIG, rules
from .settings import Settings
from .summary import Summary

PAPER = ox.NamedNode(f"{WGIG}IssuePaper")
LIMIT = 1000  # findings of one file that are shown


def check(document: Document, profile: str = "complete", by: str = Settings.shacl) -> Report:
    """What the rules of a profile find in a document, checked by one of the engines.

    Raises Problem 400 for a profile that there is none of, 422 where no issue paper is in the document.
    """
    if profile not in PROFILES:
        raise Problem(400, f"There is no profile {profile!r}. Take one of: {', '.join(PROFILES)}.")
    papers_of(document)
    return reported(document, profile, engine(by)(map(said, document.triples)))


def papers_of(document: Document) -> list[Term]:
    """The issue papers of a document, in its order. Raises Problem 422 where there is none."""
    found = [one.subject for one in document.triples if one.object == PAPER and one.predicate == known.TYPE]
    if not found:
        raise Problem(
            422,
            "No paper found in this file, so nothing was checked. An issue paper is a wgig:IssuePaper; in "
            "Markdown its head begins with a line such as: paper: my-paper",
            slug="no-paper",
        )
    return list(dict.fromkeys(found))


def said(triple: ox.Triple) -> ox.Triple:
    """The triple as an engine gets it: a text of nothing but white space says nothing."""
    text = triple.object
    if not isinstance(text, ox.Literal) or not text.value.isspace():
        return triple
    kind = {"language": text.language} if text.language else {"datatype": text.datatype}
    return ox.Triple(triple.subject, triple.predicate, ox.Literal("", **kind))


def reported(document: Document, profile: str, results: Iterable[Result]) -> Report:
    """The report on a document, from what an engine found in it."""
    places = Places(document)
    papers = papers_of(document)
    nodes = owned(places, papers)
    owner = {node: paper for paper in reversed(papers) for node in nodes[paper]}
    found: dict[Term, list[Result]] = {paper: [] for paper in papers}
    for result in {*results, *beyond.results(document.triples, papers)}:
        found[owner.get(result.focus, papers[0])].append(result)
    shown: list[Paper] = []
    for paper in papers:
        left = LIMIT - sum(len(one.findings) for one in shown)
        shown.append(reported_paper(Summary(paper, nodes[paper], places, found[paper]), profile, left))
    return Report(document.name, document.format.media_type, profile, shown)


def owned(places: Places, papers: Sequence[Term]) -> dict[Term, set[Term]]:
    """The nodes that each paper leads to, itself among them; not beyond another paper."""
    return {paper: reached(places, paper, set(papers) - {paper}) for paper in papers}


def reached(places: Places, start: Term, others: set[Term]) -> set[Term]:
    """The nodes that a node leads to, not beyond the others."""
    seen, waiting = {start}, [start]
    for node in waiting:
        ends = {places.triples[number].object for number in places.of.get(node, ())}
        new = {one for one in ends if not isinstance(one, ox.Literal)} - seen - others
        seen |= new
        waiting += new
    return seen


def reported_paper(summary: Summary, profile: str, limit: int) -> Paper:
    """What was found of one paper, with at most so many findings."""
    inside = [one for one in summary.results if rules()[one.code].holds_in(profile)]
    shown = sorted(inside, key=by_template)[:limit]
    return Paper(
        iri=str(summary.paper.value),
        title=summary.title,
        findings=[finding(one, summary) for one in shown],
        left_out=len(inside) - len(shown),
        sections=summary.sections(profile),
        met=len(summary.required) - len(summary.unmet),
        parts=len(summary.required),
        conforms=summary.conforms(profile),
    )


def by_template(result: Result) -> tuple[int, int, str, str]:
    """The order of results: section by section, rule by rule."""
    rule = rules()[result.code]
    return rule.section, rule.order, str(result.focus), str(result.value)


def finding(result: Result, summary: Summary) -> Finding:
    """A result as a finding, with its place in the document."""
    rule = rules()[result.code]
    places = summary.places
    where = places.where(rule, result)
    place = places.place(where)
    return Finding(
        rule=rule,
        focus=result.focus,
        value=result.value,
        place=place,
        line=places.line(place),
        suggestion=suggestion(result),
        waiver=summary.waivers.get(rule.code, ""),
    )


def suggestion(result: Result) -> str:
    """The term that was probably meant by one that is unknown; empty where none is near."""
    if result.code != "WGIG-0-TERM-UNKNOWN" or result.value is None:
        return ""
    near = known.near_term(str(result.value.value))
    return f"wgig:{near.removeprefix(WGIG)}" if near else ""

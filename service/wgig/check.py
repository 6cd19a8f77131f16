"""Is this paper complete? The one function behind the shell, the service, the board and the tests."""

from collections.abc import Iterable, Iterator, Sequence

import pyoxigraph as ox

from . import beyond, known
from .documents import Document
from .engines import Result, Term, engine
from .placing import Places
from .problems import Problem
from .rdf import reworded
from .report import Finding, Paper, Report
from .rules import PROFILES, WGIG, rules
from .settings import Settings
from .summary import Found, Summary

PAPER = ox.NamedNode(f"{WGIG}IssuePaper")
LIMIT = 1000  # findings of one file that are shown


def check(document: Document, profile: str = "complete", by: str = Settings.shacl) -> Report:
    """What the rules of a profile find in a document, checked by one of the engines.

    Raises Problem 400 for a profile that there is none of, 422 where no issue paper is in the document.
    """
    if profile not in PROFILES:
        raise Problem(400, f"There is no profile {profile!r}. Take one of: {', '.join(PROFILES)}.")
    papers_of(document)
    return reported(document, profile, engine(by)(asked(document)))


def papers_of(document: Document) -> list[Term]:
    """The issue papers of a document, in its order. Raises Problem 422 where there is none."""
    found = [one.subject for one in document.along([known.TYPE]) if one.object == PAPER]
    if not found:
        raise Problem(
            422,
            "No paper found in this file, so nothing was checked. An issue paper is a wgig:IssuePaper; in "
            "Markdown its head begins with a line such as: paper: my-paper",
            slug="no-paper",
        )
    return list(dict.fromkeys(found))


def asked(document: Document) -> Iterator[ox.Triple]:
    """What an engine is asked about: the triples that a rule may look along, blank texts being emptied.

    What the vocabulary alone may say is left out.
    """
    yield from map(said, document.along(known.looked_at()))
    yield from (one for one in document.along([known.TYPE]) if one.object in known.KINDS)


def said(triple: ox.Triple) -> ox.Triple:
    """The triple as an engine gets it: a text of nothing but white space says nothing."""
    text = triple.object
    if not isinstance(text, ox.Literal) or not text.value.isspace():
        return triple
    return ox.Triple(triple.subject, triple.predicate, reworded(text, ""))


def reported(document: Document, profile: str, results: Iterable[Result]) -> Report:
    """The report on a document, from what an engine found in it."""
    shown: list[Paper] = []
    left = LIMIT
    for summary in summaries(document, results):
        shown.append(reported_paper(summary, profile, left))
        left -= len(shown[-1].findings)
    return Report(document.name, document.format.media_type, profile, shown)


def summaries(document: Document, results: Iterable[Result]) -> list[Summary]:
    """What was found in a document, paper by paper."""
    places = Places(document)
    papers = papers_of(document)
    found: Found = {}
    for result in {*results, *beyond.results(document, papers)}:
        found.setdefault(result.focus, {}).setdefault(result.code, []).append(result)
    nodes: dict[Term, set[Term]] = owned(places, papers) if papers[1:] else {papers[0]: set()}
    nodes[papers[0]] |= found.keys() - set[Term]().union(*nodes.values())
    return [Summary(paper, nodes[paper] & found.keys(), places, found) for paper in papers]


def owned(places: Places, papers: Sequence[Term]) -> dict[Term, set[Term]]:
    """The nodes of each paper: itself, all that it names, and what that leads to unless a paper before does.

    So papers share an actor, and yet the time for all of them grows with the file alone.
    """
    others = set(papers)
    seen, nodes = others.copy(), dict[Term, set[Term]]()
    for paper in papers:
        named = places.named(paper) - others
        waiting = list(named - seen)
        seen |= named
        for node in waiting:
            new = places.named(node) - seen
            seen |= new
            waiting += new
        nodes[paper] = {paper, *named, *waiting}
    return nodes


def reported_paper(summary: Summary, profile: str, limit: int) -> Paper:
    """What was found of one paper, with at most so many findings."""
    inside = (one for one in summary.results if rules()[one.code].holds_in(profile))
    shown = sorted(inside, key=by_template)[:limit] if limit else []
    return Paper(
        iri=str(summary.paper.value),
        title=summary.title,
        findings=[finding(one, summary) for one in shown],
        left_out=summary.count(profile) - len(shown),
        sections=summary.sections(profile),
        met=summary.met,
        waived=len(summary.waived),
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
    term = result.value.datatype if isinstance(result.value, ox.Literal) else result.value
    near = known.near_term(term.value)
    return f"wgig:{near.removeprefix(WGIG)}" if near else ""

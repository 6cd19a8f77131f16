"""The completeness check of papers by the rules of a profile, behind the CLI, the service and the tests.

Extra rules that shapes cannot express find undeclared terms of our namespace, waivers of unknown rules,
resources that are no part of the paper, and papers under the name of another known paper.

White space alone counts as no text. Where findings are limited, each paper gets an equal share, and the first
finding of each rule comes before the second of any. Findings are ordered by section, rule and position.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from math import ceil

import pyoxigraph as ox

from ..problems import Problem
from ..rdf import shipped
from ..rdf.namespaces import WGIG
from ..rdf.serialization import reworded
from ..settings import Settings
from ..text import cut
from . import suggestions, vocabulary
from .documents import Document
from .engines import Result, Term, engine
from .findings import Finding, Paper, Report
from .locations import Places
from .rules import PROFILES, SHAPES, WAIVES, rules
from .summary import Found, Summary

ID = f"{Settings.base}id/"
# What a file may describe beside its papers and their parts.
OTHERS = (f"{ID}agent/", f"{ID}membership/")
WAIVING = ox.NamedNode(WAIVES)


def results_beyond_shapes(document: Document, papers: Sequence[Term]) -> Iterator[Result]:
    """What these rules find in a document with these papers."""
    yield from unknown_terms(document)
    yield from unknown_waivers(document)
    yield from foreign(document, papers)
    yield from namesakes(document, papers)


def unknown_terms(document: Document) -> Iterator[Result]:
    """A result for each term of our namespace that the ontology does not declare, by subject.

    The value is the term, or the literal whose datatype it is.
    """
    named = document.named.union(document.properties, document.described)
    unknown = {one for one in named if is_unknown(one)}
    for triple in document.triples:
        for term in unknown.intersection(triple) if unknown else ():
            yield Result("WGIG-0-TERM-UNKNOWN", triple.subject, term)
        if isinstance(triple.object, ox.Literal) and is_unknown(triple.object.datatype):
            yield Result("WGIG-0-TERM-UNKNOWN", triple.subject, triple.object)


def is_unknown(term: Term) -> bool:
    """Whether a node is a term of our namespace that the ontology does not declare."""
    return term.value.startswith(WGIG) and term.value not in shipped.terms()


def unknown_waivers(document: Document) -> Iterator[Result]:
    """A result for each waiver whose rule has the form of a code, but does not exist."""
    for one in document.along([WAIVING]):
        rule = one.object
        if isinstance(rule, ox.NamedNode) and rule.value.removeprefix(SHAPES) not in rules():
            yield Result("WGIG-0-WAIVER-UNKNOWN", one.subject, rule)


def foreign(document: Document, papers: Sequence[Term]) -> Iterator[Result]:
    """A result for each thing of the graph that is described, though it is no part of a paper."""
    named = {one.value for one in papers if one.value.startswith(shipped.PAPERS)}
    own = (*(f"{one}/" for one in named), *OTHERS)
    for subject in document.described:
        if (
            isinstance(subject, ox.NamedNode)
            and subject.value.startswith(ID)
            and subject.value not in named
            and not subject.value.startswith(own)
        ):
            yield Result("WGIG-0-FOREIGN", subject, subject)


def namesakes(document: Document, papers: Sequence[Term]) -> Iterator[Result]:
    """A result, with a title, for each paper under the name of a known one that has none of its titles."""
    for paper in papers:
        theirs = shipped.titles().get(paper.value, frozenset())
        said = (document.triples[number] for number in document.described[paper])
        own = [
            one.object
            for one in said
            if one.predicate == shipped.TITLE and isinstance(one.object, ox.Literal)
        ]
        if theirs and own and theirs.isdisjoint(one.value for one in own):
            yield Result("WGIG-0-NAME-TAKEN", paper, own[0])


PAPER = ox.NamedNode(f"{WGIG}IssuePaper")
LIMIT = 1000  # findings of one file that are shown


def check(document: Document, profile: str = "complete", by: str = Settings.shacl) -> Report:
    """What the rules of a profile find in a document, checked by one of the engines.

    Raises Problem 400 for a profile that there is none of, 422 where no issue paper is in the document.
    """
    if profile not in PROFILES:
        raise Problem(400, f"There is no profile {profile!r}. Take one of: {', '.join(PROFILES)}.")
    papers_of(document)
    return reported(document, profile, results_of(document, by))


def results_of(document: Document, by: str) -> set[Result]:
    """What the rules of all profiles find in a document, checked by one of the engines."""
    return engine(by)(asked(document))


def papers_of(document: Document) -> list[Term]:
    """The issue papers of a document, in its order. Raises Problem 422 where there is none."""
    found = [one.subject for one in document.along([shipped.TYPE]) if one.object == PAPER]
    if not found:
        reason = suggestions.instead_of_a_paper(document)
        raise Problem(422, f"No paper found in this file, so nothing was checked. {reason}", slug="no-paper")
    return list(dict.fromkeys(found))


def asked(document: Document) -> Iterator[ox.Triple]:
    """What an engine is asked about: the triples that a rule may look along, blank texts being emptied.

    What the vocabulary alone may say is left out.
    """
    yield from map(said, document.along(vocabulary.looked_at()))
    yield from (one for one in document.along([shipped.TYPE]) if one.object in vocabulary.KINDS)


def said(triple: ox.Triple) -> ox.Triple:
    """The triple as an engine gets it: a text of nothing but white space says nothing."""
    text = triple.object
    if not isinstance(text, ox.Literal) or not text.value.isspace():
        return triple
    return ox.Triple(triple.subject, triple.predicate, reworded(text, ""))


def reported(document: Document, profile: str, results: Iterable[Result]) -> Report:
    """The report on a document, from what an engine found in it."""
    found = summaries(document, results)
    counts = [one.count(profile) for one in found]
    shown = [chosen(one, profile, share) for one, share in zip(found, shares(counts, LIMIT), strict=True)]
    looked = suggestions.suggestions(document, chain.from_iterable(shown))
    papers = [
        reported_paper(summary, profile, [finding(one, summary, looked) for one in results])
        for summary, results in zip(found, shown, strict=True)
    ]
    return Report(document.name, document.format.media_type, profile, papers)


def shares(counts: Sequence[int], most: int) -> list[int]:
    """How many findings of each paper are shown: all, or an equal share of what those with few leave."""
    shown = [0] * len(counts)
    waiting = sorted(range(len(counts)), key=lambda number: counts[number])
    for before, number in enumerate(waiting):
        shown[number] = min(counts[number], ceil(most / (len(counts) - before)))
        most -= shown[number]
    return shown


def chosen(summary: Summary, profile: str, most: int) -> list[Result]:
    """At most so many results about a paper, the first of each rule before the second of any."""
    inside = sorted((one for one in summary.results if rules()[one.code].holds_in(profile)), key=by_template)
    seen = Counter[str]()
    turns = []
    for one in inside:
        turns.append(seen[one.code])
        seen[one.code] += 1
    first = sorted(range(len(inside)), key=turns.__getitem__)[:most]
    return [inside[number] for number in sorted(first)]


def summaries(document: Document, results: Iterable[Result]) -> list[Summary]:
    """What was found in a document, paper by paper."""
    places = Places(document)
    papers = papers_of(document)
    found: Found = {}
    for result in {*results, *results_beyond_shapes(document, papers)}:
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


def reported_paper(summary: Summary, profile: str, findings: Sequence[Finding]) -> Paper:
    """What was found of one paper, with the findings that are shown."""
    return Paper(
        iri=str(summary.paper.value),
        title=summary.title,
        findings=sorted(findings, key=by_place),
        left_out=summary.count(profile) - len(findings),
        sections=summary.sections(profile),
        met=summary.met,
        waived=len(summary.waived),
        parts=len(summary.required),
        conforms=summary.conforms(profile),
    )


def by_template(result: Result) -> tuple[int, int, str, str]:
    """The order of results: section by section, rule by rule, of long names by how they begin."""
    rule = rules()[result.code]
    return rule.section, rule.order, cut(str(result.focus)), cut(str(result.value))


def by_place(finding: Finding) -> tuple[int, int, tuple[int, ...]]:
    """The order in which findings are shown: section by section, rule by rule, and as they are written."""
    return finding.rule.section, finding.rule.order, finding.place or ()


def finding(result: Result, summary: Summary, looked: suggestions.Looked) -> Finding:
    """A result as a finding, with its place in the document and what was probably meant."""
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
        suggestion=looked.get((result.code, result.value), ""),
        waiver=summary.waivers.get(rule.code, ""),
    )

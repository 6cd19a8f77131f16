"""What no shape can tell of a paper: misspelt terms, waivers of no rule, names and things of others."""

from collections.abc import Iterator, Sequence

import pyoxigraph as ox

from . import known
from .documents import Document
from .engines import Result, Term
from .rules import SHAPES, WAIVES, WGIG, rules
from .settings import Settings

ID = f"{Settings.base}id/"
# What a file may describe beside its papers and their parts.
OTHERS = (f"{ID}agent/", f"{ID}membership/")
WAIVING = ox.NamedNode(WAIVES)


def results(document: Document, papers: Sequence[Term]) -> Iterator[Result]:
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
    return term.value.startswith(WGIG) and term.value not in known.terms()


def unknown_waivers(document: Document) -> Iterator[Result]:
    """A result for each waiver whose rule has the form of a code, but does not exist."""
    for one in document.along([WAIVING]):
        rule = one.object
        if isinstance(rule, ox.NamedNode) and rule.value.removeprefix(SHAPES) not in rules():
            yield Result("WGIG-0-WAIVER-UNKNOWN", one.subject, rule)


def foreign(document: Document, papers: Sequence[Term]) -> Iterator[Result]:
    """A result for each thing of the graph that is described, though it is no part of a paper."""
    named = {one.value for one in papers if one.value.startswith(known.PAPERS)}
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
        theirs = known.titles().get(paper.value, frozenset())
        said = (document.triples[number] for number in document.described[paper])
        own = [
            one.object for one in said if one.predicate == known.TITLE and isinstance(one.object, ox.Literal)
        ]
        if theirs and own and theirs.isdisjoint(one.value for one in own):
            yield Result("WGIG-0-NAME-TAKEN", paper, own[0])

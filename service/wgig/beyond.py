"""What no shape can tell of a paper: misspelt terms, waivers of no rule, descriptions of other things."""

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


def unknown_terms(document: Document) -> Iterator[Result]:
    """A result for each term of our namespace that the ontology does not declare, by subject."""
    named = document.named.union(document.properties)
    unknown = {one for one in named if one.value.startswith(WGIG) and one.value not in known.terms()}
    for triple in document.triples if unknown else ():
        for term in unknown.intersection((triple.predicate, triple.object)):
            yield Result("WGIG-0-TERM-UNKNOWN", triple.subject, term)


def unknown_waivers(document: Document) -> Iterator[Result]:
    """A result for each waiver whose rule has the form of a code, but does not exist."""
    for one in document.along([WAIVING]):
        rule = one.object
        if isinstance(rule, ox.NamedNode) and rule.value.removeprefix(SHAPES) not in rules():
            yield Result("WGIG-0-WAIVER-UNKNOWN", one.subject, rule)


def foreign(document: Document, papers: Sequence[Term]) -> Iterator[Result]:
    """A result for each thing of the graph that is described, though it is no part of a paper."""
    own = (*(f"{one.value}/" for one in papers), *OTHERS)
    for subject in document.described.keys() - set(papers):
        if (
            isinstance(subject, ox.NamedNode)
            and subject.value.startswith(ID)
            and not subject.value.startswith(own)
        ):
            yield Result("WGIG-0-FOREIGN", subject, subject)

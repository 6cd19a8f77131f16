"""What no shape can tell of a paper: misspelt terms, waivers of no rule, descriptions of other things."""

from collections.abc import Iterator, Sequence

import pyoxigraph as ox

from . import known
from .engines import Result, Term
from .rules import SHAPES, WAIVES, WGIG, rules
from .settings import Settings

ID = f"{Settings.base}id/"
# What a file may describe beside its papers and their parts.
OTHERS = (f"{ID}agent/", f"{ID}membership/")


def results(triples: Sequence[ox.Triple], papers: Sequence[Term]) -> Iterator[Result]:
    """What these rules find in the triples of a document with these papers."""
    yield from unknown_terms(triples)
    yield from unknown_waivers(triples)
    yield from foreign(triples, papers)


def unknown_terms(triples: Sequence[ox.Triple]) -> Iterator[Result]:
    """A result for each term of our namespace that the ontology does not declare, by subject."""
    named = {one.predicate for one in triples} | {
        one.object for one in triples if isinstance(one.object, ox.NamedNode)
    }
    unknown = {one for one in named if one.value.startswith(WGIG) and one.value not in known.terms()}
    for triple in triples if unknown else ():
        for term in unknown.intersection((triple.predicate, triple.object)):
            yield Result("WGIG-0-TERM-UNKNOWN", triple.subject, term)


def unknown_waivers(triples: Sequence[ox.Triple]) -> Iterator[Result]:
    """A result for each waiver whose rule has the form of a code, but does not exist."""
    waived = ((one.subject, one.object) for one in triples if one.predicate.value == WAIVES)
    for waiver, rule in waived:
        if isinstance(rule, ox.NamedNode) and rule.value.removeprefix(SHAPES) not in rules():
            yield Result("WGIG-0-WAIVER-UNKNOWN", waiver, rule)


def foreign(triples: Sequence[ox.Triple], papers: Sequence[Term]) -> Iterator[Result]:
    """A result for each thing of the graph that is described, though it is no part of a paper."""
    own = (*(f"{one.value}/" for one in papers), *OTHERS)
    for subject in {one.subject for one in triples}.difference(papers):
        if (
            isinstance(subject, ox.NamedNode)
            and subject.value.startswith(ID)
            and not subject.value.startswith(own)
        ):
            yield Result("WGIG-0-FOREIGN", papers[0], subject)

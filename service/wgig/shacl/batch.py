"""Many documents checked in one go: those that have nothing to do with each other share a call of the engine.

An engine is asked about a graph, and half of what a call costs is the same for a graph of one paper or of
many. Papers of one graph may change what is found in each other, though. So only documents that stand apart
are put together; each of the others is checked by itself, and what is found is what `check` finds.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain

import pyoxigraph as ox

from ..problems import Problem
from ..rdf import namespaces
from ..settings import Settings
from . import rules, vocabulary
from .check import asked, check, reported
from .documents import Document
from .engines import Result, Term, engine
from .findings import Outcome, Report, Unread

Pointers = dict[tuple[str, Term], set[int]]


def check_many(
    documents: Sequence[Document], profile: str = "complete", by: str = Settings.shacl
) -> list[Outcome]:
    """What `check` finds in each document, in their order; `Unread` where no paper is in one."""
    apart = standing_apart(documents)
    found = {id(one): results for one, results in zip(apart, results(apart, by), strict=True)}
    return [outcome(one, profile, by, found.get(id(one))) for one in documents]


def outcome(
    document: Document, profile: str, by: str, found: Iterable[Result] | None = None
) -> Report | Unread:
    """The report on a document, from what was found in it; `Unread` where no paper is in it."""
    try:
        return check(document, profile, by) if found is None else reported(document, profile, found)
    except Problem as problem:
        return Unread(document.name, problem)


def standing_apart(documents: Sequence[Document]) -> list[Document]:
    """The documents that cannot change what is found in another one.

    Nothing that such a document describes is named in another document or in what is known. What its
    statements point to is its own where a rule looks along them backwards, so that no rule comes from
    something shared into the document.
    """
    seen, shared = set[Term](), set[Term]()
    for one in documents:
        nodes = one.named.union(one.described)
        shared |= seen & nodes
        seen |= nodes
    return [
        one
        for one in documents
        if shared.isdisjoint(one.described)
        and nodes_known().isdisjoint(one.described)
        and all(triple.object in one.described for triple in one.along(backwards()))
    ]


@cache
def nodes_known() -> frozenset[Term]:
    """The nodes of the rules and of what a paper may refer to."""
    triples = [*rules.graph(), *vocabulary.vocabulary()]
    ends = (one.object for one in triples if not isinstance(one.object, ox.Literal))
    return frozenset(one.subject for one in triples).union(ends)


@cache
def backwards() -> frozenset[ox.NamedNode]:
    """The properties that a rule looks along from the object to the subject."""
    inverse = f"{namespaces.SH}inversePath"
    return frozenset(one.object for one in rules.graph() if one.predicate.value == inverse)  # type: ignore[misc]


def results(apart: Sequence[Document], by: str) -> list[list[Result]]:
    """What an engine finds in each of the documents, which stand apart."""
    shares: list[list[Result]] = [[] for _ in apart]
    if not apart:
        return shares
    found = engine(by)(chain.from_iterable(map(asked, apart)))
    owner = {subject: number for number, one in enumerate(apart) for subject in one.described}
    pointing = pointers(apart) if any(result.focus not in owner for result in found) else {}
    for result in found:
        for number in sharing(result, owner, pointing):
            shares[number].append(result)
    return shares


def sharing(result: Result, owner: Mapping[Term, int], pointing: Pointers) -> Iterable[int]:
    """The numbers of the documents that a result is about: several where they point to the same thing."""
    if result.focus in owner:
        return {owner[result.focus]}
    return {
        number
        for step in rules.rules()[result.code].steps
        for number in pointing.get((step, result.focus), ())
    }


def pointers(apart: Sequence[Document]) -> Pointers:
    """The numbers of the documents that point to a node by a step of a rule."""
    found: Pointers = {}
    for number, one in enumerate(apart):
        for triple in one.along(steps()):
            found.setdefault((triple.predicate.value, triple.object), set()).add(number)
    return found


@cache
def steps() -> frozenset[ox.NamedNode]:
    """The properties that lead from a paper to what a rule looks at."""
    return frozenset(ox.NamedNode(step) for rule in rules.rules().values() for step in rule.steps)

"""What an author probably meant by a name that is unknown: the nearest of those that would be right."""

import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from functools import cache, lru_cache, partial
from itertools import islice

import pyoxigraph as ox

from ..rdf import shipped
from ..rdf.formats import MARKDOWN, WORD
from ..rdf.namespaces import BASE, OUTSIDE, WGIG, namespaces, shorten
from ..text import cut
from . import vocabulary
from .documents import Document
from .engines import Result, Term
from .reports.phrases import short_iri
from .rules import SHAPES, rules

MOST = 24  # names of a file that are looked up: to compare one with all takes milliseconds
LONGEST = 200  # characters of an IRI that is looked up
KIND = re.compile(rf"{re.escape(SHAPES)}|{re.escape(BASE)}id/[^/]+/")
PAPER = f"{WGIG}IssuePaper"
SCHEME = f"{OUTSIDE['skos']}inScheme"
PARTS = f"{WGIG}partOf"

Looked = dict[tuple[str, Term | None], str]


def suggestions(document: Document, results: Iterable[Result]) -> Looked:
    """What was probably meant by the values of the first of these results, by code and value.

    It is written as in the document: with a prefix in RDF, as a plain name in Markdown and Word.
    """
    found: Looked = {}
    for one in results:
        if len(found) == MOST:
            break
        if one.code in MEANT and one.value is not None and (one.code, one.value) not in found:
            found[one.code, one.value] = MEANT[one.code](document, one)
    return found


def term(_: Document, result: Result) -> str:
    """The term of the vocabulary that is nearest to an unknown one; empty where none is near."""
    value: Term = result.value
    near = shipped.near_term(value.datatype.value if isinstance(value, ox.Literal) else value.value)
    return f"wgig:{near.removeprefix(WGIG)}" if near else ""


def title(_: Document, result: Result) -> str:
    """A title that the known paper of this name has."""
    return min(shipped.titles()[result.focus.value])


def name(document: Document, result: Result) -> str:
    """The name that is nearest to an unknown one, of those that the rule takes; empty where none is near."""
    value = result.value
    if not isinstance(value, ox.NamedNode) or value in document.described or len(value.value) > LONGEST:
        return ""
    iri = nearest(result.code, value.value)
    return written(iri, plain=document.format in (MARKDOWN, WORD)) if iri else ""


@lru_cache(maxsize=1000)  # what users write has no end
def nearest(code: str, iri: str) -> str:
    """The IRI nearest to an unknown one, of those of its kind that a rule takes; empty where none is near."""
    kind = KIND.match(iri)
    if not kind or iri in vocabulary.described():
        return ""
    names = {local(one).casefold(): one for one in TAKEN[code]() if one.startswith(kind[0])}
    near = get_close_matches(local(iri).casefold(), names, 1)
    return names[near[0]] if near else ""


def written(iri: str, *, plain: bool) -> str:
    """The IRI as Markdown has it, `declaration/48`, or as Turtle has it, `declaration:48`."""
    return local(iri) if plain else short_iri(iri)


def local(iri: str) -> str:
    """The part of an IRI after that which all IRIs of its kind begin with."""
    return KIND.sub("", iri)


@cache
def of(property_: str, value: str = "") -> frozenset[str]:
    """The IRIs of what has a property in the facts, with this value where one is given."""
    return frozenset(
        shipped.iri(one.subject)
        for one in shipped.facts()
        if one.predicate.value == property_ and value in ("", shipped.iri(one.object))
    )


@cache
def members() -> frozenset[str]:
    """The IRIs of the members of the group."""
    seats = of(f"{OUTSIDE['org']}organization", f"{BASE}id/agent/wgig")
    return frozenset(
        shipped.iri(one.object)
        for one in shipped.facts()
        if one.predicate.value == f"{OUTSIDE['org']}member" and shipped.iri(one.subject) in seats
    )


# The IRIs that a rule takes, by its code.
TAKEN: dict[str, Callable[[], Iterable[str]]] = {
    "WGIG-0-CITATION-UNKNOWN": partial(of, PARTS),
    "WGIG-0-DRAFTER-MEMBER": members,
    "WGIG-0-WAIVER-UNKNOWN": lambda: [rule.iri for rule in rules().values()],
    "WGIG-1-ISSUE-UNKNOWN": partial(of, f"{WGIG}inventoryStatus", "yes"),
    "WGIG-2-CATEGORY-UNKNOWN": partial(of, SCHEME, f"{BASE}id/scheme/categories-2004"),
    "WGIG-4-GROUP-UNKNOWN": partial(of, shipped.TYPE.value, f"{WGIG}StakeholderGroup"),
    "WGIG-7-CITATION-UNKNOWN": partial(of, PARTS),
    "WGIG-7-CRITERION-UNKNOWN": partial(of, SCHEME, f"{BASE}id/scheme/principles"),
    "WGIG-7-VERDICT-UNKNOWN": partial(of, SCHEME, f"{BASE}id/scheme/verdicts"),
}
MEANT: dict[str, Callable[[Document, Result], str]] = {
    "WGIG-0-NAME-TAKEN": title,
    "WGIG-0-TERM-UNKNOWN": term,
    **dict.fromkeys(TAKEN, name),
}


def instead_of_a_paper(document: Document) -> str:
    """What to do about a document in which there is no paper, in a sentence or two."""
    types = dict.fromkeys(one.object for one in document.along([shipped.TYPE]))
    slip = next(misspelt(islice(types, MOST)), None)
    if slip:
        meant = f"Did you mean wgig:{slip[1].removeprefix(WGIG)}?" if slip[1] else "Correct its spelling."
        return f"{cut(shorten(slip[0], namespaces(BASE)))} is no class of the vocabulary. {meant}"
    if document.triples and not types:
        return "Nothing in it has a type. Say of the paper that it is one: a wgig:IssuePaper."
    return (
        "An issue paper is a wgig:IssuePaper; "
        "in Markdown its head begins with a line such as: paper: my-paper"
    )


def misspelt(types: Iterable[Term]) -> Iterator[tuple[str, str | None]]:
    """The classes that are nearly that of a paper, or that our namespace does not have, with the near one."""
    for one in types:
        end = re.split(r"[#/]", one.value)[-1][:LONGEST]
        near = shipped.near_term(WGIG + end)
        if near == PAPER or (one.value.startswith(WGIG) and one.value not in shipped.terms()):
            yield one.value, near

"""What an author probably meant by a name that is unknown: the nearest of those that would be right."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache, partial
from itertools import islice

import pyoxigraph as ox

from ..rdf import shipped
from ..rdf.formats import MARKDOWN, WORD_DOCUMENT
from ..rdf.literals import term_text
from ..rdf.namespaces import (
    BASE_IRI,
    EXTERNAL_NAMESPACES,
    RDF_TYPE,
    RDF_TYPE_IRI,
    SKOS_NAMESPACE,
    WGIG_ISSUE_PAPER,
    WGIG_NAMESPACE,
    shorten_iri,
)
from ..text import find_near_name, shorten_untrusted_text
from . import vocabulary
from .documents import Document
from .reports.phrases import format_turtle_iri
from .results import Term, ValidationResult
from .rules import SHAPES_NAMESPACE, rules_by_code

MAX_SUGGESTED_NAMES = 24  # names of a file that are looked up: to compare one with all takes milliseconds
MAX_LOOKUP_IRI_CHARACTERS = 200  # characters of an IRI that is looked up
IRI_KIND_PATTERN = re.compile(rf"{re.escape(SHAPES_NAMESPACE)}|{re.escape(BASE_IRI)}id/[^/]+/")
SKOS_IN_SCHEME = f"{SKOS_NAMESPACE}inScheme"
WGIG_PART_OF = f"{WGIG_NAMESPACE}partOf"

SuggestionsByValue = dict[tuple[str, Term | None], str]


def find_suggestions(document: Document, results: Iterable[ValidationResult]) -> SuggestionsByValue:
    """What was probably meant by the values of the first of these results, by code and value.

    It is written as in the document: with a prefix in RDF, as a plain name in Markdown and Word.
    """
    found: SuggestionsByValue = {}
    for one in results:
        if len(found) == MAX_SUGGESTED_NAMES:
            break
        if one.code in SUGGESTERS_BY_CODE and one.value is not None and (one.code, one.value) not in found:
            found[one.code, one.value] = SUGGESTERS_BY_CODE[one.code](document, one)
    return found


def suggest_term(_: Document, result: ValidationResult) -> str:
    """The term of the vocabulary that is nearest to an unknown one; empty where none is near."""
    value: Term = result.value
    near = shipped.find_near_term(value.datatype.value if isinstance(value, ox.Literal) else value.value)
    return f"wgig:{near.removeprefix(WGIG_NAMESPACE)}" if near else ""


def suggest_title(_: Document, result: ValidationResult) -> str:
    """A title that the known paper of this name has."""
    return min(shipped.shipped_paper_titles()[result.focus.value])


def suggest_name(document: Document, result: ValidationResult) -> str:
    """The name that is nearest to an unknown one, of those that the rule takes; empty where none is near."""
    value = result.value
    if (
        not isinstance(value, ox.NamedNode)
        or value in document.numbers_by_subject
        or len(value.value) > MAX_LOOKUP_IRI_CHARACTERS
    ):
        return ""
    iri = find_nearest_iri(result.code, value.value)
    return format_suggested_iri(iri, plain=document.format in (MARKDOWN, WORD_DOCUMENT)) if iri else ""


@lru_cache(maxsize=1000)  # what users write has no end
def find_nearest_iri(code: str, iri: str) -> str:
    """The IRI nearest to an unknown one, of those of its kind that a rule takes; empty where none is near."""
    kind = IRI_KIND_PATTERN.match(iri)
    if not kind or iri in vocabulary.described_iris():
        return ""
    names = {iri_local_part(one): one for one in ALLOWED_IRIS[code]() if one.startswith(kind[0])}
    return names.get(find_near_name(iri_local_part(iri), names), "")


def format_suggested_iri(iri: str, *, plain: bool) -> str:
    """The IRI as Markdown has it, `declaration/48`, or as Turtle has it, `declaration:48`."""
    return iri_local_part(iri) if plain else format_turtle_iri(iri)


def iri_local_part(iri: str) -> str:
    """The part of an IRI after that which all IRIs of its kind begin with."""
    return IRI_KIND_PATTERN.sub("", iri)


@cache
def find_iris_with_property(property_: str, value: str = "") -> frozenset[str]:
    """The IRIs of what has a property in the facts, with this value where one is given."""
    return frozenset(
        term_text(one.subject)
        for one in shipped.shipped_facts()
        if one.predicate.value == property_ and value in ("", term_text(one.object))
    )


@cache
def group_member_iris() -> frozenset[str]:
    """The IRIs of the members of the group."""
    seats = find_iris_with_property(f"{EXTERNAL_NAMESPACES['org']}organization", f"{BASE_IRI}id/agent/wgig")
    return frozenset(
        term_text(one.object)
        for one in shipped.shipped_facts()
        if one.predicate.value == f"{EXTERNAL_NAMESPACES['org']}member" and term_text(one.subject) in seats
    )


# The IRIs that a rule takes, by its code.
ALLOWED_IRIS: dict[str, Callable[[], Iterable[str]]] = {
    "WGIG-0-CITATION-UNKNOWN": partial(find_iris_with_property, WGIG_PART_OF),
    "WGIG-0-DRAFTER-MEMBER": group_member_iris,
    "WGIG-0-WAIVER-UNKNOWN": lambda: [rule.iri for rule in rules_by_code().values()],
    "WGIG-1-ISSUE-UNKNOWN": partial(find_iris_with_property, f"{WGIG_NAMESPACE}inventoryStatus", "yes"),
    "WGIG-2-CATEGORY-UNKNOWN": partial(
        find_iris_with_property, SKOS_IN_SCHEME, f"{BASE_IRI}id/scheme/categories-2004"
    ),
    "WGIG-4-GROUP-UNKNOWN": partial(
        find_iris_with_property, RDF_TYPE_IRI, f"{WGIG_NAMESPACE}StakeholderGroup"
    ),
    "WGIG-7-CITATION-UNKNOWN": partial(find_iris_with_property, WGIG_PART_OF),
    "WGIG-7-CRITERION-UNKNOWN": partial(
        find_iris_with_property, SKOS_IN_SCHEME, f"{BASE_IRI}id/scheme/principles"
    ),
    "WGIG-7-VERDICT-UNKNOWN": partial(
        find_iris_with_property, SKOS_IN_SCHEME, f"{BASE_IRI}id/scheme/verdicts"
    ),
}
SUGGESTERS_BY_CODE: dict[str, Callable[[Document, ValidationResult], str]] = {
    "WGIG-0-NAME-TAKEN": suggest_title,
    "WGIG-0-TERM-UNKNOWN": suggest_term,
    **dict.fromkeys(ALLOWED_IRIS, suggest_name),
}


def explain_missing_paper(document: Document) -> str:
    """What to do about a document in which there is no paper, in a sentence or two."""
    types = dict.fromkeys(one.object for one in document.iter_property_triples([RDF_TYPE]))
    slip = next(find_misspelt_classes(islice(types, MAX_SUGGESTED_NAMES)), None)
    if slip:
        meant = (
            f"Did you mean wgig:{slip[1].removeprefix(WGIG_NAMESPACE)}?"
            if slip[1]
            else "Correct its spelling."
        )
        name = shorten_untrusted_text(shorten_iri(slip[0]))
        return f"{name} is no class of the vocabulary. {meant}"
    if document.triples and not types:
        return "Nothing in it has a type. Say of the paper that it is one: a wgig:IssuePaper."
    return (
        "An issue paper is a wgig:IssuePaper; "
        "in Markdown its head begins with a line such as: paper: my-paper"
    )


def find_misspelt_classes(types: Iterable[Term]) -> Iterator[tuple[str, str | None]]:
    """The classes that are nearly that of a paper, or that our namespace does not have, with the near one."""
    for one in types:
        end = re.split(r"[#/]", one.value)[-1][:MAX_LOOKUP_IRI_CHARACTERS]
        near = shipped.find_near_term(WGIG_NAMESPACE + end)
        if near == WGIG_ISSUE_PAPER.value or (
            one.value.startswith(WGIG_NAMESPACE) and one.value not in shipped.declared_terms()
        ):
            yield one.value, near

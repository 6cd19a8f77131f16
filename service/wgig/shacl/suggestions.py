"""Suggestions for unknown names in papers: the nearest valid name, by spelling."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache, partial
from itertools import islice
from typing import TypeGuard
from urllib.parse import unquote

import pyoxigraph as ox
from wgig_client.literals import term_text
from wgig_client.namespaces import BASE_IRI, EXTERNAL_NAMESPACES

from ..rdf import shipped
from ..rdf.formats import JSON_LD, MARKDOWN, TRIG, TURTLE, WORD_DOCUMENT
from ..rdf.namespaces import (
    ID_NAMESPACE,
    RDF_TYPE,
    RDF_TYPE_IRI,
    RDFS_LABEL,
    SKOS_NAMESPACE,
    WGIG_ISSUE_PAPER,
    WGIG_NAMESPACE,
    shorten_iri,
)
from ..text import find_near_names, shorten_untrusted_text, slugify_words
from . import vocabulary
from .documents import Document
from .reports.phrases import format_turtle_iri
from .results import Term, ValidationResult
from .rules import SHAPES_NAMESPACE, rules_by_code

MAX_SUGGESTED_NAMES = 24  # per file: comparing one unknown name with all valid ones takes milliseconds
MAX_COMPARED_MECHANISMS = 100  # of section 6; a paper has a few
MAX_LOOKUP_IRI_CHARACTERS = 200  # longer IRIs get no suggestion
MIN_IRI_SIMILARITY = 0.6  # lower than for other names, as authors often write only the beginning
# The namespaces of rules, and of resources such as `id/issue/`.
IRI_NAMESPACE_PATTERN = re.compile(rf"{re.escape(SHAPES_NAMESPACE)}|{re.escape(BASE_IRI)}id/[^/]+/")
UNKNOWN_TERM_CODE = "WGIG-0-TERM-UNKNOWN"
SKOS_IN_SCHEME = f"{SKOS_NAMESPACE}inScheme"
WGIG_PART_OF = f"{WGIG_NAMESPACE}partOf"
WGIG_MECHANISM = ox.NamedNode(f"{WGIG_NAMESPACE}mechanism")

BOOLEANS_BY_TEXT = {"yes": "true", "true": "true", "no": "false", "false": "false"}

SuggestionsByValue = dict[tuple[str, Term | None], str]  # by rule code and value of a result


def find_suggestions(document: Document, results: Iterable[ValidationResult]) -> SuggestionsByValue:
    """The suggestions for at most MAX_SUGGESTED_NAMES values of these results.

    A suggestion is written as in the document: with a prefix in RDF, as a plain name in Markdown and Word.
    """
    suggestions: SuggestionsByValue = {}
    for result in results:
        if len(suggestions) == MAX_SUGGESTED_NAMES:
            break
        if (
            result.code in SUGGESTERS_BY_CODE
            and result.value is not None
            and (result.code, result.value) not in suggestions
        ):
            suggestions[result.code, result.value] = SUGGESTERS_BY_CODE[result.code](document, result)
    return suggestions


def suggest_vocabulary_term(_: Document, result: ValidationResult) -> str:
    """The term of the vocabulary that is nearest to an unknown one; empty if none is near."""
    nearest = find_nearest_term(result)
    return f"wgig:{nearest.removeprefix(WGIG_NAMESPACE)}" if nearest else ""


def find_nearest_term(result: ValidationResult) -> str:
    """The IRI of the term of the vocabulary that is nearest to an unknown one; empty if none is near."""
    value: Term = result.value
    # If the value is a literal, the unknown term is its datatype.
    iri = value.datatype.value if isinstance(value, ox.Literal) else value.value
    return shipped.find_near_term(iri) or ""


def suggest_title(_: Document, result: ValidationResult) -> str:
    """The title of the known paper with the IRI of the focus node, alphabetically the first of several."""
    return min(shipped.shipped_paper_titles()[result.focus.value])


def suggest_boolean(document: Document, result: ValidationResult) -> str:
    """The boolean that a text means, as in a format that writes it without quotes; else an empty string."""
    value: Term = result.value
    is_written_plainly = document.format in (TURTLE, TRIG, JSON_LD)
    return BOOLEANS_BY_TEXT.get(value.value.strip().lower(), "") if is_written_plainly else ""


def suggest_name(document: Document, result: ValidationResult) -> str:
    """The nearest of the names that the rule accepts to an unknown name; empty if none is near."""
    iri = find_nearest_name(document, result)
    return format_suggested_iri(iri, plain=has_plain_names(document)) if iri else ""


def find_nearest_name(document: Document, result: ValidationResult) -> str:
    """The IRI that the rule accepts and that is nearest to an unknown one; empty if none is near.

    In RDF, an author may write the local part of an IRI as a string.
    """
    value = result.value
    if isinstance(value, ox.Literal):
        return find_quoted_iri(result.code, value.value)
    return find_nearest_iri(result.code, value.value) if may_be_misspelt(value, document) else ""


def suggest_mechanism(document: Document, result: ValidationResult) -> str:
    """The mechanism with the nearest name to an unknown name; empty if none is near.

    It is a body or instrument of the graph, or in section 7 a mechanism of the paper.
    """
    value = result.value
    if not may_be_misspelt(value, document) or value.value in vocabulary.described_iris():
        return ""
    plain = has_plain_names(document)
    names = {
        slug: iri.removeprefix(ID_NAMESPACE) if plain else format_turtle_iri(iri)
        for slug, iri in shipped.shipped_mechanisms().items()
    }
    if result.code == "WGIG-7-MECHANISM-UNKNOWN":
        names |= {
            slugify_words(label): label if plain else format_turtle_iri(iri)
            for iri, label in islice(iter_mechanism_labels(document), MAX_COMPARED_MECHANISMS)
        }
    slug = slugify_words(unquote(value.value.rpartition("/")[2]))
    nearest = find_near_names(slug, names, similarity=MIN_IRI_SIMILARITY)
    return names[nearest[0]] if nearest else ""


def iter_mechanism_labels(document: Document) -> Iterator[tuple[str, str]]:
    """The IRI and a label of each mechanism of section 6 of a paper."""
    for triple in document.iter_property_triples([WGIG_MECHANISM]):
        if isinstance(triple.object, ox.NamedNode):
            for label in document.find_objects(triple.object, RDFS_LABEL.value)[:1]:
                yield triple.object.value, label.value


def may_be_misspelt(value: Term | None, document: Document) -> TypeGuard[ox.NamedNode]:
    """Whether a value is an IRI that the document does not describe, and not too long to be compared."""
    return (
        isinstance(value, ox.NamedNode)
        and value not in document.numbers_by_subject
        and len(value.value) <= MAX_LOOKUP_IRI_CHARACTERS
    )


def has_plain_names(document: Document) -> bool:
    """Whether resources are named in the document without a prefix, as in Markdown."""
    return document.format in (MARKDOWN, WORD_DOCUMENT)


@lru_cache(maxsize=1000)  # limited, as users may write anything
def find_nearest_iri(code: str, iri: str) -> str:
    """The nearest IRI in its namespace that the rule accepts; empty if `iri` is known or none is near."""
    namespace = IRI_NAMESPACE_PATTERN.match(iri)
    if not namespace or iri in vocabulary.described_iris():
        return ""
    names = {
        iri_local_part(allowed_iri): allowed_iri
        for allowed_iri in ALLOWED_IRIS[code]()
        if allowed_iri.startswith(namespace[0])
    }
    nearest = find_near_names(iri_local_part(iri), names, similarity=MIN_IRI_SIMILARITY)
    return names[nearest[0]] if nearest else ""


def find_quoted_iri(code: str, text: str) -> str:
    """The IRI that the rule accepts and whose local part is this text; empty if there is none."""
    name = slugify_words(text[:MAX_LOOKUP_IRI_CHARACTERS])
    return next((iri for iri in ALLOWED_IRIS[code]() if iri.rpartition("/")[2] == name), "")


def format_suggested_iri(iri: str, *, plain: bool) -> str:
    """The IRI as written in Markdown, `declaration/48`, or in Turtle, `declaration:48`."""
    return iri_local_part(iri) if plain else format_turtle_iri(iri)


def iri_local_part(iri: str) -> str:
    """The IRI without its namespace."""
    return IRI_NAMESPACE_PATTERN.sub("", iri)


@cache
def find_iris_with_property(property_: str, value: str = "") -> frozenset[str]:
    """The IRIs of the subjects in the bundled data with this property, and with this value unless empty."""
    return frozenset(
        term_text(triple.subject)
        for triple in shipped.shipped_facts()
        if triple.predicate.value == property_ and value in ("", term_text(triple.object))
    )


@cache
def group_member_iris() -> frozenset[str]:
    """The IRIs of the members of the working group."""
    memberships = find_iris_with_property(
        f"{EXTERNAL_NAMESPACES['org']}organization", f"{BASE_IRI}id/agent/wgig"
    )
    return frozenset(
        term_text(triple.object)
        for triple in shipped.shipped_facts()
        if triple.predicate.value == f"{EXTERNAL_NAMESPACES['org']}member"
        and term_text(triple.subject) in memberships
    )


# The IRIs that a rule accepts, by its code.
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
# The function that makes a suggestion for a result, by the code of its rule.
SUGGESTERS_BY_CODE: dict[str, Callable[[Document, ValidationResult], str]] = {
    "WGIG-0-NAME-TAKEN": suggest_title,
    "WGIG-6-ABOUT-UNKNOWN": suggest_mechanism,
    "WGIG-7-MECHANISM-UNKNOWN": suggest_mechanism,
    "WGIG-5B-DECIDES-VALUE": suggest_boolean,
    UNKNOWN_TERM_CODE: suggest_vocabulary_term,
    **dict.fromkeys(ALLOWED_IRIS, suggest_name),
}


def explain_missing_paper(document: Document) -> str:
    """Advice for a document without a paper: a class that is probably misspelt, or how to state a type."""
    types = dict.fromkeys(triple.object for triple in document.iter_property_triples([RDF_TYPE]))
    misspelling = next(find_misspelt_classes(islice(types, MAX_SUGGESTED_NAMES)), None)
    if misspelling:
        class_iri, nearest_iri = misspelling
        advice = (
            f"Did you mean wgig:{nearest_iri.removeprefix(WGIG_NAMESPACE)}?"
            if nearest_iri
            else "Correct its spelling."
        )
        name = shorten_untrusted_text(shorten_iri(class_iri))
        return f"{name} is not a class in the vocabulary. {advice}"
    if document.triples and not types:
        return "Nothing in it has a type. State that the paper is a wgig:IssuePaper."
    return (
        "In Markdown, a paper starts with a line `---`, a line such as `paper: my-paper`, and another line "
        "`---`. In RDF, it has the type `wgig:IssuePaper`."
    )


def find_misspelt_classes(types: Iterable[Term]) -> Iterator[tuple[str, str | None]]:
    """The unknown classes in the namespace `wgig:` or near wgig:IssuePaper, each with the nearest term."""
    for class_ in types:
        local_name = re.split(r"[#/]", class_.value)[-1][:MAX_LOOKUP_IRI_CHARACTERS]
        nearest = shipped.find_near_term(WGIG_NAMESPACE + local_name)
        if nearest == WGIG_ISSUE_PAPER.value or (
            class_.value.startswith(WGIG_NAMESPACE) and class_.value not in shipped.declared_terms()
        ):
            yield class_.value, nearest

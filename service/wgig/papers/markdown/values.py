"""Conversion of the texts that authors write to RDF terms, and of IRIs to texts.

An invalid text becomes a term that violates the SHACL rule for the property, so that the check reports it. A
slug is the last segment of an IRI, such as `spam`.
"""

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any
from urllib.parse import quote, unquote

import pyoxigraph as ox
from wgig_client.literals import build_typed_literal

from ...rdf import shipped
from ...rdf.namespaces import DEFAULT_NAMESPACES, ID_NAMESPACE, RDFS_LABEL, expand_curie
from ...text import slugify_words

WEB_ADDRESS_PATTERN = re.compile(r"https?://[^\s<>\"{}|\\^`]+")
RESOURCE_PATH_PATTERN = re.compile(r"[\w.~-]+(?:/[\w.~-]+)*")
MECHANISM_PATH_PATTERN = re.compile(r"(agent|mechanism)[/:](\S+)")
PARAGRAPH_WORD_PATTERN = re.compile(r"\b(?:paragraph|para)\b|§", re.IGNORECASE)
DOCUMENT_NAMES = {"tunis-agenda": ("tunis", "agenda"), "plan-of-action": ("plan",)}  # besides the path
CALENDAR_DATE_PATTERN = re.compile(r"\d{4}-\d{2}-\d{2}")
WHOLE_NUMBER_PATTERN = re.compile(r"[+-]?\d{1,9}")
BOOLEAN_SPELLINGS = {"yes": "true", "true": "true", "no": "false", "false": "false"}
PaperTerm = ox.NamedNode | ox.Literal


def local_name(node: Any, prefix: str) -> str:
    """The local name of a resource in the namespace of a prefix; the IRI if it is in another namespace."""
    return unquote(node.value.removeprefix(DEFAULT_NAMESPACES[prefix]))


def resource_path(node: ox.NamedNode, parent_path: str = "") -> str:
    """The path of a resource below `id/` and `parent_path`; the IRI if it is not below them."""
    path = node.value.removeprefix(f"{ID_NAMESPACE}{parent_path}")
    return path if path == node.value else unquote(path)


def iri_segment(text: str) -> str:
    """The slug of a text, or the percent-encoded text if the slug would be empty."""
    return slugify_words(text) or quote(text, safe="")


def strip_name_prefix(prefix: str, text: str) -> str:
    """The text without the prefix of a CURIE, if it has this prefix."""
    return text.removeprefix(f"{prefix}:")


def concept_iri(prefix: str, text: str) -> ox.NamedNode:
    """The IRI for a slug, CURIE or label, in the namespace of a prefix."""
    return expand_curie(f"{prefix}:{iri_segment(strip_name_prefix(prefix, text))}")


def category_iri(text: str) -> ox.NamedNode:
    """The category with a slug, CURIE or label."""
    name = strip_name_prefix("category", text)
    return expand_curie(
        f"category:{category_slugs_by_label_slug().get(slugify_words(name), iri_segment(name))}"
    )


def passage_iri(text: str) -> ox.NamedNode:
    """The passage of a document with a path such as `declaration/48`, a CURIE, or a name.

    A name is the number of a paragraph of the Declaration (`48`), a document with a number (`agenda 41`), or
    a label, perhaps with the summary that a list shows after it.
    """
    if iri := passage_iris_by_name().get(normalize_passage_name(text.partition(": ")[0])):
        return ox.NamedNode(iri)
    prefix, _, name = text.partition(":")
    namespace = DEFAULT_NAMESPACES.get(prefix, "")
    if namespace.startswith(f"{ID_NAMESPACE}document/"):
        return ox.NamedNode(namespace + quote(name))
    return ox.NamedNode(f"{ID_NAMESPACE}document/{quote(text)}")


@cache
def passage_iris_by_name() -> dict[str, str]:
    """The IRI of each passage of a document in the bundled facts, by its normalized names."""
    labels = {
        subject.value: label.value
        for subject, predicate, label in shipped.shipped_facts()
        if predicate == RDFS_LABEL and isinstance(subject, ox.NamedNode) and isinstance(label, ox.Literal)
    }
    iris = sorted(
        triple.subject.value
        for triple in shipped.shipped_facts()
        if triple.predicate == expand_curie("wgig:partOf") and isinstance(triple.subject, ox.NamedNode)
    )
    iris_by_name: dict[str, str] = {}
    for iri in iris:
        document, _, number = iri.removeprefix(f"{ID_NAMESPACE}document/").partition("/")
        documents = [document, *DOCUMENT_NAMES.get(document, ())]
        numbers = (number, number.removeprefix("p"))  # paragraphs of the report are named as p35
        names = [*(f"{name} {number}" for name in documents for number in numbers), labels.get(iri, "")]
        if document == "declaration" and number[0].isdigit():
            names += [number, number.replace(".", "")]
        for name in filter(None, map(normalize_passage_name, names)):
            iris_by_name.setdefault(name, iri)
    return iris_by_name


def normalize_passage_name(name: str) -> str:
    """The slug of a name of a passage without the word `paragraph`."""
    return slugify_words(PARAGRAPH_WORD_PATTERN.sub(" ", name))


def parse_source_reference(text: str) -> PaperTerm:
    """A source: the IRI for a web address or a path below `id/`, else a literal."""
    if RESOURCE_PATH_PATTERN.fullmatch(text):
        return ox.NamedNode(f"{ID_NAMESPACE}{quote(text)}")
    if not WEB_ADDRESS_PATTERN.fullmatch(text):
        return ox.Literal(text)
    try:
        return ox.NamedNode(text)
    except ValueError:
        return ox.Literal(text)


def parse_date(text: str) -> ox.Literal:
    """An xsd:date for a calendar date, else a plain literal."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return ox.Literal(text)
    return build_typed_literal(text, "date") if CALENDAR_DATE_PATTERN.fullmatch(text) else ox.Literal(text)


def parse_whole_number(text: str) -> ox.Literal:
    """An xsd:integer for a whole number, else a plain literal."""
    return build_typed_literal(text, "integer") if WHOLE_NUMBER_PATTERN.fullmatch(text) else ox.Literal(text)


def parse_boolean(text: str) -> ox.Literal:
    """An xsd:boolean for yes, no, true or false, else a plain literal."""
    lexical_form = BOOLEAN_SPELLINGS.get(text.casefold().rstrip("."))
    return build_typed_literal(lexical_form, "boolean") if lexical_form else ox.Literal(text)


@cache
def category_slugs_by_label_slug() -> dict[str, str]:
    """The slug of each category, by the slug of its label; a label without Latin letters has none."""
    return {
        label_slug: slug
        for label, slug in iter_names_with_slugs("category", expand_curie("skos:prefLabel"))
        if (label_slug := slugify_words(label))
    }


def find_known_agent(text: str) -> ox.NamedNode | None:
    """The person or organization with this slug, CURIE or name in the bundled facts, or None."""
    slug = agent_slugs_by_name().get(strip_name_prefix("agent", text))
    return expand_curie(f"agent:{slug}") if slug else None


@cache
def agent_slugs_by_name() -> dict[str, str]:
    """The slug of each person and organization in the bundled facts, by name and by slug."""
    slugs_by_name = dict(iter_names_with_slugs("agent", expand_curie("foaf:name")))
    return slugs_by_name | {slug: slug for slug in slugs_by_name.values()}


def known_agent_name(agent: ox.NamedNode) -> str:
    """The name of a person or organization in the bundled facts, or else its short name."""
    slug = local_name(agent, "agent")
    return next((name for name, other_slug in agent_slugs_by_name().items() if other_slug == slug), slug)


def mechanism_iri(text: str) -> ox.NamedNode:
    """The body or instrument of the graph that a text names; an unknown IRI if there is none."""
    return find_graph_mechanism(text) or concept_iri("mechanism", text)


def find_graph_mechanism(text: str) -> ox.NamedNode | None:
    """The body or instrument of the graph with this path, CURIE or name, such as `agent/icann` or `ICANN`.

    For a path or CURIE of none, it is an IRI that the check reports; for a name of none, None.
    """
    if known_mechanism := shipped.shipped_mechanisms().get(slugify_words(text)):
        return ox.NamedNode(known_mechanism)
    match = MECHANISM_PATH_PATTERN.fullmatch(text.strip())
    return concept_iri(match[1], match[2]) if match else None


def iter_names_with_slugs(prefix: str, property_: ox.NamedNode) -> Iterator[tuple[str, str]]:
    """The values of a property, each with the slug of its resource in the namespace of a prefix."""
    for subject, predicate, name in shipped.shipped_facts():
        if predicate == property_ and isinstance(subject, ox.NamedNode) and isinstance(name, ox.Literal):
            slug = subject.value.removeprefix(DEFAULT_NAMESPACES[prefix])
            if slug != subject.value:
                yield name.value, slug

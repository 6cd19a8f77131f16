"""Conversion of values as authors write them to RDF terms, and of IRIs to the names that authors write.

A text that is not a valid value becomes a term that violates the rule for it, so that the check reports it.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any
from urllib.parse import quote, unquote

import pyoxigraph as ox

from ...rdf import shipped
from ...rdf.literals import build_typed_literal
from ...rdf.namespaces import DEFAULT_NAMESPACES, ID_NAMESPACE, expand_curie

WEB_ADDRESS_PATTERN = re.compile(r"https?://[^\s<>\"{}|\\^`]+")
RESOURCE_PATH_PATTERN = re.compile(r"[\w.~-]+(?:/[\w.~-]+)*")
DAY_PATTERN = re.compile(r"\d{4}-\d{2}-\d{2}")
WHOLE_NUMBER_PATTERN = re.compile(r"[+-]?\d{1,9}")
BOOLEAN_SPELLINGS = {"yes": "true", "true": "true", "no": "false", "false": "false"}
PaperTerm = ox.NamedNode | ox.Literal


def prefixed_short_name(node: Any, prefix: str) -> str:
    """The name of a resource without the namespace of the prefix; the whole IRI if in another namespace."""
    return unquote(node.value.removeprefix(DEFAULT_NAMESPACES[prefix]))


def resource_path(node: ox.NamedNode, folder: str = "") -> str:
    """The path of a resource below `id/` and a folder in it; the whole IRI if it is elsewhere."""
    path = node.value.removeprefix(f"{ID_NAMESPACE}{folder}")
    return path if path == node.value else unquote(path)


def slugify_words(words: str) -> str:
    """A text as an IRI segment of lowercase ASCII letters, digits and hyphens; may be empty."""
    bare = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", bare.lower()))


def iri_segment(words: str) -> str:
    """The slug of a text, or the percent-encoded text where the slug would be empty."""
    return slugify_words(words) or quote(words, safe="")


def strip_name_prefix(prefix: str, words: str) -> str:
    """The text without the prefix of a CURIE, if it has that."""
    return words.removeprefix(f"{prefix}:")


def concept_iri(prefix: str, words: str) -> ox.NamedNode:
    """The resource that a slug or label names, in the namespace of a prefix."""
    return expand_curie(f"{prefix}:{iri_segment(strip_name_prefix(prefix, words))}")


def category_iri(words: str) -> ox.NamedNode:
    """The category that a slug or label names."""
    name = strip_name_prefix("category", words)
    return expand_curie(f"category:{category_slugs_by_label().get(slugify_words(name), iri_segment(name))}")


def passage_iri(words: str) -> ox.NamedNode:
    """The part of a document that a path such as `declaration/48` or a CURIE names."""
    prefix, _, name = words.partition(":")
    folder = DEFAULT_NAMESPACES.get(prefix, "")
    if folder.startswith(f"{ID_NAMESPACE}document/"):
        return ox.NamedNode(folder + quote(name))
    return ox.NamedNode(f"{ID_NAMESPACE}document/{quote(words)}")


def parse_source_address(words: str) -> PaperTerm:
    """The IRI of a web page, or of a resource by its path below `id/`; other text as a literal."""
    if RESOURCE_PATH_PATTERN.fullmatch(words):
        return ox.NamedNode(f"{ID_NAMESPACE}{quote(words)}")
    if not WEB_ADDRESS_PATTERN.fullmatch(words):
        return ox.Literal(words)
    try:
        return ox.NamedNode(words)
    except ValueError:
        return ox.Literal(words)


def parse_day(words: str) -> ox.Literal:
    """A calendar date as xsd:date; other text as a plain literal."""
    try:
        date.fromisoformat(words)
    except ValueError:
        return ox.Literal(words)
    return build_typed_literal(words, "date") if DAY_PATTERN.fullmatch(words) else ox.Literal(words)


def parse_whole_number(words: str) -> ox.Literal:
    """A whole number as xsd:integer; other text as a plain literal."""
    return (
        build_typed_literal(words, "integer") if WHOLE_NUMBER_PATTERN.fullmatch(words) else ox.Literal(words)
    )


def parse_boolean(words: str) -> ox.Literal:
    """Yes or no as xsd:boolean; other text as a plain literal."""
    lexical_form = BOOLEAN_SPELLINGS.get(words.casefold().rstrip("."))
    return build_typed_literal(lexical_form, "boolean") if lexical_form else ox.Literal(words)


@cache
def category_slugs_by_label() -> dict[str, str]:
    """The slugs of the categories by the slugs of their labels."""
    return {
        slugify_words(label): slug
        for label, slug in iter_name_slugs("category", expand_curie("skos:prefLabel"))
    }


def find_known_agent(words: str) -> ox.NamedNode | None:
    """The person or body in the shipped facts with this slug or name, or None."""
    slug = agent_slugs_by_name().get(strip_name_prefix("agent", words))
    return expand_curie(f"agent:{slug}") if slug else None


@cache
def agent_slugs_by_name() -> dict[str, str]:
    """The slugs of the people and bodies in the shipped facts, by slug and by name."""
    by_name = dict(iter_name_slugs("agent", expand_curie("foaf:name")))
    return by_name | {slug: slug for slug in by_name.values()}


def iter_name_slugs(prefix: str, property_: ox.NamedNode) -> Iterator[tuple[str, str]]:
    """Each name of the resources with a prefix, with the slug of the resource."""
    for subject, predicate, name in shipped.shipped_facts():
        if predicate == property_ and isinstance(subject, ox.NamedNode) and isinstance(name, ox.Literal):
            slug = subject.value.removeprefix(DEFAULT_NAMESPACES[prefix])
            if slug != subject.value:
                yield name.value, slug

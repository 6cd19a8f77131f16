"""Values as people write them, as RDF terms, and the names of things as people write them.

What is no such value becomes one that breaks the rule of it.
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
    """What people write for a thing: its part after the namespace of the prefix, else the whole IRI."""
    return unquote(node.value.removeprefix(DEFAULT_NAMESPACES[prefix]))


def resource_path(node: ox.NamedNode, folder: str = "") -> str:
    """The path of a thing below `id/` and a folder in it, else the whole IRI."""
    path = node.value.removeprefix(f"{ID_NAMESPACE}{folder}")
    return path if path == node.value else unquote(path)


def slugify_words(words: str) -> str:
    """Words as the last part of an address: small letters of ASCII, digits, hyphens; maybe none."""
    bare = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", bare.lower()))


def iri_segment(words: str) -> str:
    """A slug, or the words in percent-encoding where no letter of ASCII is in them."""
    return slugify_words(words) or quote(words, safe="")


def strip_name_prefix(prefix: str, words: str) -> str:
    """The words without the prefix, by which RDF calls what they name."""
    return words.removeprefix(f"{prefix}:")


def concept_iri(prefix: str, words: str) -> ox.NamedNode:
    """The thing that a slug or label names, in the namespace of a prefix."""
    return expand_curie(f"{prefix}:{iri_segment(strip_name_prefix(prefix, words))}")


def category_iri(words: str) -> ox.NamedNode:
    """The category that a slug or label names."""
    name = strip_name_prefix("category", words)
    return expand_curie(f"category:{category_slugs_by_label().get(slugify_words(name), iri_segment(name))}")


def passage_iri(words: str) -> ox.NamedNode:
    """The part of a document that a path such as `declaration/48` names, or as RDF calls it."""
    prefix, _, name = words.partition(":")
    folder = DEFAULT_NAMESPACES.get(prefix, "")
    if folder.startswith(f"{ID_NAMESPACE}document/"):
        return ox.NamedNode(folder + quote(name))
    return ox.NamedNode(f"{ID_NAMESPACE}document/{quote(words)}")


def parse_source_address(words: str) -> PaperTerm:
    """The page with a web address, or the document that a path below `id/` names; no address is text."""
    if RESOURCE_PATH_PATTERN.fullmatch(words):
        return ox.NamedNode(f"{ID_NAMESPACE}{quote(words)}")
    if not WEB_ADDRESS_PATTERN.fullmatch(words):
        return ox.Literal(words)
    try:
        return ox.NamedNode(words)
    except ValueError:
        return ox.Literal(words)


def parse_day(words: str) -> ox.Literal:
    """A day of the calendar as a date; anything else is text."""
    try:
        date.fromisoformat(words)
    except ValueError:
        return ox.Literal(words)
    return build_typed_literal(words, "date") if DAY_PATTERN.fullmatch(words) else ox.Literal(words)


def parse_whole_number(words: str) -> ox.Literal:
    """A whole number; anything else is text."""
    return (
        build_typed_literal(words, "integer") if WHOLE_NUMBER_PATTERN.fullmatch(words) else ox.Literal(words)
    )


def parse_boolean(words: str) -> ox.Literal:
    """Yes or no as a boolean; anything else is text."""
    said = BOOLEAN_SPELLINGS.get(words.casefold().rstrip("."))
    return build_typed_literal(said, "boolean") if said else ox.Literal(words)


@cache
def category_slugs_by_label() -> dict[str, str]:
    """The slugs of the categories by the slugs of their labels."""
    return {
        slugify_words(label): name
        for label, name in iter_name_slugs("category", expand_curie("skos:prefLabel"))
    }


def find_known_agent(words: str) -> ox.NamedNode | None:
    """The person or body of the graph with this slug or name, or none."""
    found = agent_slugs_by_name().get(strip_name_prefix("agent", words))
    return expand_curie(f"agent:{found}") if found else None


@cache
def agent_slugs_by_name() -> dict[str, str]:
    """The slugs of the people and bodies in the graph, by their slugs and by their names."""
    by_name = dict(iter_name_slugs("agent", expand_curie("foaf:name")))
    return by_name | {name: name for name in by_name.values()}


def iter_name_slugs(prefix: str, property_: ox.NamedNode) -> Iterator[tuple[str, str]]:
    """Each name of the things with a prefix, with the slug of the thing."""
    for subject, predicate, value in shipped.shipped_facts():
        if predicate == property_ and isinstance(subject, ox.NamedNode) and isinstance(value, ox.Literal):
            name = subject.value.removeprefix(DEFAULT_NAMESPACES[prefix])
            if name != subject.value:
                yield value.value, name

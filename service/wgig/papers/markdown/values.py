"""Values as people write them, as RDF terms. What is no such value becomes one that breaks the rule of it."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from functools import cache
from urllib.parse import quote

import pyoxigraph as ox

from ...rdf import shipped
from ...rdf.namespaces import OUTSIDE, namespaces
from ...settings import Settings

NAMES = namespaces(Settings.base)
ID = f"{Settings.base}id/"
XSD = OUTSIDE["xsd"]
WEB = re.compile(r"https?://[^\s<>\"{}|\\^`]+")
PATH = re.compile(r"[\w.~-]+(?:/[\w.~-]+)*")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
COUNT = re.compile(r"[+-]?\d{1,9}")
YES_NO = {"yes": "true", "true": "true", "no": "false", "false": "false"}
Term = ox.NamedNode | ox.Literal


@cache
def iri(name: str) -> ox.NamedNode:
    """The IRI of a name with its prefix, such as `wgig:issue`."""
    prefix, _, local = name.partition(":")
    return ox.NamedNode(NAMES[prefix] + local)


def slug(words: str) -> str:
    """Words as the last part of an address: small letters of ASCII, digits, hyphens; maybe none."""
    bare = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", bare.lower()))


def segment(words: str) -> str:
    """A slug, or the words in percent-encoding where no letter of ASCII is in them."""
    return slug(words) or quote(words, safe="")


def local(prefix: str, words: str) -> str:
    """The words without the prefix, by which RDF calls what they name."""
    return words.removeprefix(f"{prefix}:")


def concept(prefix: str, words: str) -> ox.NamedNode:
    """The thing that a slug or label names, in the namespace of a prefix."""
    return iri(f"{prefix}:{segment(local(prefix, words))}")


def category(words: str) -> ox.NamedNode:
    """The category that a slug or label names."""
    name = local("category", words)
    return iri(f"category:{labels().get(slug(name), segment(name))}")


def passage(words: str) -> ox.NamedNode:
    """The part of a document that a path such as `declaration/48` names, or as RDF calls it."""
    prefix, _, name = words.partition(":")
    folder = NAMES.get(prefix, "")
    if folder.startswith(f"{ID}document/"):
        return ox.NamedNode(folder + quote(name))
    return ox.NamedNode(f"{ID}document/{quote(words)}")


def address(words: str) -> Term:
    """The page with a web address, or the document that a path below `id/` names; no address is text."""
    if PATH.fullmatch(words):
        return ox.NamedNode(f"{ID}{quote(words)}")
    if not WEB.fullmatch(words):
        return ox.Literal(words)
    try:
        return ox.NamedNode(words)
    except ValueError:
        return ox.Literal(words)


def day(words: str) -> ox.Literal:
    """A day of the calendar as a date; anything else is text."""
    try:
        date.fromisoformat(words)
    except ValueError:
        return ox.Literal(words)
    return typed(words, "date") if DAY.fullmatch(words) else ox.Literal(words)


def count(words: str) -> ox.Literal:
    """A whole number; anything else is text."""
    return typed(words, "integer") if COUNT.fullmatch(words) else ox.Literal(words)


def parse_boolean(words: str) -> ox.Literal:
    """Yes or no as a boolean; anything else is text."""
    said = YES_NO.get(words.casefold().rstrip("."))
    return typed(said, "boolean") if said else ox.Literal(words)


def typed(value: str, datatype: str) -> ox.Literal:
    """A literal of a datatype of XML Schema."""
    return ox.Literal(value, datatype=ox.NamedNode(XSD + datatype))


@cache
def labels() -> dict[str, str]:
    """The slugs of the categories by the slugs of their labels."""
    return {slug(label): name for label, name in named("category", iri("skos:prefLabel"))}


def known_agent(words: str) -> ox.NamedNode | None:
    """The person or body of the graph with this slug or name, or none."""
    found = agents().get(local("agent", words))
    return iri(f"agent:{found}") if found else None


@cache
def agents() -> dict[str, str]:
    """The slugs of the people and bodies in the graph, by their slugs and by their names."""
    by_name = dict(named("agent", iri("foaf:name")))
    return by_name | {name: name for name in by_name.values()}


def named(prefix: str, property_: ox.NamedNode) -> Iterator[tuple[str, str]]:
    """Each name of the things with a prefix, with the slug of the thing."""
    for subject, predicate, value in shipped.facts():
        if predicate == property_ and isinstance(subject, ox.NamedNode) and isinstance(value, ox.Literal):
            name = subject.value.removeprefix(NAMES[prefix])
            if name != subject.value:
                yield value.value, name

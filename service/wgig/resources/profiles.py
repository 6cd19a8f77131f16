"""The profiles that descriptions can be had in: our own, and one file each of what is computed from it."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyoxigraph as ox

from ..rdf.formats import GRAPHS, HTML, JSON, JSON_LD, N_TRIPLES, PLAIN_XML, RDF_XML, TURTLE, Format
from ..rdf.namespaces import OUTSIDE
from ..settings import SHIPPED, Settings

FOLDER = SHIPPED / "data" / "profiles"
HEADER = re.compile(r"^# (profile|also|title|description|fits|formats): (.+)$", re.MULTILINE)
PREFIX = re.compile(r"^PREFIX ([\w-]+): <([^>]+)>$", re.MULTILINE)
NEEDED = ("profile", "title", "description", "fits")
EVERYTHING = "everything"
OWN = "wgig"

# Plain JSON stands before JSON-LD, which answers to application/json as well.
OFFERED = (TURTLE, N_TRIPLES, JSON, JSON_LD, RDF_XML, HTML)
BY_SUFFIX = {one.suffix: one for one in (*GRAPHS, PLAIN_XML)}


@dataclass(frozen=True)
class Profile:
    """A way to describe things.

    `iri` names it, `also` are other IRIs that mean it, `token` is a short name. It has something for things
    of the `classes`, or for all where there are none. `query` makes its triples from our own description,
    and is empty for that.
    """

    token: str
    iri: str
    title: str
    description: str
    formats: tuple[Format, ...]
    also: tuple[str, ...] = ()
    classes: frozenset[str] = frozenset()
    query: str = ""

    def fits(self, types: Collection[str]) -> bool:
        """Whether it has something for a thing of these types."""
        return not self.classes or not self.classes.isdisjoint(types)


@cache
def profiles(base: str) -> dict[str, Profile]:
    """All profiles by token, our own first."""
    found = [read(path, base) for path in sorted(FOLDER.glob("*.rq"))]
    return {one.token: one for one in (own(base), *found)}


def own(base: str) -> Profile:
    """The profile of the descriptions as the graph has them: that of the ontology."""
    return Profile(
        OWN,
        f"{base}ontology",
        "WGIG ontology",
        "Everything that the graph says, in the terms of the ontology and of the vocabularies that it uses.",
        OFFERED,
    )


def read(path: Path, base: str) -> Profile:
    """The profile in a file, for a graph with this base. Raises ValueError where a header line is missing."""
    text = path.read_text("utf-8").replace(Settings.base, base)
    header = dict(HEADER.findall(text))
    missing = [one for one in NEEDED if one not in header]
    if missing:
        raise ValueError(f"{path.name} lacks the comment line '# {missing[0]}: …' at its top.")
    prefixes = dict(PREFIX.findall(text))
    classes = [] if header["fits"] == EVERYTHING else header["fits"].split()
    suffixes = header["formats"].split() if "formats" in header else [one.suffix for one in GRAPHS]
    return Profile(
        path.stem,
        header["profile"],
        header["title"],
        header["description"],
        tuple(BY_SUFFIX[one] for one in suffixes),
        tuple(header.get("also", "").split()),
        frozenset(prefixes[prefix] + name for prefix, _, name in (one.partition(":") for one in classes)),
        text,
    )


def described(base: str) -> Iterator[ox.Triple]:
    """What the profiles are, by the Profiles Vocabulary: token, title, description, media types."""
    prof, dcterms = OUTSIDE["prof"], OUTSIDE["dcterms"]
    for one in profiles(base).values():
        said: list[tuple[str, ox.NamedNode | ox.Literal]] = [
            (f"{OUTSIDE['rdf']}type", ox.NamedNode(f"{prof}Profile")),
            (f"{prof}hasToken", ox.Literal(one.token)),
            (f"{dcterms}title", ox.Literal(one.title, language="en")),
            (f"{dcterms}description", ox.Literal(one.description, language="en")),
            *((f"{dcterms}format", ox.Literal(format_.media_type)) for format_ in one.formats),
        ]
        yield from (ox.Triple(ox.NamedNode(one.iri), ox.NamedNode(name), value) for name, value in said)

"""The profiles that descriptions can be had in: our own, and one file each of what is computed from it."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyoxigraph as ox

from ..rdf.formats import GRAPH_FORMATS, HTML, JSON, JSON_LD, N_TRIPLES, PLAIN_XML, RDF_XML, TURTLE, Format
from ..rdf.namespaces import DCTERMS_DESCRIPTION, DCTERMS_TITLE, RDF_TYPE, expand_curie
from ..settings import SHIPPED_FOLDER, Settings

PROFILES_FOLDER = SHIPPED_FOLDER / "data" / "profiles"
PROFILE_HEADER_PATTERN = re.compile(r"^# (profile|also|title|description|fits|formats): (.+)$", re.MULTILINE)
PROFILE_PREFIX_PATTERN = re.compile(r"^PREFIX ([\w-]+): <([^>]+)>$", re.MULTILINE)
REQUIRED_PROFILE_KEYS = ("profile", "title", "description", "fits")
FITS_EVERYTHING = "everything"
OWN_PROFILE_TOKEN = "wgig"  # noqa: S105 - the short name of a profile

# Plain JSON stands before JSON-LD, which answers to application/json as well.
OWN_PROFILE_FORMATS = (TURTLE, N_TRIPLES, JSON, JSON_LD, RDF_XML, HTML)
PROFILE_FORMATS_BY_SUFFIX = {one.suffix: one for one in (*GRAPH_FORMATS, PLAIN_XML)}


@dataclass(frozen=True)
class Profile:
    """A way to describe things.

    `iri` names it, `alias_iris` are other IRIs that mean it, `token` is a short name. It has something for
    things of the `classes`, or for all where there are none. `query` makes its triples from our own
    description, and is empty for that.
    """

    token: str
    iri: str
    title: str
    description: str
    formats: tuple[Format, ...]
    alias_iris: tuple[str, ...] = ()
    classes: frozenset[str] = frozenset()
    query: str = ""

    def fits_types(self, types: Collection[str]) -> bool:
        """Whether it has something for a thing of these types."""
        return not self.classes or not self.classes.isdisjoint(types)


@cache
def profiles_by_token(base: str) -> dict[str, Profile]:
    """All profiles by token, our own first."""
    found = [read_profile_file(path, base) for path in sorted(PROFILES_FOLDER.glob("*.rq"))]
    return {one.token: one for one in (own_profile(base), *found)}


def own_profile(base: str) -> Profile:
    """The profile of the descriptions as the graph has them: that of the ontology."""
    return Profile(
        OWN_PROFILE_TOKEN,
        f"{base}ontology",
        "WGIG ontology",
        "Everything that the graph says, in the terms of the ontology and of the vocabularies that it uses.",
        OWN_PROFILE_FORMATS,
    )


def read_profile_file(path: Path, base: str) -> Profile:
    """The profile in a file, for a graph with this base. Raises ValueError where a header line is missing."""
    text = path.read_text("utf-8").replace(Settings.base, base)
    header = dict(PROFILE_HEADER_PATTERN.findall(text))
    missing = [one for one in REQUIRED_PROFILE_KEYS if one not in header]
    if missing:
        raise ValueError(f"{path.name} lacks the comment line '# {missing[0]}: …' at its top.")
    prefixes = dict(PROFILE_PREFIX_PATTERN.findall(text))
    classes = [] if header["fits"] == FITS_EVERYTHING else header["fits"].split()
    suffixes = header["formats"].split() if "formats" in header else [one.suffix for one in GRAPH_FORMATS]
    return Profile(
        path.stem,
        header["profile"],
        header["title"],
        header["description"],
        tuple(PROFILE_FORMATS_BY_SUFFIX[one] for one in suffixes),
        tuple(header.get("also", "").split()),
        frozenset(prefixes[prefix] + name for prefix, _, name in (one.partition(":") for one in classes)),
        text,
    )


def profile_triples(base: str) -> Iterator[ox.Triple]:
    """What the profiles are, by the Profiles Vocabulary: token, title, description, media types."""
    for one in profiles_by_token(base).values():
        said: list[tuple[ox.NamedNode, ox.NamedNode | ox.Literal]] = [
            (RDF_TYPE, expand_curie("prof:Profile")),
            (expand_curie("prof:hasToken"), ox.Literal(one.token)),
            (DCTERMS_TITLE, ox.Literal(one.title, language="en")),
            (DCTERMS_DESCRIPTION, ox.Literal(one.description, language="en")),
            *((expand_curie("dcterms:format"), ox.Literal(format_.media_type)) for format_ in one.formats),
        ]
        yield from (ox.Triple(ox.NamedNode(one.iri), property_, value) for property_, value in said)

"""The profiles of descriptions: the default one with the stored statements, and those computed from it.

Each computed profile is a CONSTRUCT query in data/profiles. Comment lines at the top of the file have its
IRI (`profile`), other IRIs (`also`), the classes that it is for (`fits`), and the suffixes of its formats.
"""

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
FITS_EVERYTHING = "everything"  # in the line `fits`: the profile is for all classes
DEFAULT_PROFILE_TOKEN = "wgig"  # noqa: S105 - the short name of a profile

# Plain JSON comes before JSON-LD, which matches application/json too.
DEFAULT_PROFILE_FORMATS = (TURTLE, N_TRIPLES, JSON, JSON_LD, RDF_XML, HTML)
PROFILE_FORMATS_BY_SUFFIX = {format_.suffix: format_ for format_ in (*GRAPH_FORMATS, PLAIN_XML)}


@dataclass(frozen=True)
class Profile:
    """A profile of descriptions.

    `token` is its short name, `alias_iris` are other IRIs for it. It applies to resources of the `classes`,
    or to all resources if there are none. `query` is the CONSTRUCT query that computes its triples from the
    stored statements, empty for the default profile.
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
        """Whether the profile applies to a resource of these types."""
        return not self.classes or not self.classes.isdisjoint(types)


@cache
def profiles_by_token(base: str) -> dict[str, Profile]:
    """All profiles by token, the default one first."""
    profiles = [read_profile_file(path, base) for path in sorted(PROFILES_FOLDER.glob("*.rq"))]
    return {profile.token: profile for profile in (default_profile(base), *profiles)}


def default_profile(base: str) -> Profile:
    """The default profile: statements as they are stored, in the terms of the ontology."""
    return Profile(
        DEFAULT_PROFILE_TOKEN,
        f"{base}ontology",
        "WGIG ontology",
        "All statements, in the terms of the ontology and of the vocabularies that it uses.",
        DEFAULT_PROFILE_FORMATS,
    )


def read_profile_file(path: Path, base: str) -> Profile:
    """The profile in a file, for IRIs below `base`. Raises ValueError if a header line is missing."""
    text = path.read_text("utf-8").replace(Settings.base, base)
    header = dict(PROFILE_HEADER_PATTERN.findall(text))
    missing = [key for key in REQUIRED_PROFILE_KEYS if key not in header]
    if missing:
        raise ValueError(f"{path.name} lacks the comment line '# {missing[0]}: …' at its top.")
    prefixes = dict(PROFILE_PREFIX_PATTERN.findall(text))
    classes = [] if header["fits"] == FITS_EVERYTHING else header["fits"].split()
    suffixes = (
        header["formats"].split() if "formats" in header else [format_.suffix for format_ in GRAPH_FORMATS]
    )
    return Profile(
        path.stem,
        header["profile"],
        header["title"],
        header["description"],
        tuple(PROFILE_FORMATS_BY_SUFFIX[suffix] for suffix in suffixes),
        tuple(header.get("also", "").split()),
        frozenset(prefixes[prefix] + name for prefix, _, name in (curie.partition(":") for curie in classes)),
        text,
    )


def profile_triples(base: str) -> Iterator[ox.Triple]:
    """The profiles in RDF (Profiles Vocabulary): token, title, description, media types."""
    for profile in profiles_by_token(base).values():
        values: list[tuple[ox.NamedNode, ox.NamedNode | ox.Literal]] = [
            (RDF_TYPE, expand_curie("prof:Profile")),
            (expand_curie("prof:hasToken"), ox.Literal(profile.token)),
            (DCTERMS_TITLE, ox.Literal(profile.title, language="en")),
            (DCTERMS_DESCRIPTION, ox.Literal(profile.description, language="en")),
            *(
                (expand_curie("dcterms:format"), ox.Literal(format_.media_type))
                for format_ in profile.formats
            ),
        ]
        yield from (ox.Triple(ox.NamedNode(profile.iri), property_, value) for property_, value in values)

"""Alternate representations of a resource: Link header and list (Content Negotiation by Profile).

The list is given in RDF by the Alternate Representations Data Model (section 6.4 of the standard), as JSON,
and as a page. The Link header is bounded to 3000 characters, with our own profile and the first format of
each other profile in front; what does not fit is in the list, to which it links. What has representations:
resources, graphs, lists, the ontology, the shapes and the catalog.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyoxigraph as ox

from ..http.bodies import Pairs
from ..http.parameters import add_url_parameters, encode_field_value
from ..pages.rendering import path_in_format
from ..rdf.formats import Format
from ..rdf.namespaces import LICENSE_IRI, RDF_TYPE, expand_curie
from .profile_negotiation import Representation, iter_representations
from .profiles import OWN_PROFILE_FORMATS, OWN_PROFILE_TOKEN, Profile, profiles_by_token


@dataclass(frozen=True)
class Resource:
    """A resource as it is represented.

    `iri` names it, `path` with the parameters `pairs` is where it is read, and `formats` are those of its
    `own_profile`, which `write` gives as bytes. From its `triples`, other profiles are computed that fit its
    `types`; where these are None, it has no other but those that `write` gives as well, which are
    `written_profiles`, by token, each in formats of its own. `uses_suffix`: a format is had by the ending of
    the path, and not by a parameter. `license` is the IRI of its license, empty where none is stated.
    """

    iri: str
    path: str
    triples: Callable[[], Iterable[ox.Triple]]
    write: Callable[[Format], bytes]
    types: frozenset[str] | None = None
    formats: Sequence[Format] = OWN_PROFILE_FORMATS
    uses_suffix: bool = True
    pairs: Pairs = field(default_factory=list)
    own_profile: str = OWN_PROFILE_TOKEN
    written_profiles: Mapping[str, Profile] | None = None
    license: str = LICENSE_IRI

    @property
    def canonical_address(self) -> str:
        """Where it is read, by whatever profile and in whatever format a client likes."""
        return add_url_parameters(self.path, self.pairs)

    def has_profile(self, profile: Profile) -> bool:
        """Whether it can be had in a profile."""
        return self.writes_profile(profile) or (self.types is not None and profile.fits_types(self.types))

    def writes_profile(self, profile: Profile) -> bool:
        """Whether it gives a profile itself, and not by a query over its triples."""
        return profile.token in (self.own_profile, *(self.written_profiles or ()))

    def representations(self, base: str) -> list[Representation]:
        """All its representations, the one first that a client gets who does not care."""
        known = {**profiles_by_token(base), **(self.written_profiles or {})}
        return list(
            iter_representations(
                known, self.formats, [token for token, one in known.items() if self.has_profile(one)]
            )
        )

    def representation_address(self, choice: Representation) -> str:
        """Where just this representation is read."""
        path = f"{self.path}.{choice.format.suffix}" if self.uses_suffix else self.path
        pairs = list(self.pairs)
        if choice.profile.token != self.own_profile:
            pairs.append(("_profile", choice.profile.token))
        if not self.uses_suffix:
            pairs.append(("_mediatype", choice.format.media_type))
        return add_url_parameters(path, pairs)


MAX_LINK_FIELD_BYTES = 3000  # bytes of the field; proxies commonly take 4 kB for all header fields
ALTR_MODEL_IRI = "http://www.w3.org/ns/dx/conneg/altr"  # the data model of the list of representations
PROFILE_CLASS_IRI = "http://www.w3.org/ns/dx/prof/Profile"


def representation_links(
    subject: Resource, chosen: Representation | None, base: str, more: Iterable[str] = ()
) -> list[str]:
    """The links of a representation, or of the list of them; what does not fit stands in the list.

    By Content Negotiation by Profile, sections 7.1.1 (canonical, alternate) and 7.1.1.2 (tokens).
    """
    every = subject.representations(base)
    known = {one.profile.token: one.profile for one in every}
    return fit_link_field(
        [
            representation_link(subject.canonical_address, "canonical", every[0]),
            *more,
            *data_links(subject.license),
            *([f'<{chosen.profile.iri}>; rel="profile"'] if chosen else []),
            f'<{representation_list_address(subject)}>; rel="alternate"; type="text/html"; '
            f'profile="{ALTR_MODEL_IRI}"',
            *map(profile_token_link, known.values()),
            *(
                representation_link(subject.representation_address(one), "alternate", one)
                for one in prioritize_representations(every)
                if not chosen or (one.profile.iri, one.format) != (chosen.profile.iri, chosen.format)
            ),
        ]
    )


def data_links(license_: str = LICENSE_IRI) -> list[str]:
    """The links of whatever holds data, under the license with an IRI; empty: none is known."""
    return ['</ontology>; rel="describedby"', *([f'<{license_}>; rel="license"'] if license_ else [])]


def prioritize_representations(choices: list[Representation]) -> list[Representation]:
    """The choices, those first that are of our own profile or the first of another."""
    own = choices[0].profile
    seen: set[str] = set()
    ahead: list[Representation] = []
    rest: list[Representation] = []
    for one in choices:
        (rest if one.profile != own and one.profile.token in seen else ahead).append(one)
        seen.add(one.profile.token)
    return [*ahead, *rest]


def alternate_format_links(path: str, formats: Iterable[Format], chosen: Format) -> list[str]:
    """The links to the other formats of what has a format by a parameter, and no profiles."""
    return [
        f'<{path_in_format(path, one.media_type)}>; rel="alternate"; type="{one.media_type}"'
        for one in formats
        if one is not chosen
    ]


def representation_list_address(subject: Resource) -> str:
    """Where the list of the representations is read."""
    return add_url_parameters(subject.canonical_address, [("_profile", "all")])


def representation_link(target: str, relation: str, choice: Representation) -> str:
    """The link to a representation."""
    return f'<{target}>; rel="{relation}"; type="{choice.format.media_type}"; profile="{choice.profile.iri}"'


def profile_token_link(profile: Profile) -> str:
    """The link that says which profile a token means."""
    return f'<{PROFILE_CLASS_IRI}>; rel="type"; token="{profile.token}"; anchor="{profile.iri}"'


def fit_link_field(found: Iterable[str]) -> list[str]:
    """As many of the links, in their order, as the field may hold."""
    kept, room = [], MAX_LINK_FIELD_BYTES
    for one in map(encode_field_value, found):
        if len(one) + 2 <= room:
            kept.append(one)
            room -= len(one) + 2
    return kept


def representation_triples(subject: Resource, base: str) -> Iterator[ox.Triple]:
    """The representations by the Alternate Representations Data Model (section 6.4 and its appendix)."""
    resource = ox.NamedNode(subject.iri)
    for place, one in enumerate(subject.representations(base)):
        node = ox.NamedNode(base.rstrip("/") + subject.representation_address(one))
        profile = ox.NamedNode(one.profile.iri)
        if place == 0:
            yield ox.Triple(resource, altr_term("hasDefaultRepresentation"), node)
        yield ox.Triple(resource, altr_term("hasRepresentation"), node)
        yield ox.Triple(node, RDF_TYPE, altr_term("Representation"))
        yield ox.Triple(node, expand_curie("dcterms:format"), ox.Literal(one.format.media_type))
        yield ox.Triple(node, expand_curie("dcterms:conformsTo"), profile)
        yield ox.Triple(profile, RDF_TYPE, expand_curie("dcterms:Standard"))
        yield ox.Triple(profile, expand_curie("prof:hasToken"), ox.Literal(one.profile.token))


def altr_term(name: str) -> ox.NamedNode:
    """A term of the model."""
    return ox.NamedNode(f"{ALTR_MODEL_IRI}#{name}")


def build_representations_document(subject: Resource, base: str) -> dict[str, Any]:
    """The representations as JSON: the profiles in their order, each with its media types in theirs."""
    every = subject.representations(base)
    profiles = {one.profile.token: one.profile for one in every}
    return {
        "resource": subject.iri,
        "default": {"token": every[0].profile.token, "media_type": every[0].format.media_type},
        "profiles": [
            {
                "token": token,
                "uri": profile.iri,
                "title": profile.title,
                "description": profile.description,
                "media_types": [one.format.media_type for one in every if one.profile == profile],
            }
            for token, profile in profiles.items()
        ],
    }


def representation_rows(subject: Resource, base: str) -> list[tuple[Any, list[tuple[str, str]]]]:
    """The profiles, each with the titles and addresses of its formats, for a page."""
    found: dict[str, tuple[Any, list[tuple[str, str]]]] = {}
    for one in subject.representations(base):
        _, formats = found.setdefault(one.profile.token, (one.profile, []))
        formats.append((one.format.title, subject.representation_address(one)))
    return list(found.values())

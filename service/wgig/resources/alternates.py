"""Alternate representations of a resource: Link header and list (Content Negotiation by Profile).

The list is available in RDF by the Alternate Representations Data Model (section 6.4 of the standard), as
JSON, and as an HTML page. The Link header is limited to 3000 bytes. The formats of the default profile and
the first format of each other profile come first, and a link leads to the complete list. Resources, graphs,
lists, the ontology, the shapes and the catalog have alternate representations.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyoxigraph as ox

from ..http.bodies import Pairs
from ..http.parameters import add_url_parameters, encode_field_value
from ..pages.rendering import path_in_format
from ..rdf.formats import HTML, Format
from ..rdf.namespaces import LICENSE_IRI, RDF_TYPE, expand_curie
from .profile_negotiation import Representation, iter_representations
from .profiles import DEFAULT_PROFILE_FORMATS, DEFAULT_PROFILE_TOKEN, Profile, profiles_by_token
from .signposting import LandingPage, list_data_header, list_landing_header


@dataclass(frozen=True)
class Resource:
    """A resource with its representations.

    Its address is `path` with the query parameters `pairs`. `write` serializes it in the `formats` of the
    profile with the token `default_profile`, and in those of the `written_profiles` (by token). All other
    profiles that fit its `types` are computed from its `triples`; if `types` is None, it has no others.
    `uses_suffix`: a format is named by a suffix of the path, not by a parameter. `license` is the IRI of its
    license, or empty. If its page is a landing page, `landing` describes it, and the representations in the
    profile with the token `content_profile` are its content, all others its metadata.
    """

    iri: str
    path: str
    triples: Callable[[], Iterable[ox.Triple]]
    write: Callable[[Format], bytes]
    types: frozenset[str] | None = None
    formats: Sequence[Format] = DEFAULT_PROFILE_FORMATS
    uses_suffix: bool = True
    pairs: Pairs = field(default_factory=list)
    default_profile: str = DEFAULT_PROFILE_TOKEN
    written_profiles: Mapping[str, Profile] | None = None
    license: str = LICENSE_IRI
    landing: Callable[[], LandingPage] | None = None
    content_profile: str = ""

    @property
    def canonical_address(self) -> str:
        """The address without a profile or format."""
        return add_url_parameters(self.path, self.pairs)

    def has_profile(self, profile: Profile) -> bool:
        """Whether the resource is available in a profile."""
        return self.writes_profile(profile) or (self.types is not None and profile.fits_types(self.types))

    def writes_profile(self, profile: Profile) -> bool:
        """Whether `write` serializes this profile; all other profiles are computed by a query."""
        return profile.token in (self.default_profile, *(self.written_profiles or ()))

    def representations(self, base: str) -> list[Representation]:
        """All representations, the default one first."""
        profiles = {**profiles_by_token(base), **(self.written_profiles or {})}
        return list(
            iter_representations(
                profiles,
                self.formats,
                [token for token, profile in profiles.items() if self.has_profile(profile)],
            )
        )

    def representation_address(self, representation: Representation) -> str:
        """The address of one representation, which needs no content negotiation."""
        path = f"{self.path}.{representation.format.suffix}" if self.uses_suffix else self.path
        pairs = list(self.pairs)
        if representation.profile.token != self.default_profile:
            pairs.append(("_profile", representation.profile.token))
        if not self.uses_suffix:
            pairs.append(("_mediatype", representation.format.media_type))
        return add_url_parameters(path, pairs)


MAX_LINK_FIELD_BYTES = 3000  # proxies commonly accept 4 kB for all header fields
ALTR_MODEL_IRI = "http://www.w3.org/ns/dx/conneg/altr"  # the data model of the list of representations
PROFILE_CLASS_IRI = "http://www.w3.org/ns/dx/prof/Profile"


def representation_links(
    resource: Resource, chosen: Representation | None, base: str, extra_links: Iterable[str] = ()
) -> list[str]:
    """The Link header of the chosen representation, or of the list of representations if `chosen` is None.

    Content Negotiation by Profile, sections 7.1.1 (canonical, alternate) and 7.1.1.2 (tokens). The canonical
    link comes first, then `extra_links`. Links that exceed MAX_LINK_FIELD_BYTES are left out.
    """
    representations = resource.representations(base)
    profiles = {representation.profile.token: representation.profile for representation in representations}
    return fit_link_field(
        [
            representation_link(resource.canonical_address, "canonical", representations[0]),
            *list_signposting_links(resource, chosen),
            *extra_links,
            *data_links(resource.license),
            *([f'<{chosen.profile.iri}>; rel="profile"'] if chosen else []),
            f'<{representation_list_address(resource)}>; rel="alternate"; profile="{ALTR_MODEL_IRI}"',
            *map(profile_token_link, profiles.values()),
            *(
                representation_link(
                    resource.representation_address(representation),
                    find_alternate_relation(resource, chosen, representation),
                    representation,
                )
                for representation in prioritize_representations(representations)
                if not chosen
                or (representation.profile.iri, representation.format) != (chosen.profile.iri, chosen.format)
            ),
        ]
    )


def list_signposting_links(resource: Resource, chosen: Representation | None) -> list[str]:
    """The links of FAIR Signposting, except those to other representations and to the license."""
    if resource.landing is None or chosen is None:
        return []
    return (list_landing_header if chosen.format is HTML else list_data_header)(resource.landing())


def find_alternate_relation(
    resource: Resource, chosen: Representation | None, representation: Representation
) -> str:
    """The relation types of the link from the chosen representation to another one."""
    if resource.landing is None or chosen is None:
        return "alternate"
    if chosen.format is HTML:
        is_content = representation.profile.token == resource.content_profile
        return "alternate item" if is_content else "alternate describedby"
    if representation.format is HTML:
        is_content = chosen.profile.token == resource.content_profile
        return "alternate collection" if is_content else "alternate describes"
    return "alternate"


def data_links(license_: str = LICENSE_IRI) -> list[str]:
    """The links to the ontology, and to the license with this IRI unless it is empty."""
    return ['</ontology>; rel="describedby"', *([f'<{license_}>; rel="license"'] if license_ else [])]


def prioritize_representations(representations: list[Representation]) -> list[Representation]:
    """All formats of the default profile and the first of each other one, then the other formats."""
    default_profile = representations[0].profile
    seen_tokens: set[str] = set()
    preferred: list[Representation] = []
    secondary: list[Representation] = []
    for representation in representations:
        (
            secondary
            if representation.profile != default_profile and representation.profile.token in seen_tokens
            else preferred
        ).append(representation)
        seen_tokens.add(representation.profile.token)
    return [*preferred, *secondary]


def alternate_format_links(path: str, formats: Iterable[Format], chosen: Format) -> list[str]:
    """The links to the other formats of a resource that has a format parameter, but no profiles."""
    return [
        f'<{path_in_format(path, format_.media_type)}>; rel="alternate"; type="{format_.media_type}"'
        for format_ in formats
        if format_ is not chosen
    ]


def representation_list_address(resource: Resource) -> str:
    """The address of the list of representations."""
    return add_url_parameters(resource.canonical_address, [("_profile", "all")])


def representation_link(target: str, relation: str, representation: Representation) -> str:
    """The link to a representation."""
    format_, profile = representation.format, representation.profile
    return f'<{target}>; rel="{relation}"; type="{format_.media_type}"; profile="{profile.iri}"'


def profile_token_link(profile: Profile) -> str:
    """The link that states the token of a profile (section 7.1.1.2)."""
    return f'<{PROFILE_CLASS_IRI}>; rel="type"; token="{profile.token}"; anchor="{profile.iri}"'


def fit_link_field(links: Iterable[str]) -> list[str]:
    """The links that fit into MAX_LINK_FIELD_BYTES, in order; a link that does not fit is skipped."""
    fitting, remaining_bytes = [], MAX_LINK_FIELD_BYTES
    for link in map(encode_field_value, links):
        link_bytes = len(link) + len(", ")
        if link_bytes <= remaining_bytes:
            fitting.append(link)
            remaining_bytes -= link_bytes
    return fitting


def representation_triples(resource: Resource, base: str) -> Iterator[ox.Triple]:
    """The representations by the Alternate Representations Data Model (section 6.4 and its appendix)."""
    node = ox.NamedNode(resource.iri)
    for index, representation in enumerate(resource.representations(base)):
        representation_node = ox.NamedNode(base.rstrip("/") + resource.representation_address(representation))
        profile = ox.NamedNode(representation.profile.iri)
        if index == 0:
            yield ox.Triple(node, altr_term("hasDefaultRepresentation"), representation_node)
        yield ox.Triple(node, altr_term("hasRepresentation"), representation_node)
        yield ox.Triple(representation_node, RDF_TYPE, altr_term("Representation"))
        yield ox.Triple(
            representation_node, expand_curie("dcterms:format"), ox.Literal(representation.format.media_type)
        )
        yield ox.Triple(representation_node, expand_curie("dcterms:conformsTo"), profile)
        yield ox.Triple(profile, RDF_TYPE, expand_curie("dcterms:Standard"))
        yield ox.Triple(profile, expand_curie("prof:hasToken"), ox.Literal(representation.profile.token))


def altr_term(name: str) -> ox.NamedNode:
    """A term of the Alternate Representations Data Model."""
    return ox.NamedNode(f"{ALTR_MODEL_IRI}#{name}")


def build_representations_document(resource: Resource, base: str) -> dict[str, Any]:
    """The representations as JSON: the profiles in order, each with its media types in order."""
    representations = resource.representations(base)
    profiles = {representation.profile.token: representation.profile for representation in representations}
    return {
        "resource": resource.iri,
        "default": {
            "token": representations[0].profile.token,
            "media_type": representations[0].format.media_type,
        },
        "profiles": [
            {
                "token": token,
                "uri": profile.iri,
                "title": profile.title,
                "description": profile.description,
                "media_types": [
                    representation.format.media_type
                    for representation in representations
                    if representation.profile == profile
                ],
            }
            for token, profile in profiles.items()
        ],
    }


def representation_rows(resource: Resource, base: str) -> list[tuple[Any, list[tuple[str, str]]]]:
    """Each profile with (title, address) pairs of its formats, for the HTML page."""
    rows: dict[str, tuple[Any, list[tuple[str, str]]]] = {}
    for representation in resource.representations(base):
        _, formats = rows.setdefault(representation.profile.token, (representation.profile, []))
        formats.append((representation.format.title, resource.representation_address(representation)))
    return list(rows.values())

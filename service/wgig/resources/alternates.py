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
from ..http.parameters import in_field, query, with_parameters
from ..pages.rendering import in_format
from ..rdf.formats import Format
from ..rdf.namespaces import OUTSIDE
from .negotiation import Choice, offers
from .profiles import OFFERED, OWN, Profile, profiles

LICENSE = "https://creativecommons.org/licenses/by/4.0/"  # of what is our own


@dataclass(frozen=True)
class Subject:
    """A resource as it is represented.

    `iri` names it, `path` with the parameters `pairs` is where it is read, and `formats` are those of its
    `own` profile, which `write` gives as bytes. From its `triples`, other profiles are computed that fit its
    `types`; where these are None, it has no other but those that `write` gives as well, which are `written`,
    by token, each in formats of its own. `suffixed`: a format is had by the ending of the path, and
    not by a parameter. `license` is the IRI of its license, empty where none is stated.
    """

    iri: str
    path: str
    triples: Callable[[], Iterable[ox.Triple]]
    write: Callable[[Format], bytes]
    types: frozenset[str] | None = None
    formats: Sequence[Format] = OFFERED
    suffixed: bool = True
    pairs: Pairs = field(default_factory=list)
    own: str = OWN
    written: Mapping[str, Profile] | None = None
    license: str = LICENSE

    @property
    def here(self) -> str:
        """Where it is read, by whatever profile and in whatever format a client likes."""
        return with_parameters(self.path, query(self.pairs))

    def fits(self, profile: Profile) -> bool:
        """Whether it can be had in a profile."""
        return self.writes(profile) or (self.types is not None and profile.fits(self.types))

    def writes(self, profile: Profile) -> bool:
        """Whether it gives a profile itself, and not by a query over its triples."""
        return profile.token in (self.own, *(self.written or ()))

    def choices(self, base: str) -> list[Choice]:
        """All its representations, the one first that a client gets who does not care."""
        known = {**profiles(base), **(self.written or {})}
        return list(offers(known, self.formats, [token for token, one in known.items() if self.fits(one)]))

    def address(self, choice: Choice) -> str:
        """Where just this representation is read."""
        path = f"{self.path}.{choice.format.suffix}" if self.suffixed else self.path
        parameters = query(self.pairs)
        if choice.profile.token != self.own:
            parameters.append(f"_profile={choice.profile.token}")
        if not self.suffixed:
            parameters.append(f"_mediatype={choice.format.media_type.replace('+', '%2B')}")
        return with_parameters(path, parameters)


LONGEST = 3000  # bytes of the field; proxies commonly take 4 kB for all header fields
MODEL = "http://www.w3.org/ns/dx/conneg/altr"  # the data model of the list of representations
KIND = "http://www.w3.org/ns/dx/prof/Profile"


def links(subject: Subject, chosen: Choice | None, base: str, more: Iterable[str] = ()) -> list[str]:
    """The links of a representation, or of the list of them; what does not fit stands in the list.

    By Content Negotiation by Profile, sections 7.1.1 (canonical, alternate) and 7.1.1.2 (tokens).
    """
    every = subject.choices(base)
    known = {one.profile.token: one.profile for one in every}
    return fitting(
        [
            represented(subject.here, "canonical", every[0]),
            *more,
            *common(subject.license),
            *([f'<{chosen.profile.iri}>; rel="profile"'] if chosen else []),
            f'<{listing(subject)}>; rel="alternate"; type="text/html"; profile="{MODEL}"',
            *map(mapping, known.values()),
            *(
                represented(subject.address(one), "alternate", one)
                for one in by_need(every)
                if not chosen or (one.profile.iri, one.format) != (chosen.profile.iri, chosen.format)
            ),
        ]
    )


def common(license_: str = LICENSE) -> list[str]:
    """The links of whatever holds data, under the license with an IRI; empty: none is known."""
    return ['</ontology>; rel="describedby"', *([f'<{license_}>; rel="license"'] if license_ else [])]


def by_need(choices: list[Choice]) -> list[Choice]:
    """The choices, those first that are of our own profile or the first of another."""
    own = choices[0].profile
    seen: set[str] = set()
    ahead: list[Choice] = []
    rest: list[Choice] = []
    for one in choices:
        (rest if one.profile != own and one.profile.token in seen else ahead).append(one)
        seen.add(one.profile.token)
    return [*ahead, *rest]


def alternates(path: str, formats: Iterable[Format], chosen: Format) -> list[str]:
    """The links to the other formats of what has a format by a parameter, and no profiles."""
    return [
        f'<{in_format(path, one.media_type)}>; rel="alternate"; type="{one.media_type}"'
        for one in formats
        if one is not chosen
    ]


def listing(subject: Subject) -> str:
    """Where the list of the representations is read."""
    return with_parameters(subject.here, ["_profile=all"])


def represented(target: str, relation: str, choice: Choice) -> str:
    """The link to a representation."""
    return f'<{target}>; rel="{relation}"; type="{choice.format.media_type}"; profile="{choice.profile.iri}"'


def mapping(profile: Profile) -> str:
    """The link that says which profile a token means."""
    return f'<{KIND}>; rel="type"; token="{profile.token}"; anchor="{profile.iri}"'


def fitting(found: Iterable[str]) -> list[str]:
    """As many of the links, in their order, as the field may hold."""
    kept, room = [], LONGEST
    for one in map(in_field, found):
        if len(one) + 2 <= room:
            kept.append(one)
            room -= len(one) + 2
    return kept


DCTERMS = OUTSIDE["dcterms"]
TYPE = ox.NamedNode(f"{OUTSIDE['rdf']}type")


def triples(subject: Subject, base: str) -> Iterator[ox.Triple]:
    """The representations by the Alternate Representations Data Model (section 6.4 and its appendix)."""
    resource = ox.NamedNode(subject.iri)
    for place, one in enumerate(subject.choices(base)):
        node = ox.NamedNode(base.rstrip("/") + subject.address(one))
        profile = ox.NamedNode(one.profile.iri)
        if place == 0:
            yield ox.Triple(resource, altr("hasDefaultRepresentation"), node)
        yield ox.Triple(resource, altr("hasRepresentation"), node)
        yield ox.Triple(node, TYPE, altr("Representation"))
        yield ox.Triple(node, ox.NamedNode(f"{DCTERMS}format"), ox.Literal(one.format.media_type))
        yield ox.Triple(node, ox.NamedNode(f"{DCTERMS}conformsTo"), profile)
        yield ox.Triple(profile, TYPE, ox.NamedNode(f"{DCTERMS}Standard"))
        yield ox.Triple(profile, ox.NamedNode(f"{OUTSIDE['prof']}hasToken"), ox.Literal(one.profile.token))


def altr(name: str) -> ox.NamedNode:
    """A term of the model."""
    return ox.NamedNode(f"{MODEL}#{name}")


def members(subject: Subject, base: str) -> dict[str, Any]:
    """The representations as JSON: the profiles in their order, each with its media types in theirs."""
    every = subject.choices(base)
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


def rows(subject: Subject, base: str) -> list[tuple[Any, list[tuple[str, str]]]]:
    """The profiles, each with the titles and addresses of its formats, for a page."""
    found: dict[str, tuple[Any, list[tuple[str, str]]]] = {}
    for one in subject.choices(base):
        _, formats = found.setdefault(one.profile.token, (one.profile, []))
        formats.append((one.format.title, subject.address(one)))
    return list(found.values())

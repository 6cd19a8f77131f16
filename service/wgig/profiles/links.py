"""What the Link field of a representation says: where the others are, and by which profile each is."""

from collections.abc import Iterable

from ..formats import Format
from ..links import in_field
from ..pages import in_format
from .profile import Profile
from .subject import LICENSE, Subject, with_parameters
from .wish import Choice

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
